"""The fingerprint of a local job: it finds the unfinished job of an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bulkwright.cli.job_options import JobOptions
from bulkwright.cli.write_task import WriteTask

OF_VERSION_0_1_0: list[tuple[dict[str, Any], str]] = [
    (
        {"operation": "insert"},
        "0a6bbe9284338f7660df51800b7eb6ab7241275356bcaaed3cba875f037e1fc0",
    ),
    (
        {
            "operation": "upsert",
            "find_by": "Email",
            "map_": ["Last_Name=Last_Name"],
            "ignore_empty": True,
            "encoding": "utf-8",
        },
        "dfd8227f807bca91849091cceebd2276769f738c6ada7ff87e440906e9f4c20c",
    ),
    (
        {
            "operation": "upsert",
            "find_by": "Email",
            "map_": ["Last_Name=Last_Name", "Email=Email:Id"],
            "default": ["City=it's"],
        },
        "8879aa78732ca1dc28df08378ad1bb04b2c3e6de01ba8afe74e0dc7d868b674a",
    ),
]


@pytest.mark.parametrize(("options", "fingerprint"), OF_VERSION_0_1_0)
def test_it_is_that_of_version_0_1_0(
    tmp_path: Path, options: dict[str, Any], fingerprint: str
) -> None:
    """An unfinished job of that version is continued, not written once more."""
    file = tmp_path / "any name.csv"
    file.write_text("Last_Name,Email\nBoyle,p@x.example\n")
    assert WriteTask.of(file, JobOptions(module="Leads", **options)).fingerprint() == fingerprint


def test_it_depends_on_content_and_options(tmp_path: Path) -> None:
    """Not on the name of the file."""
    file, same, other = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    file.write_text("Last_Name\nBoyle\n")
    same.write_text("Last_Name\nBoyle\n")
    other.write_text("Last_Name\nKay\n")
    insert = JobOptions(module="Leads", operation="insert")
    update = JobOptions(module="Leads", operation="update", find_by="Last_Name")
    first = WriteTask.of(file, insert).fingerprint()
    assert first == WriteTask.of(same, insert).fingerprint()
    assert first != WriteTask.of(other, insert).fingerprint()
    assert first != WriteTask.of(file, update).fingerprint()


def test_columns_that_are_named_by_their_places_differ(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Last_Name,,\nBoyle,1,2\n")
    found = {
        WriteTask.of(
            file, JobOptions(module="Leads", operation="insert", map_=[f"column {n}=City"])
        ).fingerprint()
        for n in (2, 3)
    }
    assert len(found) == 2
