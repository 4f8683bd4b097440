"""A bulk write from upload to result, in each SDK's own objects (client contract 3 to 5)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.conftest import Start
from tests.sdk.driver import Driver, Report, digits
from tests.support.caller import Caller
from tests.support.live import Live
from tests.support.uploads import zipped

_UPLOAD = "POST /crm/{version}/upload"
_CREATE = "POST /crm/bulk/{version}/write"
_DETAILS = "GET /crm/bulk/{version}/write/{job_id}"
_DOWNLOAD = "GET {download_url}"

_LEADS = (
    {"api_name": "Last_Name", "index": 0},
    {"api_name": "Company", "index": 1},
    {"api_name": "Email", "index": 2},
)


def _resource(file_id: str, *mappings: Report, module: str = "Leads", **more: object) -> Report:
    return {
        "module": module,
        "file_id": file_id,
        "field_mappings": list(mappings or _LEADS),
        **more,
    }


def _csv(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return zipped(text.getvalue())


def _result(driver: Driver, done: Report) -> list[list[str]]:
    """The rows of a job's result, header first."""
    report, place = driver.download(done["result"]["download_url"])
    assert (report["http"], report["class"]) == (200, "FileBodyWrapper"), report
    with zipfile.ZipFile(place) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        return list(csv.reader(io.StringIO(archive.read(name).decode("utf-8"), newline="")))


def _ran(driver: Driver, operation: str, resource: Report, **more: object) -> list[list[str]]:
    """The result of a new job, after its end."""
    return _result(driver, driver.done(driver.job_id(operation, resource, **more)))


def _is_now(report: Report) -> bool:
    """Whether the SDK made a date of a time, and the time is the present."""
    moment = datetime.fromisoformat(report["date"])
    return abs((datetime.now(UTC) - moment).total_seconds()) < 120


def _number(sdk: Sdk, number: str) -> object:
    """A number in the type in which the SDK returns it."""
    return int(number) if sdk.is_python else {"bigint": number}


def _job_number(sdk: Sdk, number: str) -> object:
    """A job id as the SDK returns it: a number in 2.x, a text in 8.0."""
    return number if sdk.is_8 else _number(sdk, number)


@pytest.mark.endpoint(_UPLOAD)
def test_an_upload_is_acknowledged(driver: Driver, sdk: Sdk) -> None:
    """Every SDK returns the file id as a number and the time as a date."""
    report = driver.upload(zipped(), name="Käufer.zip")
    assert (report["http"], report["class"], report["status"]) == (
        200,
        "SuccessResponse",
        "success",
    )
    assert (report["code"], report["message"]) == ("FILE_UPLOAD_SUCCESS", "file uploaded.")
    file_id = report["details"]["file_id"]
    assert file_id == _number(sdk, digits(file_id))
    assert _is_now(report["details"]["created_time"])


@pytest.mark.endpoint(_CREATE)
def test_a_job_is_created(driver: Driver, live: Live, sdk: Sdk) -> None:
    """Its id is a number in 2.x and a text in 8.0; `created_by` is the user."""
    report = driver.create("insert", _resource(driver.file_id(zipped())))
    assert (report["http"], report["class"], report["status"]) == (
        201,
        "SuccessResponse",
        "success",
    )
    assert (report["code"], report["message"]) == ("SUCCESS", "success")
    assert report["details"]["id"] == _job_number(sdk, digits(report["details"]["id"]))
    assert report["details"]["created_by"]["name"] == live.credentials["user"]["name"]


@pytest.mark.endpoint(_DETAILS)
def test_the_details_of_a_job_that_waits(waiting: Driver, sdk: Sdk) -> None:
    """ADDED: without encoding, result and counts, which all SDKs accept."""
    job_id = waiting.job_id("insert", _resource(waiting.file_id(zipped())))
    report = waiting.details(job_id)
    assert (report["http"], report["class"]) == (200, "BulkWriteResponse")
    assert (report["status"], report["operation"]) == ("ADDED", "insert")
    assert report["id"] == _job_number(sdk, job_id)
    assert not {"character_encoding", "result", "callback"} & set(report)
    (resource,) = report["resource"]
    assert resource["file"] == {"class": "File", "status": "INPROGRESS"}
    assert [m["index"] for m in resource["field_mappings"]] == [0, 1, 2]


