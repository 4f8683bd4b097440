"""Which encoding a text has that is no Unicode and names none.

Two judges: chardet, which knows how often letters follow each other in a language, and the
alphabets below. A word fits an encoding if all its letters are in one alphabet of it, and capitals
stand where they do in words. A text read in a wrong encoding rarely fits: `Dvoøák`, `иВАНОВ`.

An encoding is returned if all encodings that fit best give the same text, or if there are enough
words and chardet names one that fits. Otherwise none is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from bulkwright.formats.csv.encodings import ENCODINGS, canonical_encoding

SAMPLE_BYTES = 32 * 1024
"""Text that is judged: lines with bytes beyond ASCII, from the beginning of the file."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The encoding of a text, if the text shows it."""

    encoding: str | None
    """In the wire's spelling; None if it is in doubt."""
    possible: tuple[str, ...]
    """Encodings that fit the text and give different letters, the most likely first."""
    words: int
    """The different words with a letter beyond ASCII."""


_ENOUGH_WORDS = 6
"""Different words with which chardet's choice is used although other encodings fit too."""
_ENOUGH_ALIKE = 12
"""The same for encodings whose characters are the same pairs of bytes."""
_ALIKE = ("GB18030", "EUC-JP", "Big5")
_MIXED = 0.95
"""How well a word fits that is in no alphabet of one language, but in those of a region."""
_NEVER = 2**31
_AS_WELL = 0.02
"""A difference of fit that means nothing."""
_FIT = 0.8
"""The share of words that must fit."""

_GERMAN = "äöüß"
_WEST = tuple(
    letters + "’"
    for letters in (
        "àâæçéèêëîïôœùûüÿ", "áéíóúüñ", "áâãàçéêíóôõúü", "àèéìîòóù", "áéëïóöüè", "åäöé",
        "æøåéôò", "áðéíóúýþæö", "àçèéíïòóúü", "áéíóú", _GERMAN,
    )
)  # fmt: skip
_CENTRAL = ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţșț")
_TURKISH = ("çğıi̇öşüâîû",)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")
_CYRILLIC = ("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўђѓєѕјљњћќџ",)
_GREEK = ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",)
_HEBREW = ("".join(map(chr, range(0x5D0, 0x5EB))),)
_ARABIC = ("".join(map(chr, range(0x621, 0x64B))) + "پچژگ",)
_THAI = ("".join(map(chr, range(0xE01, 0xE5C))),)

_IDEOGRAPHS = "\u3001-\u3020\u4e00-\u9fff\uff01-\uff5e\u2460-\u2473\u3200-\u32ff"
"""With the signs of lists and companies: ①, ㈱, ㈜."""
_CHINESE = re.compile(f"[{_IDEOGRAPHS}]+")
_JAPANESE = re.compile(f"[{_IDEOGRAPHS}\u3041-\u30ff\ufa0e-\ufa2d]+")
_KOREAN = re.compile(f"[{_IDEOGRAPHS}\uac00-\ud7a3]+")

_Alphabets = tuple[str, ...] | re.Pattern[str]
"""An alphabet for each language, or a pattern of the characters of words."""

_ALPHABETS: Mapping[str, _Alphabets] = {
    "windows-1252": _WEST, "windows-1250": _CENTRAL, "windows-1254": _TURKISH,
    "windows-1257": _BALTIC, "windows-1251": _CYRILLIC, "windows-1253": _GREEK,
    "windows-1255": _HEBREW, "windows-1256": _ARABIC, "windows-874": _THAI,
    "ISO-8859-2": _CENTRAL, "ISO-8859-5": _CYRILLIC, "ISO-8859-6": _ARABIC, "ISO-8859-7": _GREEK,
    "ISO-8859-8": _HEBREW, "ISO-8859-13": _BALTIC, "KOI8-R": _CYRILLIC, "KOI8-U": _CYRILLIC,
    "Shift_JIS": _JAPANESE, "EUC-JP": _JAPANESE, "GB18030": _CHINESE, "Big5": _CHINESE,
    "EUC-KR": _KOREAN,
}  # fmt: skip
"""The encodings that are guessed, in the order in which equal ones are preferred."""
_OLD: Mapping[str, _Alphabets] = {
    "macintosh": _WEST, "IBM850": _WEST, "IBM437": _WEST, "IBM852": _CENTRAL, "IBM866": _CYRILLIC,
}  # fmt: skip
"""Of Macintosh and DOS: considered only if chardet names one, or if none of the others fits."""

