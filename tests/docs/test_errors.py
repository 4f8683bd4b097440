"""docs/errors.md has every code, and no other."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import bulkwright.console
import bulkwright.domain
import bulkwright.emulator
import bulkwright.v1
import bulkwright.zoho
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.outcome import SkipReason

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
PACKAGES = (
    bulkwright.console, bulkwright.domain, bulkwright.emulator, bulkwright.v1, bulkwright.zoho,
)  # fmt: skip
IN_RESPONSES = {
    "ALREADY_MODIFIED", "INTERNAL_SERVER_ERROR", "INVALID_REQUEST_METHOD", "INVALID_URL_PATTERN",
    "MULTIPLE_OR_MULTI_ERRORS", "NOT_IMPLEMENTED",
}  # fmt: skip
"""Codes that a response has without an error class of its own."""


def codes() -> set[str]:
    """Those of the classes of errors, of rows, and of single responses."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    return {kind.code for kind in kinds(BulkwrightError)} | {*SkipReason} | IN_RESPONSES


def kinds(base: type[BulkwrightError]) -> Iterator[type[BulkwrightError]]:
    """The classes below one."""
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_the_page_has_every_code_and_no_other() -> None:
    """A code that is not explained there is a fault of the page."""
    first_cells = "".join(re.findall(r"^\| (`[A-Z].*?) \|", PAGE, re.MULTILINE))
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", first_cells)) == codes()


def test_each_code_says_what_to_do() -> None:
    """No cell of a table is empty."""
    rows = re.findall(r"^\| `.*\|$", PAGE, re.MULTILINE)
    assert len(rows) > 60
    assert [
        row for row in rows if not all(cell.strip() for cell in row.strip("|").split("|"))
    ] == []
