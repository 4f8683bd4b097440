"""What goes in comes out, whatever it is."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.bench import Bench

from bulkwright.domain.job import Mapping

TYPES = (
    "text", "integer", "bigint", "double", "boolean", "date", "datetime", "multiselectpicklist",
    "email", "picklist",
)  # fmt: skip
# U+0000 is in no store, U+FDD0 stands for a broken byte.
TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufdd0"),
    min_size=1,
    max_size=60,
)
CHOICE = TEXT.filter(lambda t: t == t.strip() and ";" not in t and t.strip("\x1c\x1d\x1e\x1f"))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
ROWS = st.fixed_dictionaries(
    {
        "text": TEXT,
        "integer": st.integers(-(10**9) + 1, 10**9 - 1),
        "bigint": st.integers(-(10**18) + 1, 10**18 - 1),
        "double": st.builds(
            lambda digits, places: Decimal(digits).scaleb(-places),
            st.integers(-(10**16) + 1, 10**16 - 1),
            st.integers(0, 9),
        ),
        "boolean": st.booleans(),
        "date": st.dates(),
        "datetime": st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS).map(
            lambda d: d.replace(microsecond=0)
        ),
        "multiselectpicklist": st.lists(CHOICE, min_size=1, max_size=3, unique=True),
        "email": st.from_regex(r"[a-z0-9._%+é-]{1,20}@[a-zé0-9]{1,20}\.[a-z]{2,5}", fullmatch=True),
        "picklist": TEXT,
    }
)


def cell(value: object) -> str:
    """A value as a CSV holds it."""
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
    """A value as it must be stored."""
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


@pytest.fixture(scope="module")
def wide(bench: Bench) -> Bench:
    """The bench with a module that has one field of each type."""
    bench.things(*({"api_name": f"F_{t}", "data_type": t} for t in TYPES))
    return bench


@settings(max_examples=30)
@given(rows=st.lists(ROWS, min_size=1, max_size=8), chunk_rows=st.sampled_from([1, 3, 1000]))
def test_values_of_every_type_come_back(
    wide: Bench, rows: list[dict[str, object]], chunk_rows: int
) -> None:
    """Stored exactly, side by side with any others."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["Name", *TYPES])
    writer.writerows(["x", *(cell(row[t]) for t in TYPES)] for row in rows)
    mappings = [Mapping("Name", 0), *(Mapping(f"F_{t}", i + 1) for i, t in enumerate(TYPES))]
    done = wide.run(out.getvalue(), "Things", mappings=mappings, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * len(rows)
    for record_id, row in zip(done.ids, rows, strict=True):
        record = wide.stored(record_id or 0, "Things")
        for name in TYPES:
            found = record[f"F_{name}"]
            if name == "multiselectpicklist":
                assert json.loads(found) == row[name]
            else:
                assert found == stored(row[name])
