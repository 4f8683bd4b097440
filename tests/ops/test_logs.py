"""Log lines as JSON: their fields, and the secrets that they never contain."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from tests.support.processes import fault_environment, until
from tests.support.receivers import Receiver, answer
from tests.support.served import Served, leads

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Counts
from bulkwright.events.context import about
from bulkwright.events.events import JobEnded
from bulkwright.events.log import log_event
from bulkwright.runtime.logging import JsonLines, TextLines

JSON = ("--log-format", "json")
BACK = "https://app.example/back"
PASSWORD = "Füße im Wasser, 12"
ALWAYS = {"time", "level", "logger", "message", "role", "pid"}


def lines(log: str) -> list[dict[str, Any]]:
    """Returns every line; each must be one JSON object."""
    return [json.loads(line) for line in log.splitlines()]


def test_the_end_of_a_job_names_the_rows_of_a_bulk_write_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bulk read and an undo add nothing: they have an event of their own with their counts."""
    with caplog.at_level(logging.INFO, "bulkwright.worker"):
        log_event(JobEnded(7, JobStatus.COMPLETED, None, Counts(2, 0, 1)))
        log_event(JobEnded(8, JobStatus.FAILED, "ABORTED"))
    assert caplog.messages == [
        "job 7: COMPLETED - added 2 updated 0 skipped 1",
        "job 8: FAILED ABORTED",
    ]


def test_the_fields_of_a_line(tmp_path: Path) -> None:
    """Role, request and job, each in a field."""
    with Served(tmp_path / "data", *JSON, "--log-requests") as served:
        job = served.begin(leads(4))
        served.ended(job)
        assert served.http.get(f"/crm/bulk/v2/write/{job}?secret=x").status_code == 200
        pid, (worker,) = served.process.pid, served.workers
    entries = lines(served.log)
    assert all(set(line) >= ALWAYS for line in entries)
    for line in entries:
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)
    requests = [line for line in entries if line["logger"] == "bulkwright.access"]
    assert {line["level"] for line in requests} == {"info"}
    assert {(line["role"], line["pid"]) for line in requests} == {("api", pid)}
    ids = [line["request_id"] for line in requests]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[0-9a-f]{16}", i) for i in ids)
    (upload,) = (line for line in requests if "upload" in line["message"])
    assert re.fullmatch(r"POST /crm/\{version\}/upload: 200 in \d+\.\d ms", upload["message"])
    work = [line for line in entries if line["role"] == "worker"]
    assert {line["pid"] for line in work} == {worker}
    assert [line["job_id"] for line in work] == [int(job)] * 2
    assert "started" in work[0]["message"] and "COMPLETED" in work[1]["message"]


def test_no_line_for_a_request_by_default(tmp_path: Path) -> None:
    """There may be 8,000 requests a second."""
    with Served(tmp_path / "data", *JSON, "--workers", "0") as served:
        served.http.get("/crm/v2/org")
    assert not [line for line in lines(served.log) if line["logger"] == "bulkwright.access"]


def test_the_correlation_id_of_a_response_is_the_id_of_its_request(tmp_path: Path) -> None:
    """It finds every line of the request, those of its threads too."""
    faults = tmp_path / "faults"
    options = (*JSON, "--log-level", "debug", "--workers", "0")
    with Served(tmp_path / "data", *options, environment=fault_environment(faults, {})) as served:
        (faults / "full" / "move_to").touch()
        refused = served.upload(leads(2)).json()
        (faults / "full" / "move_to").unlink()
    number = refused["details"]["correlation_id"]
    found = [line for line in lines(served.log) if line.get("request_id") == number]
    # On a busy machine a transaction may take long, which has a line too.
    failed, access = (line for line in found if "held its locks" not in line["message"])
    assert failed["correlation_id"] == number and failed["level"] == "error"
    assert number in failed["message"] and "no space" in failed["message"]
    assert access["logger"] == "bulkwright.access" and "500" in access["message"]


