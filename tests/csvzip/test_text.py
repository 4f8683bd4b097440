"""The text of a CSV: recognised, cut into blocks at record ends, read without losing a row."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulkwright.csvzip import records
from bulkwright.csvzip.charsets import ENCODINGS
from bulkwright.csvzip.text import (
    BAD_BYTE,
    Block,
    Format,
    blocks,
    canonical_encoding,
    inspect,
    parse_slowly,
    sniff,
    take_head,
)
from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported, InvalidData

Rows = list[list[str]]


def rows_of(found: Iterable[Block], delimiter: str = ",") -> Rows:
    stretches = (stretch for block in found for stretch in block.stretches)
    return [row for stretch in stretches for row in parse_slowly(stretch.data, delimiter)]


def data_of(block: Block) -> bytes:
    return b"".join(stretch.data for stretch in block.stretches)


def is_sound(block: Block) -> bool:
    return all(stretch.sound for stretch in block.stretches)


def count(block: Block) -> int:
    return sum(stretch.count(",") for stretch in block.stretches)


def read(data: bytes, declared: str | None = None, target: int = limits.CHUNK_TEXT_BYTES) -> Rows:
    """The data rows of a whole file, with its format sniffed."""
    head, whole = take_head([data])
    fmt = sniff(head, declared)
    return rows_of(blocks(whole, fmt, target=target), fmt.delimiter)


def by_csv(content: str, delimiter: str = ",") -> Rows:
    """What Python's csv module makes of it, blank lines left out."""
    return [row for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter) if row]


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Records of at most 64 bytes, looked at in pieces of 16."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 64)
    monkeypatch.setattr(records, "PIECE_BYTES", 16)
    yield


# Encodings

SAMPLE = "Name,City\nJosé Müller,Zürich\n"


@pytest.mark.parametrize(
    ("data", "declared", "encoding"),
    [
        (SAMPLE.encode(), None, "UTF-8"),
        (SAMPLE.encode("utf-8-sig"), None, "UTF-8"),
        (b"\xef\xbb\xbf" + SAMPLE.encode("utf-8-sig"), None, "UTF-8"),
        (b"\xff\xfe" + SAMPLE.encode("utf-16-le"), None, "UTF-16LE"),
        (b"\xfe\xff" + SAMPLE.encode("utf-16-be"), None, "UTF-16BE"),
        (SAMPLE.encode("utf-16-le"), None, "UTF-16LE"),
        (SAMPLE.encode("utf-16-be"), None, "UTF-16BE"),
        (SAMPLE.encode("utf-16-le"), "utf-16le", "UTF-16LE"),
        (SAMPLE.encode("utf-16"), "UTF-16", "UTF-16LE"),
        (b"\xfe\xff" + SAMPLE.encode("utf-16-be"), "UTF-16", "UTF-16BE"),
        (b"\xff\xfe\0\0" + SAMPLE.encode("utf-32-le"), None, "UTF-32LE"),
        (b"\0\0\xfe\xff" + SAMPLE.encode("utf-32-be"), "utf-32", "UTF-32BE"),
        (SAMPLE.encode("cp1252"), "cp1252", "windows-1252"),
        (SAMPLE.encode("cp1252"), None, "windows-1252"),
        (SAMPLE.encode("latin-1"), "ISO-8859-1", "ISO-8859-1"),
    ],
)
def test_text_is_exact_in_every_encoding_that_is_recognised_or_declared(
    data: bytes, declared: str | None, encoding: str
) -> None:
    """E01-E13: the encoding is named, byte order marks are gone, the text is what was written."""
    assert sniff(data, declared) == Format(encoding, ",", ("Name", "City"))
    assert read(data, declared) == [["José Müller", "Zürich"]]


