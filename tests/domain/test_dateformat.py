"""Java patterns in terms of a parser."""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest

from bulkwright.domain.dateformat import number_format, translate
from bulkwright.domain.errors import InvalidFormat

READ = [
    ("yyyy/MM/dd", "2024/01/31", datetime(2024, 1, 31)),
    ("yyyy/MM/dd", "2024/1/3", datetime(2024, 1, 3)),
    ("MM/dd/yyyy HH:mm:ss", "1/31/2024 9:05:07", datetime(2024, 1, 31, 9, 5, 7)),
    ("dd.MM.yy", "31.01.24", datetime(2024, 1, 31)),
    ("d-MMM-yyyy", "3-jan-2024", datetime(2024, 1, 3)),
    ("dd MMMM yyyy", "31 January 2024", datetime(2024, 1, 31)),
    ("EEE, d MMM yyyy", "Wed, 31 Jan 2024", datetime(2024, 1, 31)),
    ("EEEE d MMMM yyyy", "Wednesday 31 January 2024", datetime(2024, 1, 31)),
    ("yyyyMMdd", "20240131", datetime(2024, 1, 31)),
    ("yyMMddHHmm", "2401310905", datetime(2024, 1, 31, 9, 5)),
    ("yyyy-DDD", "2024-031", datetime(2024, 1, 31)),
    ("yyyy-MM-dd'T'HH:mm:ss", "2024-01-31T09:05:07", datetime(2024, 1, 31, 9, 5, 7)),
    ("yyyy-MM-dd HH:mm:ss.SSS", "2024-01-31 09:05:07.25", datetime(2024, 1, 31, 9, 5, 7, 250000)),
    ("yyyyMMddHHmmssSSS", "20240131090507250", datetime(2024, 1, 31, 9, 5, 7, 250000)),
    ("MM/dd/yyyy hh:mm a", "01/31/2024 9:05 PM", datetime(2024, 1, 31, 21, 5)),
    ("MM/dd/yyyy hh:mm a", "01/31/2024 12:05 am", datetime(2024, 1, 31, 0, 5)),
    ("MM/dd/yyyy KK:mm a", "01/31/2024 9:05 PM", datetime(2024, 1, 31, 21, 5)),
    ("MM/dd/yyyy kk:mm", "01/31/2024 9:05", datetime(2024, 1, 31, 9, 5)),
    ("dd''MM''yyyy", "31'01'2024", datetime(2024, 1, 31)),
    ("dd 'o''clock' MM yyyy", "31 o'clock 01 2024", datetime(2024, 1, 31)),
    ("dd%MM%yyyy", "31%01%2024", datetime(2024, 1, 31)),
]


@pytest.mark.parametrize(("pattern", "text", "moment"), READ)
def test_a_pattern_reads_what_java_writes(pattern: str, text: str, moment: datetime) -> None:
    """With the very parser that the pipeline uses."""
    form = translate(pattern)
    assert re.search(form.regex, text)
    assert form.has_time == (moment.time() != datetime(1, 1, 1).time())
    assert not form.has_zone
    cells = pl.Series([text])
    assert cells.str.contains(form.regex)[0]
    if form.has_time:
        assert cells.str.to_datetime(form.strptime, time_unit="us")[0] == moment
    day: date = cells.str.to_date(form.strptime)[0]
    assert day == moment.date()


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        *(("Z", "+0530"), ("Z", "-0800"), ("X", "+05"), ("XX", "+0530"), ("XXX", "+05:30")),
        *(("XXX", "Z"), ("z", "+05:30")),
    ],
)
def test_zones_are_offsets(letter: str, text: str) -> None:
    """In any of ISO's spellings; names of zones are not read."""
    form = translate(f"yyyy-MM-dd'T'HH:mm:ss{letter}")
    stamp = f"2024-01-31T09:00:00{text}"
    assert form.has_zone
    assert re.search(form.regex, stamp)
    read = pl.Series([stamp]).str.to_datetime(form.strptime, time_zone="UTC", time_unit="us")[0]
    assert read == datetime.fromisoformat(stamp)
    assert not re.search(form.regex, "2024-01-31T09:00:00PST")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy-MM-dd", "2024-01-31 "),
        ("yyyy-MM-dd", "x2024-01-31"),
        ("yyyy-MM-dd", "2024-01-31T00:00"),
        ("yyyy-MM-dd", "24-01-31"),
        ("yyyy-MM-dd", "2024-013-1"),
        ("dd.MM.yyyy", "31x01x2024"),
        ("yyyyMMdd", "2024131"),
        ("dd MMM yyyy", "31 Mai 2024"),
        ("MM/dd/yyyy kk:mm", "01/31/2024 24:05"),
    ],
)
def test_the_expression_is_strict(pattern: str, text: str) -> None:
    """What does not match is no value, however a parser would read it."""
    assert not re.search(translate(pattern).regex, text)


@pytest.mark.parametrize(
    "pattern",
    [
        *("", " ", "yyyy", "MM/dd", "HH:mm", "yyyy-MM", "yyyy-mm-dd", "YYYY-MM-dd"),
        *("yyyy-MM-dd yyyy", "yyyy-MM-dd HH", "yyyy-MM-dd hh:mm", "yyyy-MM-dd a"),
        *(
            "yyyy-MM-dd HH:mm a",
            "yyyy-MM-dd HH hh:mm a",
            "yyyy-MM-dd ss",
            "yyyy-MM-dd HH:mm S",
            "yyyy-MM-dd z",
        ),
        *("yyyy-MM-dd HH:mm:ss SS", "yyyy-MM-dd'T", "yyyy-MM-ddTHH:mm", "yyyy-MM-dd w"),
        *("yyyy-MM-dd" + " " * 200, "%Y-%m-%d", "yyyy-MM-dd HH:mm:ss.SSS.SSS"),
    ],
)
def test_what_names_no_whole_date_is_refused(pattern: str) -> None:
    """Also a letter that comes twice, one that is not known, and an hour without minutes."""
    with pytest.raises(InvalidFormat):
        translate(pattern)


@pytest.mark.parametrize(
    ("pattern", "point", "group"),
    [
        ("0", ".", ""),
        ("#", ".", ""),
        ("0.00", ".", ""),
        ("0,00", ",", ""),
        ("#,###", ".", ","),
        ("#,##0", ".", ","),
        ("#,##0.00", ".", ","),
        ("#,###,##0.##", ".", ","),
        ("#.##0,00", ",", "."),
        ("# ##0,00", ",", " "),
        ("#'##0.00", ".", "'"),
        ("# ##0", ".", " "),
        ("#.###.##0", ",", "."),
        ("#.###", ".", ""),
    ],
)
def test_number_patterns_name_point_and_group(pattern: str, point: str, group: str) -> None:
    """Java's own meaning where one kind of separator could be either."""
    assert number_format(pattern) == (point, group)


@pytest.mark.parametrize(
    "pattern",
    ["", "abc", "0.0.0,0,0", "#,##0.00 €", "#,", ",##0", "#,##,0", "# ##0'00", "# ##", "%Y"],
)
def test_other_number_patterns_are_refused(pattern: str) -> None:
    """INVALID_FORMAT."""
    with pytest.raises(InvalidFormat):
        number_format(pattern)