def test_parallel_requests_have_different_ids(tmp_path: Path) -> None:
    """Uploads whose files fail at the same time on several threads."""
    faults = tmp_path / "faults"
    options = (*JSON, "--workers", "0")
    with Served(tmp_path / "data", *options, environment=fault_environment(faults, {})) as served:
        (faults / "full" / "move_to").touch()
        answers: list[httpx2.Response] = []
        threads = [
            threading.Thread(target=lambda: answers.append(served.upload(leads(2))))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    failed = [line for line in lines(served.log) if "correlation_id" in line]
    assert all(line["request_id"] == line["correlation_id"] for line in failed)
    ids = {answer.json()["details"]["correlation_id"] for answer in answers}
    assert ids == {line["request_id"] for line in failed} and len(ids) == 16


def test_a_traceback_stays_within_its_line() -> None:
    """The line has the known fields too; special characters do not break it."""
    try:
        raise ValueError("first\nsecond\u2028third")
    except ValueError:
        record = logging.getLogger("bulkwright.x").makeRecord(
            "bulkwright.x", logging.ERROR, "f", 1, "it\nbroke", (), sys.exc_info()
        )
    with about(job_id=7), about(correlation_id="ab"):
        line = JsonLines("api").format(record)
    assert len(line.splitlines()) == 1
    entry = json.loads(line)
    assert (entry["job_id"], entry["correlation_id"], entry["level"]) == (7, "ab", "error")
    assert entry["message"] == "it\nbroke" and "ValueError: first\nsecond" in entry["error"]


def test_no_text_in_a_record_looks_like_another_record() -> None:
    """Nor does it move the cursor of a terminal. The time is in UTC and says so."""
    forged = "2026-01-01 00:00:00.000+00:00 INFO bulkwright.security: signed-in"
    for end in ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1b[2K", "\x85", "\u2028", "\u2029", "\0"):
        try:
            raise ValueError(f"first{end}{forged}")
        except ValueError:
            record = logging.getLogger("bulkwright.x").makeRecord(
                "bulkwright.x", logging.ERROR, "f", 1, "it%s%s", (end, forged), sys.exc_info()
            )
        first, *traceback = TextLines().format(record).splitlines()
        assert datetime.fromisoformat(first[:29]).utcoffset() == timedelta(0)
        assert re.fullmatch(r".{29} ERROR bulkwright[.]x: it\\x\w+.*signed-in", first), first
        assert all(line.startswith("  ") for line in traceback)
        assert any("ValueError: first" in line for line in traceback)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join([first, *traceback]))


# No secrets


def run(*line: str, data: Path, given: str = "") -> dict[str, str]:
    """Runs a command; returns the names and values that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bulkwright", *line, "--data", str(data)],
        input=given, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    pairs = (line.split(maxsplit=1) for line in done.stdout.splitlines())
    return {pair[0]: pair[-1].strip() for pair in pairs}


class Scenario:
    """Uses every kind of secret, as users and clients do, and remembers each."""

    def __init__(self, data: Path) -> None:
        self.secrets: dict[str, str] = {}
        self.first = run("init", "--company", "Zylker", "--email", "p@zylker.example", data=data)
        run("user", "add", "u@zylker.example", "--last-name", "Boyle", "--password", data=data,
            given=f"{PASSWORD}\n")  # fmt: skip
        web = ("client", "add", "Web", "--kind", "server", "--redirect-uri", BACK)
        page = ("client", "add", "Page", "--kind", "javascript", "--redirect-uri", BACK)
        self.web, self.page = run(*web, data=data), run(*page, data=data)
        (self.code,) = run("token", "create", "--code", data=data)
        self.note(
            password=PASSWORD, self_code=self.code, web_secret=self.web["client_secret"],
            secret=self.first["client_secret"], refresh=self.first["refresh_token"],
        )  # fmt: skip

    def note(self, **secrets: str) -> None:
        """Remembers values that no log may contain."""
        self.secrets |= secrets

    def play(self, served: Served, receiver: Receiver) -> None:
        """Does everything, once correctly and once with errors."""
        token = self.tokens(served)
        served.authorize(token, self.first["org_id"])
        self.sign_in(served)
        self.jobs(served, receiver)
        self.mistakes(served, token)

    def tokens(self, served: Served) -> str:
        """Codes and refresh tokens become access tokens; one is revoked."""
        own = {k: self.first[k] for k in ("client_id", "client_secret")}
        ask = served.http.post
        by_code = ask(
            "/oauth/v2/token", data={"grant_type": "authorization_code", "code": self.code, **own}
        ).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": self.first["refresh_token"]}
        # Clients may put all of it into the query.
        by_refresh = ask("/oauth/v2/token", data={**refresh, **own}).json()
        in_query = ask("/oauth/v2/token", params={**refresh, **own}).json()
        revoked = by_code["refresh_token"]
        ask("/oauth/v2/token/revoke", params={"token": revoked})
        self.note(access=by_refresh["access_token"], code_access=by_code["access_token"],
                  revoked=revoked, query_access=in_query.get("access_token", revoked))  # fmt: skip
        return str(by_refresh["access_token"])

    def sign_in(self, served: Served) -> None:
        """A user signs in by password and agrees; web pages receive a code and a token."""
        for kind, client in (("code", self.web), ("token", self.page)):
            query = {
                "scope": "ZohoCRM.bulk.ALL", "client_id": client["client_id"], "state": "st4te",
                "response_type": kind, "redirect_uri": BACK, "access_type": "offline",
            }  # fmt: skip
            base = str(served.http.base_url)
            with httpx2.Client(verify=False, base_url=base, timeout=30) as browser:
                shown = browser.get("/oauth/v2/auth", params=query)
                person = {"email": "u@zylker.example", "password": PASSWORD}
                wrong = {**person, "password": f"{PASSWORD}!"}
                for fields in (wrong, person):
                    form = {"csrf": csrf(shown), "step": "sign-in", **fields}
                    sent = browser.post(str(shown.url), data=form)
                    shown = sent if sent.status_code == 200 else shown
                shown = browser.get(sent.headers["location"])
                form = {"csrf": csrf(shown), "step": "accept"}
                sent = browser.post(str(shown.url), data=form)
                self.note(**{f"{kind}_cookie{n}": c.value or "" for n, c in
                             enumerate(browser.cookies.jar)}, csrf=csrf(shown))  # fmt: skip
            back = urlsplit(sent.headers["location"])
            if kind == "token":
                self.note(page_access=dict(parse_qsl(back.fragment))["access_token"])
                continue
            (code,) = parse_qs(back.query)["code"]
            form = {
                "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
                "client_id": self.web["client_id"], "client_secret": self.web["client_secret"],
            }  # fmt: skip
            got = served.http.post("/oauth/v2/token", data=form).json()
            self.note(web_code=code, web_access=got["access_token"],
                      web_refresh=got["refresh_token"])  # fmt: skip

    def jobs(self, served: Served, receiver: Receiver) -> None:
        """Jobs whose callback URLs contain a key: one is delivered, one is rejected."""
        self.note(callback_key="s3cret", good_row="Unmistakable", bad_row="Unmistakeable")
        rows = "Last_Name,Company,Email\nUnmistakable,Z,a@x.example\nB,Z,Unmistakeable mail\n"
        job = served.begin(rows, receiver.url)
        served.ended(job)
        served.http.get(f"/v2/crm/org{served.org}/bulk-write/{job}/{job}.zip")
        assert until(lambda: len(receiver.letters) >= 1)
        forbidden = receiver.url.replace("127.0.0.1", "127.0.0.2")
        assert served.ask(served.file_id(rows), forbidden).status_code == 400
        self.note(signing=next(iter(run("callbacks", "secret", data=served.data))))

    def mistakes(self, served: Served, token: str) -> None:
        """Secrets in wrong places, and requests that are rejected or fail."""
        get = served.http.get
        get("/crm/v2/Leads", params={"access_token": token, "page": "x"})
        get(f"/oauth/{token}/x")
        get("/crm/v2/org", headers={"Authorization": f"Basic {token}"})
        get("/metrics", headers={"Authorization": f"Bearer {token}"})
        self.note(callback_user="hook-us3r", callback_password="hook-passw0rd")
        hook = "http://hook-us3r:hook-passw0rd@127.0.0.1/"
        for body in (
            f'{{"operation": "{token}"',
            f'{{"operation": "insert", "callback": {{"url": "{hook}", "method": "post"}}}}',
        ):
            assert served.http.post("/crm/bulk/v2/write", content=body).status_code == 400
        (served.data.parent / "faults" / "full" / "move_to").touch()
        assert served.upload(leads(2)).status_code == 500
        (served.data.parent / "faults" / "full" / "move_to").unlink()
        served.metrics(self.secrets["metrics"])


def csrf(page: httpx2.Response) -> str:
    """Returns the token of a form."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None, page.text
    return found[1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of callbacks."""
    with Receiver(answer(200)) as listening:
        yield listening


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_secret_is_ever_logged(tmp_path: Path, receiver: Receiver, style: str) -> None:
    """At the most verbose level."""
    data, metrics = tmp_path / "data", "metr1cs-token"
    scenario = Scenario(data)
    scenario.note(metrics=metrics)
    options = (
        "--log-format", style, "--log-level", "debug", "--log-requests", "--metrics-token", metrics,
        "--callback-allow", f"127.0.0.1:{receiver.port}",
    )  # fmt: skip
    environment = fault_environment(tmp_path / "faults", {})
    with Served(data, *options, dev=False, environment=environment) as served:
        scenario.play(served, receiver)
    log = served.log + served.output
    assert log.count("/oauth/v2/token: ") >= 4 and "callback to 127.0.0.1" in log
    assert "rows in" in log  # the most verbose level of the worker
    assert len(scenario.secrets) >= 20
    found = {name for name, secret in scenario.secrets.items() if secret in log}
    assert found == set()
    # A part of one is too much as well.
    opens = [s for s in scenario.secrets.values() if s.startswith("1000.")]
    assert len(opens) >= 8
    assert not [s for s in opens if any(part in log for part in s.split(".")[1:])]
