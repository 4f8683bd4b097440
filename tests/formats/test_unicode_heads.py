"""Unicode without a byte order mark: what the zeros of a file's first bytes prove."""

from __future__ import annotations

import pytest
from tests.formats.csvs import read, stream

from bulkwright.domain.reading import FoundBy
from bulkwright.formats.csv import inspect, sniff
from bulkwright.formats.csv.charset import encoding_of_head

ORDERS = pytest.mark.parametrize("order", ["LE", "BE"])


def spelt(codec: str) -> str:
    """The wire's spelling of a codec: `utf-16-le` is `UTF-16LE`."""
    return "UTF-" + codec[4:].replace("-", "").upper()


@ORDERS
@pytest.mark.parametrize(
    ("text", "proven"),
    [
        ("金,銀\n", True),
        # More than four of ten characters are ASCII signs, or there are whole lines.
        ("abcde" + "金" * 5, True),
        ("abcd" + "金" * 6, False),
        ("金" * 40 + "\n" + "銀" * 40 + "\n", True),
        ("金" * 40 + "\r" + "銀" * 40 + "\r", True),
        ("金" * 40 + "," + "銀" * 40 + ",", False),
        ("金" * 1500 + "a" * 1500, False),
        # Fewer than one of twenty has a zero as its other byte.
        ("一" + "a" * 21, True),
        ("一" + "a" * 19, False),
        # A character of two units may be cut at the end of what is examined.
        ("\n\n" + "😁" * 2000, True),
        ("\n\n金" + "😁" * 2000, True),
        ("\n\n\ud801" + "金" * 5, False),
    ],
)
def test_zeros_prove_utf16(text: str, order: str, *, proven: bool) -> None:
    head = text.encode(f"utf-16-{order}", "surrogatepass")
    expected = (f"UTF-16{order}", FoundBy.CONTENT) if proven else None
    assert encoding_of_head(head) == expected


@ORDERS
@pytest.mark.parametrize(
    ("text", "proven"),
    [
        ("A\n", True),
        ("A", False),
        # More than nine of ten characters are not beyond U+FFFF.
        ("abcdefghij😁", True),
        ("abcdefghi😁", False),
        ("ab\0\n", False),
    ],
)
def test_zeros_prove_utf32(text: str, order: str, *, proven: bool) -> None:
    expected = (f"UTF-32{order}", FoundBy.CONTENT) if proven else None
    assert encoding_of_head(text.encode(f"utf-32-{order}")) == expected


@pytest.mark.parametrize(
    "text",
    ["ab\ncd,\n\0ef\n\0ghi\n", "abc\0\ndef\0\nhi", "\0a\0", "a\0b", "a\tb\0\n\r\0~\0 \n"],
)
def test_a_few_zeros_in_an_ascii_text_prove_nothing(text: str) -> None:
    """They are damage of their cells, even where two bytes could be a line end of UTF-16."""
    assert encoding_of_head(text.encode()) is None


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_rows_of_unicode_are_counted_and_read(codec: str, *, marked: bool) -> None:
    """By an inspection, whose facts are those by which the file is read."""
    text = "Name,City\nJosé Müller,Zürich\n名,社\n"
    data = ("\ufeff" * marked + text).encode(codec)
    found = inspect(stream(data), None, 10)
    assert found.dialect == sniff(stream(data), None)
    assert found.dialect.encoding == spelt(codec)
    assert found.encoding_by is (FoundBy.NAMED if marked else FoundBy.CONTENT)
    assert found.rows == len(read(data)) == 2


@pytest.mark.parametrize(
    ("declared", "text", "codec"),
    [
        ("UTF-16", "\ufeff名社", "utf-16-be"),
        ("UTF-16", "\ufeff名社", "utf-16-le"),
        ("UTF-16", "a,b\n", "utf-16-be"),
        ("UTF-16", "名社", "utf-16-le"),
        ("UTF-32", "\ufeff名社", "utf-32-be"),
        ("UTF-32", "a,b\n", "utf-32-be"),
        ("UTF-32", "名社", "utf-32-le"),
        ("UTF-16BE", "名社", "utf-16-be"),
    ],
)
def test_a_declared_encoding_gets_the_byte_order_of_the_file(
    declared: str, text: str, codec: str
) -> None:
    """Little-endian, if nothing shows it."""
    dialect = sniff(stream(text.encode(codec)), declared)
    assert dialect.encoding == spelt(codec)
    assert ",".join(dialect.header) == text.strip("\ufeff\n")