_WORD = re.compile(r"[^\x00-@\[-`{-\x7f]+")
_WORD_BYTES = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SIGNS = "€£¥§°–—‘’‚“”„…«»©®™¿¡±²³µ·ªº½¼¾×\xa0\xad"
_THAI_MISPLACED = re.compile(
    r"(?:^|[^\u0e01-\u0e2e\u0e31\u0e34-\u0e39\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
)
_HEBREW_FINAL = re.compile("[ךםןףץ](?=[א-ת])")


def guess_encoding(sample: bytes) -> Guess:
    """Returns the encoding of lines that have bytes beyond ASCII and are no UTF-8."""
    words = len(set(_WORD_BYTES.findall(sample)))
    fit, texts = _fits(sample, _ALPHABETS)
    by_chardet = _by_chardet(sample, (*_ALPHABETS, *_OLD))
    if by_chardet in _OLD or max(fit.values()) < _FIT:
        more, old_texts = _fits(sample, _OLD)
        fit |= more
        texts |= old_texts
    best = max(fit.values())
    fitting = [name for name, value in fit.items() if value >= max(best - _AS_WELL, _FIT)]
    different: dict[str, str] = {}
    for name in fitting:
        different.setdefault(texts[name], name)
    if by_chardet in fitting:
        # Of encodings that give the same text, the most usual one is named.
        first = different[texts[by_chardet]]
        possible = (first, *(name for name in different.values() if name != first))
        enough = _ENOUGH_ALIKE if by_chardet in _ALIKE else _ENOUGH_WORDS
    else:
        possible, enough = tuple(different.values()), _NEVER
    if not possible:
        return Guess(None, (by_chardet,) if by_chardet else (), words)
    sure = len(possible) == 1 and (words >= _ENOUGH_WORDS or best == 1.0)
    return Guess(possible[0] if sure or words >= enough else None, possible, words)


def _by_chardet(sample: bytes, among: tuple[str, ...]) -> str | None:
    # Imported when needed: few files need a guess, and every process starts faster without it.
    import chardet

    names = [_CHARDET.get(name, name) for name in among]
    found = chardet.detect(sample, include_encodings=names)["encoding"]
    return None if found is None else canonical_encoding(found)


_CHARDET = {"Shift_JIS": "cp932", "EUC-KR": "cp949"}
"""Windows' supersets: under the plain names chardet knows other encodings."""


def _fits(
    sample: bytes, encodings: Mapping[str, _Alphabets]
) -> tuple[dict[str, float], dict[str, str]]:
    """How well the words fit each encoding that has all bytes of the sample, and the texts."""
    fit: dict[str, float] = {}
    texts: dict[str, str] = {}
    for name, alphabets in encodings.items():
        try:
            text = sample.decode(ENCODINGS[name])
        except UnicodeDecodeError:
            continue
        found = {word for word in _WORD.findall(text) if not word.isascii()}
        fit[name] = _fit(found, alphabets)
        texts[name] = text
    return fit, texts


def _fit(words: Iterable[str], alphabets: _Alphabets) -> float:
    """The share of the words that fit, by the best alphabet."""
    letters = [word.strip(_SIGNS) for word in words]
    # A word of signs alone, a price in euros, fits every encoding that has these signs.
    signs = sum(word.isascii() for word in letters)
    total = len(letters)
    letters = [word for word in letters if not word.isascii()]
    if isinstance(alphabets, re.Pattern):
        # Capitals may stand beside ideographs, small letters hardly do: `M黮ler`.
        others = (re.sub("[A-Z]+", "", word) for word in letters)
        return (signs + sum(alphabets.fullmatch(word) is not None for word in others)) / total
    shaped = [set(word.lower()) for word in letters if _has_shape(word)]
    single = max(sum(used <= _set(a) for used in shaped) for a in alphabets)
    region = sum(used <= _set("".join(alphabets)) for used in shaped)
    return (signs + max(single, _MIXED * region)) / total


@cache
def _set(alphabet: str) -> frozenset[str]:
    latin = ord(alphabet[0]) < 0x250
    return frozenset(alphabet + ("abcdefghijklmnopqrstuvwxyz" + _GERMAN if latin else ""))


def _has_shape(word: str) -> bool:
    """Whether it is more than one letter, with capitals and joining letters where they belong."""
    if len(word) < 2 or _THAI_MISPLACED.search(word) or _HEBREW_FINAL.search(word):
        return False
    parts = word.split("’")
    return all(part[1:] == part[1:].lower() or part == part.upper() for part in parts)
