"""The encoding of words: what fits them, and whether the choice is sure."""

from __future__ import annotations

import pytest
from tests.formats.csvs import read, stream

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import FoundBy
from bulkwright.formats.csv import BAD_BYTE, HEAD_BYTES, inspect, sniff
from bulkwright.formats.csv.charset import lines_beyond_ascii
from bulkwright.formats.csv.charset_guess import SAMPLE_BYTES, Guess, guess_encoding
from bulkwright.formats.stream import ByteStream


def guess(words: str, codec: str) -> Guess:
    """The guess of a text of one word in each line."""
    return guess_encoding(words.replace(" ", "\n").encode(codec))


@pytest.mark.parametrize(
    ("words", "codec", "fitting", "others"),
    [
        ("MÜLLER", "cp1252", ["windows-1252", "GB18030"], []),
        ("øl", "cp1252", ["windows-1252", "windows-1250"], []),
        # A vowel sign of Thai stands behind a consonant.
        ("МОСКВА", "cp1251", ["windows-1251", "windows-874"], []),
        ("СТОЛ", "cp1251", ["windows-1251"], ["windows-874"]),
        # The last form of a letter of Hebrew stands at the end of a word.
        ("стол", "cp1251", ["windows-1251", "windows-1255"], []),
        ("москва", "cp1251", ["windows-1251"], ["windows-1255"]),
        # Capitals stand beside ideographs, small letters do not.
        ("VIP客户 ABC公司 A北京", "gb18030", ["GB18030"], []),
        ("vip客户 abc公司 a北京", "gb18030", [], ["Big5", "EUC-JP"]),
        # Four of five words must fit; the old encodings only if none of the others fits.
        ("Müller Köln Böhm Schäfer x€ü", "cp1252", ["windows-1252", "ISO-8859-2"], []),
        ("тыры эры сютыр хытыр Лес", "cp866", ["windows-1251"], ["IBM866"]),
    ],
)
def test_words_fit_an_encoding(
    words: str, codec: str, fitting: list[str], others: list[str]
) -> None:
    """If their letters are in an alphabet of it, and stand where they do in words."""
    found = guess(words, codec)
    assert found.encoding is None
    assert set(fitting) <= set(found.possible) and not set(others) & set(found.possible)


@pytest.mark.parametrize(
    ("words", "codec", "expected"),
    [
        # All that fit give the same letters.
        ("André", "cp1252", Guess("windows-1252", ("windows-1252",), 1)),
        ("Müller 12€", "cp1252", Guess("windows-1252", ("windows-1252",), 2)),
        ("тыры эры сютыр Лес", "cp866", Guess("IBM866", ("IBM866",), 4)),
        # None fits; what is named is only likely.
        ("mÜller", "cp1252", Guess(None, ("windows-1252",), 1)),
        ("\x01\x02\x03\x04\x05\x06é", "cp1252", Guess(None, (), 1)),
        # Six words, although one does not fit.
        ("Núñez López señor año Málaga mÄ", "cp1252",
         Guess("windows-1252", ("windows-1252",), 6)),
        ("Müller Köln Böhm Schäfer MÜLLER Größe Jäger", "cp1252",
         Guess("windows-1252", ("windows-1252",), 7)),
        # Six words decide between encodings that fit, twelve if these are much alike.
        ("똠방각하 펲시 뷁스 쌰님 쫑아 김철수", "cp949",
         Guess("EUC-KR", ("EUC-KR", "GB18030"), 6)),
        ("髙橋 東京都 大阪市 株式会社 顧客 注文", "cp932",
         Guess("Shift_JIS", ("Shift_JIS", "GB18030", "EUC-KR"), 6)),
        # Signs of companies and of lists are letters of words.
        ("㈱山田 ㈱鈴木 ㈲佐藤 東京都 山﨑 ①番", "cp932",
         Guess("Shift_JIS", ("Shift_JIS", "GB18030"), 7)),
        ("㈜한국 ㈜대한 ㈜서울 ㈜부산 ㈜고객 ㈜주문", "cp949",
         Guess("EUC-KR", ("EUC-KR", "windows-874", "GB18030"), 6)),
        ("客户 订单 北京 上海 广州 深圳 公司 谢谢 中华 人民 张敏", "gb18030",
         Guess(None, ("GB18030", "EUC-JP"), 11)),
        ("客户 订单 北京 上海 广州 深圳 公司 谢谢 中华 人民 张敏 李娜", "gb18030",
         Guess("GB18030", ("GB18030", "EUC-JP"), 12)),
    ],
)  # fmt: skip
def test_a_choice_is_sure_or_in_doubt(words: str, codec: str, expected: Guess) -> None:
    assert guess(words, codec) == expected


