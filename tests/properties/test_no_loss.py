"""No silent loss: each character of a data row is stored, reported with its row, or left out.

The files are messy on purpose. What they hold is read a second time by `plain_reader`.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.properties.plain_reader import PlainRow, read_plainly
from tests.properties.test_operations import emptied
from tests.support.bench import Bench
from tests.support.effort import tries

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import FoundBy
from bulkwright.domain.value_rules import BAD_BYTE
from bulkwright.formats.csv import ENCODINGS, Dialect, Quoting, blocks, parse_slowly
from bulkwright.formats.stream import ByteStream

FIELDS = ("Last_Name", "City", "State")
SIGNS = 'ab"""\n\r\n \x1aé'
CHUNKS = st.sampled_from([(1, None), (3, None), (1000, None), (1000, 1), (1000, 20)])


@st.composite
def bodies(draw: st.DrawFn, delimiter: str) -> str:
    """Rows: of cells with quotes of every kind, or of any signs."""
    cell = st.one_of(
        st.sampled_from(["x", "", 'say "hi"', '"good"', '"a ""b"" c"', '"two\nlines"', '"open']),
        st.sampled_from(['"shut" ', ' "late"', '5" disk', 'end"', f'"p{delimiter}q"', '"a" b"']),
        st.text(st.sampled_from(SIGNS + delimiter), max_size=5),
    )
    row = st.lists(cell, min_size=1, max_size=5).map(delimiter.join)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return draw(st.lists(row, max_size=8).map(end.join)) + draw(st.sampled_from(["", end, "\x1a"]))


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A text with a header of three fields and a column that is none, and its delimiter."""
    delimiter = draw(st.sampled_from(",;|:"))
    return delimiter.join([*FIELDS, "Other"]) + "\n" + draw(bodies(delimiter)), delimiter


@tries(400)
@given(files(), st.integers(1, 60))
@example(('Last_Name,City,State,Other\nA,"Acme,x\nB,"Beta,y\nC,Gamma,z', ","), 7)
def test_every_row_is_read_as_a_plain_reader_reads_it(file: tuple[str, str], target: int) -> None:
    """The same cells, and the same rows that cannot be trusted, whatever the blocks are."""
    text, delimiter = file
    header, expected = read_plainly(text, delimiter)
    dialect = Dialect("UTF-8", delimiter, tuple(header))
    found = [
        row
        for block in blocks(ByteStream([text.encode()]), dialect, target=target)
        for segment in block.segments
        for row in parse_slowly(segment.data, delimiter)
    ]
    assert [row.cells for row in found] == [row.cells for row in expected]
    for width in (1, 2, 3, 4):
        assert [row.fits(width) for row in found] == [row.fits(width) for row in expected]
    assert [row.quoting in (Quoting.STRAY, Quoting.BROKEN) for row in found] == [
        row.edge for row in expected
    ]
    # A plain count of characters: only delimiters, line ends and the quotes of cells are no data.
    data = text.partition("\n")[2].rstrip("\x1a")
    syntax = {*'"\r\n', delimiter}
    kept = Counter("".join(cell for row in found for cell in row.cells))
    assert {s: n for s, n in Counter(data).items() if s not in syntax} == {
        s: n for s, n in kept.items() if s not in syntax
    }


WORDS = ("Lefèvre", "Benoît", "Hélène", "Gonçalves", "Zoé", "Bérengère", "Agnès", "Geneviève")
"""With them the encoding of a file can be guessed."""


@tries(25)
@given(
    file=files(),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"]),
    cut=CHUNKS,
    excel=st.booleans(),
)
def test_every_character_is_stored_or_reported(
    bench: Bench, file: tuple[str, str], codec: str, cut: tuple[int, int | None], excel: bool
) -> None:
    """Each row has a result line. A row that is ADDED stores its cells; the job names the rest.

    An encoding without a mark is a guess, which the job shows: the cells are those of that guess.
    With `excel`, the file names its delimiter.
    """
    emptied(bench)
    text, delimiter = file
    if codec == "cp1252":
        names, _, body = text.partition("\n")
        text = "\n".join((names, *(f"{word}{delimiter}x" for word in WORDS), body))
    sep = f"sep={delimiter}\r\n" if excel else ""
    data = (sep + text).encode(codec)
    try:
        done = bench.run(data, chunk_rows=cut[0], chunk_bytes=cut[1])
    except FileNotSupported as error:
        assert re.search("delimiter|separated|encoding is in doubt", error.message)
        return
    reading = done.job.resources[0].reading
    assert reading is not None
    if codec == "cp1252":
        assert reading.encoding_by is FoundBy.GUESS
        text = data[len(sep) :].decode(ENCODINGS[reading.encoding], "bulkwright.bad_byte")
    header, rows = read_plainly(text, delimiter)
    assert (reading.delimiter, reading.left_out) == (delimiter, ("Other",))
    assert len(done.rows) == len(rows)
    stray: list[int] = []
    for number, (row, line) in enumerate(zip(rows, done.rows, strict=True), start=1):
        if row.edge and row.fits(len(header)):
            stray.append(number)
        if line["STATUS"] == "ADDED":
            assert stored(bench, line) == cells(row)
            assert row.fits(len(header))
        else:
            assert line["STATUS"] == "SKIPPED" and line["ERRORS"]
            is_damaged = BAD_BYTE in "".join(row.cells)
            assert not row.fits(len(header)) or not row.cells[0].strip() or is_damaged
    assert (reading.stray_quotes, reading.first_stray_quote) == (
        len(stray),
        stray[0] if stray else None,
    )


def stored(bench: Bench, line: dict[str, str]) -> list[object]:
    """The fields of a row's record."""
    record = bench.stored(int(line["RECORD_ID"]))
    return [record[name] for name in FIELDS]


def cells(row: PlainRow) -> list[object]:
    """The cells of the mapped columns; an empty or a missing one is null."""
    return [cell or None for cell in [*row.cells, "", "", ""][: len(FIELDS)]]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", 'a,b\n"1",2\n', "a,b\r\n1,2\r\n3,4"])
def test_the_plain_reader_reads_plain_files(text: str) -> None:
    """It is no help if it reads nothing."""
    header, rows = read_plainly(text, ",")
    assert header == ["a", "b"] and rows[0].cells == ["1", "2"] and not rows[0].edge