@pytest.mark.parametrize(
    ("codec", "declared", "content"),
    [
        ("cp932", "Shift_JIS", "名前,会社\n山田太郎,①表示ソ\n"),
        ("euc_jp", "EUC-JP", "名前,会社\n山田太郎,株式会社\n"),
        ("iso2022_jp", "ISO-2022-JP", "名前,会社\n山田太郎,株式会社\n"),
        ("gb18030", "GB18030", "姓名,城市\n张三,北京𠀀\n"),
        ("gbk", "gb2312", "姓名,城市\n张三,北京\n"),
        ("big5", "big5", "姓名,城市\n張三,臺北\n"),
        ("cp949", "EUC-KR", "이름,회사\n홍길동,서울\n"),
        ("koi8_r", "koi8-r", "Имя,Город\nИван,Москва\n"),
        ("cp1251", "windows-1251", "Имя,Город\nИван,Москва\n"),
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_declared_charsets_are_read_however_the_bytes_are_cut(
    codec: str, declared: str, content: str, cut: int
) -> None:
    """E09-E11: a character that two pieces of the stream share is one character."""
    data = content.encode(codec)
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    fmt = sniff(data, declared)
    assert [list(fmt.header), *rows_of(blocks(pieces, fmt))] == by_csv(content)


@pytest.mark.parametrize(
    ("codec", "content"),
    [
        ("cp1251", "Имя,Город\nИван Петров,Москва\nСергей Иванов,Санкт-Петербург\n"),
        ("cp932", "名前,会社\n山田太郎,株式会社テスト\n鈴木一郎,東京都\n"),
        ("cp949", "이름,회사\n홍길동,서울특별시\n김철수,부산광역시\n"),
    ],
)
def test_an_undeclared_charset_is_recognised_where_there_is_enough_of_it(
    codec: str, content: str
) -> None:
    """Other scripts are told apart without a declaration."""
    assert read(content.encode(codec)) == by_csv(content)[1:]


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"\xc3(", b"\xc0\xaf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xed\xa0\x80"]
)
@pytest.mark.parametrize("declared", [None, "UTF-8"])
def test_bytes_that_are_no_text_are_marked_and_the_rest_is_read(
    damage: bytes, declared: str | None
) -> None:
    """E26-E29: invalid UTF-8 marks its own cell, not the file; never a silent U+FFFD."""
    data = b"Name,City\nBefore,a\nBad" + damage + b"x,b\nAfter,c\n"
    (block,) = blocks([data], sniff(data, declared))
    before, bad, after = parse_slowly(data_of(block), ",")
    assert block.has_bad_bytes and is_sound(block)
    assert (before, after) == (["Before", "a"], ["After", "c"])
    assert BAD_BYTE in bad[0] and bad[1] == "b"


def test_a_declared_encoding_is_taken_at_its_word() -> None:
    """E14, E15: bytes that the declared encoding does not have are marked, not guessed at."""
    for declared in ("UTF-8", "US-ASCII"):
        data = "Name\nJosé\nAnn\n".encode("cp1252")
        assert read(data, declared) == [["Jos" + BAD_BYTE], ["Ann"]]


def test_the_marker_itself_counts_as_damage() -> None:
    """Text that holds U+FDD0 is treated like bytes that are no text."""
    data = f"Name\n{BAD_BYTE}\n".encode()
    assert [block.has_bad_bytes for block in blocks([data], sniff(data, None))] == [True]


@pytest.mark.parametrize(
    "name",
    ["klingon", "zlib_codec", "hex", "rot13", "unicode_escape", "idna", "utf-7", "undefined",
     "../../etc/passwd", "", "-", "mbcs", "punycode", "utf-8" * 1000, "ＵＴＦ-8", "utf\u20118"],
)  # fmt: skip
def test_names_that_are_no_charset_are_refused(name: str) -> None:
    """E16-E25: a list of charsets is consulted, not Python's codec registry."""
    with pytest.raises(InvalidData):
        canonical_encoding(name)


