"""The order of jobs: orgs share the workers, and one with many jobs does not delay others."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.processes import until
from tests.support.site import Asked, Customer, Site, own_rows
from tests.support.site_checks import judge

Deploy = Callable[..., Site]


def _order(site: Site) -> list[int]:
    """Returns all jobs in the order in which they ended."""
    return [n for (n,) in site.ask("SELECT id FROM jobs ORDER BY finished_time, id")]


def _ended(site: Site, count: int) -> bool:
    done = "SELECT count(*) FROM jobs WHERE status = 'COMPLETED'"
    return until(lambda: site.number(done) == count, pause=0.1)


def test_many_jobs_of_one_org_do_not_delay_another(deploy: Deploy) -> None:
    """A hundred jobs wait; the only job of another org is among the first that end."""
    site = deploy()
    many, one = site.customers(2)
    api = site.api()
    flood = [api.ask(many, own_rows(f"m{n}", 5)) for n in range(100)]
    last = api.ask(one, own_rows("o", 5))
    for _ in range(2):
        site.worker()
    assert _ended(site, 101), site.log
    # When its job was claimed, each worker had ended at most one of the others.
    before = "SELECT count(*) FROM jobs, orgs o WHERE o.id = %s AND finished_time < o.served_time"
    ((ended,),) = site.ask(before, one.org)
    assert ended <= 2
    findings = judge(site, api, [*flood, last])
    assert findings.sound, findings


def test_an_org_with_priority_comes_first(deploy: Deploy) -> None:
    """`bulkwright org --priority`: all of its jobs start before those of others."""
    site = deploy()
    first, second = site.customers(2)
    api = site.api()

    def ask(customer: Customer, name: str) -> list[Asked]:
        return [api.ask(customer, own_rows(f"{name}{n}", 5)) for n in range(8)]

    ordinary, urgent = ask(first, "a"), ask(second, "b")
    output, _ = site.run("org", second.org, "--priority", 5).communicate(timeout=300)
    assert f"org_id         {second.org}\n" in output
    assert "priority       5\n" in output
    site.worker()
    assert _ended(site, 16), site.log
    assert _order(site) == [job.id for job in [*urgent, *ordinary]]


def test_a_job_that_kills_its_workers(deploy: Deploy) -> None:
    """FAILED with a code after three attempts; other workers run other jobs meanwhile."""
    site = deploy()
    (customer,) = site.customers()
    api = site.api(workers=2)
    sent = api.upload(customer, own_rows("p", 50)).json()["details"]["file_id"]
    (site.faults / "poison" / sent).touch()
    made = api.create(customer, sent, "insert").json()["details"]["id"]
    poisoned = Asked(int(made), customer, [])
    others = [api.ask(customer, own_rows(f"q{n}", 50)) for n in range(10)]
    assert [api.ended(job) for job in others] == ["COMPLETED"] * 10, site.log
    assert api.ended(poisoned) == "FAILED", site.log
    ((code, fence),) = site.ask("SELECT code, lease_token FROM jobs WHERE id = %s", poisoned.id)
    assert (code, fence) == ("INTERNAL_ERROR", 5)  # three attempts, the listing, the end
    findings = judge(site, api, others)
    assert findings.sound, findings