@pytest.mark.endpoint(_CREATE, _DETAILS)
def test_the_details_of_a_job_that_is_done(driver: Driver, live: Live, sdk: Sdk) -> None:
    """The details repeat the request and count the rows by outcome."""
    data = zipped("Last_Name,Company,Email\nBoyle,Zylker,\n,Zylker,\n", name="Käufer.csv")
    wanted = _resource(
        driver.file_id(data),
        *_LEADS,
        {"api_name": "Website", "default_value": {"value": "www.zylker.example"}},
        {"api_name": "Lead_Source", "index": 2, "default_value": {"value": "Empfehlung für Ü"}},
    )
    callback = {"url": "http://127.0.0.1:9/done", "method": "post"}
    job_id = driver.job_id("insert", wanted, character_encoding="UTF-8", callback=callback)
    report = driver.done(job_id)
    assert (report["http"], report["class"]) == (200, "BulkWriteResponse")
    assert (report["status"], report["operation"]) == ("COMPLETED", "insert")
    assert report["character_encoding"] == "UTF-8"
    assert report["id"] == _job_number(sdk, job_id)
    assert _is_now(report["created_time"])
    assert report["created_by"]["name"] == live.credentials["user"]["name"]
    org_id = live.credentials["org_id"]
    path = f"/{sdk.api}/crm/org{org_id}/bulk-write/{job_id}/{job_id}.zip"
    assert report["result"]["download_url"] == path

    (resource,) = report["resource"]
    assert (resource["status"], resource["type"]) == ("COMPLETED", "data")
    assert resource["file"] == {
        "class": "File",
        "status": "COMPLETED",
        "name": "Käufer.csv",
        "added_count": 1,
        "skipped_count": 1,
        "updated_count": 0,
        "total_count": 2,
    }
    mappings = resource["field_mappings"]
    assert [m["api_name"] for m in mappings] == [
        *(m["api_name"] for m in _LEADS),
        "Website",
        "Lead_Source",
    ]
    assert [m.get("index") for m in mappings] == [0, 1, 2, None, 2]
    assert mappings[3]["default_value"]["value"] == "www.zylker.example"
    assert mappings[4]["default_value"]["value"] == "Empfehlung für Ü"
    if sdk.api == "v2":
        # A plain text, without the keys that later versions added (client contract 1.4).
        assert resource["module"] == "Leads"
        assert "callback" not in report
        assert "code" not in resource
    else:
        assert resource["module"]["api_name"] == "Leads"
        assert digits(resource["module"]["id"]).isdigit()
        assert {k: report["callback"][k] for k in ("url", "method")} == callback
        assert resource["code"] == {"v2.1": "COMPLETED", "v8": "SUCCESS"}[sdk.api]


