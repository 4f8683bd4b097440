"""The delimiter is the one under which the header and the first rows agree."""

from __future__ import annotations

import pytest
from tests.formats.csvs import stream

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import Splitting
from bulkwright.formats.csv import DELIMITER_NAMES, choose, inspect, sniff


def found(text: str) -> tuple[Splitting, ...]:
    """A file under each delimiter that it may have."""
    return inspect(stream(text.encode()), None, None).head.splittings


@pytest.mark.parametrize(
    ("text", "delimiter", "header"),
    [
        ("Last_Name,Start (HH:MM:SS)\nBoyle,10:30:00\n", ",", ("Last_Name", "Start (HH:MM:SS)")),
        ("a:b:c:d,e\n1,10:30\n2,11:45\n", ",", ("a:b:c:d", "e")),
        ("Name;Price (1,000)\nDisk;2,50\nTape;3,00\nCard;7\n", ";", ("Name", "Price (1,000)")),
        ("a|b,c,d\n1|2\n3|4\n", "|", ("a", "b,c,d")),
        ("a\tb;c\n1\t2\n3\t4\n", "\t", ("a", "b;c")),
        ('"a,b,c";d\n"1,2,3";4\n', ";", ("a,b,c", "d")),
        ("a:b\n1:2\n3:4\n", ":", ("a", "b")),
        ("alone\n1,2\n", ",", ("alone",)),
        ("Name, first;Town\nBoyle;Bonn\nKay, Ann;Trier\n", ";", ("Name, first", "Town")),
        ("a,b;c\n1,2\n3,4\n5;6,7\n", ",", ("a", "b;c")),
    ],
)
def test_rows_decide(text: str, delimiter: str, header: tuple[str, ...]) -> None:
    """A count of signs in the header does not."""
    dialect = sniff(stream(text.encode()), None)
    assert (dialect.delimiter, dialect.header) == (delimiter, header)
    assert choose(found(text))[0].header == header


def test_known_fields_decide_between_two_that_fit() -> None:
    """So do the mapped columns; else the doubt is reported, with both signs."""
    text = "Last_Name,x;City\nBoyle,1;Bonn\nKay,2;Trier\n"
    for known, header in (
        (("Last_Name",), ("Last_Name", "x;City")),
        (("City",), ("Last_Name,x", "City")),
    ):
        assert choose(found(text), known)[0].header == header
    wide = "a,b,c;d\n1,2,3;4\n"
    assert choose(found(wide), columns=[2])[0].delimiter == ","
    for doubtful in (text, wide):
        with pytest.raises(FileNotSupported) as error:
            choose(found(doubtful))
        assert error.value.message == (
            "The delimiter is in doubt: the header and the first rows fit both a comma and a "
            "semicolon. Give the columns the API names of their fields, or quote the cells that "
            "hold such a sign"
        )


def test_the_name_of_a_known_field_is_not_split() -> None:
    """Whatever the rows look like, and although no column is mapped."""
    text = "Start:End\n1,2:3\n4,5:6\n"
    assert choose(found(text))[0].header == ("Start", "End")
    assert choose(found(text), ["Start:End"])[0].header == ("Start:End",)


def test_a_delimiter_without_a_row_that_fits_is_no_rival() -> None:
    """Of a header alone, or of rows that do not agree with it."""
    for text, header in (
        ("a,b;c\n", ("a", "b;c")),
        ("a,b;c\n1,2\n3,4;5;6\n", ("a", "b;c")),
        ("alone\n1\n2\n", ("alone",)),
        ("a,b,c\n1\n2\n", ("a", "b", "c")),
    ):
        splitting, also = choose(found(text))
        assert (splitting.header, also) == (header, ())


def test_a_colon_that_fits_too_is_reported_and_not_chosen() -> None:
    """Times have as many colons in each row as their header."""
    splitting, also = choose(found("Last_Name,Start (HH:MM:SS)\nBoyle,10:30:00\n"))
    assert (splitting.delimiter, also) == (",", (":",))


@pytest.mark.parametrize(("header", "rows"), [(",", ";"), (";", ","), ("\t", ";"), (",", "\t")])
def test_a_header_with_another_delimiter_than_the_rows_is_rejected(header: str, rows: str) -> None:
    """Each row would be one cell."""
    text = header.join("abc") + "\n" + rows.join("123") + "\n" + rows.join("456") + "\n"
    with pytest.raises(FileNotSupported) as error:
        choose(found(text))
    assert error.value.message == (
        f"The header is separated by a {DELIMITER_NAMES[header]}, the rows by a "
        f"{DELIMITER_NAMES[rows]}; use one delimiter in the whole file"
    )


@pytest.mark.parametrize("sign", [",", ";", "\t", "|", ":"])
@pytest.mark.parametrize("form", ["sep={}", '"sep={}"', "SEP={}", "\ufeffsep={}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_excel_names_the_delimiter(sign: str, form: str, end: str) -> None:
    """It is not the header; nothing else decides."""
    text = end.join([form.format(sign), sign.join(["a", "b,c;d"]), sign.join("12")])
    facts = inspect(stream(text.encode()), None, 10)
    assert (facts.dialect.delimiter, facts.head.named, facts.rows) == (sign, True, 1)
    if sign not in ",;":
        assert facts.dialect.header == ("a", "b,c;d")


def test_a_delimiter_of_excel_that_is_not_read_is_named() -> None:
    """Instead of a header that makes no sense."""
    with pytest.raises(FileNotSupported) as error:
        sniff(stream(b"sep=~\na~b\n1~2\n"), None)
    assert error.value.message == (
        "The first line, sep=~, names a delimiter that is not read; use one of , ; | : or a tab"
    )
