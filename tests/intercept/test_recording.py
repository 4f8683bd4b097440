"""`record` and `compare`, with a second server in the role of Zoho."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import Live
from tests.support.processes import clean_environment

from bulkwright.intercept.exchange import NoHar, RecordedCall, as_har, from_har
from bulkwright.intercept.masking import Masking
from bulkwright.intercept.shape import differences

PROGRAM = """
import sys, time
import requests

api, head = "https://www.zohoapis.eu", {"Authorization": "Zoho-oauthtoken " + sys.argv[1]}
requests.post("https://accounts.zoho.eu/oauth/v2/token", data=dict(
    grant_type="refresh_token", refresh_token="1000.secret", client_id="x", client_secret="y"))
made = requests.post(api + "/crm/v8/Leads", headers=head, json={"data": [
    {"Last_Name": "Boyle", "Email": "p.boyle@zylker.example"}, {"Last_Name": 7}]})
lead = made.json()["data"][0]["details"]["id"]
assert requests.get(f"{api}/crm/v8/Leads/{lead}", headers=head).status_code == 200
requests.get(api + "/crm/v8/Leads/search", headers=head, params={"email": "p.boyle@zylker.example"})
requests.post(api + "/crm/v8/coql", headers=head, json={
    "select_query": "select Last_Name from Leads where Last_Name = 'Boyle'"})
upload = requests.post("https://content.zohoapis.eu/crm/v8/upload", headers={
    **head, "feature": "bulk-write", "X-CRM-ORG": sys.argv[2]},
    files={"file": ("leads.zip", open(sys.argv[3], "rb").read())}).json()
job = requests.post(api + "/crm/bulk/v8/write", headers=head, json={
    "operation": "insert", "resource": [{"type": "data", "module": {"api_name": "Leads"},
    "file_id": upload["details"]["file_id"],
    "field_mappings": [{"api_name": "Last_Name", "index": 0}]}]}).json()["details"]["id"]
while True:
    details = requests.get(f"{api}/crm/bulk/v8/write/{job}", headers=head).json()
    if details["status"] == "COMPLETED":
        break
    time.sleep(0.05)
requests.get(api + "/" + details["result"]["download_url"], headers=head)
"""


def bulkwright(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the program in a folder."""
    line = [sys.executable, "-m", "bulkwright", *map(str, arguments)]
    return subprocess.run(
        line, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recorded(emulator: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two recordings of a program: one as by default, one with files."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "program.py").write_text(PROGRAM)
    with zipfile.ZipFile(folder / "leads.zip", "w") as archive:
        archive.writestr("leads.csv", "Last_Name\nKay\n")
    program = (sys.executable, "program.py", emulator.access_token, emulator.org_id, "leads.zip")
    for name, *options in (["calls.har"], ["files.har", "--with-files", "--personal-data"]):
        done = bulkwright(
            folder, "record", "-o", name, *options, "--to", emulator.base_url, "--", *program
        )
        assert done.returncode == 0, done.stderr
        assert f"{name} has " in done.stderr
    return folder


def test_a_recording_has_no_secret_and_no_person(recorded: Path, emulator: Live) -> None:
    """The shape of what was replaced stays."""
    text = (recorded / "calls.har").read_text()
    for secret in (emulator.access_token, "1000.secret", "Boyle", "zylker", "Patricia"):
        assert secret not in text
    calls = from_har(json.loads(text))
    (made,) = [call for call in calls if call.path == "/crm/v8/Leads"]
    record = json.loads(made.body or b"")["data"][0]
    name, _, domain = record["Email"].partition("@")
    assert len(name) == len("p.boyle") and domain.count(".") == 1
    (search,) = [call for call in calls if call.path.endswith("/search")]
    assert record["Email"].replace("@", "%40") in search.url
    (query,) = [call for call in calls if call.path.endswith("/coql")]
    assert f"'{record['Last_Name']}'" in json.loads(query.body or b"")["select_query"]
    assert [call.body for call in calls if call.path.endswith("/upload")] == [None]


def test_an_emulator_answers_as_the_recorded_server(recorded: Path) -> None:
    """With other ids. The job is polled until it ends as it did."""
    same = bulkwright(recorded, "compare", "files.har")
    assert same.returncode == 0, same.stdout + same.stderr
    assert "calls: 0 differ, 0 not replayed" in same.stdout
    without = bulkwright(recorded, "compare", "calls.har", "--json")
    skipped = [one for one in json.loads(without.stdout) if one["skipped"]]
    assert [one["path"] for one in skipped] == ["/crm/v8/upload"]


def test_every_difference_is_named(recorded: Path, tmp_path: Path) -> None:
    """Status, shape and code; the exit status says that there are some."""
    har = json.loads((recorded / "files.har").read_text())
    entries = [e for e in har["log"]["entries"] if e["request"]["url"].endswith("/v8/Leads")]
    answer = json.loads(entries[0]["response"]["content"]["text"])
    answer["data"][0]["code"] = "OTHER"
    answer["data"][0]["details"]["Extra"] = 5
    answer["data"][0]["details"]["id"] = 5
    entries[0]["response"]["status"] = 299
    entries[0]["response"]["content"]["text"] = json.dumps(answer)
    har["log"]["entries"] = entries
    (tmp_path / "changed.har").write_text(json.dumps(har))
    found = bulkwright(tmp_path, "compare", "changed.har")
    assert found.returncode == 3
    assert found.stdout.splitlines() == [
        "POST /crm/v8/Leads",
        "  status 207 instead of 299",
        "  $.data[].details.Extra is missing",
        "  $.data[].details.id is text instead of number",
        "  $.data[0].code: SUCCESS instead of OTHER",
        "1 calls: 1 differ, 0 not replayed",
    ]


def test_what_is_no_har_is_refused(tmp_path: Path) -> None:
    """With the file's name."""
    (tmp_path / "x.har").write_text('{"log": 1}')
    done = bulkwright(tmp_path, "compare", "x.har")
    assert done.returncode == 1 and "x.har is no HAR file" in done.stderr


@pytest.mark.parametrize("document", [None, [], {"log": {}}, {"log": {"entries": [1]}}])
def test_documents_of_other_kinds(document: object) -> None:
    """Each is one error."""
    with pytest.raises(NoHar):
        from_har(document)


def test_a_call_is_read_as_it_was_written() -> None:
    """Bodies that are no text too."""
    call = RecordedCall(
        "2026-01-01T00:00:00.000+00:00", 1.5, "POST", "https://www.zohoapis.com/a?b=c",
        [("feature", "x")], b"\xff\x00", 200, [("content-type", "text/plain")], b"yes",
    )  # fmt: skip
    assert from_har(json.loads(json.dumps(as_har([call])))) == [call]
    assert (call.target, call.host) == ("/a?b=c", "www.zohoapis.com")


@pytest.mark.parametrize(
    ("headers", "size", "is_known"),
    [
        ({}, -1, True),
        ({}, None, True),
        ({"Content-Type": "application/json", "Content-Length": "0"}, -1, True),
        ({"Content-Type": "application/json"}, 0, True),
        ({"Content-Length": "7"}, -1, False),
        ({"Content-Type": "multipart/form-data; boundary=x"}, -1, False),
        ({"Transfer-Encoding": "chunked"}, -1, False),
        ({}, 7, False),
    ],
)
def test_a_body_whose_size_is_not_known(
    headers: dict[str, str], size: int | None, is_known: bool
) -> None:
    """It is missing only if the headers announce one."""
    url = "https://www.zohoapis.com/crm/v8/org"
    call = RecordedCall("2026-01-01T00:00:00.000+00:00", 1, "GET", url, [*headers.items()], b"",
                        200, [], b"{}")  # fmt: skip
    document = json.loads(json.dumps(as_har([call])))
    request = document["log"]["entries"][0]["request"]
    request |= {"bodySize": size}
    if size is None:
        del request["bodySize"]
    (read,) = from_har(document)
    assert read.body == (b"" if is_known else None)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 2.5}, []),
        ({"a": None}, {"a": "x"}, []),
        ({"a": []}, {"a": [1]}, []),
        ({"a": None}, {"a": {"b": 1}}, []),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, ["$.a[].b is missing", "$.a[].c is new"]),
        ({"a": 1}, {"a": "1"}, ["$.a is text instead of number"]),
        ({"code": "A"}, {"code": "B"}, ["$.code: B instead of A"]),
        ({}, [], ["$ is list instead of object"]),
    ],
)
def test_shapes(old: Any, new: Any, lines: list[str]) -> None:
    """What depends on data is no difference."""
    assert differences(old, new) == lines