@pytest.mark.endpoint(_DETAILS)
def test_the_details_of_a_failed_parent_and_its_skipped_child(driver: Driver, live: Live) -> None:
    """FAILED and SKIPPED of resource and file are returned by every SDK."""
    accounts, contacts = "Account_Name,Ref\nZylker,A\n", b"Last_Name,Of\nKay,A\n"
    packed = zipped(accounts, "Accounts.csv", **{"Contacts.csv": contacts})
    caller = Caller(live)
    with caller.http:
        file_id = caller.upload(packed)
        (caller.files / "uploads" / f"{file_id}.zip").write_bytes(b"damaged")
        shared = {"type": "data", "file_id": file_id}
        parent = {"api_name": "Account_Name", "index": 1, "parent_column_index": 1}
        job_id = caller.create({
            "operation": "insert",
            "resource": [
                shared | {"module": "Accounts", "file_names": ["Accounts.csv"],
                          "field_mappings": [{"api_name": "Account_Name", "index": 0}]},
                shared | {"module": "Contacts", "file_names": ["Contacts.csv"],
                          "field_mappings": [{"api_name": "Last_Name", "index": 0}, parent]},
            ],
        })  # fmt: skip
        caller.ended(job_id)
    report = driver.details(job_id)
    assert (report["http"], report["class"], report["status"]) == (
        200,
        "BulkWriteResponse",
        "FAILED",
    )
    assert [one["status"] for one in report["resource"]] == ["FAILED", "SKIPPED"]
    assert [one["file"]["status"] for one in report["resource"]] == ["FAILED", "SKIPPED"]
    assert [one["file"]["total_count"] for one in report["resource"]] == [0, 0]


@pytest.mark.endpoint(_DOWNLOAD)
def test_a_result_is_downloaded(driver: Driver) -> None:
    """By a relative URL, which has two slashes; the file has the name of the job."""
    done = driver.done(driver.job_id("insert", _resource(driver.file_id(zipped()))))
    report, place = driver.download(done["result"]["download_url"])
    assert (report["http"], report["class"]) == (200, "FileBodyWrapper")
    assert report["file"]["name"] == f"{digits(done['id'])}.zip"
    with zipfile.ZipFile(place) as archive:
        assert archive.namelist() == ["Leads-leads.csv"]


@pytest.mark.endpoint(_DOWNLOAD)
def test_a_result_by_an_absolute_url(driver: Driver, live: Live) -> None:
    """The real service returns one; an SDK calls it unchanged (client contract 2)."""
    done = driver.done(driver.job_id("insert", _resource(driver.file_id(zipped()))))
    report, place = driver.download(live.base_url + done["result"]["download_url"])
    assert (report["http"], report["class"]) == (200, "FileBodyWrapper")
    assert zipfile.is_zipfile(place)


@pytest.mark.endpoint(_UPLOAD, _CREATE, _DETAILS, _DOWNLOAD)
def test_the_result_has_a_line_for_every_row(driver: Driver, mail: str) -> None:
    """Quotes, line breaks, umlauts and more are returned as they were uploaded, in order."""
    rows = [
        ('Müller, "der Ältere"', "Straße 1\nHinterhaus\n\n3. Stock", mail),
        ("", "Zylker", f"a.{mail}"),
        ("Kay", "Zylker", "no address"),
        ("", "Zylker", "no address"),
        ("Łódź 東京 🚀", 'a ""quoted"" ; word', f"b.{mail}"),
    ]
    data = _csv(("Last_Name", "Company", "Email"), *rows)
    header, *lines = _ran(driver, "insert", _resource(driver.file_id(data)))
    assert header == ["Last_Name", "Company", "Email", "STATUS", "RECORD_ID", "ERRORS"]
    assert [tuple(line[:3]) for line in lines] == rows
    assert [(line[3], bool(line[4]), line[5]) for line in lines] == [
        ("ADDED", True, ""),
        ("SKIPPED", False, "MANDATORY_NOT_FOUND-Last_Name"),
        ("SKIPPED", False, "INVALID_DATA-Email"),
        ("SKIPPED", False, "MANDATORY_NOT_FOUND-Last_Name:INVALID_DATA-Email"),
        ("ADDED", True, ""),
    ]


@pytest.mark.endpoint(_CREATE)
def test_defaults_fill_empty_cells_and_whole_columns(driver: Driver, live: Live, mail: str) -> None:
    """A default with an index fills empty cells; one without an index fills every row."""
    data = _csv(
        ("Last_Name", "Email", "Lead_Source"), ("Boyle", mail, "Partner"), ("Kay", f"k.{mail}", "")
    )
    resource = _resource(
        driver.file_id(data),
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Email", "index": 1},
        {"api_name": "Lead_Source", "index": 2, "default_value": {"value": "Trade Show"}},
        {"api_name": "Company", "default_value": {"value": "Zylker Größe GmbH"}},
    )
    _, *lines = _ran(driver, "insert", resource)
    first, second = (live.record("Leads", line[4]) for line in lines)
    assert [r["Lead_Source"] for r in (first, second)] == ["Partner", "Trade Show"]
    assert [r["Company"] for r in (first, second)] == ["Zylker Größe GmbH"] * 2


