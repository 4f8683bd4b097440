"""Every value that is written is read back unchanged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.bench import Bench, Done
from tests.support.effort import tries

from bulkwright.domain.job import FieldMapping
from bulkwright.service.records import as_cell
from bulkwright.web.json import encode

TYPES = (
    "text", "textarea", "mediumtext", "integer", "bigint", "long", "double", "currency", "percent",
    "boolean", "date", "datetime", "multiselectpicklist", "picklist", "email", "phone", "website",
    "lookup", "ownerlookup", "userlookup",
)  # fmt: skip
"""All types that can be written, except the layout, which is not a value of a row."""
REFERENCES = ("lookup", "ownerlookup", "userlookup")
# No store holds U+0000; U+FDD0 stands for a byte that cannot be decoded.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufdd0"),
    min_size=1,
    max_size=60,
)
CHOICE = TEXT.filter(lambda t: t == t.strip() and ";" not in t and t.strip("\x1c\x1d\x1e\x1f"))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


def decimals(most: int) -> st.SearchStrategy[Decimal]:
    """Numbers with up to `most` digits, up to nine of them after the point."""
    digits = st.integers(-(10**most) + 1, 10**most - 1)
    return st.builds(lambda n, places: Decimal(n).scaleb(-places), digits, st.integers(0, 9))


ROWS = st.fixed_dictionaries(
    {
        "text": TEXT,
        "textarea": TEXT,
        "mediumtext": TEXT,
        "integer": st.integers(-(10**9) + 1, 10**9 - 1),
        "bigint": st.integers(-(10**18) + 1, 10**18 - 1),
        "long": st.integers(-(10**18) + 1, 10**18 - 1),
        "double": decimals(16),
        "currency": decimals(16),
        "percent": decimals(5),
        "boolean": st.booleans(),
        "date": st.dates(),
        "datetime": st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS).map(
            lambda d: d.replace(microsecond=0)
        ),
        "multiselectpicklist": st.lists(CHOICE, min_size=1, max_size=3, unique=True),
        "email": st.from_regex(
            r"[a-z0-9_+é-][a-z0-9._%+é-]{0,19}@[a-zé0-9]{1,20}\.[a-z]{2,5}", fullmatch=True
        ),
        "picklist": CHOICE,
        "phone": st.from_regex(
            r"\+?[0-9]{1,3} ?(\([0-9]{1,3}\))?([0-9]{1,4}[ .-]){1,3}[0-9a-z]{1,4}", fullmatch=True
        ),
        "website": st.from_regex(
            r"(https?://)?[a-z0-9é]{1,9}\.[a-z]{2,5}(:[0-9]{2})?(/[!-~]{0,20})?", fullmatch=True
        ),
        "lookup": st.integers(0, 1),
        "ownerlookup": st.just(0),
        "userlookup": st.just(0),
    }
)


def cell(value: object) -> str:
    """A value as the text of a CSV cell."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return ";".join(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
    return str(value)


def stored(value: object) -> object:
    """A value as the database must hold it."""
    match value:
        case bool():
            return int(value)
        case int():
            return value
        case list():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            moment = value.astimezone(UTC)
            return f"{moment.replace(tzinfo=None).isoformat()}Z"
    return cell(value)


def shown(value: object, found: object) -> bool:
    """Whether the JSON of the record API has exactly this value."""
    match value:
        case datetime():
            return datetime.fromisoformat(str(found)) == value
        case Decimal():
            return Decimal(str(found)) == value
        case bool() | int() | list():
            return found == value
    return found == cell(value)


@dataclass(frozen=True)
class Wide:
    """A bench with a module that has one field of each type, and the records of its lookup."""

    bench: Bench
    parents: list[int]

    def with_ids(self, row: dict[str, object]) -> dict[str, object]:
        """The row with ids for its references."""
        user = self.bench.user.id
        lead = self.parents[int(str(row["lookup"]))]
        return row | {"lookup": lead, "ownerlookup": user, "userlookup": user}

    def insert(self, columns: Sequence[str], rows: Iterable[Sequence[object]], chunk: int) -> Done:
        """Insert rows of cells."""
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(rows)
        mappings = [
            FieldMapping(name, i, find_by="id" if name == "F_lookup" else None)
            for i, name in enumerate(columns)
        ]
        return self.bench.run(out.getvalue(), "Things", mappings=mappings, chunk_rows=chunk)


@pytest.fixture(scope="module")
def wide(bench: Bench) -> Wide:
    """The bench with such a module, and two leads to refer to."""
    leads = [i for i in bench.run("Last_Name\nA\nB\n").ids if i is not None]
    extra = {"lookup": {"lookup_module": "Leads"}}
    bench.things(*({"api_name": f"F_{t}", "data_type": t, **extra.get(t, {})} for t in TYPES))
    return Wide(bench, leads)


@tries(10)
@given(rows=st.lists(ROWS, min_size=1, max_size=8), chunk_rows=st.sampled_from([1, 3, 1000]))
def test_values_of_every_type_come_back(
    wide: Wide, rows: list[dict[str, object]], chunk_rows: int
) -> None:
    """Values are stored exactly, the record API shows them, and an export can be inserted."""
    rows = [wide.with_ids(row) for row in rows]
    columns = ["Name", *(f"F_{t}" for t in TYPES)]
    done = wide.insert(columns, (["x", *(cell(row[t]) for t in TYPES)] for row in rows), chunk_rows)
    assert done.outcome == ["ADDED"] * len(rows)
    kept = [wide.bench.stored(i or 0, "Things") for i in done.ids]
    for record, row in zip(kept, rows, strict=True):
        api = json.loads(encode(wide.bench.shown(record["id"], "Things")), parse_float=Decimal)
        for name in TYPES:
            found, shown_value = record[f"F_{name}"], api[f"F_{name}"]
            if name == "multiselectpicklist":
                found, expected = json.loads(found), row[name]
            else:
                expected = stored(row[name])
            assert found == expected
            if name in REFERENCES:
                assert shown_value["id"] == cell(row[name])
            else:
                assert shown(row[name], shown_value)
    fields = [wide.bench.module("Things").field(name) for name in columns]
    exported = [[as_cell(f, record[f.api_name]) for f in fields if f] for record in kept]
    again = wide.insert(columns, exported, chunk_rows)
    assert again.outcome == ["ADDED"] * len(rows)
    for before, record_id in zip(kept, again.ids, strict=True):
        after = wide.bench.stored(record_id or 0, "Things")
        assert [after[name] for name in columns] == [before[name] for name in columns]
