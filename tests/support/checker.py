"""Checks from outside whether a deployment has kept its promises.

    python -m tests.support.checker DATA [--journal FILE] [--url URL --token TOKEN]

It reads the files and the SQLite store of a data folder, the API if a URL is given, and the journal
of a client (journal.py). It imports nothing of the product, so that it shares no mistake with it.
It prints one line for each fault, and exits 1 if there is one.

For jobs on Last_Name, Email, No_of_Employees and City of Leads that find records by Email, it
compares the store with a model that runs the same jobs on a dict.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import sqlite3
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.support.journal import Journal
from tests.support.model import COLUMNS, Model, Row, key_of

ORDER = ("ADDED", "INPROGRESS", "COMPLETED")


@dataclass(frozen=True)
class Fault:
    """One broken promise."""

    kind: str
    """`lost`, `doubled`, `stuck`, or `wrong`."""
    invariant: str
    """V1 to V11; V12 says that a key makes one thing."""
    job: int | None
    text: str

    def __str__(self) -> str:
        where = "" if self.job is None else f" job {self.job}:"
        return f"{self.kind} [{self.invariant}]{where} {self.text}"


class Store:
    """The database of a data folder, read in one transaction."""

    def __init__(self, data: Path) -> None:
        uri = f"file:{data / 'bulkwright.sqlite'}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("BEGIN")

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query."""
        return [dict(row) for row in self._connection.execute(sql, values)]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Checker:
    """Checks one deployment once."""

    def __init__(self, data: Path, journal: Journal | None = None) -> None:
        self.data = data
        self.journal = journal
        self.faults: list[Fault] = []
        self._files = data / "files"

    def check(self, url: str | None = None, token: str | None = None) -> list[Fault]:
        """All faults."""
        with closing(Store(self.data)) as store:
            self._sound(store)
            self._uploads(store)
            jobs = store.rows("SELECT * FROM jobs ORDER BY id")
            model = Model()
            swept = set() if self.journal is None else {job for job, _ in self.journal.swept}
            for number in sorted(swept & {job["id"] for job in jobs}):
                self._add("wrong", "V8", "its time is over, and it is still there", number)
            for job in jobs:
                if job["id"] not in swept:
                    self._job(store, job, model)
            self._records(store, model)
            self._ids(store)
            self._leftovers(store, jobs)
            if self.journal is not None:
                self._acknowledged(store, jobs, self.journal)
                self._polls(store, self.journal)
                self._callbacks(jobs, self.journal)
            if url is not None and token is not None:
                for job in jobs:
                    self._api(store, job, url, token)
        return self.faults

    def _add(self, kind: str, invariant: str, text: str, job: int | None = None) -> None:
        self.faults.append(Fault(kind, invariant, job, text))

    def _sound(self, store: Store) -> None:
        """V11: the database itself."""
        for pragma in ("integrity_check", "foreign_key_check"):
            reported = [tuple(row.values()) for row in store.rows(f"PRAGMA {pragma}")]
            if reported not in ([("ok",)], []):
                self._add("wrong", "V11", f"{pragma}: {reported[:3]}")

    def _job(self, store: Store, job: Row, model: Model) -> None:
        """V1, V2, V3, V5: a job, its file, its result, and its records."""
        number = job["id"]
        resources = _resources(store, number)
        if job["status"] not in ("COMPLETED", "FAILED"):
            return self._add("stuck", "V5", f"still {job['status']}", number)
        may_fail = self.journal is None or number in self.journal.may_fail
        if job["status"] == "FAILED" and not may_fail:
            self._add("stuck", "V5", f"FAILED with {job['code']}", number)
        if not _has_result(job):
            return (
                None
                if job["status"] == "FAILED"
                else self._add("lost", "V9", "COMPLETED without a result", number)
            )
        members = self._result(number)
        if members is None:
            return None
        if len(members) > len(resources):
            self._add("doubled", "V1", f"members {list(members)}", number)
        for resource, answers in zip(resources, members.values(), strict=False):
            self._counts(store, job, resource, answers)
            rows = self._input(resource)
            if rows is not None:
                self._accounted(job, rows, answers)
                self._run_model(job, resource, rows, answers, model)
        return None

    def _result(self, job: int) -> dict[str, list[Row]] | None:
        """The members of a result, each as rows; None when there is no sound one."""
        path = self._files / "results" / f"{job}.zip"
        try:
            with zipfile.ZipFile(path) as archive:
                bad = archive.testzip()
                if bad is not None:
                    raise zipfile.BadZipFile(f"checksum of {bad}")
                return {name: _rows(archive.read(name)) for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            self._add("lost", "V9", f"the result: {error!r}", job)
            return None

    def _uploads(self, store: Store) -> None:
        """V8: what was acknowledged is there, byte for byte."""
        for upload in store.rows("SELECT id, sha256 FROM uploads"):
            path = self._files / "uploads" / f"{upload['id']}.zip"
            if not path.is_file():
                self._add("lost", "V8", f"upload {upload['id']} has no file")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != upload["sha256"]:
                self._add("lost", "V8", f"upload {upload['id']} is not what was acknowledged")

    def _input(self, resource: Row) -> list[Row] | None:
        """The rows of the upload; None if it cannot be read any more."""
        try:
            with zipfile.ZipFile(self._files / "uploads" / f"{resource['file_id']}.zip") as archive:
                return _rows(archive.read(resource["file_name"]))
        except (OSError, zipfile.BadZipFile, zlib.error):
            return None

    def _accounted(self, job: Row, rows: list[Row], answers: list[Row]) -> None:
        """V1: one line for each row, in file order, with the cells of the upload."""
        echoed = [c for c in (answers[0] if answers else {}) if c in (rows[0] if rows else {})]
        asked = [tuple(row[c] for c in echoed) for row in rows]
        reported = [tuple(row[c] for c in echoed) for row in answers]
        given_up = job["status"] == "FAILED" and reported == asked[: len(reported)]
        if reported == asked or given_up:
            return
        missing, extra = Counter(asked) - Counter(reported), Counter(reported) - Counter(asked)
        if missing:
            text = f"{missing.total()} rows without a line: {list(missing)[:3]}"
            self._add("lost", "V1", text, job["id"])
        if extra:
            text = f"{extra.total()} lines too many: {list(extra)[:3]}"
            self._add("doubled", "V1", text, job["id"])
        if not missing and not extra:
            at = next(n for n, (a, b) in enumerate(zip(asked, reported, strict=True)) if a != b)
            self._add("wrong", "V1", f"lines out of order from row {at} on", job["id"])

    def _counts(self, store: Store, job: Row, resource: Row, answers: list[Row]) -> None:
        """V2: lines, counters and ledger agree; the ledger has no hole."""
        number = job["id"]
        reported = Counter(answer["STATUS"] for answer in answers)
        ledger = store.rows(
            "SELECT * FROM ledger WHERE job_id = ? AND resource = ? ORDER BY chunk",
            number, resource["position"],
        )  # fmt: skip
        for name in ("added", "updated", "skipped"):
            counted, entered = resource[name], sum(entry[name] for entry in ledger)
            lines = reported[name.upper()]
            if not counted == entered == lines:
                kind = "doubled" if counted > lines else "lost"
                text = f"{name}: {counted} counted, {entered} in the ledger, {lines} lines"
                self._add(kind, "V2", text, number)
        ends = [entry["first_row"] + entry["row_count"] for entry in ledger]
        if [entry["first_row"] for entry in ledger] != [0, *ends[:-1]][: len(ledger)]:
            self._add("lost", "V2", f"the ledger has a hole: rows end at {ends}", number)
        if sum(entry["row_count"] for entry in ledger) != len(answers):
            self._add("wrong", "V2", f"{len(answers)} lines, the ledger has {ends[-1:]}", number)

    def _run_model(
        self, job: Row, resource: Row, rows: list[Row], answers: list[Row], model: Model
    ) -> None:
        """V3: each line is that of an undisturbed run; the model then has the same records."""
        if resource["find_by"] != "Email" or (rows and tuple(rows[0]) != COLUMNS):
            return
        number, failed = job["id"], job["status"] == "FAILED"
        lines = {answer["Last_Name"]: answer for answer in answers}
        for row in rows:
            line = lines.get(row["Last_Name"])
            if failed and (line is None or line["STATUS"] == "UNPROCESSED"):
                continue
            wanted = model.expected(job["operation"], row)
            given = ("no line", "") if line is None else (line["STATUS"], line["ERRORS"])
            if given != wanted:
                text = f"{row['Last_Name']}: {' '.join(given)}, not {' '.join(wanted)}"
                self._add("wrong", "V3", text, number)
            if wanted[0] != "SKIPPED":
                reported = line["RECORD_ID"] if line is not None else ""
                if model.take(row, reported) != reported:
                    self._add(
                        "wrong", "V3", f"{row['Last_Name']}: another record {reported}", number
                    )

    def _records(self, store: Store, model: Model) -> None:
        """V3, V4: the records are the model's, and no key has two."""
        tables = [t for t in _tables(store) if t.endswith("_Leads")]
        if not model.records:
            return
        records = [r for t in tables for r in store.rows(f'SELECT * FROM "{t}"')]
        keys = Counter(key_of(record) for record in records)
        for key in [key for key, count in keys.items() if count > 1]:
            self._add("doubled", "V4", f"{keys[key]} records for {key}")
        wanted = {str(r["id"]): _cells(r) for r in model.records.values()}
        there = {str(r["id"]): _cells(r) for r in records}
        missing, extra = wanted.keys() - there.keys(), there.keys() - wanted.keys()
        if missing:
            self._add("lost", "V3", f"{len(missing)} records are gone: {sorted(missing)[:3]}")
        if extra:
            self._add("doubled", "V3", f"{len(extra)} records that no line names: "
                      f"{[there[i] for i in sorted(extra)[:3]]}")  # fmt: skip
        for number in sorted(wanted.keys() & there.keys()):
            if wanted[number] != there[number]:
                self._add("wrong", "V3", f"{number} is {there[number]}, not {wanted[number]}")

    def _ids(self, store: Store) -> None:
        """V6: no id was assigned twice."""
        sources = {"uploads": "id", "jobs": "id", "outbox": "id", "users": "id", "fields": "id"}
        given: Counter[int] = Counter()
        for table, column in [*sources.items(), *((t, "id") for t in _tables(store))]:
            given.update(r["id"] for r in store.rows(f'SELECT {column} AS id FROM "{table}"'))
        twice = sorted(number for number, count in given.items() if count > 1)
        if twice:
            self._add("doubled", "V6", f"{len(twice)} ids were assigned twice: {twice[:3]}")
        ((following,),) = [r.values() for r in store.rows("SELECT next FROM sequence")]
        if given and max(given) >= following and max(given) < 10**18:
            self._add("doubled", "V6", f"{max(given)} was assigned, {following} comes next")
        if self.journal is not None:
            reported = [int(file_id) for _, file_id in self.journal.uploads if file_id is not None]
            reported += [job for _, _, job in self.journal.creates if job is not None]
            again = [number for number, count in Counter(reported).items() if count > 1]
            if again:
                self._add("doubled", "V6", f"acknowledged twice: {again[:3]}")

    def _leftovers(self, store: Store, jobs: list[Row]) -> None:
        """V8, V11: no file without a row."""
        known = {
            "uploads": {f"{row['id']}.zip" for row in store.rows("SELECT id FROM uploads")},
            "results": {f"{job['id']}.zip" for job in jobs if _has_result(job)},
            "parts": {str(j["id"]) for j in jobs if j["status"] not in ("COMPLETED", "FAILED")},
            "incoming": set(),
        }
        for folder, names in known.items():
            left = sorted({path.name for path in (self._files / folder).iterdir()} - names)
            if left:
                self._add("wrong", "V11", f"left in {folder}: {left[:3]}")

    def _acknowledged(self, store: Store, jobs: list[Row], journal: Journal) -> None:
        """V5, V8: what was acknowledged exists; nothing exists that was not requested."""
        uploads = {r["id"]: r["sha256"] for r in store.rows("SELECT id, sha256 FROM uploads")}
        jobs_swept = {job for job, _ in journal.swept}
        files_swept = {file_id for _, file_id in journal.swept}
        for digest, file_id in journal.uploads:
            if file_id in files_swept:
                if int(file_id) in uploads:
                    self._add("wrong", "V8", f"the time of upload {file_id} is over")
            elif file_id is not None and uploads.get(int(file_id)) != digest:
                self._add("lost", "V8", f"acknowledged upload {file_id} is not there")
        sent = Counter(digest for digest, _ in journal.uploads)
        for digest, count in (Counter(uploads.values()) - sent).items():
            self._add("doubled", "V8", f"{count} uploads too many of {digest[:8]}")
        there = {job["id"]: job for job in jobs}
        for _, operation, number in journal.creates:
            if number in jobs_swept:
                continue
            if number is not None and there.get(number, {}).get("operation") != operation:
                self._add("lost", "V5", "acknowledged, and not there", number)
        asked = Counter(file_id for file_id, _, _ in journal.creates)
        found = store.rows("SELECT file_id, count(*) AS n FROM resources GROUP BY file_id")
        for row in found:
            if row["n"] > asked[str(row["file_id"])]:
                self._add("doubled", "V5", f"{row['n']} jobs for the file {row['file_id']}")

    def _polls(self, store: Store, journal: Journal) -> None:
        """V7: statuses and counters only advance, and counters are those of whole chunks."""
        swept = {job for job, _ in journal.swept}
        for number in dict.fromkeys(poll[0] for poll in journal.polls):
            seen = [poll[1:] for poll in journal.polls if poll[0] == number]
            for before, after in pairwise(seen):
                if _rank(after[0]) < _rank(before[0]) or (
                    _rank(before[0]) == 2 and before != after
                ):
                    self._add("wrong", "V7", f"{after} was seen after {before}", number)
                if any(b > a for b, a in zip(before[1:], after[1:], strict=True)):
                    self._add("wrong", "V7", f"counters went from {before} to {after}", number)
            ledger = store.rows(
                "SELECT added, updated, skipped FROM ledger WHERE job_id = ? "
                "ORDER BY resource, chunk", number,
            )  # fmt: skip
            whole = {(0, 0, 0), *_sums(tuple(entry.values()) for entry in ledger)}
            partial = {tuple(poll[1:]) for poll in seen} - whole
            if partial and number not in swept:
                self._add("wrong", "V7", f"counters between chunks: {sorted(partial)[:3]}", number)

    def _callbacks(self, jobs: list[Row], journal: Journal) -> None:
        """V10: a callback is delivered at least once, and always has the same id."""
        for job in jobs:
            ids = {webhook for number, webhook in journal.letters if number == job["id"]}
            if job["callback_url"] is not None and not ids:
                self._add("lost", "V10", "its callback was never delivered", job["id"])
            if len(ids) > 1:
                self._add("doubled", "V10", f"delivered as {sorted(ids)}", job["id"])

    def _api(self, store: Store, job: Row, url: str, token: str) -> None:
        """V2, V9: the API returns what is stored, and a result has the same bytes each time."""
        number = job["id"]
        status, body = _get(f"{url}/crm/bulk/v2/write/{number}", token)
        if status != 200:
            return self._add("lost", "V5", f"job details answer {status}", number)
        details = json.loads(body)
        resources = _resources(store, number)
        for resource, shown in zip(resources, details["resource"], strict=True):
            file = shown["file"]
            reported = [file.get(f"{name}_count", 0) for name in ("added", "updated", "skipped")]
            kept = [resource[name] for name in ("added", "updated", "skipped")]
            total = file.get("total_count", 0)
            if reported != kept or total != sum(kept) or details["status"] != job["status"]:
                text = (
                    f"details {details['status']} {reported} {total}, store {job['status']} {kept}"
                )
                self._add("wrong", "V2", text, number)
        if not _has_result(job):
            return None
        link = url + details["result"]["download_url"]
        answers = [_get(link, token), _get(link, token)]
        seen = {hashlib.sha256(body).hexdigest() for status, body in answers if status == 200}
        if self.journal is not None:
            seen |= {digest for job_id, digest in self.journal.results if job_id == number}
        if len(seen) != 1 or any(status != 200 for status, _ in answers):
            shown = [status for status, _ in answers]
            self._add("wrong", "V9", f"the result came as {len(seen)} files, HTTP {shown}", number)
        return None


def _has_result(job: Row) -> bool:
    return bool(job["has_result"]) and job.get("result_swept") is None


def _rows(data: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def _cells(record: Row) -> tuple[str, ...]:
    return tuple("" if record[name] is None else str(record[name]) for name in COLUMNS)


def _tables(store: Store) -> list[str]:
    """The tables of records, org<zgid>_<module>, without those of their images."""
    found = store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [row["name"] for row in found if not row["name"].endswith("_images")]
    return [name for name in names if re.fullmatch(r"org[0-9]+_.*", name)]


def _rank(status: str) -> int:
    return 2 if status == "FAILED" else ORDER.index(status.replace(" ", ""))


def _resources(store: Store, job: int) -> list[Row]:
    """The resources of a job, with the counters of their parts added to their own."""
    resources = store.rows("SELECT * FROM resources WHERE job_id = ? ORDER BY position", job)
    for part in store.rows("SELECT * FROM parts WHERE job_id = ?", job):
        for name in ("added", "updated", "skipped"):
            resources[part["resource"]][name] += part[name]
    return resources


def _sums(steps: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    total: Sequence[int] = (0, 0, 0)
    for step in steps:
        total = tuple(a + b for a, b in zip(total, step, strict=True))
        yield tuple(total)


def _get(url: str, token: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Zoho-oauthtoken {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def main() -> int:
    """Check a data folder and print its faults."""
    parser = argparse.ArgumentParser(prog="checker", description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--journal", type=Path, help="what a client saw (journal.py)")
    parser.add_argument("--url")
    parser.add_argument("--token")
    options = parser.parse_args()
    journal = None if options.journal is None else Journal.read(options.journal)
    faults = Checker(options.data, journal).check(options.url, options.token)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults" if faults else "sound")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