@pytest.mark.endpoint(_CREATE)
def test_format_and_find_by_of_a_mapping(driver: Driver, live: Live, mail: str) -> None:
    """A date in a format of its own, a lookup by name, the owner by e-mail."""
    account = f"Zylker {mail}"
    accounts = _resource(
        driver.file_id(_csv(("Account_Name",), (account,))),
        {"api_name": "Account_Name", "index": 0},
        module="Accounts",
    )
    _, (_, _, account_id, _) = _ran(driver, "insert", accounts)
    owner = live.credentials["user"]
    data = _csv(
        ("Name", "Account", "Born", "Owner"),
        ("Boyle", account, "24.12.1999", owner["email"]),
        ("Kay", "no such account", "24.12.1999", owner["email"]),
        ("Lee", account, "1999-31-12", owner["email"]),
    )
    contacts = _resource(
        driver.file_id(data),
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Account_Name", "index": 1, "find_by": "Account_Name"},
        {"api_name": "Date_of_Birth", "index": 2, "format": "dd.MM.yyyy"},
        {"api_name": "Owner", "index": 3, "find_by": "email"},
        module="Contacts",
    )
    _, *lines = _ran(driver, "insert", contacts)
    assert [line[3] for line in lines] == ["ADDED", "SKIPPED", "SKIPPED"]
    assert [line[5] for line in lines] == ["", "INVALID_DATA-Account", "INVALID_DATA-Born"]
    record = live.record("Contacts", lines[0][4])
    assert record["Account_Name"]["id"] == account_id
    assert record["Date_of_Birth"] == "1999-12-24"
    assert record["Owner"]["id"] == owner["id"]


@pytest.mark.endpoint(_CREATE)
@pytest.mark.parametrize("ignore", [True, False])
def test_an_update_keeps_or_clears_values_for_empty_cells(
    driver: Driver, live: Live, mail: str, *, ignore: bool
) -> None:
    """`ignore_empty` of the resource; a row that matches no record is skipped."""
    insert = _resource(driver.file_id(_csv(("n", "c", "e"), ("Boyle", "Zylker", mail))))
    _, (*_, record_id, _) = _ran(driver, "insert", insert)
    data = _csv(("n", "c", "e"), ("Boyle-Kay", "", mail), ("Lee", "", f"n.{mail}"))
    update = _resource(driver.file_id(data), find_by="Email", ignore_empty=ignore)
    done = driver.done(driver.job_id("update", update))
    file = done["resource"][0]["file"]
    assert (file["updated_count"], file["skipped_count"], file["added_count"]) == (1, 1, 0)
    _, first, second = _result(driver, done)
    assert first[3:] == ["UPDATED", record_id, ""]
    assert second[3:] == ["SKIPPED", "", "RESOURCE_NOT_FOUND-e"]
    record = live.record("Leads", record_id)
    assert record["Last_Name"] == "Boyle-Kay"
    assert record["Company"] == ("Zylker" if ignore else None)


@pytest.mark.endpoint(_CREATE)
def test_an_update_by_record_id(driver: Driver, live: Live, mail: str) -> None:
    """`id` is mapped like a field."""
    insert = _resource(driver.file_id(_csv(("n", "c", "e"), ("Boyle", "Zylker", mail))))
    _, (*_, record_id, _) = _ran(driver, "insert", insert)
    update = _resource(
        driver.file_id(_csv(("key", "c"), (record_id, "Neu"))),
        {"api_name": "id", "index": 0},
        {"api_name": "Company", "index": 1},
        find_by="id",
    )
    _, line = _ran(driver, "update", update)
    assert line == [record_id, "Neu", "UPDATED", record_id, ""]
    assert live.record("Leads", record_id)["Company"] == "Neu"


