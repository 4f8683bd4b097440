"""The page of metrics: what is counted, under its names, in Prometheus's text format.

`prometheus_client` is imported by the first scrape: it takes as long as the rest of a start, and
several megabytes, which a server that nobody scrapes does without.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bulkwright import __version__
from bulkwright.metrics.crew import Crew
from bulkwright.metrics.tally import RequestTally, Tally, Times
from bulkwright.store.metrics import MetricsStore

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.core import HistogramMetricFamily

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
"""Of a page."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything that one process tells."""

    tally: Tally = field(default_factory=Tally)
    """Its own."""
    crew: Crew | None = None
    """The workers that it has started."""
    requests: RequestTally | None = None
    """What it has answered."""
    store: MetricsStore | None = None
    """Where it looks up what is left to do."""

    def page(self) -> bytes:
        """The metrics as they are now. Reads the store, so it may wait; it never raises for it."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(_Collected(self._families))

    def _families(self) -> Iterator[Metric]:
        from prometheus_client import ProcessCollector
        from prometheus_client.core import GaugeMetricFamily

        info = GaugeMetricFamily(
            "bulkwright_build_info", "Which program this is.", labels=("version", "python")
        )
        info.add_metric((__version__, platform.python_version()), 1)
        yield info
        tally = self.tally
        if self.crew is not None:
            yield _gauge("workers", "Worker processes that this server runs.", self.crew.size)
            tally = self.crew.total()
            tally.absorb(self.tally)
        yield from _work(tally)
        if self.requests is not None:
            yield from _requests(self.requests)
        if self.store is not None:
            yield from _backlog(self.store)
        yield from ProcessCollector(registry=None).collect()


@dataclass(frozen=True, slots=True)
class _Collected:
    """What prometheus_client takes for a registry."""

    collect: Callable[[], Iterator[Metric]]


def _work(tally: Tally) -> Iterator[Metric]:
    from prometheus_client.core import HistogramMetricFamily

    yield _counter("rows", "Rows that were committed.", "outcome", tally.rows)
    yield _counter("jobs_ended", "Jobs that ended.", "status", tally.jobs)
    yield _counter("worker_trouble", "What went wrong in workers.", "kind", tally.trouble)
    yield _counter("callback_attempts", "Callbacks sent.", "outcome", tally.callbacks)
    chunks = HistogramMetricFamily(
        "bulkwright_chunk_seconds", "From the end of one chunk to the commit of the next."
    )
    _add_times(chunks, (), tally.chunks)
    yield chunks


def _requests(requests: RequestTally) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    answers = CounterMetricFamily(
        "bulkwright_http_requests",
        "Requests answered; route is empty for what no route serves.",
        labels=("method", "route", "status"),
    )
    times = HistogramMetricFamily(
        "bulkwright_http_request_seconds",
        "From the head of a request to the last byte of its answer.",
        labels=("method", "route"),
    )
    for route, answered in list(requests.routes.items()):
        for status, n in list(answered.by_status.items()):
            answers.add_metric((*route, str(status)), n)
        _add_times(times, route, answered.times)
    yield answers
    yield times


def _backlog(store: MetricsStore) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    up = "Whether the database has answered this scrape; without it, the gauges below are missing."
    try:
        backlog = store.backlog()
    except Exception:  # what is wrong with it is told by the log and by /readyz
        yield _gauge("store_up", up, 0)
        return
    yield _gauge("store_up", up, 1)
    jobs = GaugeMetricFamily("bulkwright_jobs", "Jobs that have not ended.", labels=("status",))
    jobs.add_metric(("ADDED",), backlog.added)
    jobs.add_metric(("INPROGRESS",), backlog.in_progress)
    yield jobs
    for name, help_text, value in (
        ("queue_age_seconds", "Age of the oldest job that waits for a worker.", backlog.queue_age),
        ("callbacks_pending", "Callbacks that are still to be told.", backlog.callbacks),
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


def _add_times(family: HistogramMetricFamily, labels: tuple[str, ...], times: Times) -> None:
    """Prometheus's buckets hold all that took no longer, not only what the one before did not."""
    so_far, buckets = 0, []
    for bound, n in zip((*times.bounds, float("inf")), list(times.counts), strict=True):
        so_far += n
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(so_far)))
    family.add_metric(labels, buckets, sum_value=times.seconds)
