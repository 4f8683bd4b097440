"""Says from outside whether jobs that ran at the same time have kept the promises.

What is looked at: the API's answers, the results as a client downloads them, the tables by SQL.
Jobs on the same keys may have run in any order: their answers must be ones that some order gives.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.support.site import COLUMNS, Api, Asked, Site

_TWICE = "DUPLICATE_DATA-Email"


@dataclass
class Findings:
    """What was found; `faults` are sentences, the first ones of each kind."""

    jobs: int = 0
    completed: int = 0
    rows: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    wrong: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        bad = self.lost + self.doubled + self.stuck + self.wrong
        return not bad and self.completed == self.jobs

    def say(self, kind: str, text: str, count: int = 1) -> None:
        """Note a fault."""
        setattr(self, kind, getattr(self, kind) + count)
        if len(self.faults) < 20:
            self.faults.append(f"{kind}: {text}")


@dataclass(frozen=True)
class _Line:
    job: int
    key: str
    number: int
    id: str
    status: str


def judge(site: Site, api: Api, asked: Iterable[Asked]) -> Findings:
    """Look at these jobs, which are all that their orgs ever had, after their end."""
    findings = Findings()
    by_org: dict[int, list[Asked]] = defaultdict(list)
    for job in asked:
        by_org[job.customer.org].append(job)
    for org, jobs in by_org.items():
        lines = [line for job in jobs for line in _result(site, api, job, findings)]
        _records(site, org, lines, findings)
    return findings


def _result(site: Site, api: Api, job: Asked, findings: Findings) -> list[_Line]:
    """One job by itself: its end, its counters, its ledger, its lines."""
    findings.jobs += 1
    details = api.details(job)
    if details["status"] not in ("COMPLETED", "FAILED"):
        findings.say("stuck", f"job {job.id} is {details['status']}")
        return []
    if details["status"] == "FAILED":
        findings.say("wrong", f"job {job.id} is FAILED")
    else:
        findings.completed += 1
    with zipfile.ZipFile(io.BytesIO(api.result(job))) as archive:
        assert archive.testzip() is None
        (member,) = archive.namelist()
        answers = list(csv.DictReader(io.StringIO(archive.read(member).decode(), newline="")))
    reported = [(a[COLUMNS[0]], a[COLUMNS[1]], int(a[COLUMNS[2]])) for a in answers]
    findings.rows += len(reported)
    if reported != list(job.rows):
        missing, extra = set(job.rows) - set(reported), len(reported) - len(set(reported))
        if missing:
            findings.say("lost", f"job {job.id}: {sorted(missing)[:3]}", len(missing))
        if extra:
            findings.say("doubled", f"job {job.id}: {extra} lines too many", extra)
        if not missing and not extra:
            findings.say("wrong", f"job {job.id}: the lines are out of order")
    counted = details["resource"][0]["file"]
    for name in ("added", "updated", "skipped"):
        lines = sum(a["STATUS"] == name.upper() for a in answers)
        if int(counted[f"{name}_count"] or 0) != lines:
            findings.say("wrong", f"job {job.id}: {name} {counted} counted, {lines} lines")
    # Of a job with several parts, the entries of its merged lines.
    entered = site.number(
        "SELECT sum(row_count) FROM ledger WHERE job_id = %s "
        "AND part = (SELECT min(part) FROM ledger WHERE job_id = %s)",
        *(job.id, job.id),
    )
    if entered != len(reported):
        findings.say("wrong", f"job {job.id}: {entered} rows in the ledger, {len(reported)} lines")
    for a in answers:
        fine = a["STATUS"] in ("ADDED", "UPDATED") and not a["ERRORS"]
        if not fine and (a["STATUS"], a["ERRORS"]) != ("SKIPPED", _TWICE):
            findings.say("wrong", f"job {job.id}: {a}")
    return [
        _Line(job.id, a["Email"], int(a["No_of_Employees"]), a["RECORD_ID"], a["STATUS"])
        for a in answers
    ]


def _records(site: Site, org: int, lines: list[_Line], findings: Findings) -> None:
    """All jobs of an org together: each key has one record, added once, as its lines say."""
    records: dict[str, list[tuple[str, int]]] = defaultdict(list)
    table = f'"org{org}_Leads"'
    for number, key, value in site.ask(f'SELECT id, "Email", "No_of_Employees" FROM {table}'):
        records[key].append((str(number), value))
    by_key: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_key[line.key].append(line)
    for key in records.keys() - by_key.keys():
        findings.say("doubled", f"a record {records[key]} that no line names", len(records[key]))
    for key, reported in by_key.items():
        there = records.get(key, [])
        if len(there) != 1:
            findings.say("doubled" if there else "lost", f"{key}: records {there}")
            continue
        ((number, value),) = there
        stored = [line for line in reported if line.status != "SKIPPED"]
        if sum(line.status == "ADDED" for line in stored) != 1:
            findings.say("doubled", f"{key}: added by {[line.job for line in stored]}")
        if any(line.id != number for line in stored):
            findings.say(
                "wrong", f"{key}: {number} is reported as {sorted({x.id for x in stored})}"
            )
        if value not in {line.number for line in stored}:
            findings.say("wrong", f"{key}: {value} is stored, which no line says")
