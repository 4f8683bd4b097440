"""Many workers on one database: each job is run once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from tests.support.processes import until
from tests.support.site import Site, own_rows
from tests.support.site_checks import judge

Deploy = Callable[..., Site]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "jobs"), [(4, 60), pytest.param(8, 200, marks=pytest.mark.long)]
)
def test_workers_race_for_small_jobs(deploy: Deploy, workers: int, jobs: int) -> None:
    """Each is claimed once, by one worker; every row is stored and answered once."""
    site = deploy()
    customers = site.customers(4)
    api = site.api()
    asked = [api.ask(customers[n % 4], own_rows(f"j{n}", 10)) for n in range(jobs)]
    for _ in range(workers):
        site.worker()
    open_jobs = "SELECT count(*) FROM jobs WHERE status IN ('ADDED', 'INPROGRESS')"
    assert until(lambda: site.number(open_jobs) == 0, pause=0.1), site.log
    findings = judge(site, api, asked)
    assert findings.sound, findings
    claims = Counter(n for (n,) in site.ask("SELECT lease_token FROM jobs"))
    assert claims == {1: jobs}
    took_part = site.number("SELECT count(DISTINCT lease_holder) FROM jobs")
    assert took_part == workers
    assert "Traceback" not in site.log and "waiting" not in site.log


def test_parallel_jobs_on_the_same_keys(deploy: Deploy) -> None:
    """Upserts in opposite order: no deadlock, one record a key, added by one of them."""
    site = deploy()
    (customer,) = site.customers()
    api = site.api()
    keys, asked = list(range(1200)), []
    for n in range(6):
        keys.reverse()
        rows = [(f"j{n}r{key}", f"k{key}@x.example", 10_000 * n + key) for key in keys]
        asked.append(api.ask(customer, rows, "upsert" if n < 4 else "insert"))
    for _ in range(4):
        site.worker()
    assert [api.ended(job) for job in asked] == ["COMPLETED"] * 6, site.log
    findings = judge(site, api, asked)
    assert findings.sound, findings
    assert site.number("SELECT sum(added) FROM parts") == 1200
    assert site.number("SELECT max(lease_token) FROM jobs") == 1
    assert "Traceback" not in site.log and "waiting" not in site.log
