"""Uploads: valid files, and every error of facts 2.3."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import LEADS, zipped

from bulkwright.files import Area


def test_an_upload_is_acknowledged_with_a_file_id(server: Deployment) -> None:
    """The response has the documented shape; the id is a string of digits."""
    answer = server.upload()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    body = answer.json()
    assert list(body) == ["status", "code", "message", "details"]
    assert body["code"] == "FILE_UPLOAD_SUCCESS"
    assert body["message"] == "file uploaded."
    assert re.fullmatch(r"[0-9]{15,18}", body["details"]["file_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[78]:00", body["details"]["created_time"])


def test_name_and_type_of_the_part_do_not_matter(server: Deployment) -> None:
    """Production clients use other names, and no or another Content-Type (facts 2.4)."""
    headers = {**server.auth(), "feature": "bulk-write", "X-CRM-ORG": str(server.tenant.org.id)}
    for name, entry in (
        ("file.csv.zip", ("a.zip", zipped(), "application/zip")),
        ("file", ("a.zip", zipped(), "")),
        ("x", ("a.zip", zipped(), "application/octet-stream")),
    ):
        answer = server.http.post("/crm/v2/upload", headers=headers, files={name: entry})
        assert answer.json()["code"] == "FILE_UPLOAD_SUCCESS", name


def test_a_form_without_a_boundary_in_the_header_is_read(server: Deployment) -> None:
    """A sample client of the vendor sends `Content-type: multipart/formdata` (facts 2.4)."""
    body = (
        b'--xYz\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
        + zipped()
        + b"\r\n--xYz--\r\n"
    )
    headers = {
        **server.auth(),
        "feature": "bulk-write",
        "X-CRM-ORG": str(server.tenant.org.id),
        "Content-Type": "multipart/formdata",
    }
    answer = server.http.post("/crm/v2/upload", headers=headers, content=body)
    assert answer.json()["code"] == "FILE_UPLOAD_SUCCESS"


def test_a_file_that_is_no_zip_is_rejected_with_200(server: Deployment) -> None:
    """As the real service does. The pages say 400, which is a setting (facts 2.3)."""
    for data in (b"", b"Last_Name\nBoyle\n", zipped()[:-30], b"PK\x03\x04" + bytes(100)):
        answer = server.upload(data)
        assert answer.status_code == 200
        body = answer.json()
        assert list(body) == ["code", "details", "message", "status"]
        assert body["code"] == "INVALID_FILE_FORMAT"
        assert body["message"] == "invalid file format. only zip format is supported"
        assert body["status"] == "error"
        assert re.fullmatch(r"[0-9T:-]{19}\+00:00", body["details"]["created_time"])


@pytest.mark.parametrize(
    "data",
    [
        zipped(b"x", name="picture.png"),
        zipped(LEADS, "leads.csv", **{"second.csv": b"a\n1\n"}),
        zipped(b""),
    ],
    ids=["no CSV", "two CSVs", "empty CSV"],
)
def test_a_zip_without_a_usable_csv_is_rejected_by_the_create_request(
    server: Deployment, data: bytes
) -> None:
    """The upload succeeds; FILE_NOT_SUPPORTED is an error of the create request (facts 3.6)."""
    answer = server.upload(data)
    assert answer.json()["code"] == "FILE_UPLOAD_SUCCESS"
    file_id = answer.json()["details"]["file_id"]
    refused = server.create(server.insert(file_id=file_id))
    assert (refused.status_code, refused.json()["code"]) == (400, "FILE_NOT_SUPPORTED")


@pytest.mark.parametrize("missing", ["feature", "X_CRM_ORG"])
def test_missing_headers_get_the_upload_hosts_own_error(
    any_server: Deployment, missing: str
) -> None:
    """In another shape, with status 403 (client contract 3)."""
    answer = any_server.upload(None, tenant=None, token=None, **{missing: ""})
    assert answer.status_code == 403
    assert answer.json() == {
        "status": "error",
        "info": "Forbidden",
        "x-error": "check if headers [feature, X-CRM-ORG] are present and valid",
        "x-info": "Link not valid",
        "http_status": "403",
    }


def test_another_feature_is_not_supported(any_server: Deployment) -> None:
    """As captured from the real service (facts 2.3)."""
    answer = any_server.upload(feature="bulk-read")
    assert answer.status_code == 200
    assert answer.json() == {
        "code": "NOT_SUPPORTED_FEATURE",
        "details": {"created_time": "1970-01-01T00:00:00+00:00"},
        "message": "Feature is not supported",
        "status": "error",
    }


@pytest.mark.parametrize("org", ["other", "abc", "-1"])
def test_an_upload_for_another_org_is_rejected(server: Deployment, org: str) -> None:
    """It does not become an upload of the caller's own org."""
    number = str(server.other.org.id) if org == "other" else org
    answer = server.upload(X_CRM_ORG=number)
    assert (answer.status_code, answer.json()["info"]) == (403, "Forbidden")


def test_an_upload_over_25_mb_is_rejected_and_leaves_no_file(any_server: Deployment) -> None:
    """413 with and without an announced length; the temporary file is deleted (facts 1.2)."""
    too_much = bytes(25 * 1024 * 1024 + 1)
    answer = any_server.upload(too_much)
    assert answer.status_code == 413
    assert answer.json()["code"] == "FILE_TOO_LARGE"

    def pieces() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(27):
            yield bytes(1024 * 1024)

    headers = {
        **any_server.auth(),
        "feature": "bulk-write",
        "X-CRM-ORG": str(any_server.tenant.org.id),
        "Content-Type": "multipart/form-data; boundary=b",
    }
    answer = any_server.http.post("/crm/v2/upload", headers=headers, content=pieces())
    assert answer.json()["code"] == "FILE_TOO_LARGE"
    assert list((any_server.settings.files_path / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--c\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name="),
        ("multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n"),
        ("multipart/form-data", b"no boundary at all"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("application/zip", zipped()),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nz\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nz\r\n' * 40 + b"--b--\r\n",
        ),
    ],
)
def test_a_broken_form_is_a_coded_400(any_server: Deployment, kind: str, body: bytes) -> None:
    """The status is 400 and never 500."""
    headers = {
        **any_server.auth(),
        "feature": "bulk-write",
        "X-CRM-ORG": str(any_server.tenant.org.id),
        "Content-Type": kind,
    }
    answer = any_server.http.post("/crm/v2/upload", headers=headers, content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("INVALID_DATA", "MANDATORY_NOT_FOUND")


def test_a_compressed_body_is_rejected(any_server: Deployment) -> None:
    """No body is decompressed."""
    answer = any_server.upload(Content_Encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def test_an_upload_is_stored_as_it_was_sent(server: Deployment) -> None:
    """Under a name of the service, readable by its owner only; the client's name is no path."""
    headers = {**server.auth(), "feature": "bulk-write", "X-CRM-ORG": str(server.tenant.org.id)}
    files = {"file": ("../../etc/x\x00.zip", zipped())}
    answer = server.http.post("/crm/v2/upload", headers=headers, files=files)
    file_id = int(answer.json()["details"]["file_id"])
    place = server.settings.files_path / Area.UPLOADS.path(file_id)
    assert place.read_bytes() == zipped()
    assert place.stat().st_mode & 0o777 == 0o600
