"""The server for the tests of other programs, without pytest's fixtures."""

from __future__ import annotations

import json
import unittest
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from tests.support.served import leads
from tests.support.uploads import zipped

from bulkwright.testing import BulkwrightServer, ControlFailed, temporary_server


@pytest.fixture(scope="module")
def running() -> Iterator[BulkwrightServer]:
    """One server for the tests of this file."""
    with temporary_server() as server:
        yield server


@pytest.fixture
def server(running: BulkwrightServer) -> BulkwrightServer:
    """The same, reset."""
    running.reset()
    return running


def create(server: BulkwrightServer, rows: int) -> str:
    """The id of a new job."""
    headers = server.headers | {"feature": "bulk-write", "X-CRM-ORG": server.org_id}
    with httpx2.Client(base_url=server.base_url, headers=headers, verify=False, timeout=60) as http:
        file = {"file": ("leads.csv.zip", zipped(leads(rows)))}
        file_id = http.post("/crm/v8/upload", files=file).json()["details"]["file_id"]
        resource = {"type": "data", "module": {"api_name": "Leads"}, "file_id": file_id}
        body = {"operation": "insert", "resource": [resource]}
        return str(http.post("/crm/bulk/v8/write", json=body).json()["details"]["id"])


def test_jobs_are_listed_and_records_are_read_over_pages(server: BulkwrightServer) -> None:
    """All of them, oldest first."""
    server.pace("immediate")
    job = create(server, 450)
    httpx2.get(
        f"{server.base_url}/crm/bulk/v8/write/{job}",
        headers=server.headers,
        verify=False,
        timeout=60,
    )
    assert [(one["id"], one["status"]) for one in server.jobs()] == [(job, "COMPLETED")]
    assert [r["Last_Name"] for r in server.records("Leads")] == [f"a{n}" for n in range(450)]


def test_records_are_seeded_from_files(server: BulkwrightServer, tmp_path: Path) -> None:
    """CSV and JSON."""
    (tmp_path / "a.csv").write_text("Last_Name\nBoyle\nKay\n")
    (tmp_path / "b.json").write_text('[{"Last_Name": "Lee"}]')
    assert len(server.seed("Leads", tmp_path / "a.csv")) == 2
    assert len(server.seed("Leads", str(tmp_path / "b.json"))) == 1
    assert [r["Last_Name"] for r in server.records("Leads")] == ["Boyle", "Kay", "Lee"]


def test_a_record_that_is_rejected_is_named_and_none_is_added(server: BulkwrightServer) -> None:
    """Also none of those before it."""
    good = [{"Last_Name": f"n{n}"} for n in range(150)]
    with pytest.raises(ControlFailed, match="MANDATORY_NOT_FOUND") as failed:
        server.seed("Leads", [*good, {"Company": "Zylker"}])
    assert failed.value.problem["code"] == "INVALID_SEED"
    assert failed.value.problem["details"]["errors"][0]["record"] == 151
    assert server.records("Leads") == []


def test_a_snapshot_brings_the_state_to_another_server(
    server: BulkwrightServer, tmp_path: Path
) -> None:
    """Records, jobs, files, tokens: with the credentials that belong to them."""
    server.pace("immediate")
    job = create(server, 3)
    url = f"/crm/bulk/v8/write/{job}"
    before = httpx2.get(
        server.base_url + url, headers=server.headers, verify=False, timeout=60
    ).json()
    saved = server.credentials
    server.save_snapshot(tmp_path / "state.zip")
    with temporary_server() as other:
        other.load_snapshot(tmp_path / "state.zip")
        known = other.credentials
        assert known["client_id"] == saved["client_id"]
        assert known["base_url"] == other.base_url
        assert len(other.records("Leads")) == 3
        answer = httpx2.get(
            other.base_url + url, headers=other.headers, verify=False, timeout=60
        ).json()
        assert answer == before
        result = httpx2.get(
            other.base_url + answer["result"]["download_url"], headers=other.headers, verify=False
        )
        assert result.status_code == 200
        other.seed("Leads", [{"Last_Name": "More"}])
        other.load_snapshot(tmp_path / "state.zip")
        assert len(other.records("Leads")) == 3


@pytest.mark.parametrize("content", [b"", b"no zip", zipped("Last_Name\nBoyle\n")])
def test_a_file_that_is_no_snapshot_changes_nothing(
    server: BulkwrightServer, content: bytes, tmp_path: Path
) -> None:
    """It is rejected before anything is replaced."""
    server.seed("Leads", [{"Last_Name": "Boyle"}])
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ControlFailed, match="INVALID_SNAPSHOT"):
        server.load_snapshot(tmp_path / "x.zip")
    assert len(server.records("Leads")) == 1


