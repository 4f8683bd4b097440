"""For any file, the ends of the chunks change neither the result nor the records."""

from __future__ import annotations

import csv
import io
from typing import Any
from unittest import mock

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.properties.model import cells
from tests.properties.test_operations import CELLS, FIELDS, emptied
from tests.support.bench import Bench
from tests.support.effort import tries

from bulkwright.domain import limits
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.job import FieldMapping

CHARSETS = (("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-16-be", "UTF-16BE"),
            ("cp1252", "windows-1252"), ("cp932", "Shift_JIS"), ("gb18030", "GB18030"))  # fmt: skip
ODD = ["two\nlines", 'say "hi"', "a,b;c|d:e", "cr\rhere", "  ", "'", "\t", "über", "表示", '"']
CUTS = st.tuples(st.sampled_from([1, 2, 3, 7, 1000]), st.sampled_from([1, 17, 60, 300, None]))


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, str | None, tuple[str, ...]]:
    """A CSV, the encoding to declare and its columns; quotes are often in wrong places."""
    columns = tuple(draw(st.permutations(FIELDS)))
    row = st.tuples(*(st.sampled_from([*CELLS[name], *ODD]) for name in columns))
    delimiter = draw(st.sampled_from(",;|:"))
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    out = io.StringIO(newline="")
    quoting: Any = csv.QUOTE_ALL if draw(st.booleans()) else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows(draw(st.lists(row, min_size=1, max_size=9)))
    body = out.getvalue()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        piece = draw(st.sampled_from(['"', '""', delimiter, "\n", "\r", "", "\0", "x"]))
        body = body[:at] + piece + body[at + draw(st.integers(0, 1)) :]
    codec, declared = draw(st.sampled_from(CHARSETS))
    text = delimiter.join(columns) + end + body
    return text.encode(codec, "replace"), declared, columns


@pytest.mark.parametrize("longest", [limits.RECORD_BYTES, 90], ids=["", "records too long"])
@tries(12)
@given(
    file=files(),
    operation=st.sampled_from(["insert", "update", "upsert"]),
    find_by=st.sampled_from([None, "Email", "Code", "Serial"]),
    ignore_empty=st.booleans(),
    cut=CUTS,
)
def test_where_a_chunk_ends_changes_neither_result_nor_records(
    bench: Bench,
    longest: int,
    file: tuple[bytes, str | None, tuple[str, ...]],
    operation: str,
    find_by: str | None,
    ignore_empty: bool,
    cut: tuple[int, int | None],
) -> None:
    """The result file and the records are the same, except ids and times."""
    assume(find_by or operation == "insert")
    content, declared, columns = file
    outcomes: list[tuple[object, ...]] = []
    with mock.patch.object(limits, "RECORD_BYTES", longest):
        for rows, size in ((1000, None), cut):
            emptied(bench)
            before = "Last_Name,Email,Code,Serial\nA,x@e.example,c1,1\nB,z@e.example,c2,2\n"
            bench.run(before, find_by=None)
            try:
                done = bench.run(
                    content,
                    operation=operation,
                    find_by=find_by,
                    ignore_empty=ignore_empty,
                    encoding=declared,
                    mappings=[FieldMapping(name, i) for i, name in enumerate(columns)],
                    chunk_rows=rows,
                    chunk_bytes=size,
                )
            except BulkwrightError as error:
                outcomes.append((error.code, error.message))
                continue
            records = bench.records()
            text = done.text
            for place, record in enumerate(records):
                text = text.replace(str(record["id"]), f"record {place}")
            outcomes.append((text, done.job.counts, done.job.status, cells(FIELDS, records)))
    assert outcomes[0] == outcomes[1]
