"""JSON lines: one object a line, which becomes one row.

The header has the keys of the first lines, in the order in which they occur. Numbers keep their
digits, because they are never made floats.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.limits import RECORD_BYTES, MiB
from bulkwright.formats.cells import list_text, plain_number
from bulkwright.formats.csv import CsvWriter

HEADER_LINES = 1_000
"""The lines whose keys make the header."""
_HEADER_BYTES = 16 * MiB
"""Text of these lines at most: they are in memory together."""
_PIECE_CHARACTERS = 256 * 1024
_BOM = b"\xef\xbb\xbf"

_Row = dict[str, object]


def csv_of_jsonl(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields a CSV of the lines, in UTF-8.

    Raises FileNotSupported, with the number of the line, for a line that is no object or is longer
    than RECORD_BYTES, a key that is twice in a line or that the first lines lack, and a value that
    is an object, or a list of lists or objects.
    """
    lines = _lines(pieces)
    header: dict[str, None] = {}
    first: list[tuple[int, _Row]] = []
    size = 0
    for number, line in lines:
        row = _row(number, line)
        header.update(dict.fromkeys(row))
        first.append((number, row))
        size += len(line)
        if len(first) == HEADER_LINES or size > _HEADER_BYTES:
            break
    if not header:
        raise FileNotSupported("The file has no JSON object with a key")
    buffer = io.StringIO()
    writer = CsvWriter(buffer, quote_formulas=False)
    writer.write(list(header))
    for number, row in chain(first, ((number, _row(number, line)) for number, line in lines)):
        writer.write(_cells(number, row, header))
        if buffer.tell() > _PIECE_CHARACTERS:  # codespell:ignore tell
            yield _taken(buffer, number)
    yield _taken(buffer, number)


def _taken(buffer: io.StringIO, number: int) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _refused(number, "or one shortly before has half of a surrogate pair") from None


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yields the lines that are not blank, each with its number."""
    rest, number = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            number += 1
            if line.strip():
                yield number, line
        if len(rest) > RECORD_BYTES:
            raise _refused(number + 1, f"is longer than {RECORD_BYTES:,} bytes")
    if rest.strip():
        yield number + 1, rest


def _row(number: int, line: bytes) -> _Row:
    if len(line) > RECORD_BYTES:
        raise _refused(number, f"is longer than {RECORD_BYTES:,} bytes")
    try:
        text = (line.removeprefix(_BOM) if number == 1 else line).decode()
    except UnicodeDecodeError:
        raise _refused(number, "is not UTF-8") from None
    try:
        row = json.loads(
            text,
            parse_int=str,
            parse_float=plain_number,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _refused(number, "has values within values; give plain values and lists") from None
    except json.JSONDecodeError as error:
        raise _refused(number, f"is no JSON: {error.msg} at character {error.colno}") from None
    except ValueError as error:
        raise _refused(number, str(error)) from None
    if not isinstance(row, dict):
        hint = "; write each object of the array on a line of its own" if number == 1 else ""
        raise _refused(number, f"is no JSON object{hint}")
    return row


def _object(pairs: list[tuple[str, object]]) -> _Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("has a key twice")
    return row


def _no_number(text: str) -> object:
    raise ValueError(f"has {text}, which is no JSON value; write null")


def _cells(number: int, row: _Row, header: dict[str, None]) -> Sequence[str]:
    if not row.keys() <= header.keys():
        key = next(key for key in row if key not in header)
        raise _refused(
            number,
            f"has the key {_shown(key)}, which the first {HEADER_LINES:,} lines lack; give every "
            "key in the first line, with null where there is no value",
        )
    return [
        value if isinstance(value, str) else _cell(number, key, value)
        for key in header
        for value in (row.get(key),)
    ]


def _cell(number: int, key: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        if any(isinstance(each, list | dict) for each in value):
            raise _refused(number, f"has lists or objects in the list of the key {_shown(key)}")
        try:
            return list_text([_cell(number, key, each) for each in value])
        except ValueError as error:
            raise _refused(number, f"cannot be a row: {error}; key {_shown(key)}") from None
    if isinstance(value, dict):
        raise _refused(
            number,
            f"has an object under the key {_shown(key)}; give each of its values a key of the line",
        )
    return str(value)


def _shown(key: str) -> str:
    return json.dumps(key if len(key) <= _SHOWN else key[:_SHOWN] + "…", ensure_ascii=True)


_SHOWN = 60
"""Characters of a key that a message shows."""


def _refused(number: int, what: str) -> FileNotSupported:
    return FileNotSupported(f"Line {number} {what}")
