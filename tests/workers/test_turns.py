"""Whose turn it is: orgs share the workers, whoever asks for how much."""

from __future__ import annotations

from collections.abc import Callable

from tests.cluster.site import Asked, Customer, Site, own_rows
from tests.cluster.verdict import judge
from tests.crash.watching import until

Deploy = Callable[..., Site]


def _order(site: Site) -> list[int]:
    """All jobs in the order in which they ended."""
    return [n for (n,) in site.ask("SELECT id FROM jobs ORDER BY finished_time, id")]


def _ended(site: Site, count: int) -> bool:
    done = "SELECT count(*) FROM jobs WHERE status = 'COMPLETED'"
    return until(lambda: site.number(done) == count, pause=0.1)


def test_a_flood_of_one_org_does_not_starve_another(deploy: Deploy) -> None:
    """A hundred jobs are waiting; another org's only one is among the first that are done."""
    site = deploy()
    many, one = site.customers(2)
    api = site.api()
    flood = [api.ask(many, own_rows(f"m{n}", 5)) for n in range(100)]
    last = api.ask(one, own_rows("o", 5))
    for _ in range(2):
        site.worker()
    assert _ended(site, 101), site.log
    # When its job was claimed, each worker had ended one of the others' at most.
    before = "SELECT count(*) FROM jobs, orgs o WHERE o.id = %s AND finished_time < o.served_time"
    ((ended,),) = site.ask(before, one.org)
    assert ended <= 2
    verdict = judge(site, api, [*flood, last])
    assert verdict.sound, verdict


def test_an_org_with_priority_goes_first(deploy: Deploy) -> None:
    """`bulkwright org --priority`: all of its jobs are begun before those of others."""
    site = deploy()
    first, second = site.customers(2)
    api = site.api()

    def ask(customer: Customer, name: str) -> list[Asked]:
        return [api.ask(customer, own_rows(f"{name}{n}", 5)) for n in range(8)]

    ordinary, urgent = ask(first, "a"), ask(second, "b")
    told, _ = site.run("org", second.org, "--priority", 5).communicate(timeout=30)
    assert f"org_id         {second.org}\n" in told
    assert "priority       5\n" in told
    site.worker()
    assert _ended(site, 16), site.log
    assert _order(site) == [job.id for job in [*urgent, *ordinary]]


def test_a_job_that_kills_its_workers(deploy: Deploy) -> None:
    """FAILED with a code after three tries; meanwhile others are done by other workers."""
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
    ((code, token),) = site.ask("SELECT code, lease_token FROM jobs WHERE id = %s", poisoned.id)
    assert (code, token) == ("INTERNAL_ERROR", 5)  # three tries, the listing, the end
    verdict = judge(site, api, others)
    assert verdict.sound, verdict
