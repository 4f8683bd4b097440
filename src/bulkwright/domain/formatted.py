"""Reads single values in the format of a mapping: `dd.MM.yyyy`, `#.##0,00`, `ja/nein`.

`pipeline/values.py` and `pipeline/moments.py` do the same for columns, and both must accept the
same texts (tests/service/test_cell_checks.py).
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from bulkwright.domain import dateformat
from bulkwright.domain import value_rules as rules
from bulkwright.domain.module import Field, StorageType
from bulkwright.domain.scalar import NotAValue, expected, read_value

_NUMBERS = (StorageType.INTEGER, StorageType.DECIMAL)
_DATES = (StorageType.DATE, StorageType.DATETIME)
_WEEKDAY = ("%a", "%A")
_DIRECTIVES = {"%#z": "%z", "%.f": "", "%3f": "", "%6f": "", "%9f": ""}
"""Directives of the engine's parser that Python has under another name, or needs no value of."""


class NotJudged(Exception):
    """Only a job finds out whether a text has this format."""


def check_formatted(text: str, field: Field, pattern: str, zone: ZoneInfo) -> None:
    """Raises NotAValue if a text that is not empty has not this format, and NotJudged.

    `zone` is that of date-times without an offset.
    """
    if "\0" in text or rules.BAD_BYTE in text:
        raise NotAValue(expected(field))
    bare = text.strip(rules.BLANKS)
    if field.storage_type in _NUMBERS:
        read_value(_plain_number(bare, pattern), field, zone)
    elif field.storage_type is StorageType.BOOLEAN:
        if bare.lower() not in dateformat.boolean_words(pattern):
            raise NotAValue(expected(field))
    elif field.storage_type in _DATES:
        _check_moment(bare, field, dateformat.translate(pattern))


def _plain_number(text: str, pattern: str) -> str:
    point, group = dateformat.number_format(pattern)
    for sign in dateformat.LOOK_ALIKES.get(group, group):
        text = text.replace(sign, "")
    # A separator that the pattern does not name must not pass as another one.
    others = "".join(sign for sign in ".," if sign != point)
    return text.translate(str.maketrans(f"{others}{point}", f"{'?' * len(others)}.")) or "?"


def _check_moment(text: str, field: Field, form: dateformat.DateFormat) -> None:
    if re.fullmatch(form.regex[1:-1], text) is None:
        raise NotAValue(expected(field))
    directives = form.strptime
    if any(weekday in directives for weekday in _WEEKDAY) or "%.f" in directives:
        raise NotJudged  # the parser compares the weekday with the date
    if form.before_short_year is not None:
        directives = directives.replace("%Y", "%y", 1)
    for theirs, ours in _DIRECTIVES.items():
        if theirs in directives and not ours:
            raise NotJudged
        directives = directives.replace(theirs, ours)
    try:
        datetime.strptime(text, directives)
    except ValueError:
        raise NotAValue(expected(field)) from None
