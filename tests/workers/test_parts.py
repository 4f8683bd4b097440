"""Workers that run parts of one job: on its plan, beside other jobs, and when they are killed."""

from __future__ import annotations

import csv
import io
import random
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.postgres import Server
from tests.support.processes import until
from tests.support.site import (
    SHORT_WAITS,
    Api,
    Asked,
    Customer,
    Site,
    leads,
    locked,
    own_rows,
)
from tests.support.site_checks import judge

Deploy = Callable[..., Site]
CHUNK_BYTES = 6_000
"""About 200 rows."""
KILLS = 4
HELPED = "SELECT count(*) FROM parts WHERE lease_until > 0"


def short_chunks() -> dict[str, dict[str, object]]:
    """Constants with which a few thousand rows are divided."""
    limits = {**SHORT_WAITS["bulkwright.domain.limits"], "CHUNK_TEXT_BYTES": CHUNK_BYTES}
    return {"bulkwright.domain.limits": limits}


@dataclass
class Service:
    """An API and workers, which the tests of this file share: processes take seconds to start."""

    site: Site
    api: Api
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def begin(self, count: int) -> Customer:
        """Have `count` workers that wait for jobs; return a new customer."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for extra in self.workers[count:]:
            extra.terminate()
            extra.wait(60)
        self.workers = self.workers[:count]
        while len(self.workers) < count:
            self.workers.append(self.site.worker())
        assert until(lambda: self.site.number(LISTENING) == count, pause=0.05), self.site.log
        (customer,) = self.site.customers()
        return customer


@pytest.fixture(scope="module")
def service(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests."""
    database = postgres.database()
    with Site(tmp_path_factory.mktemp("parts"), database, constants=short_chunks()) as site:
        site.customers()  # the API needs a database that is set up
        yield Service(site, site.api())
    postgres.drop(database)


def helpers(site: Site, job: int) -> list[int]:
    """The processes that have claimed an open part of a job of another worker."""
    claimed = site.ask(
        "SELECT p.lease_holder FROM parts p JOIN jobs j ON j.id = p.job_id WHERE j.id = %s "
        "AND p.status = 'OPEN' AND p.lease_until > 0 AND p.lease_holder <> j.lease_holder",
        job,
    )
    return [int(holder.rpartition("/")[2]) for (holder,) in claimed]


def workers_of(site: Site, job: int) -> int:
    """How many processes have ended parts of a job."""
    return site.number("SELECT count(DISTINCT lease_holder) FROM parts WHERE job_id = %s", job)


LISTENING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND query = 'LISTEN bulkwright_jobs'"
)


def test_idle_workers_run_parts(service: Service) -> None:
    """As many parts as workers; every row is stored and answered once."""
    site, api, customer = service.site, service.api, service.begin(3)
    before = len(site.log)
    asked = api.ask(customer, own_rows("p", 3_000))
    assert api.ended(asked) == "COMPLETED", site.log
    assert site.number("SELECT parts FROM resources WHERE job_id = %s", asked.id) == 3
    assert workers_of(site, asked.id) >= 2
    findings = judge_divided(site, api, [asked])
    shown = site.run("jobs", "show", asked.id, "--org", customer.org)
    out, _ = shown.communicate(timeout=60)
    assert out.splitlines()[-1] == "3 parts, by Email"
    log = site.log[before:]
    assert "Traceback" not in log and "claimed it" not in log
    assert findings == []


def judge_divided(site: Site, api: Api, asked: list[Asked]) -> list[str]:
    """What is wrong with these jobs, from outside."""
    findings = judge(site, api, asked)
    return [] if findings.sound else [*findings.faults, str(findings)]


def test_a_small_job_does_not_wait_for_parts(service: Service) -> None:
    """All workers run parts of a long job; one of them runs the small job between two chunks."""
    site, api, customer = service.site, service.api, service.begin(2)
    long = api.ask(customer, own_rows("long", 8_000))
    assert until(lambda: helpers(site, long.id)), site.log
    first = f"SELECT FROM parts WHERE job_id = {long.id} AND part = 0 FOR UPDATE"
    with locked(site.database, first):
        small = [api.ask(customer, own_rows(f"s{n}", 10)) for n in range(2)]
        assert [api.ended(job) for job in small] == ["COMPLETED"] * 2, site.log
        assert api.details(long)["status"] == "INPROGRESS"
    assert api.ended(long, 120) == "COMPLETED", site.log
    assert judge_divided(site, api, [long, *small]) == []


def test_sigterm_gives_a_part_back_at_once(service: Service) -> None:
    """No lease is left for others to wait for, and no attempt is counted."""
    site, api, customer = service.site, service.api, service.begin(2)
    workers = service.workers
    asked = api.ask(customer, own_rows("t", 10_000))
    assert until(lambda: helpers(site, asked.id)), site.log
    for worker in workers:
        worker.terminate()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert api.details(asked)["status"] == "INPROGRESS"
    left = site.ask("SELECT lease_until, lease_holder, attempts FROM parts WHERE status = 'OPEN'")
    assert set(left) == {(0, None, 0)}
    service.begin(1)
    assert api.ended(asked, 120) == "COMPLETED", site.log
    assert judge_divided(site, api, [asked]) == []


