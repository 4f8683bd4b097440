"""Character encodings: which are read, how one is recognised, and how text becomes UTF-8.

A caller's charset name is looked up in a table, never in Python's codec registry, which also
holds codecs that are not charsets. A byte that an encoding does not allow becomes BAD_BYTE.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from bulkwright.domain.errors import InvalidData

BAD_BYTE = "\ufdd0"
"""Replaces bytes of a file that its encoding does not allow.

It is a noncharacter of Unicode, so that ordinary text never holds it. If a file holds it all the
same, it means the same.
"""

_TABLE: dict[str, tuple[str, str]] = {
    # wire spelling: (Python codec, other spellings)
    "UTF-8": ("utf-8", "utf8mb4 unicode11utf8"),
    "UTF-16": ("utf-16-le", "unicode ucs2 iso10646ucs2"),
    "UTF-16LE": ("utf-16-le", ""),
    "UTF-16BE": ("utf-16-be", ""),
    "UTF-32": ("utf-32-le", ""),
    "UTF-32LE": ("utf-32-le", ""),
    "UTF-32BE": ("utf-32-be", ""),
    "US-ASCII": ("ascii", "ascii ansix341968 iso646us us"),
    # Windows' supersets where browsers read the plain name so: CSVs of that name are from Windows.
    "Shift_JIS": ("cp932", "sjis mskanji cp932 ms932 windows31j windows932 xsjis"),
    "EUC-JP": ("euc_jp", "xeucjp"),
    "ISO-2022-JP": ("iso2022_jp", "csiso2022jp"),
    "EUC-KR": ("cp949", "cp949 ms949 windows949 uhc ksc5601 ksc56011987"),
    "GB18030": ("gb18030", ""),
    "GBK": ("gbk", "cp936 ms936 windows936"),
    "GB2312": ("gbk", "euccn gb231280 csgb2312"),
    "Big5": ("cp950", "cp950 ms950 windows950 big5hkscs"),
    "KOI8-R": ("koi8_r", ""),
    "KOI8-U": ("koi8_u", ""),
    **{f"windows-{n}": (f"cp{n}", f"cp{n} win{n}") for n in range(1250, 1259)},
    **{f"ISO-8859-{n}": (f"iso8859_{n}", "") for n in (*range(1, 12), 13, 14, 15)},
}
_LATIN = {"latin1": 1, "l1": 1, "latin2": 2, "latin3": 3, "latin4": 4, "latin5": 9, "latin9": 15}

ENCODINGS: Mapping[str, str] = MappingProxyType(
    {wire: codec for wire, (codec, _) in _TABLE.items()}
)
"""The Python codec of each encoding that is read, by its wire spelling."""


def _normalised(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_NAME = {
    **{alias: wire for wire, (_, others) in _TABLE.items() for alias in others.split()},
    **{alias: f"ISO-8859-{n}" for alias, n in _LATIN.items()},
    **{_normalised(wire): wire for wire in _TABLE},
    "ascii": "US-ASCII",
}
_LONGEST_NAME = 40
_NOT_FINAL = False
"""For the decoder: a character that is cut at the end is not an error."""


def canonical_encoding(name: str) -> str:
    """Returns the wire spelling of a charset name; case and punctuation do not matter.

    Raises InvalidData for an unknown name.
    """
    known = (
        _BY_NAME.get(_normalised(name)) if len(name) <= _LONGEST_NAME and name.isascii() else None
    )
    if known is None:
        raise InvalidData("The character encoding is not supported")
    return known


def resolve_byte_order(encoding: str, head: bytes) -> str:
    """Returns `encoding`; UTF-16 and UTF-32 with the byte order of `head`, the file's first bytes.

    The order is little-endian if `head` does not show it: programs that leave out the byte order
    mark write it so.
    """
    if encoding not in ("UTF-16", "UTF-32"):
        return encoding
    found = _by_bom(head) or _by_zeros(head) or ""
    return found if found.startswith(encoding) else f"{encoding}LE"


def detect(head: bytes) -> str:
    """Returns the most likely encoding of a text, by its first bytes.

    Valid UTF-8 is UTF-8. Text that is nearly UTF-8 is damaged UTF-8, so that the damage is
    reported instead of read as letters of another encoding.
    """
    certain = _by_bom(head) or _by_zeros(head)
    if certain:
        return certain
    try:
        codecs.utf_8_decode(head, "strict", _NOT_FINAL)
    except UnicodeDecodeError:
        return "UTF-8" if _is_damaged_utf8(head) else _guess(head)
    return "UTF-8"


def to_utf8(stream: Iterable[bytes], encoding: str, *, whole: bool = True) -> Iterator[bytes]:
    """Yields the text as UTF-8, piece by piece; valid UTF-8 is not copied.

    `encoding` is a wire spelling with its byte order resolved. The text does not depend on where
    the stream is cut into pieces. With `whole=False` a character that the end of the stream cuts is
    left out.
    """
    codec = ENCODINGS[encoding]
    if codec == "utf-8":
        yield from _checked_utf8(stream, whole=whole)
        return
    decoder = codecs.getincrementaldecoder(codec)(_BAD_BYTE_HANDLER)
    for piece in stream:
        yield decoder.decode(piece).encode()
    if whole:
        yield decoder.decode(b"", final=True).encode()


_BAD_BYTE_HANDLER = "bulkwright.bad_byte"


def _replace_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BAD_BYTE, error.end


codecs.register_error(_BAD_BYTE_HANDLER, _replace_bad_bytes)


def _checked_utf8(stream: Iterable[bytes], *, whole: bool) -> Iterator[bytes]:
    cut = b""
    for piece in stream:
        if cut:
            piece = cut + piece
            cut = b""
        if piece.isascii():
            yield piece
            continue
        try:
            _, used = codecs.utf_8_decode(piece, "strict", _NOT_FINAL)
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(piece, _BAD_BYTE_HANDLER, _NOT_FINAL)
            yield text.encode()
        else:
            yield piece[:used]
        cut = piece[used:]
    if cut and whole:
        yield cut.decode("utf-8", _BAD_BYTE_HANDLER).encode()


_BOMS = (
    # The longer ones first: that of UTF-32LE begins with that of UTF-16LE.
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)


def _by_bom(head: bytes) -> str | None:
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly every second byte of Western text is zero."""
    sample = head[:4096]
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * pairs and even < 0.05 * pairs:
        return "UTF-16LE"
    if even > 0.4 * pairs and odd < 0.05 * pairs:
        return "UTF-16BE"
    return None