@pytest.mark.endpoint(_CREATE)
def test_a_second_upsert_updates_the_record_of_the_first(driver: Driver, mail: str) -> None:
    """The record keeps its id."""
    first = _resource(
        driver.file_id(_csv(("n", "c", "e"), ("Boyle", "Zylker", mail))), find_by="Email"
    )
    _, added = _ran(driver, "upsert", first)
    data = _csv(("n", "c", "e"), ("Boyle", "Neu", mail.upper()), ("Kay", "Zylker", f"k.{mail}"))
    done = driver.done(driver.job_id("upsert", _resource(driver.file_id(data), find_by="Email")))
    file = done["resource"][0]["file"]
    assert (file["added_count"], file["updated_count"], file["total_count"]) == (1, 1, 2)
    _, updated, new = _result(driver, done)
    assert (added[3], updated[3], new[3]) == ("ADDED", "UPDATED", "ADDED")
    assert added[4] == updated[4] != new[4]


@pytest.mark.endpoint(_CREATE)
def test_an_insert_with_find_by_skips_existing_records(driver: Driver, mail: str) -> None:
    """Facts 3.2: with insert, rows that match are skipped."""
    data = _csv(("n", "c", "e"), ("Boyle", "Zylker", mail))
    _ran(driver, "insert", _resource(driver.file_id(data), find_by="Email"))
    _, line = _ran(driver, "insert", _resource(driver.file_id(data), find_by="Email"))
    assert line[3] == "SKIPPED"
    assert line[5] == "DUPLICATE_DATA-e"


@pytest.mark.endpoint(_CREATE)
def test_without_mappings_the_header_is_the_mapping(driver: Driver, live: Live, mail: str) -> None:
    """The SDKs omit the key (facts 1.4)."""
    data = zipped(f"Email,Last_Name,Company\n{mail},Boyle,Zylker\n")
    resource = {"module": "Leads", "file_id": driver.file_id(data)}
    _, line = _ran(driver, "insert", resource)
    assert live.record("Leads", line[4])["Last_Name"] == "Boyle"


@pytest.mark.endpoint(_CREATE)
def test_another_encoding_and_delimiter(driver: Driver, live: Live, mail: str) -> None:
    """Latin-1 by name, semicolons found; the result is UTF-8 all the same."""
    data = zipped(f"n;c;e\nMüller;Größe & Söhne;{mail}\n".encode("latin-1"))
    resource = _resource(driver.file_id(data))
    done = driver.done(driver.job_id("insert", resource, character_encoding="ISO-8859-1"))
    assert done["character_encoding"].upper() == "ISO-8859-1"
    _, line = _result(driver, done)
    assert line[:2] == ["Müller", "Größe & Söhne"]
    assert live.record("Leads", line[4])["Last_Name"] == "Müller"


@pytest.mark.endpoint(_DETAILS, _DOWNLOAD)
def test_a_file_without_rows(driver: Driver) -> None:
    """A header alone is a job without rows, not a failure."""
    done = driver.done(driver.job_id("insert", _resource(driver.file_id(zipped("n,c,e\n")))))
    assert done["resource"][0]["file"]["total_count"] == 0
    assert _result(driver, done) == [["n", "c", "e", "STATUS", "RECORD_ID", "ERRORS"]]


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service without workers: jobs stay ADDED."""
    with Live(tmp_path_factory.mktemp("idle") / "data", "--workers", "0") as running:
        yield running


@pytest.fixture(scope="module")
def waiting(start: Start, idle: Live) -> Driver:
    """The SDK, initialised for the service without workers."""
    driver = start()
    assert driver.initialise(idle.who()) == {}
    return driver
