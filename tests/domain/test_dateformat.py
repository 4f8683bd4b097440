"""Java patterns, translated for a parser."""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest

from bulkwright.domain.dateformat import boolean_words, number_format, short_years, translate
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
    """With the parser that the pipeline uses."""
    form = translate(pattern)
    assert re.search(form.regex, text)
    assert form.has_time == (moment.time() != datetime(1, 1, 1).time())
    assert not form.has_zone
    cells = pl.Series([text])
    assert cells.str.contains(form.regex)[0]
    if form.before_short_year:
        cells = cells.str.replace(form.before_short_year, "${1}20")
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
    """Offsets are read in every ISO spelling; names of zones are not."""
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
    """A text that the regex does not match is rejected, even if the parser would accept it."""
    assert not re.search(translate(pattern).regex, text)


@pytest.mark.parametrize(
    ("pattern", "valid", "invalid"),
    [
        ("d/MM/yyyy", "3/01/2024", "003/01/2024"),
        ("DDD yyyy", "31 2024", "0031 2024"),
        ("yyyyDDD", "2024031", "202431"),
        ("MMddyyyy", "01032024", "1032024"),
        ("yyyy dMM", "2024 0301", "2024 301"),
        ("yyyy-MM-d'0h'", "2024-01-030h", "2024-01-30h"),
        ("'7'd.MM.yyyy", "703.01.2024", "73.01.2024"),
        ("HH:mm:ss.Sd/MM/yyyy", "09:05:07.503/01/2024", "09:05:07.3/01/2024"),
        ("d'.'MM yyyy", "3.01 2024", "3301 2024"),
        ("dMMMyyyy", "3Jan2024", "3Janu2024"),
        ("kkmm dd.MM.yyyy", "0905 03.01.2024", "095 03.01.2024"),
    ],
)
def test_a_day_may_have_one_digit_unless_digits_are_beside_it(
    pattern: str, valid: str, invalid: str
) -> None:
    """Digits beside it may be those of another letter or of quoted text."""
    form = re.compile(translate(pattern).regex)
    assert form.search(valid)
    assert not form.search(invalid)


@pytest.mark.parametrize(
    ("pattern", "directives"),
    [
        ("y M d", "%Y %m %d"),
        ("yy-MM-dd", "%Y-%m-%d"),
        ("yyyyy-MM-dd", "%Y-%m-%d"),
        ("EEEE d MMMM yyyy", "%A %d %B %Y"),
        ("E, d MMM yyyy", "%a, %d %b %Y"),
        ("EE, d MMMMM yyyy", "%a, %d %B %Y"),
        ("yyyy-DDD", "%Y-%j"),
        ("yyyyMMddHHmmssSSSSSS", "%Y%m%d%H%M%S%6f"),
        ("yyyyMMddHHmmssSSSSSSSSSX", "%Y%m%d%H%M%S%9f%#z"),
        ("yyyy-MM-dd h:mm:ss.SS a", "%Y-%m-%d %I:%M:%S%.f %p"),
    ],
)
def test_the_number_of_letters_chooses_the_directive(pattern: str, directives: str) -> None:
    """Two letters of the year are a short one; three of a month or weekday its short name."""
    assert translate(pattern).strptime == directives


@pytest.mark.parametrize(
    ("letters", "name"),
    [
        *(("MMM", "Jan"), ("MMM", "JAN"), ("MMM", "jan")),
        *(("MMMM", "January"), ("MMMM", "january"), ("MMMM", "Jan"), ("MMMM", "JAN")),
    ],
)
def test_names_of_months_are_read_in_any_case(letters: str, name: str) -> None:
    """Four letters read the short name too; two letters of it are no month."""
    form = translate(f"dd {letters} yyyy")
    assert re.search(form.regex, f"31 {name} 2024")
    assert not re.search(form.regex, f"31 {name[:2]} 2024")
    assert not re.search(form.regex, f"31 {name}{name} 2024")
    assert pl.Series([f"31 {name} 2024"]).str.to_date(form.strptime)[0] == date(2024, 1, 31)


@pytest.mark.parametrize(
    "text", ["2024-01-31 9:05 pm", "2024-01-31 9:05 AM", "2024-01-31 11:05 Pm"]
)
def test_halves_of_the_day_are_read_in_any_case(text: str) -> None:
    """`am` and `pm`; nothing else."""
    form = translate("yyyy-MM-dd K:mm a").regex
    assert re.search(form, text)
    assert not re.search(form, text.replace("m", "").replace("M", ""))


@pytest.mark.parametrize("hour", ["0", "00", "12", "13"])
def test_an_hour_that_the_parser_lacks_is_rejected(hour: str) -> None:
    """K is 0 to 11 in Java, where the parser has 1 to 12: both ends are rejected."""
    assert not re.search(translate("yyyy-MM-dd K:mm a").regex, f"2024-01-31 {hour}:05 am")


