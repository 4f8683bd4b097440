"""The character encodings that are read, and their names.

A caller's charset name is looked up in a table, never in Python's codec registry, which also holds
codecs that are not charsets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bulkwright.domain.errors import InvalidData

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
    "KOI8-R": ("koi8_r", "koi8 koi"),
    "KOI8-U": ("koi8_u", ""),
    **{f"windows-{n}": (f"cp{n}", f"cp{n} win{n}") for n in range(1250, 1259)},
    "windows-874": ("cp874", "cp874 win874 tis620 dos874"),
    **{f"ISO-8859-{n}": (f"iso8859_{n}", "") for n in (*range(1, 12), 13, 14, 15, 16)},
    "macintosh": ("mac_roman", "mac macroman xmacroman csmacintosh"),
    **{f"IBM{n}": (f"cp{n}", f"{n} cp{n} dos{n} csibm{n}") for n in (437, 850, 852, 866)},
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
