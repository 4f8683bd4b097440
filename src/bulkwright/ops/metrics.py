"""The metrics page: all counters and gauges, in Prometheus's text format.

`prometheus_client` is imported by the first scrape, because its import takes as long as the rest of
a start, and several megabytes. A server without scrapes does without both.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bulkwright import __version__
from bulkwright.domain.limits import LOCK_NOTED_SECONDS
from bulkwright.events.counters import Counters, Histogram, RequestCounters
from bulkwright.events.worker_metrics import WorkerMetrics
from bulkwright.store.metrics import MetricsStore

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.core import HistogramMetricFamily

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
"""The content type of the page."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one process."""

    counters: Counters = field(default_factory=Counters)
    """The events of this process."""
    workers: WorkerMetrics | None = None
    """The workers that this process has started."""
    requests: RequestCounters | None = None
    """The requests that this process has answered."""
    store: MetricsStore | None = None
    """The source of the backlog."""

    def page(self) -> bytes:
        """Returns the page. It reads the store, so it may wait; it raises no error of the store."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(_Collected(self._families))

    def _families(self) -> Iterator[Metric]:
        from prometheus_client import ProcessCollector
        from prometheus_client.core import GaugeMetricFamily

        info = GaugeMetricFamily(
            "bulkwright_build_info", "The version of the program.", labels=("version", "python")
        )
        info.add_metric((__version__, platform.python_version()), 1)
        yield info
        counters = self.counters
        if self.workers is not None:
            yield _gauge("workers", "Worker processes that this server runs.", self.workers.size)
            counters = self.workers.total()
            counters.absorb(self.counters)
        yield from _work(counters)
        if self.requests is not None:
            yield from _requests(self.requests)
        if self.store is not None:
            yield from _backlog(self.store)
        yield from ProcessCollector(registry=None).collect()


@dataclass(frozen=True, slots=True)
class _Collected:
    """A registry, as far as prometheus_client needs one."""

    collect: Callable[[], Iterator[Metric]]


def _work(counters: Counters) -> Iterator[Metric]:
    from prometheus_client.core import HistogramMetricFamily

    yield _counter("rows", "Rows that were committed.", "outcome", counters.rows)
    yield _counter("jobs_ended", "Jobs that ended.", "status", counters.jobs)
    yield _counter(
        "worker_trouble",  # codespell:ignore trouble
        "Errors of workers.",
        "kind",
        counters.worker_errors,
    )
    yield _counter("callback_attempts", "Callbacks sent.", "outcome", counters.callbacks)
    chunks = HistogramMetricFamily(
        "bulkwright_chunk_seconds", "From the end of one chunk to the commit of the next."
    )
    _add_times(chunks, (), counters.chunks)
    yield chunks
    locks = HistogramMetricFamily(
        "bulkwright_lock_seconds",
        f"How long transactions held their locks, if for {LOCK_NOTED_SECONDS} s or longer.",
    )
    _add_times(locks, (), counters.locks)
    yield locks


def _requests(requests: RequestCounters) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    responses = CounterMetricFamily(
        "bulkwright_http_requests",
        "Requests answered; route is empty for requests that match no route.",
        labels=("method", "route", "status"),
    )
    times = HistogramMetricFamily(
        "bulkwright_http_request_seconds",
        "From the head of a request to the last byte of its response.",
        labels=("method", "route"),
    )
    for route, route_counters in list(requests.routes.items()):
        for status, n in list(route_counters.by_status.items()):
            responses.add_metric((*route, str(status)), n)
        _add_times(times, route, route_counters.times)
    yield responses
    yield times
    not_served = CounterMetricFamily(
        "bulkwright_not_implemented",
        "Requests for what Zoho documents and this server does not implement.",
        labels=("operation", "parameter"),
    )
    for key, n in list(requests.not_served.items()):
        not_served.add_metric(key, n)
    yield not_served


def _backlog(store: MetricsStore) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    up = "1: the database answered this scrape; 0: the gauges of the backlog are missing."
    try:
        backlog = store.backlog()
    except Exception:  # the log and /readyz report the reason
        yield _gauge("store_up", up, 0)
        return
    yield _gauge("store_up", up, 1)
    jobs = GaugeMetricFamily("bulkwright_jobs", "Jobs that have not ended.", labels=("status",))
    jobs.add_metric(("ADDED",), backlog.added)
    jobs.add_metric(("INPROGRESS",), backlog.in_progress)
    yield jobs
    for name, help_text, value in (
        ("queue_age_seconds", "Age of the oldest job that waits for a worker.", backlog.queue_age),
        ("callbacks_pending", "Callbacks that are still to be delivered.", backlog.callbacks),
        ("callback_lag_seconds", "How long the oldest due one is overdue.", backlog.callback_lag),
    ):
        yield _gauge(name, help_text, value)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"bulkwright_{name}", help_text, value=value)


def _counter(name: str, help_text: str, label: str, values: dict[str, int]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"bulkwright_{name}", help_text, labels=(label,))
    for value, n in values.items():
        family.add_metric((value,), n)
    return family


def _add_times(family: HistogramMetricFamily, labels: tuple[str, ...], times: Histogram) -> None:
    """Adds a histogram. A bucket of Prometheus also counts what the buckets before it count."""
    so_far, buckets = 0, []
    for bound, n in zip((*times.bounds, float("inf")), list(times.counts), strict=True):
        so_far += n
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(so_far)))
    family.add_metric(labels, buckets, sum_value=times.seconds)
