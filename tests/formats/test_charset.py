"""Encodings: recognised or declared, and the text is exact."""

from __future__ import annotations

import pytest
from tests.formats.csvs import by_csv, data_of, is_well_formed, read, rows_of, stream

from bulkwright.domain.errors import InvalidData
from bulkwright.formats.csv import (
    BAD_BYTE,
    ENCODINGS,
    Dialect,
    blocks,
    canonical_encoding,
    parse_slowly,
    sniff,
)
from bulkwright.formats.csv.charset import to_utf8
from bulkwright.formats.stream import ByteStream

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
    """The encoding is named, byte order marks are gone, the text is the original one."""
    assert sniff(stream(data), declared) == Dialect(encoding, ",", ("Name", "City"))
    assert read(data, declared) == [["José Müller", "Zürich"]]


@pytest.mark.parametrize(
    ("codec", "declared", "content"),
    [
        ("utf-8", "UTF-8", "Név,Város\nÁrvíztűrő,😁 Pécs\n"),
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
def test_declared_charsets_are_read_with_any_cuts(
    codec: str, declared: str, content: str, cut: int
) -> None:
    """A character that two pieces of the stream share is one character."""
    data = content.encode(codec)
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    dialect = sniff(stream(data), declared)
    assert [list(dialect.header), *rows_of(blocks(ByteStream(pieces), dialect))] == by_csv(content)


@pytest.mark.parametrize(
    ("codec", "content"),
    [
        ("cp1251", "Имя,Город\nИван Петров,Москва\nСергей Иванов,Санкт-Петербург\n"),
        ("cp932", "名前,会社\n山田太郎,株式会社テスト\n鈴木一郎,東京都\n"),
        ("cp949", "이름,회사\n홍길동,서울특별시\n김철수,부산광역시\n"),
    ],
)
def test_an_undeclared_charset_is_recognised_in_enough_text(codec: str, content: str) -> None:
    """Other scripts are recognised without a declaration."""
    assert read(content.encode(codec)) == by_csv(content)[1:]


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"\xc3(", b"\xc0\xaf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xed\xa0\x80"]
)
@pytest.mark.parametrize("declared", [None, "UTF-8"])
def test_invalid_bytes_are_marked_and_the_rest_is_read(damage: bytes, declared: str | None) -> None:
    """Invalid UTF-8 marks its cell, not the file, and never becomes U+FFFD."""
    data = b"Name,City\nBefore,a\nBad" + damage + b"x,b\nAfter,c\n"
    (block,) = blocks(stream(data), sniff(stream(data), declared))
    before, bad, after = (row.cells for row in parse_slowly(data_of(block), ","))
    assert block.has_bad_bytes and is_well_formed(block)
    assert (before, after) == (["Before", "a"], ["After", "c"])
    assert BAD_BYTE in bad[0] and bad[1] == "b"


def test_a_declared_encoding_is_not_doubted() -> None:
    """Bytes that the declared encoding does not have are marked; no encoding is guessed."""
    for declared in ("UTF-8", "US-ASCII"):
        data = "Name\nJosé\nAnn\n".encode("cp1252")
        assert read(data, declared) == [["Jos" + BAD_BYTE], ["Ann"]]


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("aé馬😁b".encode(), "UTF-8", "aé馬😁b"),
        (b"a\xc3", "UTF-8", "a" + BAD_BYTE),
        (b"a\xe9\xa6", "UTF-8", "a" + BAD_BYTE),
        (b"x\xffy\xc3\xa9z\xf0\x9f\x98", "UTF-8", f"x{BAD_BYTE}yéz{BAD_BYTE}"),
        (b"a\0b", "UTF-16LE", "a" + BAD_BYTE),
        ("東京".encode("cp932") + b"\x93", "Shift_JIS", "東京" + BAD_BYTE),
        ("Zoë".encode("cp1252"), "windows-1252", "Zoë"),
    ],
)
def test_a_text_does_not_depend_on_cuts(data: bytes, encoding: str, text: str) -> None:
    """A character that the end of the stream cuts is damage."""
    for size in range(1, len(data) + 1):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert b"".join(to_utf8(pieces, encoding)).decode() == text


@pytest.mark.parametrize("text", ["plain", "Zoë 馬"])
def test_valid_utf8_is_not_copied(text: str) -> None:
    """A piece is passed on as it is."""
    pieces = [text.encode(), text.encode()]
    assert [id(piece) for piece in to_utf8(pieces, "UTF-8")] == [id(piece) for piece in pieces]


def test_the_marker_itself_counts_as_damage() -> None:
    """Text that holds U+FDD0 is treated like invalid bytes."""
    data = f"Name\n{BAD_BYTE}\n".encode()
    assert [block.has_bad_bytes for block in blocks(stream(data), sniff(stream(data), None))] == [
        True
    ]


@pytest.mark.parametrize(
    "name",
    [
        "klingon",
        "zlib_codec",
        "hex",
        "rot13",
        "unicode_escape",
        "idna",
        "utf-7",
        "undefined",
        "../../etc/passwd",
        "",
        "-",
        "mbcs",
        "punycode",
        "utf-8" * 1000,
        "utf" + "-" * 37 + "8",
        "ＵＴＦ-8",
        "utf\u20118",
    ],
)  # fmt: skip
def test_names_of_other_codecs_are_rejected(name: str) -> None:
    """A list of charsets is consulted, not Python's codec registry."""
    with pytest.raises(InvalidData, match=r"^The character encoding is not supported$"):
        canonical_encoding(name)


def test_charset_names_are_known_by_any_usual_spelling() -> None:
    """Case and punctuation do not matter; the result has the wire's spelling."""
    for wire in ENCODINGS:
        for name in (wire, wire.lower(), wire.upper(), wire.replace("-", "_")):
            assert canonical_encoding(name) == wire
    spelt = {"utf8": "UTF-8", "cp1252": "windows-1252", "latin1": "ISO-8859-1", "ascii": "US-ASCII"}
    assert {name: canonical_encoding(name) for name in spelt} == spelt
    assert canonical_encoding("utf" + "-" * 36 + "8") == "UTF-8"
