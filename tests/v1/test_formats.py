"""Formats of a job over HTTP: of single columns that the header matches, and of all of a type."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.test_jobs import problem
from tests.v1.test_new_jobs import created, send_job, uploaded

TEXT = "Last_Name,Date_of_Birth,Other_Phone\nMay,31.12.1990,1\n"


def body(server: Deployment, **more: object) -> dict[str, Any]:
    """A request for a job whose header names the fields."""
    file_id = uploaded(server, TEXT)["id"]
    return {"operation": "insert", "module": "Contacts", "file_id": file_id, **more}


def formats(job: dict[str, Any]) -> dict[str, str]:
    """The formats of the mappings that have one."""
    mappings = job["resources"][0]["mappings"]
    return {m["api_name"]: m["format"] for m in mappings if "format" in m}


@pytest.mark.parametrize("name", ["Date_of_Birth", "Date of Birth"])
def test_a_column_that_the_header_matches_has_a_format(server: Deployment, name: str) -> None:
    """It is named by its header, or by the field."""
    job = created(server, body(server, formats={name: "dd.MM.yyyy"}))
    assert formats(job) == {"Date_of_Birth": "dd.MM.yyyy"}


def test_all_columns_of_a_type_have_a_format(server: Deployment) -> None:
    """One of a column itself counts, with and without columns."""
    job = created(server, body(server, date_format="dd.MM.yyyy", number_format="#.###,##"))
    assert formats(job) == {"Date_of_Birth": "dd.MM.yyyy"}
    both = body(server, date_format="dd.MM.yyyy", formats={"Date_of_Birth": "d.M.yyyy"})
    assert formats(created(server, both)) == {"Date_of_Birth": "d.M.yyyy"}
    columns = [{"field": "Last_Name", "index": 0}, {"field": "Date_of_Birth", "index": 1}]
    job = created(server, body(server, date_format="dd.MM.yyyy", columns=columns))
    assert formats(job) == {"Date_of_Birth": "dd.MM.yyyy"}


def test_a_wrong_format_is_named(any_server: Deployment) -> None:
    for name in ("date_format", "datetime_format", "number_format", "boolean_format"):
        answer = send_job(any_server, body(any_server, **{name: "what"}))
        details = problem(answer, 400, "INVALID_FORMAT")["details"]
        assert details["json_path"] == f"$.{name}"
    answer = send_job(any_server, body(any_server, formats={"Nothing": "dd.MM.yyyy"}))
    assert "Nothing" in problem(answer, 400, "INVALID_FIELD")["detail"]
    columns = [{"field": "Last_Name", "index": 0}]
    answer = send_job(any_server, body(any_server, formats={"a": "b"}, columns=columns))
    assert "$.formats" in problem(answer, 400, "INVALID_BODY")["detail"]
