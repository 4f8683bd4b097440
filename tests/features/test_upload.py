"""Uploads: what is acknowledged, and every refusal of facts 2.3."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Deployment, zipped


def test_an_upload_is_acknowledged_with_a_file_id(server: Deployment) -> None:
    """The answer has the documented shape; the id is a string of digits."""
    answer = server.upload()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    body = answer.json()
    assert list(body) == ["status", "code", "message", "details"]
    assert body["code"] == "FILE_UPLOAD_SUCCESS"
    assert body["message"] == "file uploaded."
    assert re.fullmatch(r"[0-9]{15,18}", body["details"]["file_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[78]:00", body["details"]["created_time"])