@pytest.mark.slow
def test_workers_of_parts_are_killed_at_random(service: Service) -> None:
    """Owners and helpers alike: every row is stored and answered once."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    site, api, customer = service.site, service.api, service.begin(3)
    workers = service.workers
    asked = [api.ask(customer, own_rows(f"r{n}", 3_000)) for n in range(2)]
    kills = 0

    def over() -> bool:
        nonlocal kills
        until(lambda: False, chance.uniform(0.1, 0.8))
        if kills < KILLS:
            at = chance.randrange(len(workers))
            workers[at].kill()
            workers[at].wait(60)
            workers[at] = site.worker()
            kills += 1
        return all(api.details(job)["status"] in ("COMPLETED", "FAILED") for job in asked)

    assert until(over, 240), site.log
    assert kills >= KILLS // 2
    assert judge_divided(site, api, asked) == []


def write(site: Site, path: Path, result: Path, parts: int) -> subprocess.Popen[str]:
    """Start `write --parts`."""
    line = ("write", path, "--module", "Leads", "--operation", "upsert", "--find-by", "Email")
    return site.run(*line, "--result", result, "--parts", parts)


def test_short_jobs_do_not_wait_for_a_chunk(service: Service) -> None:
    """One worker: its long job waits for a lock, and short ones end meanwhile, one by one."""
    site, api, customer = service.site, service.api, service.begin(1)
    long = api.ask(customer, own_rows("only", 6_000))
    parts = f"SELECT FROM parts WHERE job_id = {long.id}"
    assert until(lambda: site.ask(parts)), site.log
    with locked(site.database, f"{parts} FOR UPDATE"):
        short = [api.ask(customer, own_rows(f"short{n}", 10)) for n in range(3)]
        assert [api.ended(job) for job in short] == ["COMPLETED"] * 3, site.log
        assert api.details(long)["status"] == "INPROGRESS"
    assert api.ended(long, 120) == "COMPLETED", site.log
    assert judge_divided(site, api, [long, *short]) == []


def wait_for_help(site: Site) -> None:
    """Wait until a process has claimed a part of the only job.

    Its owner waits too: on a busy machine it would have ended before. From time to time it may
    commit a chunk, because no statement may take longer than 30 seconds.
    """
    assert until(lambda: site.number("SELECT count(*) FROM parts"), 120), site.log
    for _ in range(20):
        with locked(site.database, "SELECT FROM parts WHERE part = 0 FOR UPDATE"):
            if until(lambda: site.number(HELPED), 10):
                return
    pytest.fail(f"no process claimed a part:\n{site.log}")


def test_write_starts_processes_for_parts(deploy: Deploy, tmp_path: Path) -> None:
    """They end with it; the workers of a server take no part of it."""
    site = deploy(constants=short_chunks())
    site.customers()
    worker = site.worker()
    path, result = tmp_path / "leads.csv", tmp_path / "result.zip"
    path.write_text(leads(own_rows("w", 9_000)))
    process = write(site, path, result, 3)
    wait_for_help(site)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out + site.log
    assert "added 9,000" in out
    holders = {n for (n,) in site.ask("SELECT lease_holder FROM parts")}
    assert len(holders) >= 2
    assert not any(holder.endswith(f"/{worker.pid}") for holder in holders)
    assert names_of(result) == [f"wr{n}" for n in range(9_000)]
    assert not any(map(alive, holders))


def alive(holder: str) -> bool:
    """Whether the process of a worker has not ended yet."""
    with suppress(FileNotFoundError):
        stat = Path(f"/proc/{holder.rpartition('/')[2]}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    return False


def names_of(result: Path) -> list[str]:
    """The names in the lines of a result, in order."""
    with zipfile.ZipFile(result) as archive:
        (member,) = archive.namelist()
        text = archive.read(member).decode()
    return [line["Last_Name"] for line in csv.DictReader(io.StringIO(text, newline=""))]


def test_write_runs_parts_on_threads(deploy: Deploy, tmp_path: Path) -> None:
    """As many as it may run at once; then it starts no process."""
    site = deploy(constants=short_chunks(), at_once=3)
    site.customers()
    path, result = tmp_path / "leads.csv", tmp_path / "result.zip"
    path.write_text(leads(own_rows("t", 9_000)))
    process = write(site, path, result, 3)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out + site.log
    assert names_of(result) == [f"tr{n}" for n in range(9_000)]
    parts = site.ask("SELECT lease_holder, added FROM parts")
    assert len(parts) == 3 and sum(added for _, added in parts) == 9_000
    assert {int(holder.rpartition("/")[2]) for holder, _ in parts} == {process.pid}


@pytest.mark.parametrize(("parts", "at_once"), [(2, 1), (4, 2)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_write_goes_on_where_it_stopped(
    deploy: Deploy, tmp_path: Path, number: signal.Signals, parts: int, at_once: int
) -> None:
    """With its processes, which end with it; the outcome is that of an undisturbed run."""
    site = deploy(constants=short_chunks(), at_once=at_once)
    site.customers()
    path, result = tmp_path / "leads.csv", tmp_path / "result.zip"
    path.write_text(leads(own_rows("w", 10_000)))
    process = write(site, path, result, parts)
    wait_for_help(site)
    assert until(lambda: site.number("SELECT sum(added) FROM parts"), pause=0.002), site.log
    ((helper,),) = site.ask("SELECT DISTINCT lease_holder FROM parts WHERE lease_until > 0")
    process.send_signal(number)
    assert process.wait(60) != 0
    assert until(lambda: not alive(helper))
    assert site.number("SELECT count(*) FROM parts WHERE status = 'OPEN' AND lease_until > 0") == 0
    done = site.number("SELECT sum(added) FROM parts")
    assert 0 < done < 10_000
    process = write(site, path, result, parts)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out + site.log
    assert "continuing job" in out
    assert names_of(result) == [f"wr{n}" for n in range(10_000)]
    assert site.number("SELECT sum(added) FROM parts") == 10_000
