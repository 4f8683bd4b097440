"""Delimiter and header: recognised by the first bytes of a file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from tests.formats.csvs import read, stream

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.formats.csv import BAD_BYTE, HEAD_BYTES, Dialect, inspect, sniff, text_before_rows
from bulkwright.formats.csv.dialect import decode_head
from bulkwright.formats.stream import ByteStream


@pytest.mark.parametrize(
    ("line", "delimiter", "header"),
    [
        ("a;b;c", ";", ("a", "b", "c")),
        ("a:b:c", ":", ("a", "b", "c")),
        ("a|b|c", "|", ("a", "b", "c")),
        ("a\tb\tc", "\t", ("a", "b", "c")),
        ('a;"x,y,z";c', ";", ("a", "x,y,z", "c")),
        ("a,b;c,d", ",", ("a", "b;c", "d")),
        ("alone", ",", ("alone",)),
        ('"multi\nline",b', ",", ("multi\nline", "b")),
        ('"say ""hi""",b', ",", ('say "hi"', "b")),
        ('5" disk,b', ",", ('5" disk', "b")),
        (" a , b ", ",", (" a ", " b ")),
        ("a,,a", ",", ("a", "", "a")),
        ("\r\n\na,b", ",", ("a", "b")),
        ("X", ",", ("X",)),
        (" ", ",", (" ",)),
        ("\x1aa,b\t", ",", ("\x1aa", "b\t")),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r", ""])
def test_header_and_delimiter_are_recognised(
    line: str, delimiter: str, header: tuple[str, ...], eol: str
) -> None:
    """The delimiter is counted outside of quotes, the cells are kept verbatim."""
    rest = delimiter.join(["1"] * len(header)) + eol if eol else ""
    data = (line + eol + rest).encode()
    found = sniff(stream(data), None)
    if eol == "\r" and "\n" not in line:
        assert found.header == header
    assert (found.delimiter, len(found.header)) == (delimiter, len(header))
    assert len(read(data)) == bool(rest)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b"\xff\xfe", b"\n" * 3_000_000, b"\0" * 2_000_000],
    ids=["empty", "mark", "newline", "newlines", "mark16", "million_newlines", "zeros"],
)
def test_a_file_without_a_header_is_rejected(data: bytes) -> None:
    """A file without columns is an error, not an empty job."""
    with pytest.raises(FileNotSupported) as error:
        inspect(stream(data), None, 10)
    assert error.value.message == (
        "The CSV is no text file" if b"\0" in data else "The CSV is empty; it needs a header line"
    )


@pytest.mark.parametrize(
    ("data", "other"),
    [
        (b"PK\x03\x04....", " but a zip (or a spreadsheet)"),
        (b"MZ\x90\0\x03\0\0\0\n", ""),
        (b"\x1f\x8b\x08", " but a gzip"),
        (b"%PDF-1.4\n", " but a PDF"),
        (b"Rar!\x1a", " but a RAR archive"),
    ],
)
def test_a_file_that_is_not_text_is_rejected(data: bytes, other: str) -> None:
    """Other files with the name of a CSV are recognised by their first bytes."""
    with pytest.raises(FileNotSupported) as error:
        sniff(stream(data), None)
    assert error.value.message == "The CSV is no text file" + other


@pytest.mark.parametrize("end", [b"", b"\x1a", b"\x1a\x1a"])
def test_the_end_of_a_file_of_dos_is_in_no_name(end: bytes) -> None:
    """A blank before it is."""
    assert sniff(stream(b"a,b " + end), None).header == ("a", "b ")


@pytest.mark.slow
def test_a_header_that_is_too_long_is_rejected() -> None:
    """20 MB without a line end are rejected, with an unclosed quote or without."""
    for data in (b"a," * 10_000_000, b'"' + b"a," * 10_000_000):
        with pytest.raises(FileNotSupported):
            inspect(stream(data), None, None)


def test_a_header_may_be_longer_than_the_head() -> None:
    """Hundreds of thousands of columns are read; their limit is checked later."""
    data = b",".join(b"c%d" % i for i in range(300_000)) + b"\n1,2\n"
    found = inspect(ByteStream(data[i : i + 65536] for i in range(0, len(data), 65536)), None, 10)
    assert len(found.dialect.header) == 300_000 and found.rows == 1