def test_charset_names_are_known_by_any_usual_spelling() -> None:
    """Case and punctuation do not matter; the answer has the wire's spelling."""
    for wire in ENCODINGS:
        for name in (wire, wire.lower(), wire.upper(), wire.replace("-", "_")):
            assert canonical_encoding(name) == wire
    spelt = {"utf8": "UTF-8", "cp1252": "windows-1252", "latin1": "ISO-8859-1", "ascii": "US-ASCII"}
    assert {name: canonical_encoding(name) for name in spelt} == spelt


# The header


@pytest.mark.parametrize(
    ("line", "delimiter", "header"),
    [
        ("a;b;c", ";", ("a", "b", "c")),
        ("a:b:c", ":", ("a", "b", "c")),
        ("a|b|c", "|", ("a", "b", "c")),
        ("a\tb\tc", ",", ("a\tb\tc",)),
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
    """S20, S24-S34: the delimiter is counted outside of quotes, the cells are kept verbatim."""
    rest = delimiter.join(["1"] * len(header)) + eol if eol else ""
    data = (line + eol + rest).encode()
    found = sniff(data, None)
    if eol == "\r" and "\n" not in line:
        assert found.header == header
    assert (found.delimiter, len(found.header)) == (delimiter, len(header))
    assert len(read(data)) == bool(rest)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b"\xff\xfe", b"\n" * 3_000_000, b"\0" * 2_000_000],
    ids=["empty", "mark", "newline", "newlines", "mark16", "million_newlines", "zeros"],
)
def test_a_file_without_a_header_is_refused(data: bytes) -> None:
    """S21, S22, Z11: nothing to map is a clear refusal, not an empty job."""
    with pytest.raises(FileNotSupported):
        inspect([data], None, 10)


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04....", b"MZ\x90\0\x03\0\0\0\n", b"\x1f\x8b\x08", b"%PDF-1.4\n", b"Rar!\x1a"],
)
def test_a_file_that_is_no_text_is_refused(data: bytes) -> None:
    """B08, Z15: what only has the name of a CSV is told apart by its first line."""
    with pytest.raises(FileNotSupported):
        sniff(data, None)


def test_a_header_that_is_too_long_is_refused() -> None:
    """S40: 20 MB without a line end are refused, with an open quote or without."""
    for data in (b"a," * 10_000_000, b'"' + b"a," * 10_000_000):
        with pytest.raises(FileNotSupported):
            inspect([data], None, None)


def test_a_header_may_be_longer_than_the_first_look() -> None:
    """S43: hundreds of thousands of columns are read; whether they are too many is said later."""
    data = b",".join(b"c%d" % i for i in range(300_000)) + b"\n1,2\n"
    found = inspect(iter([data[i : i + 65536] for i in range(0, len(data), 65536)]), None, 10)
    assert len(found.format.header) == 300_000 and found.rows == 1


def test_quotes_count_however_long_the_header_is() -> None:
    """Delimiters within a quoted name of half a megabyte are none."""
    name = b'"' + b"a;" * 250_000 + b'"'
    assert sniff(name + b",b,c\n1,2,3\n", None).header[1:] == ("b", "c")


@pytest.mark.parametrize(
    "filling", [b'"', b",", b'"a",', b'a"', b"\xff", b"\x80,", b"\0"], ids=repr
)
def test_a_header_without_end_costs_little(filling: bytes) -> None:
    """It is refused long before its cells are taken apart."""
    piece = filling * (limits.MiB // len(filling))
    tracemalloc.start()
    try:
        with pytest.raises(FileNotSupported):
            inspect((piece for _ in range(64)), None, 10)
        assert tracemalloc.get_traced_memory()[1] < 200 * limits.MiB
    finally:
        tracemalloc.stop()


# Records

HEADER = b"a,b,c\n"
THREE = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]