def test_words_keep_length_and_kind() -> None:
    """The same word is the same one in any case, so that searches still find."""
    masking = Masking()
    word = masking.word("Boyle42")
    assert len(word) == 7 and word[0].isupper() and word[1:5].islower() and word[5:].isdigit()
    assert masking.word("BOYLE42").casefold() == word.casefold()
    assert Masking().word("Boyle42") != word


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=refresh_token&client%5Fsecret=Xyzzy",
        b'--B\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\nXyzzy\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="client_secret"\r\n'
        b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nXyzzy\r\n--B--\r\n",
        b"--B\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: form-data; name=client_secret\r\n\r\nXyzzy\r\n--B--\r\n",
    ],
)
def test_secrets_of_every_form_are_replaced(body: bytes) -> None:
    """Each HTTP client writes a form in its own way."""
    url = "https://accounts.zoho.com/oauth/v2/token"
    call = RecordedCall("2026-01-01T00:00:00.000+00:00", 1, "POST", url, [], body, 200, [], b"{}")
    masked = Masking().call(call).body
    assert masked is not None
    assert b"Xyzzy" not in masked and b"***" in masked


def test_a_body_that_is_too_deep_is_left_out() -> None:
    """Nothing in it can be masked."""
    body = b'{"a":' + b"[" * 5_000 + b'"Xyzzy"' + b"]" * 5_000 + b"}"
    url = "https://www.zohoapis.com/crm/v8/Leads"
    call = RecordedCall("2026-01-01T00:00:00.000+00:00", 1, "POST", url, [], body, 200, [], body)
    masked = Masking().call(call)
    assert (masked.body, masked.answer) == (b"***", b"***")


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "https://[www.zohoapis.com/crm"},
        {"url": "https://www.zohoapis.com/\x1b]0;title\x07"},
        {"method": "GET / HTTP/1.1\r\nX: y"},
    ],
)
def test_a_call_that_cannot_be_sent_is_no_har(changed: dict[str, str]) -> None:
    """Control characters would reach the terminal."""
    url = "https://www.zohoapis.com/crm/v8/org"
    call = RecordedCall("2026-01-01T00:00:00.000+00:00", 1, "GET", url, [], b"", 200, [], b"{}")
    document = json.loads(json.dumps(as_har([call])))
    document["log"]["entries"][0]["request"] |= changed
    with pytest.raises(NoHar):
        from_har(document)
