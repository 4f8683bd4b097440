"""What a job does, in plain Python: one row after the other, on a list of dicts.

It implements facts 3.4 and the choices of this service, and uses no code of `bulkwright.pipeline`.
It knows five fields of Leads: Last_Name (mandatory), Email (a key that is not unique), Code and
Serial (unique), City.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

Record = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A job on rows of cells."""

    operation: str
    find_by: str | None
    ignore_empty: bool
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Values for the empty cells of a field, or for all rows of a field without a column."""

    @property
    def updates(self) -> bool:
        """Whether rows may change records."""
        return self.operation != "insert"

    @property
    def creates(self) -> bool:
        """Whether rows may become records."""
        return self.operation != "update"


@dataclass
class Model:
    """The records, and the outcome of each row of the job."""

    FIELDS: ClassVar = [
        {"api_name": "Code", "data_type": "text", "unique": True},
        {"api_name": "Serial", "data_type": "integer", "unique": True},
    ]
    UNIQUE: ClassVar = ("Code", "Serial")

    records: list[Record] = field(default_factory=list)
    """In the order of their creation; `id` is a record's index in this list."""
    outcome: list[str] = field(default_factory=list)
    """ADDED, UPDATED, or the ERRORS cell."""
    touched: list[int | None] = field(default_factory=list)
    """The record that each row added or updated."""
    known: int = 0
    """The number of records before the job: only their ids can be in its file."""

    def run(self, request: Request) -> None:
        """Process every row in order."""
        self.outcome, self.touched, self.known = [], [], len(self.records)
        for number in range(len(request.rows)):
            self.take(request, number)

    def take(self, request: Request, number: int) -> None:
        """Process one row."""
        row = dict(zip(request.columns, request.rows[number], strict=True))
        for name, default in request.defaults.items():
            row[name] = row.get(name) or default
        errors: dict[str, list[str]] = {}
        incomplete = self._check(row, request, errors)
        by = request.find_by
        key = _key(by, row[by]) if by else None
        candidates = self.records[: self.known] if by == "id" else self.records
        matches = [r for r in candidates if by and key is not None and _key(by, r[by]) == key]
        if len(matches) > 1:
            errors.setdefault("CANNOT_PROCESS", []).append(str(by))
        if not errors:
            target = matches[0] if matches else None
            self._decide(row, request, key, target, incomplete, errors)
            if not errors:
                return self._write(row, request, target)
        order = (
            "MANDATORY_NOT_FOUND", "INVALID_DATA", "DUPLICATE_DATA", "CANNOT_PROCESS",
            "RESOURCE_NOT_FOUND",
        )  # fmt: skip
        cell = [f"{code}-{','.join(errors[code])}" for code in order if code in errors]
        self.outcome.append(":".join(cell))
        self.touched.append(None)
        return None

    def _check(self, row: dict[str, str], request: Request, errors: dict[str, list[str]]) -> bool:
        """Find bad cells; returns whether the row is incomplete: it cannot create a record."""
        incomplete = False
        for name, cell in row.items():
            required = name == request.find_by and request.updates
            if name == "id" and request.creates:
                required = False
            if (name == "Last_Name" or required) and not cell.strip():
                if cell or required or not (request.updates and request.ignore_empty):
                    errors.setdefault("MANDATORY_NOT_FOUND", []).append(name)
                else:
                    incomplete = True
            elif cell and not _is_valid(name, cell):
                errors.setdefault("INVALID_DATA", []).append(name)
        return incomplete

    def _decide(
        self,
        row: dict[str, str],
        request: Request,
        key: object,
        target: Record | None,
        incomplete: bool,
        errors: dict[str, list[str]],
    ) -> None:
        by = str(request.find_by)
        if target is not None and not request.updates:
            errors["DUPLICATE_DATA"] = [by]
        elif target is None and (
            not request.creates or (by == "id" and key is not None and request.updates)
        ):
            errors["RESOURCE_NOT_FOUND"] = [by]
        elif target is None and incomplete:
            errors["MANDATORY_NOT_FOUND"] = ["Last_Name"]
        else:
            taken = [
                name
                for name, cell in row.items()
                if name in self.UNIQUE
                and name != by
                and self._holder(name, cell) not in (None, target)
            ]
            if taken:
                errors["DUPLICATE_DATA"] = taken

    def _holder(self, name: str, cell: str) -> Record | None:
        key = _key(name, cell)
        holders = (r for r in self.records if key is not None and _key(name, r[name]) == key)
        return next(holders, None)

    def _write(self, row: dict[str, str], request: Request, target: Record | None) -> None:
        self.outcome.append("UPDATED" if target is not None else "ADDED")
        if target is None:
            target = dict.fromkeys(("Last_Name", "Email", "Code", "Serial", "City"))
            target["id"] = len(self.records)
            self.records.append(target)
        for name, cell in row.items():
            if name != "id" and (cell or not request.ignore_empty):
                target[name] = _value(name, cell)
        self.touched.append(target["id"])


def _value(name: str, cell: str) -> object:
    """What is stored of a cell: blanks around an e-mail are no part of it."""
    if not cell:
        return None
    match name:
        case "Serial":
            return int(cell)
        case "Email":
            return cell.strip()
    return cell


def _key(name: str, value: object) -> object:
    if value is None or value == "":
        return None
    if name in ("id", "Serial"):
        return int(str(value)) if re.fullmatch(r"[0-9]+", str(value)) else None
    return str(value).strip().casefold() or None


def _is_valid(name: str, cell: str) -> bool:
    match name:
        case "Email":
            return "@" in cell
        case "Serial" | "id":
            return cell.isdigit()
        case "Code":
            return bool(cell.strip())
    return True


def cells(names: Sequence[str], records: Sequence[Record]) -> list[tuple[object, ...]]:
    """The named fields of records, to compare."""
    return [tuple(r[n] for n in names) for r in records]
