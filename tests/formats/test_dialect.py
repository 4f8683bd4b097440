"""Delimiter and header: recognised by the first bytes of a file."""

from __future__ import annotations

import tracemalloc

import pytest
from tests.formats.csvs import read, stream

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.formats.csv import inspect, sniff
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
    with pytest.raises(FileNotSupported):
        inspect(stream(data), None, 10)


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04....", b"MZ\x90\0\x03\0\0\0\n", b"\x1f\x8b\x08", b"%PDF-1.4\n", b"Rar!\x1a"],
)
def test_a_file_that_is_not_text_is_rejected(data: bytes) -> None:
    """Other files with the name of a CSV are recognised by their first bytes."""
    with pytest.raises(FileNotSupported):
        sniff(stream(data), None)


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
