"""The commands of the README and of the founding page do what the pages say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.benchmarks_table import page
from tests.support.live import Live
from tests.support.processes import until
from tests.support.uploads import zipped

from bulkwright.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
GOLDEN = ROOT / "tests" / "wire" / "golden"

FOUNDING_PAGE = """curl "https://zylkercorp.zohoplatform.com/crm/bulk/v2/write/111111000002308098"
-X GET
-H "Authorization: Zoho-oauthtoken 1000.8cb99dxxxxxxxxxxxxx9be93.9b8xxxxxxxxxxxxxxxf\""""
"""The sample request of Get Bulk Write Job Details, as it is printed there."""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


def indented(start: str) -> list[str]:
    """The paragraphs of the README's indented block that begins with this text."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", README, re.MULTILINE)
    (found,) = [b for b in blocks if b.strip().startswith(start)]
    plain = "\n".join(line[4:] for line in found.splitlines())
    return [p for p in plain.strip().split("\n\n") if p]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The server that the README starts."""
    with Live(tmp_path_factory.mktemp("readme") / "data") as running:
        yield running


class _Shell:
    """Runs the README's lines one after the other, with the ids that came before filled in."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._before: list[str] = []

    def run(self, line: str, **ids: str) -> str:
        for name, value in ids.items():
            assert name in line
            line = line.replace(name, value)
        script = "\n".join(["set -euo pipefail", *self._before, line])
        done = subprocess.run(
            ["bash", "-c", script.replace("cd D;", f"cd {shlex.quote(str(self._data))};")],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def remember(self, line: str) -> None:
        self._before.append(line)


@needs_curl
def test_the_lines_of_the_readme_work(live: Live) -> None:
    """Upload, create, details, download: from the CSV to the result."""
    setup, files, upload, create, last = indented("cd D;")
    details, download = last.splitlines()
    shell = _Shell(live.data)
    shell.remember(setup)
    shell.run(files)
    answer = json.loads(shell.run(upload))
    assert answer["code"] == "FILE_UPLOAD_SUCCESS"
    answer = json.loads(shell.run(create, FILE_ID=answer["details"]["file_id"]))
    assert answer["code"] == "SUCCESS"
    job = answer["details"]["id"]

    def asked() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(shell.run(details, JOB_ID=job))
        return found

    assert until(lambda: asked()["status"] == "COMPLETED"), live.log
    found = asked()
    (resource,) = found["resource"]
    assert (resource["file"]["added_count"], resource["file"]["skipped_count"]) == (1, 1)
    shell.run(download, DOWNLOAD_URL=found["result"]["download_url"])
    with zipfile.ZipFile(live.data / "result.zip") as archive:
        (name,) = archive.namelist()
        lines = archive.read(name).decode().splitlines()
    assert lines[0] == "Last_Name,Email,STATUS,RECORD_ID,ERRORS"
    assert lines[1].startswith("Boyle,p.boyle@zylker.example,ADDED,")
    assert lines[2] == "Kay,not an address,SKIPPED,,INVALID_DATA-Email"


def _shape(value: object) -> object:
    """The keys of a JSON document in their order, and the types of what they hold."""
    if isinstance(value, dict):
        return [(key, _shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [_shape(value[0])]
    return None if value is None else type(value).__name__


@needs_curl
def test_the_founding_pages_own_request_gets_its_answer(live: Live) -> None:
    """Only host, id and token are replaced; the answer has the sample's keys in its order."""
    known = live.credentials
    token = f"Authorization: Zoho-oauthtoken {known['access_token']}"
    csv = "Ref,Deal_Name,Stage\n1,Big Deal,Qualification\n"
    packed = live.data / "deals.zip"
    packed.write_bytes(zipped(csv, "Accounts.csv"))
    upload = ["-F", f"file=@{packed}", "-H", "feature: bulk-write"]
    org = ["-H", f"X-CRM-ORG: {known['org_id']}", "-H", token]
    url = live.base_url
    answer = _curl(*upload, *org, f"{url}/crm/v2/upload")
    mappings = [{"api_name": "Deal_Name", "index": 1}, {"api_name": "Stage", "index": 2}]
    deals = {"type": "data", "module": "Deals", "file_id": answer["details"]["file_id"]}
    body = {"operation": "insert", "resource": [deals | {"field_mappings": mappings}]}
    created = _curl("-d", json.dumps(body), "-H", token, f"{url}/crm/bulk/v2/write")

    def asked(job: str) -> dict[str, Any]:
        line = " ".join(FOUNDING_PAGE.splitlines())
        line = line.replace("https://zylkercorp.zohoplatform.com", url)
        line = line.replace("111111000002308098", job)
        line = re.sub(r"1000\.[0-9a-fx.]+", known["access_token"], line)
        done = subprocess.run(
            ["bash", "-c", f"{line} -sS"], capture_output=True, text=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    job = created["details"]["id"]
    assert until(lambda: asked(job)["status"] == "COMPLETED"), live.log
    found = asked(job)
    page = json.loads((GOLDEN / "completed.json").read_text("utf-8"))
    assert _shape(found) == _shape(page)
    for one in (found["resource"][0], page["resource"][0]):
        del one["file"]["added_count"], one["file"]["skipped_count"], one["file"]["total_count"]
    assert found["resource"] == page["resource"]
    assert asked("111111000002308098") == {
        "code": "RESOURCE_NOT_FOUND",
        "details": {},
        "message": "The requested resource doesn't exist.",
        "status": "error",
    }


def _curl(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _typed() -> list[str]:
    """Every command line of ours that the README shows, in blocks or in the text."""
    lines = re.findall(r"^ {4}(.*)$", README, re.MULTILINE)
    lines += re.findall(r"`((?:bulkwright|python3 run\.py) [^`]+)`", README)
    plain = [line.split("#")[0].strip() for line in lines]
    return [x for x in plain if re.match(r"(python3 run\.py bulkwright|bulkwright) ", x)]


@pytest.mark.parametrize("line", _typed())
def test_every_command_of_the_readme_exists(line: str) -> None:
    """With its options; nothing is run."""
    _, _, words = line.partition("bulkwright ")
    app.parse_args(shlex.split(words), exit_on_error=False, print_error=False, help_on_error=False)


def test_the_readme_names_commands_and_the_script_knows_its_own() -> None:
    """`python3 run.py X`: X is one of those that its help lists."""
    assert len(_typed()) > 4
    usage = subprocess.run(
        ["python3", str(ROOT / "run.py"), "help"], capture_output=True, text=True, check=True
    ).stdout
    for command in set(re.findall(r"python3 run\.py (\w+)", README)):
        assert re.search(rf"^  {command} ", usage, re.MULTILINE), command


def test_the_table_of_speed_is_that_of_the_benchmarks() -> None:
    """`python -m tests.docs.benchmarks_table` writes it anew."""
    assert page() == README