@pytest.mark.parametrize(
    ("words", "codec", "fitting"),
    [
        ("Dvořák Novák", "cp1250", "windows-1250, windows-1257"),
        ("客户 订单 北京 上海", "gb18030", "GB18030, windows-874, ISO-8859-5, EUC-JP"),
        ("\x01\x02\x03\x04é \x01\x02\x03\x04ä", "cp1252", ""),
    ],
)
def test_a_doubt_names_up_to_four_encodings(words: str, codec: str, fitting: str) -> None:
    """Those that fit, and how one is named."""
    data = b"Name\n" + words.replace(" ", "\n").encode(codec)
    with pytest.raises(FileNotSupported) as error:
        inspect(stream(data), None, None)
    assert error.value.message == (
        "The CSV is not in UTF-8, and its encoding is in doubt; name it (character_encoding, or "
        "--encoding)" + f". These fit its first words: {fitting}" * bool(fitting)
    )


def test_an_escape_of_a_terminal_is_no_japanese() -> None:
    """Only the two sequences that begin JIS X 0208 are."""
    for text, encoding in (("a\x1b[1mb", "UTF-8"), ("a\x1b$Bb", "ISO-2022-JP")):
        found = inspect(stream(f"Name\n{text}\n".encode()), None, None)
        assert (found.dialect.encoding, found.encoding_by) == (encoding, FoundBy.CONTENT)


@pytest.mark.parametrize(
    ("like", "encoding"), [(7, "windows-1251"), (8, "UTF-8"), (0, "windows-1251")]
)
def test_a_text_is_damaged_utf8_if_most_of_it_is_like_utf8(like: int, encoding: str) -> None:
    """Half of it is not enough: two letters of `Ні` are a letter of UTF-8 by chance."""
    words = ["Київ", "Львів", "Одеса", "Харків", "Дніпро", "Полтава", "Суми", *["Ні"] * like]
    found = inspect(stream("\n".join(["Name", *words, ""]).encode("cp1251")), None, None)
    assert (found.dialect.encoding, found.encoding_by) == (encoding, FoundBy.GUESS)


@pytest.mark.parametrize("piece", [3000, 1_000_000])
def test_the_first_words_decide(piece: int) -> None:
    """What follows many words is damage of its cell, if the encoding does not have it."""
    line = "Dvořák,Růžička\n".encode("cp1250")
    data = line * (SAMPLE_BYTES // len(line) + 1) + b"\x81,x\n"
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    plain = b"a,b\n" + b"1,2\n" * (HEAD_BYTES // 4)
    encoding = inspect(ByteStream([plain, *pieces]), None, None).dialect.encoding
    assert encoding == "windows-1250"
    assert read(b"a,b\n" + data, encoding)[-1] == [BAD_BYTE, "x"]


@pytest.mark.parametrize(
    ("text", "enough", "lines"),
    [
        (b"a\nb\n", 100, b""),
        (b"a\n\xe4\nb\n", 100, b"\xe4\n"),
        (b"\xff", 100, b"\xff\n"),
        (b"x\x80y\xf6z\nb\n,\xfc", 100, b"x\x80y\xf6z\n,\xfc\n"),
        (b"\xe4\n\xf6\n\xfc\n", 2, b"\xe4\n"),
        (b"\xe4\n\xf6\n\xfc\n", 3, b"\xe4\n\xf6\n"),
        (b"\xe4\n", 0, b""),
        (b"a" * 5000 + b"\xe4" + b"b" * 5000 + b"\n\xf6\n", 9000,
         b"a" * 1024 + b"\xe4" + b"b" * 1023 + b"\n\xf6\n"),
        (b"\xe4" + b"b" * 1500 + b"\xf6" + b"c" * 1500, 9000,
         b"\xe4" + b"b" * 1023 + b"\n" + b"b" * 477 + b"\xf6" + b"c" * 1023 + b"\n"),
    ],
)  # fmt: skip
def test_lines_with_letters_beyond_ascii_are_judged(text: bytes, enough: int, lines: bytes) -> None:
    """Of a long line, what is near the letter."""
    assert lines_beyond_ascii(text, enough) == lines


def test_a_letter_at_the_end_of_a_file_is_no_cut_letter() -> None:
    """Unless only the beginning of the file was read."""
    data = "Name\nAndré".encode("cp1252")
    assert sniff(stream(data), None).encoding == "windows-1252"
    assert inspect(stream(data), None, None).dialect.encoding == "windows-1252"
    long = b"Name\n" + b"Ann\n" * 262_142 + "xx馬\n".encode()
    assert long[HEAD_BYTES - 1 : HEAD_BYTES + 1] == "馬".encode()[:2]
    assert sniff(stream(long), None).encoding == "UTF-8"