@pytest.mark.parametrize(
    "body",
    [
        b"1,2,3\n4,5,6\n7,8,9\n",
        b"1,2,3\r\n4,5,6\r\n7,8,9\r\n",
        b"1,2,3\r4,5,6\n7,8,9\r\n",
        b"1,2,3\n4,5,6\r7,8,9\r",
        b"1,2,3\n4,5,6\n7,8,9",
        b"\n\n1,2,3\n\r\n\n4,5,6\n\n\n7,8,9\n\r\n\n",
        b'"1",2,3\n\n4,"5",6\n\r\n7,8,"9"',
        b'"1",2,3\r4,"5",6\r7,8,"9"\r',
        b'"1","2","3"\r\n"4","5","6"\r\n"7","8","9"\r\n',
    ],
)
@pytest.mark.parametrize("target", [1, 5, 1000])
def test_line_ends_of_any_kind_end_a_record(body: bytes, target: int) -> None:
    """S01-S05: LF, CRLF, lone CR, mixed, none at the end; blank lines are no rows."""
    assert read(HEADER + body, target=target) == THREE


def test_a_file_without_any_lf_has_cr_for_line_ends() -> None:
    """S02: old Macintosh files; a CR within quotes becomes LF as well."""
    assert read(b'a,b\r1,2\r3,"x\ry"\r') == [["1", "2"], ["3", "x\ny"]]
    (block,) = blocks([b"a,b\r1,2\r3,4"], Format("UTF-8", ",", ("a", "b")))
    assert is_sound(block) and data_of(block) == b"1,2\n3,4\n"


@pytest.mark.parametrize(
    "cell",
    ["two\nlines", "two\r\nlines", "cr\ronly", 'say "hi"', '"', ",", "\n", "\u2028\x0b\x0c\x85",
     "\x1a", "\0", "\\", "", " ", '","', '"\n"', "a,", ",a", "\n\n", "\x01"],
)  # fmt: skip
@pytest.mark.parametrize("target", [1, 1000])
def test_quoted_text_is_one_cell_verbatim(cell: str, target: int) -> None:
    """S07-S10, S14-S16: whatever stands between quotes is text; the block stays a clean one."""
    quoted = '"' + cell.replace('"', '""') + '"'
    data = f"a,b,c\nx,{quoted},y\n{quoted},{quoted},z\n".encode()
    found = list(blocks([data], sniff(data, None), target=target))
    assert rows_of(found) == [["x", cell, "y"], [cell, cell, "z"]]
    assert all(is_sound(block) for block in found)
    assert any(block.has_nul for block in found) == ("\0" in cell)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b'5" disk,b,c', ['5" disk', "b", "c"]),
        (b'x"",b,c', ['x""', "b", "c"]),
        (b'"a"b,b,c', ["ab", "b", "c"]),
        (b'""a,b,c', ["a", "b", "c"]),
        (b'a, "b",c', ["a", ' "b"', "c"]),
        (b'x",b,"y"', ['x"', "b", "y"]),
    ],
)
def test_stray_quotes_harm_no_other_row(line: bytes, cells: list[str]) -> None:
    """S11, S12: a quote that does not open a cell is text; text behind a closing quote stays."""
    good = b'"p","q\nr","s"\n'
    data = HEADER + good * 40 + line + b"\n" + good * 40
    for target in (1, 50, 300, 100_000):
        found = list(blocks([data], sniff(data, None), target=target))
        assert rows_of(found) == [["p", "q\nr", "s"]] * 40 + [cells] + [["p", "q\nr", "s"]] * 40
        assert not all(is_sound(block) for block in found)


@pytest.mark.parametrize("target", [1, 30, 100_000])
def test_no_row_vanishes_into_a_quote_that_is_never_closed(target: int) -> None:
    """S13: from the line of the open quote on, quotes are text and every line is a row."""
    data = HEADER + b'1,2,3\n4,"5,6\n7,8,9\n10,11,12'
    expected = [["1", "2", "3"], ["4", '"5', "6"], ["7", "8", "9"], ["10", "11", "12"]]
    assert read(data, target=target) == expected