def test_a_snapshot_that_cannot_be_used_changes_nothing(
    server: BulkwrightServer, tmp_path: Path
) -> None:
    """A damaged database, credentials of another one, and files that are no JSON."""
    server.seed("Leads", [{"Last_Name": "Boyle"}])
    server.save_snapshot(tmp_path / "state.zip")
    with zipfile.ZipFile(tmp_path / "state.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    known, whole = "dev-credentials.json", bytearray(members["database"])
    whole[40_960:81_920] = bytes(range(256)) * 160
    foreign = json.dumps(json.loads(members[known]) | {"client_id": "1000.NONE"}).encode()
    for changed in (
        {"database": bytes(whole)},
        {"database": b""},
        {known: foreign},
        {known: b"[]"},
        {"snapshot.json": b"[" * 100_000},
        {"files/parts/1/..": b"x"},
    ):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for name, content in (members | changed).items():
                archive.writestr(name, content)
        with pytest.raises(ControlFailed, match="INVALID_SNAPSHOT"):
            server.load_snapshot(tmp_path / "x.zip")
        assert len(server.records("Leads")) == 1


def test_records_and_jobs_are_read_whatever_the_test_has_done(server: BulkwrightServer) -> None:
    """No rule, no limit and no time concerns the calls of a test, and no log has them."""
    (lead,) = server.seed("Leads", [{"Last_Name": "Boyle"}])
    server.fault(effect="unavailable")
    server.control("PUT", "/credits", {"credits": 0})
    server.clock.move("2h")
    assert [record["id"] for record in server.records("Leads")] == [lead]
    assert server.jobs() == [] and server.requests() == []
    (rule,) = server.control("GET", "/faults")["faults"]
    assert rule["matched"] == 0
    with pytest.raises(ControlFailed, match="INVALID_MODULE"):
        server.records("Nothing")
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(server.records, ["Leads"] * 20))


def test_a_view_is_what_the_api_answers(server: BulkwrightServer) -> None:
    """With its status; the token of the test is that of the controls."""
    base, headers = f"{server.base_url}/api/v1/emulator/view", server.headers
    with httpx2.Client(base_url=base, headers=headers, verify=False, timeout=60) as http:
        assert http.get("/crm/v8/org").json()["org"][0]["zgid"] == server.org_id
        assert http.get("/crm/v8/Leads?fields=id").status_code == 204
        assert http.get("/crm/v8/settings/territories").status_code == 501
        assert http.post("/crm/v8/org").json()["code"] == "NO_SUCH_METHOD"
        wrong = http.get("/crm/v8/org", headers={"Authorization": "Bearer x"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "INVALID_TOKEN")


def test_another_org_has_its_own_data_and_credentials(server: BulkwrightServer) -> None:
    """In one call. It is gone after a reset."""
    other = server.new_org("Second")
    headers = {"Authorization": f"Zoho-oauthtoken {other['access_token']}"}
    assert other.keys() == server.credentials.keys()
    server.seed("Leads", [{"Last_Name": "Boyle"}])
    answer = httpx2.get(
        f"{server.base_url}/crm/v2/Leads", headers=headers, verify=False, timeout=60
    )
    assert answer.status_code == 204
    org = httpx2.get(
        f"{server.base_url}/crm/v2/org", headers=headers, verify=False, timeout=60
    ).json()
    assert org["org"][0]["company_name"] == "Second"
    with pytest.raises(ControlFailed, match="INVALID_TOKEN"):
        _as(server, other["access_token"])
    server.reset()
    answer = httpx2.get(f"{server.base_url}/crm/v2/org", headers=headers, verify=False, timeout=60)
    assert answer.status_code == 401


def _as(server: BulkwrightServer, token: str) -> None:
    answer = httpx2.post(
        f"{server.base_url}/api/v1/emulator/reset",
        headers={"Authorization": f"Bearer {token}"},
        verify=False,
    )
    if answer.status_code != 204:
        raise ControlFailed(answer.status_code, answer.content)


def test_the_clock_is_set_moved_and_frozen(server: BulkwrightServer) -> None:
    """As a test writes it."""
    server.clock.freeze("2031-05-06T12:00:00+00:00")
    server.clock.move("1h")
    assert server.clock.now.isoformat() == "2031-05-06T13:00:00+00:00"
    server.clock.real()
    assert server.clock.now.year < 2031


def test_requests_are_filtered(server: BulkwrightServer) -> None:
    """As the control does."""
    httpx2.get(
        f"{server.base_url}/crm/v8/settings/pipeline",
        headers=server.headers,
        verify=False,
        timeout=60,
    )
    (found,) = server.requests(not_implemented=True)
    assert found["path"] == "/crm/v8/settings/pipeline"
    assert server.requests(status="2xx") == []


def test_calls_fail_by_a_rule(server: BulkwrightServer) -> None:
    """Once, and not after a reset."""
    url = f"{server.base_url}/crm/v2/org"

    def status() -> int:
        return httpx2.get(url, headers=server.headers, verify=False, timeout=60).status_code

    server.fault(effect="too_many_requests", path="/crm/*", times=1)
    assert [status(), status()] == [429, 200]
    server.fault(effect="unavailable", path="/crm/*")
    assert status() == 503
    server.reset()
    assert status() == 200


def test_unittest_uses_the_same_server(server: BulkwrightServer) -> None:
    """In `setUpClass` and `setUp`."""

    class Cases(unittest.TestCase):
        def setUp(self) -> None:
            server.reset()

        def test_one(self) -> None:
            server.seed("Leads", [{"Last_Name": "Boyle"}])
            self.assertEqual(len(server.records("Leads")), 1)

        test_two = test_one

    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Cases).run(outcome)
    assert (outcome.testsRun, outcome.errors, outcome.failures) == (2, [], [])


def test_seed_files_are_added_once_to_a_folder(tmp_path: Path) -> None:
    """At each start only what is new; a file that is wrong is named."""
    data = tmp_path / "data"
    (data / "seed").mkdir(parents=True)
    (data / "seed" / "Leads.csv").write_text("Last_Name\nBoyle\n")
    for count in (1, 1):
        with BulkwrightServer(data) as server:
            assert len(server.records("Leads")) == count
            server.seed("Leads", [{"Last_Name": "Gone"}])
            server.reset()
    (data / "seed" / "Leads.csv").write_text("Company\nZylker\n")
    refused = BulkwrightServer(data)
    with pytest.raises(Exception, match=r"Leads\.csv.*MANDATORY_NOT_FOUND"):
        refused.start()