_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LIKE_UTF8 = re.compile(rb"(?:[\xc0-\xf7][\x80-\xbf]+)+")
_LATIN_FAMILY = re.compile(r"cp125[02478]|latin_1|iso8859_(?:[1-4]|9|1\d)")
_GUESSABLE_HIGH_BYTES = 10
"""High bytes that a guess needs; with fewer, damage is as likely as another encoding."""
_MISREAD = re.compile(
    r"[a-z\u00df-\u00ff][\u00c0-\u00de]"  # a capital after a small letter
    r"|[\u00a3\u00a5\u00a6\u00b1-\u00b3\u00b5\u00b9\u00bc-\u00bf][a-z\u00df-\u00ff]"
    r"|[a-z\u00df-\u00ff][\u00a3\u00a5\u00a6\u00af\u00b9\u00bc-\u00be]"  # a sign within a word
    r"|[\u00ff\ufdd0]"
)
"""Character pairs that appear when another encoding is read as windows-1252."""


def _is_damaged_utf8(head: bytes) -> bool:
    runs = _HIGH_RUN.findall(head)
    like = sum(1 for run in runs if _LIKE_UTF8.fullmatch(run))
    return 2 * like > len(runs)


def _guess(head: bytes) -> str:
    """Guess one of ENCODINGS by charset-normalizer; windows-1252 if the text makes sense in it."""
    # Imported when needed: few files need a guess, and every process starts faster without it.
    from charset_normalizer import from_bytes

    lines = [line for line in head[: 256 * 1024].splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[: 32 * 1024]
    allowed = sorted({codec for codec in ENCODINGS.values() if not codec.startswith("utf")})
    found = [match.encoding for match in from_bytes(sample, cp_isolation=allowed)]
    if not _MISREAD.search(sample.decode("cp1252", _BAD_BYTE_HANDLER)):
        if not found or _LATIN_FAMILY.fullmatch(found[0]):
            return "windows-1252"
    else:
        found = [codec for codec in found if codec not in ("cp1252", "latin_1", "iso8859_15")]
    if not found or sum(map(len, _HIGH_RUN.findall(sample))) < _GUESSABLE_HIGH_BYTES:
        return "UTF-8"
    codec = codecs.lookup(found[0]).name
    return next(
        (wire for wire, known in ENCODINGS.items() if codecs.lookup(known).name == codec), "UTF-8"
    )
