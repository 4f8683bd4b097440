"""Errors as each SDK reports them: class, code, HTTP status (client contract 1.8)."""

from __future__ import annotations

import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.conftest import Start
from tests.sdk.driver import Driver, Report
from tests.support.live import Live
from tests.support.uploads import zipped

_UPLOAD = "POST /crm/{version}/upload"
_CREATE = "POST /crm/bulk/{version}/write"
_DETAILS = "GET /crm/bulk/{version}/write/{job_id}"
_DOWNLOAD = "GET {download_url}"
_LINK = "/v2/crm/org1/bulk-write/1/1.zip"


def _mapped(*mappings: Report) -> Report:
    return {"field_mappings": list(mappings)}


_NAME: Report = {"api_name": "Last_Name", "index": 0}

_MISTAKES = {
    "unknown module": (
        {"module": "Nowhere"},
        "MODULE_NOT_AVAILABLE",
        "Requested module 'Nowhere' is not available.",
    ),
    "module not for bulk write": ({"module": "Notes"}, "MODULE_NOT_AVAILABLE", None),
    "malformed file id": ({"file_id": "12x"}, "INVALID_FILE_ID", "improper file id"),
    "unknown file id": ({"file_id": "111111000999999999"}, "INVALID_FILE_ID", None),
    "wrong field": (
        _mapped(_NAME, {"api_name": "Nothing", "index": 1}),
        "INVALID_FIELD",
        "invalid mapping. invalid api_name Nothing.",
    ),
    "read-only field": (
        _mapped(_NAME, {"api_name": "Created_By", "index": 1}),
        "INVALID_FIELD",
        None,
    ),
    "field twice": (_mapped(_NAME, _NAME), "DUPLICATE_DATA", None),
    "index out of range": (_mapped({**_NAME, "index": 3}), "COLUMN_INDEX_NOT_FOUND", None),
    "index below zero": (_mapped({**_NAME, "index": -1}), "COLUMN_INDEX_NOT_FOUND", None),
    "neither index nor default": (
        _mapped(_NAME, {"api_name": "Company"}),
        "MISSING_REQUIRED_KEY",
        "required key index for field Company is not found in request body.",
    ),
    "mandatory field not mapped": (
        _mapped({"api_name": "Company", "index": 1}),
        "MANDATORY_FIELDS_NOT_MAPPED",
        "All mandatory fields are not mapped for the layout [Last_Name]",
    ),
    "bad format": (
        {"module": "Contacts"}
        | _mapped(_NAME, {"api_name": "Date_of_Birth", "index": 1, "format": "yyyy/QQ"}),
        "INVALID_FORMAT",
        None,
    ),
    "lookup without find_by": (
        {"module": "Contacts"} | _mapped(_NAME, {"api_name": "Account_Name", "index": 1}),
        "MANDATORY_NOT_FOUND",
        "Required key find_by is not available",
    ),
    "find_by of no unique field": ({"find_by": "Company"}, "INVALID_FIELD", None),
}  # fmt: skip


def _insert(file_id: str) -> Report:
    mappings = [_NAME, {"api_name": "Company", "index": 1}, {"api_name": "Email", "index": 2}]
    return {"module": "Leads", "file_id": file_id, "field_mappings": mappings}


def _summary(report: Report) -> tuple[object, ...]:
    return report.get("class"), report.get("http"), report.get("code"), report.get("status")


@pytest.mark.endpoint(_CREATE)
@pytest.mark.parametrize("case", _MISTAKES)
def test_a_wrong_request_is_an_exception_with_its_code(driver: Driver, case: str) -> None:
    """Codes that 2.x knows, so that it does not take an error for a success (facts 9.1)."""
    changes, code, message = _MISTAKES[case]
    report = driver.create("insert", _insert(driver.file_id(zipped())) | changes)
    assert _summary(report) == ("APIException", 400, code, "error")
    assert message is None or report["message"] == message


@pytest.mark.endpoint(_CREATE)
@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_update_and_upsert_need_find_by(driver: Driver, operation: str) -> None:
    """Facts 3.4."""
    report = driver.create(operation, _insert(driver.file_id(zipped())))
    assert _summary(report) == ("APIException", 400, "MANDATORY_NOT_FOUND", "error")


@pytest.mark.endpoint(_CREATE)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped("x", name="picture.png"), "FILE_NOT_SUPPORTED"),
        (zipped("a\n1\n", "a.csv", **{"second.csv": b"a\n1\n"}), "FILE_NOT_SUPPORTED"),
        (zipped("\n".join(["n", *("x" for _ in range(25_001))])), "LIMIT_EXCEEDED"),
        (zipped(",".join(f"c{i}" for i in range(201)) + "\n"), "HEADER_LIMIT_EXCEEDED"),
    ],
    ids=["no CSV", "two CSVs", "25,001 rows", "201 columns"],
)
def test_a_file_that_cannot_be_used(driver: Driver, data: bytes, code: str) -> None:
    """The upload is acknowledged; the creation of a job rejects it."""
    report = driver.create("insert", _insert(driver.file_id(data)))
    assert _summary(report) == ("APIException", 400, code, "error")


@pytest.mark.endpoint(_CREATE)
def test_an_invalid_callback_url(driver: Driver) -> None:
    """The documented code is not in the SDKs' lists, so they treat it as success (facts 9.1).

    Code and status are right nevertheless.
    """
    callback = {"url": "ftp://zylker.example/", "method": "post"}
    report = driver.create("insert", _insert(driver.file_id(zipped())), callback=callback)
    assert _summary(report) == ("SuccessResponse", 400, "INVALID_CALLBACK_URL", "error")


