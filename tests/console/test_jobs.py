"""The pages of jobs on both stores, without a worker."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta
from html import unescape
from itertools import takewhile

import httpx2
import msgspec
import pytest
from tests.console.conftest import CONSOLE, Browser, text_of
from tests.support.deployment import Deployment
from tests.support.job_runner import JobRunner

from bulkwright.console.render import fragment
from bulkwright.console.views import JobView
from bulkwright.domain.audit import Action
from bulkwright.domain.job import JobStatus, LedgerEntry
from bulkwright.domain.outcome import Counts
from bulkwright.wire import own

JOBS = f"{CONSOLE}/jobs"
HOSTILE = "<img src=x onerror=alert(1)>'\"&amp;.csv"


def shown(page: httpx2.Response) -> list[str]:
    """The ids of the jobs of a list."""
    return re.findall(r'id="job-(\d+)"', page.text)


def end(server: Deployment, job: int) -> None:
    """End a job, as a worker does."""
    claims = server.services.claims
    claimed = claims.claim("test", job)
    assert claimed is not None
    claims.finish(claimed[0], JobStatus.COMPLETED, code=None, has_result=False)


def test_jobs_are_listed_newest_first(server: Deployment, browser: Browser) -> None:
    """Each leads to its page; a list with an open job follows its events."""
    jobs = [str(server.job_id()) for _ in range(3)]
    page = browser.get(JOBS)
    assert shown(page)[:3] == jobs[::-1]
    assert 'sse-connect="/console/jobs/events"' in page.text
    assert "insert Leads" in text_of(page) and "Waiting" in text_of(page)
    assert f'href="/console/jobs/{jobs[0]}"' in page.text


def test_filters_are_those_of_the_api(server: Deployment, browser: Browser) -> None:
    ended, open_ = server.job_id(), server.job_id()
    end(server, ended)
    for query, there, not_there in (
        ({"status": "COMPLETED"}, ended, open_),
        ({"status": "ADDED", "module": "Leads", "operation": "insert"}, open_, ended),
        ({"created_by": str(server.tenant.user.id), "status": "ADDED"}, open_, ended),
        ({"file": "leads", "status": "COMPLETED"}, ended, open_),
    ):
        found = shown(browser.get(JOBS, params=query))
        assert str(there) in found and str(not_there) not in found
    today = server.services.clock.now().date()
    for query, is_there in (
        ({"since": str(today - timedelta(days=1))}, True),
        ({"since": str(today + timedelta(days=2))}, False),
        ({"until": str(today + timedelta(days=1))}, True),
        ({"until": str(today - timedelta(days=2))}, False),
    ):
        assert (str(ended) in shown(browser.get(JOBS, params=query))) is is_there
    assert "No job matches" in browser.page(f"{JOBS}?module=Accounts")
    assert 'value="&#34;none&#34;"' in browser.get(JOBS, params={"file": '"none"'}).text


def test_an_id_leads_to_its_job(server: Deployment, browser: Browser) -> None:
    """Also from the list itself, which asks for a piece of a page."""
    job = server.job_id()
    query = {"id": f" {job}", "status": ""}
    assert browser.get(JOBS, params=query).headers["location"] == f"{JOBS}/{job}"
    answer = browser.get(JOBS, params=query, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, f"{JOBS}/{job}")


@pytest.mark.parametrize(
    "query", ["status=DONE", "since=yesterday", "cursor=x", "until=9999-12-31"]
)
def test_a_filter_that_is_none_is_explained(browser: Browser, query: str) -> None:
    answer = browser.get(f"{JOBS}?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_a_long_list_has_pages(server: Deployment, browser: Browser) -> None:
    """Each job is on exactly one page, and the filters hold on all of them."""
    for _ in range(51):
        server.job_id(file_id=server.tenant and _file(server))
    found: list[str] = []
    path = f"{JOBS}?status=ADDED"
    while True:
        page = browser.get(path)
        found += shown(page)
        older = re.search(r'href="([^"]+)">Older<', page.text)
        if older is None:
            break
        path = unescape(older[1])
        assert "status=ADDED" in path and "cursor=" in path
    assert len(found) >= 51 and len(set(found)) == len(found)
    assert found == sorted(found, key=int, reverse=True)


_files: dict[str, str] = {}


def _file(server: Deployment) -> str:
    return _files.setdefault(server.base_url, server.file_id())


def test_a_page_shows_what_the_api_returns(server: Deployment, browser: Browser) -> None:
    """The details are the very JSON, and a person reads why the job waits."""
    job = server.job_id()
    page = browser.get(f"{JOBS}/{job}")
    assert page.status_code == 200
    block = re.search(r"<pre[^>]*>#[^\n]*\n(.*?)</pre>", page.text, re.DOTALL)
    assert block
    assert json.loads(unescape(block[1])) == server.get(f"/api/v1/jobs/{job}").json()
    text = text_of(page)
    assert "Why it waits" in text
    assert "older jobs of your org wait too" in text or "No worker has claimed" in text


def test_a_job_of_another_org_does_not_exist(
    server: Deployment, browser: Browser, other: Browser
) -> None:
    """Whatever is asked of it."""
    job = server.job_id()
    token = other.csrf(JOBS)
    paths = ("", "/events", "/errors", "/full-result", "/failed-rows", "/diff", "/result")
    for path in paths:
        assert other.get(f"{JOBS}/{job}{path}").status_code == 404, path
    for path in ("/abort", "/delete", "/undo", "/callback"):
        answer = other.post(f"{JOBS}/{job}{path}", data={"csrf": token})
        assert answer.status_code == 404, path
    assert other.get(f"{CONSOLE}/undos/{job}").status_code == 404
    assert shown(other.get(JOBS)) == []
    assert browser.get(f"{JOBS}/{job}").status_code == 200


def test_a_job_is_aborted_and_deleted(server: Deployment, browser: Browser) -> None:
    """By its forms. The audit log names the user."""
    job = server.job_id()
    page = browser.get(f"{JOBS}/{job}")
    assert browser.press(page, f"{JOBS}/{job}/delete").status_code == 409
    answer = browser.press(page, f"{JOBS}/{job}/abort")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{JOBS}/{job}")
    page = browser.get(f"{JOBS}/{job}")
    assert "Aborting" in text_of(page) and "An abort was requested" in text_of(page)
    ended = server.job_id()
    end(server, ended)
    answer = browser.press(page, f"{JOBS}/{ended}/abort")
    assert answer.status_code == 409 and "JOB_HAS_ENDED" in answer.text
    answer = browser.press(page, f"{JOBS}/{ended}/delete")
    assert answer.headers["location"] == f"{JOBS}?deleted={ended}"
    assert f"Job {ended} was deleted." in browser.page(f"{JOBS}?deleted={ended}")
    assert browser.get(f"{JOBS}/{ended}").status_code == 404
    entries = server.services.audit.newest(50, action=Action.JOB_DELETED)
    assert any(e.detail.startswith(str(ended)) for e in entries)


def test_a_page_of_an_unknown_job_names_no_endpoint(browser: Browser) -> None:
    text = browser.page(f"{JOBS}/123", 404)
    assert "The org has no job with this id." in text and "/api/v1" not in text


def test_the_page_names_the_columns_of_the_file(server: Deployment, browser: Browser) -> None:
    """By their headers and places. Formats and defaults have columns if there are some."""
    file = server.file_id("Last_Name;Firma;\nBoyle;Zylker;Bonn\n")
    mappings = [
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Company", "index": 1},
        {"api_name": "City", "index": 2},
    ]
    job = server.job_id(file_id=file, field_mappings=mappings)
    text = browser.page(f"{JOBS}/{job}")
    assert "Field Column Last_Name Last_Name 1 Company Firma 2 City column 3 3" in text
    mappings[2]["default_value"] = {"value": "Rome"}
    job = server.job_id(file_id=file, field_mappings=mappings)
    assert "Field Column Default" in browser.page(f"{JOBS}/{job}")


def test_an_undone_job_is_marked(server: Deployment, browser: Browser) -> None:
    """In the list and on its page, which names the undo and demands no correction of rows."""
    file = server.file_id("Last_Name,Email\nUndone,\nBad,none\n")
    job = server.job_id(file_id=file, field_mappings=None)
    with JobRunner(server.settings) as worker:
        worker.run(job)
        page = browser.get(f"{JOBS}/{job}")
        assert "Undone" not in browser.page(JOBS) and "import that file" in text_of(page)
        undo = browser.press(page, f"{JOBS}/{job}/undo").headers["location"]
        assert "Being undone" in browser.page(JOBS)
        assert "What this job stored is being undone by" in browser.page(f"{JOBS}/{job}")
        worker.run(undo.rpartition("/")[2])
    assert "Undone" in browser.page(JOBS)
    page = browser.get(f"{JOBS}/{job}")
    assert "What this job stored was undone by" in text_of(page) and f'href="{undo}"' in page.text
    assert "import that file" not in text_of(page)


def test_a_callback_is_shown_and_sent_again(server: Deployment, browser: Browser) -> None:
    """Once its delivery has ended; until then the page says why it is not."""
    body = server.insert() | {"callback": {"url": "http://127.0.0.1:9/hook", "method": "post"}}
    job = int(server.create(body).json()["details"]["id"])
    assert "sent when the job has ended" in browser.page(f"{JOBS}/{job}")
    end(server, job)
    page = browser.get(f"{JOBS}/{job}")
    assert "http://127.0.0.1:9/hook" in text_of(page) and "pending, 0 attempts" in text_of(page)
    answer = browser.press(page, f"{JOBS}/{job}/callback")
    assert answer.status_code == 409 and "CALLBACK_IS_PENDING" in answer.text
    server.services.database.sql(
        f"UPDATE outbox SET state = 'given_up', last_error = '<b>refused' WHERE job_id = {job}"
    )
    page = browser.get(f"{JOBS}/{job}")
    assert "given up" in text_of(page) and "<b>refused" in text_of(page)
    answer = browser.press(page, f"{JOBS}/{job}/callback")
    assert answer.headers["location"] == f"{JOBS}/{job}"
    assert "pending, 0 attempts" in browser.page(f"{JOBS}/{job}")


def test_a_hostile_file_name_is_text(server: Deployment, browser: Browser) -> None:
    """In the list, on the page, and in every address."""
    files = {"file": (HOSTILE, "Last_Name\nBoyle\n")}
    sent = server.http.post(
        "/api/v1/files", headers={"Authorization": f"Bearer {server.tenant.token}"}, files=files
    )
    assert sent.status_code == 201, sent.text
    job = server.job_id(file_id=sent.json()["id"], field_mappings=None)
    for path in (JOBS, f"{JOBS}/{job}", f"{CONSOLE}/import/{sent.json()['id']}"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<img" not in page.text
        assert "onerror" in text_of(page)


def test_progress_is_a_stream_of_pieces(server: Deployment, browser: Browser) -> None:
    """An event for each change; the last one loads the whole page again."""
    job = server.job_id()
    with browser.stream("GET", f"{JOBS}/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines: list[str] = []
        for line in answer.iter_lines():
            lines.append(line)
            if not line and "Waiting" in "".join(lines):
                end(server, job)
                lines = []
            elif not line:
                break
    text = "".join(lines)
    assert "event: job" in text and "Completed" in text
    assert f'hx-get="/console/jobs/{job}"' in text
    page = browser.get(f"{JOBS}/{job}").text
    assert "sse-connect" not in page


def test_the_pace_of_a_job_is_drawn(server: Deployment, browser: Browser) -> None:
    """From the times of its chunks: rows a second in each span."""
    job = server.job_id()
    ledger, database = server.services.ledger, server.services.database
    for chunk in range(4):
        entry = LedgerEntry(0, chunk, chunk * 100, 100, Counts(added=90, skipped=10), 0, 0)
        ledger._add(job, entry, 0)
        moment = 1_700_000_000_000_000 + chunk * 2_000_000
        database.sql(
            f"UPDATE ledger SET committed_time = {moment} WHERE job_id = {job} AND chunk = {chunk}"
        )
    begun = 1_700_000_000_000_000
    commits = [(begun + at * 2_000_000, 100) for at in range(4)]
    assert ledger.commits(job, 600) == commits
    assert ledger.commits(job, 2) == [(begun + 2_000_000, 200), (begun + 6_000_000, 200)]
    text = text_of(browser.get(f"{JOBS}/{job}"))
    assert "on average 50, at most 50" in text
    assert ledger.commits(server.job_id(), 600) == []


def test_a_bar_of_an_uncounted_file_is_not_full(server: Deployment) -> None:
    """It shows the shares of the rows so far; with a total, how much of it is done."""
    snapshot = server.get(f"/api/v1/jobs/{server.job_id()}").json()
    snapshot["rows"] |= {"processed": 50, "added": 50}
    job = msgspec.convert(snapshot, own.JobSnapshot)
    counted = JobView(job, "Running", "run", total=100, seconds=1, undo="")
    assert (counted.bars[0].length, counted.percent) == (50, 50)
    uncounted = replace(counted, total=None)
    for view, is_uncounted in ((counted, False), (uncounted, True)):
        assert view.is_uncounted is is_uncounted
        shown = fragment("jobs_table.html", zone=UTC, alert="", jobs=[view], first_page="",
                         next_page="").decode()  # fmt: skip
        assert ('class="bar uncounted"' in shown) is is_uncounted
        assert ("50 added, 0 updated, 0 skipped so far" in shown) is is_uncounted


def test_a_list_follows_its_jobs(server: Deployment, browser: Browser) -> None:
    """An event has the list with its filters; the last one follows the end of all of its jobs."""
    names = [{"api_name": "Last_Name", "index": 0}]
    job = server.job_id(module="Contacts", field_mappings=names)
    query = {"status": "ADDED", "module": "Contacts"}
    page = browser.get(JOBS, params=query)
    connect = unescape(re.findall(r'sse-connect="([^"]*)"', page.text)[0])
    assert connect == f"{JOBS}/events?status=ADDED&module=Contacts"
    with browser.stream("GET", connect) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        first = list(takewhile(bool, lines))
        assert first[1] == "event: jobs" and f'id="job-{job}"' in "".join(first)
        for number in shown(page):
            end(server, int(number))
        rest = list(lines)
    assert "event: end" in rest and "No job matches these filters." in "".join(rest)
    assert f'id="job-{job}"' not in "".join(rest)
    last = [line.removeprefix("id: ") for line in rest if line.startswith("id: ")][-1]
    again = browser.get(connect, headers={"Last-Event-ID": last})
    assert again.status_code == 204
    assert browser.get(f"{JOBS}/events?since=yesterday").status_code == 400