def test_a_quote_left_open_in_a_large_file_costs_no_more_than_the_record_limit(
    small_limits: None,
) -> None:
    """After the limit quotes count again, and no time is spent on the same text twice."""
    data = HEADER + b'1,"2,3\n' + b"4,5,6\n" * 20 + b'7,"8\n8",9\n'
    expected = [["1", '"2', "3"], *[["4", "5", "6"]] * 20, ["7", "8\n8", "9"]]
    for target in (1, 20, 64, 1000):
        assert read(data, target=target) == expected


@pytest.mark.parametrize("target", [1, 50, 100_000])
def test_a_line_that_is_too_long_is_cut_and_the_next_row_is_read(
    small_limits: None, target: int
) -> None:
    """S36, S39: the cut cell and those behind it are marked; what stood before is kept."""
    for long in (
        b"x" * 500,
        b'"' + b"x," * 250 + b'"',
        "ü".encode() * 250,
        b'"' + b"x" * 61 + b'"',
    ):
        data = HEADER + b"1,2,3\n4," + long + b",6\n7,8,9\n"
        first, cut, last = read(data, "UTF-8", target)
        assert (first, last) == (["1", "2", "3"], ["7", "8", "9"])
        assert cut[0] == "4" and BAD_BYTE in cut[1] and cut[2] == BAD_BYTE and len(cut) == 3


def test_memory_is_bounded_by_the_record_limit() -> None:
    """S36, S39: a line of 40 MB is read with a piece of it; its neighbours are rows."""
    pieces = [HEADER + b"1,2,3\nx,", *[b"y" * limits.MiB] * 40, b",z\n7,8,9\n"]
    found = list(blocks(pieces, Format("UTF-8", ",", ("a", "b", "c")), target=limits.MiB))
    assert [count(block) for block in found] == [1, 1, 1]
    assert max(len(data_of(block)) for block in found) < limits.RECORD_BYTES + 100
    assert found[1].end - found[1].start == 40 * limits.MiB + 5


def test_cells_of_many_kilobytes_are_no_obstacle() -> None:
    """S35: the csv module's own limit of 131,072 characters does not end a job."""
    cell = "x" * 200_000
    assert read(f'a,b\n1,{cell}\n5" x,"{cell}"\n2,3\n'.encode()) == [
        ["1", cell],
        ['5" x', cell],
        ["2", "3"],
    ]


def test_a_million_blank_lines_are_no_rows() -> None:
    """S06: quick, and nothing to handle."""
    assert list(blocks([b"a,b\n" + b"\n" * 1_000_000], Format("UTF-8", ",", ("a", "b")))) == []
    assert inspect([b"a,b\n" + b"\n" * 1_000_000], None, 10).rows == 0


def test_inspection_reads_to_the_end_and_counts_what_was_asked_for() -> None:
    """Rows are counted only when asked for; the stream is used up in any case."""
    pieces = [b"a,b\n" + b"1,2\n" * 300_000] * 3
    for most, expected in ((None, [None]), (10_000_000, [900_002]), (10, range(11, 900_003))):
        stream = iter(pieces)
        found = inspect(stream, None, most)
        assert found.rows in expected and next(stream, None) is None
        assert found.format == Format("UTF-8", ",", ("a", "b"))


# Properties

CELLS = st.text(st.sampled_from('ab ü"\n\r,;|:é\u2028\0'), max_size=6) | st.text(max_size=4).filter(
    lambda cell: cell.isascii() or cell.encode("utf-8", "ignore").decode() == cell
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """A well-formed CSV as csv.writer makes it, and its delimiter."""
    delimiter = draw(st.sampled_from(",;|:"))
    columns = draw(st.integers(2, 4))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow([f"c{i}" for i in range(columns)])
    writer.writerows(
        draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=12))
    )
    content = out.getvalue()
    return content.rstrip("\r\n") if draw(st.booleans()) else content, delimiter


RAGGED = st.text(st.sampled_from('ab"",\n\r\n'), max_size=60)


