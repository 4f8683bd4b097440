"""What a file looks like under each delimiter, and what a long header costs."""

from __future__ import annotations

import pytest
from tests.formats.csvs import stream

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import Splitting
from bulkwright.formats.csv import Dialect, choose, inspect, sniff, text_before_rows

KIB = 1024


def found(text: str) -> tuple[Splitting, ...]:
    """A file under each delimiter that it may have."""
    return inspect(stream(text.encode()), None, None).head.splittings


@pytest.mark.parametrize(
    ("text", "delimiters"),
    [
        ("a,b\n1,2\n", ","),
        ("a,b;c\n1,2\n", ",;"),
        ("alone\n1;2\n", ",;"),
        ("a,b\n1,2\n3,4;5\n", ","),
        ("alone\n", ","),
    ],
)
def test_a_delimiter_is_named_if_header_or_rows_have_it(text: str, delimiters: str) -> None:
    """All rows have it as often; the most likely one is named in any case."""
    assert "".join(splitting.delimiter for splitting in found(text)) == delimiters


@pytest.mark.parametrize(
    ("text", "splitting"),
    [
        ("a,b\n1,2\n3,4", Splitting(",", ("a", "b"), 2, 2, True, 2)),
        ("a,b\n1,2\n3\n", Splitting(",", ("a", "b"), 2, 1, True, None)),
        ('a,b\n1,2\n3,"4" x\n', Splitting(",", ("a", "b"), 2, 1, True, 2)),
        # Nothing agrees with a header whose quotes are damaged.
        ('"a" x,b\n1,2\n', Splitting(",", ('"a" x', "b"), 1, 0, False, 2)),
        # A thousand rows of at most 64 KiB, without a last one that may be cut.
        ("a,b\n" + "1,2\n" * 1000, Splitting(",", ("a", "b"), 1000, 1000, True, 2)),
        ("a,b\n" + "1,2\n" * 1001, Splitting(",", ("a", "b"), 1000, 1000, True, 2)),
        ("a,b\n" + "1,2\n" * 1002, Splitting(",", ("a", "b"), 1000, 1000, True, 2)),
        ("a,b\n" + "1," * 49 + "1\n" * 1, Splitting(",", ("a", "b"), 1, 0, True, 50)),
        ("a,b\n" + (f"1,{'x' * 97}\n") * 700, Splitting(",", ("a", "b"), 655, 655, True, 2)),
        ("a,b\n" + (f"1,{'x' * 125}\n") * 512, Splitting(",", ("a", "b"), 511, 511, True, 2)),
        ("a,b\n" + (f"1,{'x' * 125}\n") * 511, Splitting(",", ("a", "b"), 511, 511, True, 2)),
    ],
)
def test_the_first_rows_are_examined(text: str, splitting: Splitting) -> None:
    """How many there are, how many agree with the header, and how wide they are."""
    assert found(text)[0] == splitting


def test_the_share_of_rows_decides_and_not_their_number() -> None:
    """Rows are as many under each delimiter only if no quote takes line ends into a cell."""
    header = ("a", "b")
    half, all_of_two = Splitting(",", header, 10, 5), Splitting(";", header, 2, 2)
    assert choose([half, all_of_two])[0] is all_of_two
    assert choose([Splitting(",", header), half])[0] is half


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_decide_in_a_long_file_too(end: str) -> None:
    """The signs of all rows are not counted."""
    text = "a;b" + end + ("1,2,3;4" + end) * 10_000 + "5;6\n7;8\r9;0\n"
    assert sniff(stream(text.encode()), None).header == ("a", "b")


@pytest.mark.parametrize(("more", "delimiter"), [("", ";"), ("d", ",")])
def test_a_header_of_more_than_64_kib_has_the_delimiter_that_it_has_most_of(
    more: str, delimiter: str
) -> None:
    """A shorter one is split under each."""
    header = "a," * 32_766 + "bb;c"
    assert len(header) == 64 * KIB
    assert sniff(stream(f"{header}{more}\n1;2\n3;4\n".encode()), None).delimiter == delimiter


def test_a_long_header_has_at_most_half_a_million_delimiters() -> None:
    """Each cell costs memory; those of rows are not counted if the header is shorter than 1 MiB."""
    name = "a" * 600_000
    for count in (500_000, 500_001):
        file = stream(f"{name}{',' * count}\n".encode())
        if count == 500_000:
            assert len(sniff(file, None).header) == 500_001
        else:
            with pytest.raises(FileNotSupported, match=r"^The CSV's header line is too long$"):
                sniff(file, None)
    assert sniff(stream(b"a,b,c,d,e\n" + b",,,,\n" * 300_000), None).header[4] == "e"


def test_a_header_is_as_long_as_a_record_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its line end, if it has one."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 70_000)
    long = "a" * 35_000 + ',"' + "b" * 34_996 + '"'
    for header, fits in (
        (long + "z", True),
        (long + "zz", False),
        (long + "\n", True),
        (long + "z\n1,2\n", False),
        ('"' + long[:-1].replace('"', "") + "\n" * 9_000 + '"', False),
    ):
        file = stream(header.encode())
        if fits:
            assert len(sniff(file, None).header) == 2
            assert text_before_rows(file, Dialect("UTF-8", ",", ())) == header
            continue
        for read in (
            lambda file=file: sniff(file, None),
            lambda file=file: text_before_rows(file, Dialect("UTF-8", ",", ())),
        ):
            with pytest.raises(FileNotSupported, match=r"^The CSV's header line is too long$"):
                read()
