"""Undeclared encodings: read right, or rejected with the encodings to name."""

from __future__ import annotations

import pytest
from tests.formats.csvs import by_csv, read, stream
from tests.formats.languages import CASES, table

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import FoundBy
from bulkwright.formats.csv import BAD_BYTE, ENCODINGS, canonical_encoding, inspect
from bulkwright.formats.stream import ByteStream


@pytest.mark.parametrize(("language", "name"), CASES)
def test_an_undeclared_text_is_read_right(language: str, name: str) -> None:
    """Twenty rows are enough; the guess is not hidden."""
    for seed in range(3):
        text = table(language, 20, seed)
        data = text.encode(ENCODINGS[name])
        assert read(data) == by_csv(text)[1:]
        expected = FoundBy.CONTENT if name == "ISO-2022-JP" else FoundBy.GUESS
        assert inspect(stream(data), None, None).encoding_by is expected


@pytest.mark.parametrize(("language", "name"), CASES)
def test_a_short_text_is_read_right_or_rejected(language: str, name: str) -> None:
    """A rejection names what fits. A single doubtful word is marked as damage."""
    for seed in range(5):
        for rows in (1, 2):
            text = table(language, rows, seed)
            try:
                found = read(text.encode(ENCODINGS[name]))
            except FileNotSupported as error:
                assert "--encoding" in error.message and "These fit" in error.message
                continue
            marked = any(BAD_BYTE in cell for row in found for cell in row)
            assert found == by_csv(text)[1:] or marked


@pytest.mark.parametrize("word", ["Müller", "José", "Zürich", "Weiß", "Élodie", "L’Oréal", "12 €"])
def test_one_word_is_enough_if_every_encoding_gives_the_same_letters(word: str) -> None:
    """As in a file of names of which one has an accent."""
    assert read(f"Name\nAnn\n{word}\n".encode("cp1252")) == [["Ann"], [word]]


@pytest.mark.parametrize("rows", [None, 10_000_000])
def test_the_whole_file_decides(rows: int | None) -> None:
    """A letter behind more than a MiB of ASCII counts as much as one before it."""
    plain = b"Name,City\n" + b"Ann,Bonn\n" * 150_000
    assert len(plain) > limits.MiB
    for last, name in (
        ("Müller,Köln", "cp1252"),
        ("Müller,Köln", "utf-8"),
        ("田中,東京", "iso2022_jp"),
    ):
        data = plain + f"{last}\n".encode(name)
        pieces = [data[i : i + 65_536] for i in range(0, len(data), 65_536)]
        found = inspect(ByteStream(pieces), None, rows)
        assert ENCODINGS[found.dialect.encoding].replace("_", "-") == name.replace("_", "-")
        assert found.rows in (None, 150_001)


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("language", ["de", "ru", "ja", "he"])
def test_unicode_without_a_byte_order_mark(language: str, name: str) -> None:
    """The zeros of delimiters and line ends show it in every script."""
    text = table(language, 5, 1)
    assert read(text.encode(name)) == by_csv(text)[1:]


def test_a_text_with_zeros_is_no_unicode() -> None:
    """Zeros in an ASCII text are damage of their cells."""
    for text in ("a,b\n1,\0\n", "a\n\0\n", "ab\n\0,\0\n", "a,b,c\n\0\0,x\0,\0\n"):
        assert inspect(stream(text.encode()), None, None).dialect.encoding == "UTF-8"


def test_names_of_old_encodings_are_known() -> None:
    """Those of Macintosh and DOS can be declared."""
    for name in ("macintosh", "mac", "IBM850", "cp850", "IBM437", "cp437", "850", "tis-620"):
        found = inspect(stream(b"Name\nAnn\n"), name, None)
        assert (found.dialect.encoding, found.encoding_by) == (
            canonical_encoding(name), FoundBy.NAMED,
        )  # fmt: skip
    text = "Name\nMüller\n"
    assert read(text.encode("cp850"), "ibm850") == read(text.encode("mac_roman"), "macintosh")