@settings(max_examples=200, deadline=None)
@given(tables(), st.integers(1, 80))
def test_blocks_together_hold_what_the_csv_module_reads(
    table: tuple[str, str], target: int
) -> None:
    """Whatever is written by csv.writer is read back, in blocks of any size, all of them clean."""
    content, delimiter = table
    fmt = Format("UTF-8", delimiter, ())
    found = list(blocks([content.encode()], fmt, target=target))
    if "\n" in content:
        assert rows_of(found, delimiter) == by_csv(content, delimiter)[1:]


@settings(max_examples=300, deadline=None)
@given(RAGGED, st.integers(1, 80), st.integers(1, 9))
@example('x","y\n' * 20, 7, 3)
@example('a\r"\n', 1, 1)
def test_no_outcome_depends_on_how_text_is_cut(content: str, target: int, cut: int) -> None:
    """Damaged quoting included: the same rows for any target and any pieces of the stream."""
    data = b"a,b\n" + content.encode()
    fmt = Format("UTF-8", ",", ("a", "b"))
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    expected = rows_of(blocks([data], fmt, target=10_000))
    assert rows_of(blocks(pieces, fmt, target=target)) == expected


@settings(max_examples=300, deadline=None)
@given(RAGGED, st.integers(1, 80))
def test_blocks_are_whole_and_counted(content: str, target: int) -> None:
    """Offsets join up, no block is empty, and counting agrees with reading."""
    data = b"a,b\n" + content.encode()
    end = 0
    for block in blocks([data], Format("UTF-8", ",", ("a", "b")), target=target):
        assert block.start >= end and block.end > block.start
        assert data_of(block).endswith(b"\n")
        assert count(block) == len(rows_of([block]))
        end = block.end
    assert end <= len(data) - 4


@settings(max_examples=300, deadline=None)
@given(RAGGED | tables().map(lambda table: table[0]), st.integers(1, 80))
def test_a_run_goes_on_at_any_block(content: str, target: int) -> None:
    """Started at a block's end, exactly the blocks follow that followed before."""
    data = b"a,b\n" + content.encode()
    fmt = Format("UTF-8", ",", ("a", "b"))
    found = list(blocks([data], fmt, target=target))
    for number, block in enumerate(found):
        rest = list(blocks([data], fmt, target=target, start=block.end))
        assert rest == found[number + 1 :]


@settings(max_examples=200, deadline=None)
@given(RAGGED, st.integers(1, 80))
def test_sound_text_is_what_every_parser_reads_alike(content: str, target: int) -> None:
    """Sound text needs no leniency: Polars reads the very cells that the csv module reads."""
    polars = pytest.importorskip("polars")
    data = b"a,b\n" + content.encode()
    for block in blocks([data], Format("UTF-8", ",", ("a", "b")), target=target):
        for stretch in block.stretches:
            if not stretch.sound:
                continue
            rows = list(parse_slowly(stretch.data, ","))
            width = max(map(len, rows))
            frame = polars.read_csv(
                ",".join(map(str, range(width))).encode() + b"\n" + stretch.data,
                infer_schema=False,
                empty_string_is_null=False,
                truncate_ragged_lines=True,
            )
            padded = [tuple(row + [""] * (width - len(row))) for row in rows]
            assert [tuple(cell or "" for cell in row) for row in frame.rows()] == padded


def test_outcomes_do_not_depend_on_cuts_when_records_are_too_long(
    small_limits: None,
) -> None:
    """The record limit is measured from a record's start, wherever a block begins."""

    @settings(max_examples=300, deadline=None)
    @given(st.text(st.sampled_from('aaaaa,"\n\r'), max_size=400), st.integers(1, 200))
    def check(content: str, target: int) -> None:
        data = b"a,b\n" + content.encode()
        fmt = Format("UTF-8", ",", ("a", "b"))
        found = list(blocks([data], fmt, target=target))
        assert rows_of(found) == rows_of(blocks([data], fmt, target=10_000))
        assert all(len(data_of(block)) <= max(2 * target, 64) + 30 for block in found)
        assert all(data_of(block).endswith(b"\n") for block in found)
        assert all(count(block) == len(rows_of([block])) for block in found)

    check()
