"""The pages of bulk reads on both stores."""

from __future__ import annotations

import io
import zipfile

import pytest
from tests.console.conftest import CONSOLE, Browser, text_of
from tests.support.deployment import Deployment
from tests.support.job_runner import JobRunner

READS = f"{CONSOLE}/reads"
API = "/api/v1/reads"


def new_read(server: Deployment, **query: object) -> str:
    """The id of a new bulk read."""
    body = {"query": {"module": {"api_name": "Leads"}, **query}}
    answer = server.http.post("/crm/bulk/v8/read", headers=server.auth(), json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"][0]["details"]["id"])


def test_an_open_read_is_listed_aborted_and_kept_from_others(
    server: Deployment, browser: Browser, other: Browser
) -> None:
    """Without a worker. The id in the search of jobs leads to its page."""
    first, read = new_read(server), new_read(server, fields=["Last_Name"])
    listed = browser.get(READS).text
    assert listed.index(f'id="read-{read}"') < listed.index(f'id="read-{first}"')
    assert 'hx-trigger="every 2s"' in listed
    page = server.get(f"{API}?limit=1").json()
    assert [one["id"] for one in page["reads"]] == [read] and page["next_cursor"] == read
    assert server.get(f"{API}?limit=1&cursor={read}").json()["reads"][0]["id"] == first
    assert browser.get(f"{CONSOLE}/jobs/{read}").headers["location"] == f"{READS}/{read}"
    shown = browser.get(f"{READS}/{read}")
    assert "Waiting" in text_of(shown) and "Fields Last_Name" in text_of(shown)
    assert browser.press(shown, f"{READS}/{read}/delete").status_code == 409
    assert browser.press(shown, f"{READS}/{read}/abort").status_code == 303
    assert "Aborting" in browser.page(f"{READS}/{read}")
    assert browser.get(f"{READS}/{read}/result").status_code == 404
    assert "No bulk reads" in other.page(READS)
    for path in ("", "/result"):
        assert other.get(f"{READS}/{read}{path}").status_code == 404
        answer = server.get(f"{API}/{read}{path}", server.other.token)
        assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_JOB")
    browser.press(shown, f"{READS}/{first}/abort")


@pytest.mark.slow
def test_the_csv_of_a_read_is_downloaded(server: Deployment, browser: Browser) -> None:
    """By the page and by the API, which wants the scope of the module too."""
    added = {"data": [{"Last_Name": "Reader of pages"}]}
    assert server.http.post("/crm/v8/Leads", headers=server.auth(), json=added).is_success
    read = new_read(server, fields=["Last_Name"])
    with JobRunner(server.settings) as worker:
        worker.run(read)
    found = server.get(f"{API}/{read}").json()
    assert found["rows"] >= 1 and found["more"] is False and found["ended_time"]
    assert "CSV (zip)" in browser.page(f"{READS}/{read}") and "Completed" in browser.page(READS)
    for answer in (browser.get(f"{READS}/{read}/result"), server.get(f"{API}/{read}/result")):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (name,) = archive.namelist()
            assert b"Reader of pages" in archive.read(name)
    narrow = server.token("bulkwright.jobs.READ")
    assert server.get(f"{API}/{read}/result", narrow).status_code == 403
    page = browser.get(f"{READS}/{read}")
    assert browser.press(page, f"{READS}/{read}/abort").status_code == 409
    assert browser.press(page, f"{READS}/{read}/delete").status_code == 303
    assert browser.get(f"{READS}/{read}").status_code == 404