def test_quotes_count_however_long_the_header_is() -> None:
    """Delimiters in a quoted name of half a megabyte are not counted."""
    name = b'"' + b"a;" * 250_000 + b'"'
    assert sniff(stream(name + b",b,c\n1,2,3\n"), None).header[1:] == ("b", "c")


def test_a_header_of_an_old_macintosh() -> None:
    """A CR in a name becomes LF, as in other cells."""
    assert sniff(stream(b'"a\rx",b\r1,2\r'), None).header == ("a\nx", "b")


def test_a_byte_order_mark_may_be_repeated() -> None:
    """Only those in front are none of the header."""
    mark = "\ufeff".encode()
    for marks in range(4):
        file = stream(mark * marks + b"a," + mark + b"\n1,2\n")
        assert sniff(file, None).header == ("a", "\ufeff")


def test_a_letter_that_the_end_of_a_file_cuts_is_damage_of_the_header() -> None:
    """It is in no row."""
    data = b"Name\xc3"
    assert sniff(stream(data), "UTF-8").header == ("Name" + BAD_BYTE,)
    assert read(data, "UTF-8") == []
    before = text_before_rows(stream(data), Dialect("UTF-8", ",", ("Name",)))
    assert before == "Name" + BAD_BYTE


def test_a_long_head_is_decoded_until_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte may become three of UTF-8."""
    monkeypatch.setattr(limits, "RECORD_BYTES", HEAD_BYTES)
    head = decode_head(b"a" * (4 * HEAD_BYTES + 4), "UTF-8")
    assert head.text == b"a" * (3 * HEAD_BYTES)
    head = decode_head(b"\xff" * (4 * HEAD_BYTES + 4), "UTF-8")
    assert len(head.text) == 3 * HEAD_BYTES


class Pieces:
    """An endless file, and how much of it was read."""

    def __init__(self, first: bytes, piece: bytes) -> None:
        self.first, self.piece, self.read = first, piece, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in chain([self.first], repeat(self.piece)):
            self.read += len(piece)
            yield piece


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_mib_shows_the_header_if_it_ends_there(end: bytes) -> None:
    """No more of the file is read."""
    pieces = Pieces(b"a,b" + end, b"1,2" + end + b"3,4" * 2_000)
    assert sniff(ByteStream(pieces), None).header == ("a", "b")
    assert pieces.read < HEAD_BYTES + 2 * len(pieces.piece)


def test_a_header_that_is_too_long_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each character may have four bytes."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 300_000)
    for codec, encoding in (("utf-8", "UTF-8"), ("utf-32-le", "UTF-32LE")):
        pieces = Pieces("a,".encode(codec), ("a" * 2_500).encode(codec))
        with pytest.raises(FileNotSupported, match="too long"):
            sniff(ByteStream(pieces), encoding)
        assert pieces.read < 4 * limits.RECORD_BYTES + 3 * len(pieces.piece)
    for length in (300_000, 300_001):
        file = stream(("a" * length).encode("utf-32-le"))
        if length == limits.RECORD_BYTES:
            assert len(sniff(file, "UTF-32LE").header[0]) == length
        else:
            with pytest.raises(FileNotSupported, match="too long"):
                sniff(file, "UTF-32LE")


def test_a_row_that_a_mib_cuts_is_not_examined() -> None:
    """Behind a header of nearly a MiB."""
    header = "a" * (HEAD_BYTES - 16) + ",b\n"
    (found,) = inspect(stream(f"{header}1,2\n3,4\n5,6\n7,8\n".encode()), None, None).head.splittings
    assert (found.rows, found.agreeing) == (3, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "filling", [b'"', b",", b'"a",', b'a"', b"\xff", b"\x80,", b"\0"], ids=repr
)
def test_an_endless_header_costs_little_memory(filling: bytes) -> None:
    """It is rejected before its cells are parsed."""
    piece = filling * (limits.MiB // len(filling))
    tracemalloc.start()
    try:
        with pytest.raises(FileNotSupported):
            inspect(ByteStream(piece for _ in range(32)), None, 10)
        assert tracemalloc.get_traced_memory()[1] < 100 * limits.MiB
    finally:
        tracemalloc.stop()