@pytest.mark.parametrize(
    "pattern",
    [
        *("", " ", "yyyy", "MM/dd", "DDD", "HH:mm", "yyyy-MM", "yyyy dd", "yyyy-mm-dd"),
        *("YYYY-MM-dd", "yyyy-MM-dd yyyy", "yyyy-MM-dd HH", "yyyy-MM-dd mm", "yyyy-MM-dd ss"),
        *("yyyy-MM-dd hh:mm", "yyyy-MM-dd hh a", "yyyy-MM-dd mm a", "yyyy-MM-dd a"),
        *("yyyy-MM-dd HH:mm a", "yyyy-MM-dd HH:mm hh", "yyyy-MM-dd HH hh:mm a"),
        *("yyyy-MM-dd HH:mm S", "yyyy-MM-dd HH:mm SSS", "yyyy-MM-dd HH:mm:ss SS"),
        *("yyyy-MM-dd z", "yyyy-MM-dd HH z", "yyyy-MM-dd'T", "yyyy-MM-ddTHH:mm", "yyyy-MM-dd w"),
        *("%Y-%m-%d", "yyyy-MM-dd HH:mm:ss.SSS.SSS", "yyyy-MM-dd d", "yyyy-MM-dd 'at' HH:mm '"),
    ],
)
def test_a_pattern_that_names_no_whole_date_is_rejected(pattern: str) -> None:
    """These include a letter that comes twice, an unknown one, and an hour without minutes."""
    with pytest.raises(InvalidFormat) as caught:
        translate(pattern)
    assert str(caught.value) == f"invalid format {pattern}"


@pytest.mark.parametrize(
    ("pattern", "text", "with_century"),
    [
        ("yy-MM-dd", "50-01-31", "1950-01-31"),
        ("d/M/yy", "3/12/50", "3/12/1950"),
        ("dMMMyy", "3May50", "3May1950"),
        ("'19' yy-DDD", "19 50-031", "19 1950-031"),
        ("yyMMddHHmm", "5001310905", "195001310905"),
    ],
)
def test_the_place_of_a_century(pattern: str, text: str, with_century: str) -> None:
    """A year of two digits gets its century where it stands; one of four digits gets none."""
    before = translate(pattern).before_short_year
    assert before is not None
    assert pl.Series([text]).str.replace(before, "${1}19")[0] == with_century
    assert translate(pattern.replace("yy", "yyyy")).before_short_year is None


@pytest.mark.parametrize(
    ("created", "first", "after"),
    [
        (date(2026, 11, 27), date(1946, 11, 27), date(2046, 11, 27)),
        (date(2180, 2, 29), date(2100, 2, 28), date(2200, 2, 28)),
    ],
)
def test_the_years_of_two_digits(created: date, first: date, after: date) -> None:
    """A hundred years of days, 80 of them before the day."""
    assert short_years(created) == (first, after)


def test_a_second_has_59_at_most() -> None:
    """The parser takes 60 for a leap second of any minute; so does it with minutes' neighbours."""
    for pattern, text in (
        ("HH:mm:ss dd.MM.yyyy", "09:05:60 01.02.2024"),
        ("HHmmssyyyyMMdd", "09056020240201"),
    ):
        assert not re.search(translate(pattern).regex, text)
        assert re.search(translate(pattern).regex, text.replace("60", "59", 1))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("ja/nein", ("ja", "nein")),
        ("Yes / No", ("yes", "no")),
        ("1/0", ("1", "0")),
        ("x/-", ("x", "-")),
    ],
)
def test_boolean_patterns_name_two_words(pattern: str, words: tuple[str, str]) -> None:
    """In lower case, because cells may be in any."""
    assert boolean_words(pattern) == words


@pytest.mark.parametrize(
    "pattern", ["", "ja", "/", "ja/", "/nein", "a/b/c", "no/NO", "x/" + "y" * 99]
)
def test_other_boolean_patterns_are_rejected(pattern: str) -> None:
    """One word, three, or twice the same."""
    with pytest.raises(InvalidFormat) as caught:
        boolean_words(pattern)
    assert str(caught.value) == f"invalid format {pattern}"


def test_a_pattern_has_a_hundred_characters_at_most() -> None:
    """The message repeats no more of a longer one."""
    longest = "yyyy-MM-dd" + " " * 90
    assert translate(longest).strptime == "%Y-%m-%d" + " " * 90
    with pytest.raises(InvalidFormat) as caught:
        translate(longest + " ")
    assert str(caught.value) == f"invalid format {longest}"


@pytest.mark.parametrize(
    ("pattern", "point", "group"),
    [
        ("0", ".", ""),
        ("#", ".", ""),
        ("0.00", ".", ""),
        ("0,00", ",", ""),
        ("0.000", ".", ""),
        ("#,###", ".", ","),
        ("#,##0", ".", ","),
        ("#,##0.00", ".", ","),
        ("#,##0.000", ".", ","),
        ("#,###,##0.##", ".", ","),
        ("#.##0,00", ",", "."),
        ("# ##0,00", ",", " "),
        ("#'##0.00", ".", "'"),
        ("# ##0", ".", " "),
        ("#\u00a0##0,00", ",", " "),
        ("#\u202f##0", ".", " "),
        ("#\u2019##0.00", ".", "'"),
        ("#'###'##0", ".", "'"),
        ("#.###.##0", ",", "."),
        ("#.###", ".", ""),
        ("#" * 100, ".", ""),
    ],
)
def test_number_patterns_name_point_and_group(pattern: str, point: str, group: str) -> None:
    """The meaning is Java's if one kind of separator could be either."""
    assert number_format(pattern) == (point, group)


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "abc", "#,##0.00 €", "%Y", "#" * 101, "0\n", "1,000", "-0", "0e0"),
        *("#,", ",##0", ".0", "0.", "0..0", "#,,##0"),
        *("#,##,0", "# ##", "# ####", "#'##", "#.###.##", "#.###.####"),
        *("0.0.0,0,0", "#,###.###,##0", "#.###,###.##0", "# ##0'00", "#,##0'000", "#.##0 000"),
    ],
)
def test_other_number_patterns_are_rejected(pattern: str) -> None:
    """Other characters, separators at an end, groups that are not of three, a third separator."""
    with pytest.raises(InvalidFormat) as caught:
        number_format(pattern)
    assert str(caught.value) == f"invalid format {pattern}"
