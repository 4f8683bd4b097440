"""Records of an existing table, over HTTP on both stores: they are read, not written one by one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.features.test_record_writes import send
from tests.support.deployment import Deployment


@pytest.fixture(scope="module")
def screws(server: Deployment) -> str:
    """The module of a table with three rows."""
    database = server.services.database
    number = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY"}[database.dialect]
    database.sql(f"CREATE TABLE screws (number {number}, head VARCHAR(40), made DATE)")
    for row in ("'flat', '2024-01-31'", "'round', NULL", "'flat', '2024-02-01'"):
        database.sql(f"INSERT INTO screws (head, made) VALUES ({row})")
    (offered,) = server.services.existing_tables.offer(
        server.tenant.org.id, "screws", name="Screws"
    )
    return offered.module.api_name


def heads(server: Deployment, query: str) -> list[str | None]:
    """The heads of the screws that a search returns."""
    answer = server.get(f"/crm/v8/Screws/search?{query}")
    if answer.status_code == 204:
        return []
    assert answer.status_code == 200, answer.text
    return [one["head"] for one in answer.json()["data"]]


def test_rows_are_listed_and_searched(server: Deployment, screws: str) -> None:
    """By texts and numbers; a module without e-mails has none that is found."""
    listed = server.get(f"/crm/v8/{screws}?fields=head,made").json()["data"]
    assert {one["made"] for one in listed} == {"2024-01-31", None, "2024-02-01"}
    assert heads(server, "criteria=(head:starts_with:FL)") == ["flat", "flat"]
    assert heads(server, "criteria=(id:equals:2)") == ["round"]
    assert heads(server, "word=round") == ["round"]
    for query in ("email=a@x.example", "phone=555-0001"):
        assert heads(server, query) == []
        counted = server.get(f"/crm/v8/{screws}/actions/count?{query}")
        assert counted.json() == {"count": 0}


@pytest.mark.parametrize("path", ["search", "actions/count"])
def test_a_search_by_another_type_is_a_501(server: Deployment, screws: str, path: str) -> None:
    """It names the field."""
    criteria = "?criteria=(made:equals:2024-01-31)"
    answer = server.get(f"/crm/v8/{screws}/{path}{criteria}")
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert "made" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Screws", {"data": [{"head": "flat"}]}),
        ("PUT", "Screws", {"data": [{"id": "1", "head": "oval"}]}),
        ("POST", "Screws/upsert", {"data": [{"id": "1", "head": "oval"}]}),
        ("DELETE", "Screws?ids=1", None),
    ],
)
def test_a_row_is_not_written_by_itself(
    server: Deployment, screws: str, method: str, path: str, body: Any
) -> None:
    """HTTP 501, and the row stays; jobs write into the table."""
    answer = send(server, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert server.get(f"/crm/v8/{screws}/1").json()["data"][0]["head"] == "flat"