@pytest.mark.only_8
@pytest.mark.endpoint(_CREATE)
def test_a_file_name_that_is_not_in_the_zip(driver: Driver) -> None:
    """Another such code; only 8.0 has `file_names`."""
    resource = _insert(driver.file_id(zipped()))
    report = driver.create("insert", resource | {"file_names": ["other.csv"]})
    assert _summary(report) == ("SuccessResponse", 400, "FILE_NOT_FOUND", "error")
    found = driver.create("insert", resource | {"file_names": ["leads.csv"]})
    assert _summary(found) == ("SuccessResponse", 201, "SUCCESS", "success")


@pytest.mark.endpoint(_UPLOAD)
@pytest.mark.parametrize("data", [b"", b"Last_Name\nBoyle\n", zipped()[:-30]])
def test_a_file_that_is_no_zip_is_rejected(driver: Driver, data: bytes) -> None:
    """HTTP 200, as captured; the SDKs report the error nevertheless (facts 2.3)."""
    report = driver.upload(data)
    assert _summary(report) == ("APIException", 200, "INVALID_FILE_FORMAT", "error")
    assert report["message"] == "invalid file format. only zip format is supported"


@pytest.mark.endpoint(_UPLOAD)
def test_an_upload_over_25_mb_is_rejected(driver: Driver) -> None:
    """The response reaches a client that is still sending."""
    report = driver.upload(bytes(25 * 1024 * 1024 + 1))
    assert _summary(report) == ("APIException", 413, "FILE_TOO_LARGE", "error")


@pytest.mark.endpoint(_UPLOAD)
def test_an_upload_for_another_org_is_rejected(driver: Driver) -> None:
    """In the shape of the upload host, which all SDKs read."""
    report = driver.upload(zipped(), org_id="1")
    assert (report["class"], report["http"], report["status"]) == ("APIException", 403, "error")
    assert (report["info"], report["x_info"]) == ("Forbidden", "Link not valid")
    assert report["x_error"] == "check if headers [feature, X-CRM-ORG] are present and valid"
    assert report["http_status"] == "403"


@pytest.mark.endpoint(_UPLOAD)
def test_an_upload_for_another_feature_is_rejected(driver: Driver) -> None:
    """HTTP 200, as captured; the code is in no SDK's list."""
    report = driver.upload(zipped(), feature="bulk-read")
    assert _summary(report) == ("SuccessResponse", 200, "NOT_SUPPORTED_FEATURE", "error")


@pytest.mark.endpoint(_DETAILS)
@pytest.mark.parametrize("job_id", ["34770619080471", "1", "999999999999999999999"])
def test_an_unknown_job(driver: Driver, job_id: str) -> None:
    """404, as on the founding page."""
    report = driver.details(job_id)
    assert _summary(report) == ("APIException", 404, "RESOURCE_NOT_FOUND", "error")
    assert report["message"] == "The requested resource doesn't exist."


@pytest.mark.endpoint(_DOWNLOAD)
def test_an_unknown_download_link(driver: Driver) -> None:
    """In the shape of the download host."""
    report, place = driver.download(_LINK)
    assert (report["class"], report["http"], report["status"]) == ("APIException", 403, "error")
    assert (report["info"], report["x_info"]) == ("Forbidden", "Link not valid")
    assert not place.exists()


@pytest.mark.endpoint(_UPLOAD, _CREATE, _DETAILS, _DOWNLOAD)
def test_a_wrong_token_is_rejected_everywhere(another: Driver, live: Live) -> None:
    """401 INVALID_TOKEN, an APIException on every endpoint; no SDK raises."""
    assert another.initialise(live.who(access_token="1000.0.0")) == {}
    for report in _call_each_endpoint(another):
        assert _summary(report) == ("APIException", 401, "INVALID_TOKEN", "error")
        assert report["message"] == "invalid oauth token"


@pytest.mark.endpoint(_UPLOAD, _CREATE, _DETAILS, _DOWNLOAD)
def test_a_missing_scope_is_rejected_everywhere(another: Driver, live: Live, sdk: Sdk) -> None:
    """401; on upload and create 2.x treats it as a success (client contract 4)."""
    token = live.token("ZohoCRM.settings.ALL,ZohoCRM.bulk.READ")
    assert another.initialise(live.who(access_token=token)) == {}
    answers = _call_each_endpoint(another)
    classes = [report["class"] for report in answers]
    on_write = "APIException" if sdk.is_8 else "SuccessResponse"
    assert classes == [on_write, on_write, "APIException", "APIException"]
    for report in answers:
        assert _summary(report)[1:] == (401, "OAUTH_SCOPE_MISMATCH", "error")
        assert report["message"] == "invalid oauth scope to access this URL"


@pytest.mark.endpoint(_CREATE)
def test_the_scope_of_another_module_is_not_enough(
    driver: Driver, another: Driver, live: Live
) -> None:
    """Facts 3.1: the module's own scope is needed as well as bulk.CREATE."""
    token = live.token("ZohoCRM.bulk.CREATE,ZohoCRM.modules.contacts.CREATE")
    assert another.initialise(live.who(access_token=token)) == {}
    resource = _insert(driver.file_id(zipped()))
    report = another.create("insert", resource)
    assert _summary(report)[1:] == (401, "OAUTH_SCOPE_MISMATCH", "error")
    assert (
        another.create("insert", resource | {"module": "Contacts"} | _mapped(_NAME))["http"] == 201
    )


@pytest.fixture(scope="module")
def another(start: Start) -> Driver:
    """The SDK in a second process, which each test initialises with an access token."""
    return start()


def _call_each_endpoint(driver: Driver) -> list[Report]:
    """One call of each endpoint, with ids that do not exist."""
    return [
        driver.upload(zipped()),
        driver.create("insert", _insert("1")),
        driver.details("1"),
        driver.download(_LINK)[0],
    ]
