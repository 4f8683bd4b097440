"""Which encoding a file has, and how its text becomes UTF-8.

A byte that an encoding does not allow becomes BAD_BYTE. The whole file decides on its encoding: one
`EncodingScan` is fed with all bytes, as they are read anyway.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import FoundBy
from bulkwright.domain.value_rules import BAD_BYTE
from bulkwright.formats.csv.charset_guess import SAMPLE_BYTES, guess_encoding
from bulkwright.formats.csv.encodings import ENCODINGS


def resolve_byte_order(encoding: str, head: bytes) -> str:
    """Returns `encoding`; UTF-16 and UTF-32 with the byte order of `head`, the file's first bytes.

    The order is little-endian if `head` does not show it: programs that leave out the byte order
    mark write it so.
    """
    if encoding not in ("UTF-16", "UTF-32"):
        return encoding
    found = _by_bom(head) or _by_zeros(head) or ""
    return found if found.startswith(encoding) else f"{encoding}LE"


def to_utf8(stream: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yields the text as UTF-8, piece by piece; valid UTF-8 is not copied.

    `encoding` is a wire spelling with its byte order resolved. The text does not depend on where
    the stream is cut into pieces.
    """
    codec = ENCODINGS[encoding]
    if codec == "utf-8":
        yield from _checked_utf8(stream)
        return
    decoder = codecs.getincrementaldecoder(codec)(_BAD_BYTE_HANDLER)
    for piece in stream:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


_BAD_BYTE_HANDLER = "bulkwright.bad_byte"


def _replace_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BAD_BYTE, error.end


codecs.register_error(_BAD_BYTE_HANDLER, _replace_bad_bytes)


def _checked_utf8(stream: Iterable[bytes]) -> Iterator[bytes]:
    cut = b""
    for piece in stream:
        if cut:
            piece = cut + piece
            cut = b""
        if piece.isascii():
            yield piece
            continue
        try:
            # A character that is cut at the end is no error.
            _, used = codecs.utf_8_decode(piece)
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(piece, _BAD_BYTE_HANDLER)
            yield text.encode()
        else:
            yield piece[:used]
        cut = piece[used:]
    if cut:
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
    """UTF-16 and UTF-32 without a byte order mark: the zeros of ASCII signs are in fixed places.

    Every CSV has delimiters and line ends, whatever its script is.
    """
    groups = min(len(head), _ZEROS_BYTES) // 4
    pairs = 2 * groups
    sample = head[: 4 * groups]
    zeros = [sample[at::4].count(0) for at in range(4)]
    if groups > 1 and min(zeros[2:]) > 0.9 * groups and not zeros[0]:
        return "UTF-32LE"
    if groups > 1 and min(zeros[:2]) > 0.9 * groups and not zeros[3]:
        return "UTF-32BE"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    for encoding, found, other in (("UTF-16LE", odd, even), ("UTF-16BE", even, odd)):
        if found < 2:
            continue
        if found > 0.4 * pairs and other < 0.05 * pairs:
            return encoding
        if not other and _is_text(sample, encoding):
            return encoding
    return None


def _is_text(sample: bytes, encoding: str) -> bool:
    """Whether bytes that are no ASCII text with a few zeros are lines in this encoding."""
    if _ASCII_TEXT.fullmatch(sample.replace(b"\0", b"")):
        return False
    try:
        # A character that is cut at the end is no error for an incremental decoder.
        text = codecs.getincrementaldecoder(ENCODINGS[encoding])().decode(sample)
    except UnicodeDecodeError:
        return False
    return "\n" in text or "\r" in text


_ZEROS_BYTES = 4096
"""How much of a file is searched for zeros."""
_ASCII_TEXT = re.compile(rb"[\t\r\n -~]*")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LIKE_UTF8 = re.compile(rb"(?:[\xc0-\xf7][\x80-\xbf]+)+")
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]")
_LINE_BYTES = 1024
"""How much of a line before and after a byte beyond ASCII is judged."""


def encoding_of_head(head: bytes) -> tuple[str, FoundBy] | None:
    """Returns the encoding that the first bytes of a file prove, and how; None if they do not."""
    if found := _by_bom(head):
        return found, FoundBy.NAMED
    if found := _by_zeros(head):
        return found, FoundBy.CONTENT
    return None


class EncodingScan:
    """Finds the encoding of a file that is not UTF-16 and has no byte order mark."""

    def __init__(self) -> None:
        self._cut = b""
        self._is_utf8 = True
        self._iso_2022 = False
        self._sample = bytearray()

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the pieces of the whole file, and looks at each."""
        for piece in pieces:
            self._look(piece)
            yield piece

    def result(self, *, whole: bool = True) -> tuple[str, FoundBy]:
        """Returns the encoding of what was read, and how it was found.

        Valid UTF-8 is UTF-8. Text that is nearly UTF-8 is damaged UTF-8, so that the damage is
        reported instead of read as letters of another encoding; so is a single word that several
        encodings have. With `whole=False` the last character may be cut. Raises FileNotSupported,
        with the encodings to name, if the encoding is in doubt.
        """
        if self._iso_2022:
            return "ISO-2022-JP", FoundBy.CONTENT
        if self._is_utf8 and not (self._cut and whole):
            return "UTF-8", FoundBy.CONTENT
        sample = bytes(self._sample)
        if _is_damaged_utf8(sample):
            return "UTF-8", FoundBy.GUESS
        guess = guess_encoding(sample)
        if guess.encoding is not None:
            return guess.encoding, FoundBy.GUESS
        if guess.words < 2:
            return "UTF-8", FoundBy.GUESS
        fitting = ", ".join(guess.possible[:4])
        raise FileNotSupported(
            "The CSV is not in UTF-8, and its encoding is in doubt; name it (character_encoding, "
            "or --encoding)" + (f". These fit its first words: {fitting}" if fitting else "")
        )

    def _look(self, piece: bytes) -> None:
        if piece.isascii() and not self._cut:
            self._iso_2022 = self._iso_2022 or (
                b"\x1b" in piece and _ISO_2022_JP.search(piece) is not None
            )
            return
        self._sample += lines_beyond_ascii(piece, SAMPLE_BYTES - len(self._sample))
        if self._is_utf8:
            piece = self._cut + piece
            try:
                _, used = codecs.utf_8_decode(piece)
                self._cut = piece[used:]
            except UnicodeDecodeError:
                self._is_utf8 = False


def lines_beyond_ascii(text: bytes, enough: int) -> bytes:
    """Returns the lines with bytes beyond ASCII, until these are `enough` bytes.

    Of a long line, what is near such bytes is returned, as lines.
    """
    lines = bytearray()
    end = 0
    while len(lines) < enough and (found := _HIGH_BYTE.search(text, end)):
        at = found.start()
        start = max(text.rfind(b"\n", end, at) + 1, end, at - _LINE_BYTES)
        line_end = text.find(b"\n", at, at + _LINE_BYTES)
        end = at + _LINE_BYTES if line_end < 0 else line_end
        lines += text[start:end] + b"\n"
    return bytes(lines)


def _is_damaged_utf8(sample: bytes) -> bool:
    runs = _HIGH_RUN.findall(sample)
    like = sum(1 for run in runs if _LIKE_UTF8.fullmatch(run))
    return 2 * like > len(runs)
