"""Suggests what fills what: fields for the columns of a file, and formats for their cells.

Exact names are matched by `service/columns.py`, as for every job without columns. What they leave
is compared by spelling. A suggestion is shown to the user, who decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bulkwright.domain.formatted import NotJudged, check_formatted
from bulkwright.domain.job import Operation
from bulkwright.domain.module import SYSTEM_FIELDS, Field, Module, StorageType
from bulkwright.domain.scalar import NotAValue, read_value
from bulkwright.domain.spelling import folded
from bulkwright.service.columns import FieldNames, Stated, match_columns

_SIMILAR = 0.72
"""How similar two spellings must be, from 0 to 1."""
_INSIDE, _LEAST_SHARE = 4, 0.3
"""A name of that many letters inside of another one is similar, if it is such a share of it."""
_COMPARED = 200
"""Columns that are compared by spelling; a wide file has names that fit, or none."""
_DAYS = ("dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyy/MM/dd", "dd-MM-yyyy", "MM-dd-yyyy",
         "dd.MM.yy", "dd/MM/yy", "MM/dd/yy", "dd MMM yyyy", "MMM dd, yyyy", "MMM dd yyyy",
         "dd MMMM yyyy", "yyyyMMdd", "yyyy.MM.dd")  # fmt: skip
_TIMES = ("HH:mm", "HH:mm:ss", "hh:mm a", "hh:mm:ss a")
_NUMBERS = ("#.##0,00", "# ##0,00", "#'##0.00", "#0,00")
_BOOLEANS = ("yes/no", "y/n", "ja/nein", "oui/non", "1/0", "on/off", "x/-")


class MatchBy(StrEnum):
    """How a field was found for a column."""

    API_NAME = "API name"
    LABEL = "label"
    SPELLING = "spelling"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class FieldSuggestion:
    """The field that a column probably fills."""

    field: str
    by: MatchBy
    find_by: str | None = None


@lru_cache(maxsize=64)
def suggest_fields(
    header: tuple[str, ...], module: Module, operation: Operation, find_by: str | None
) -> Mapping[int, FieldSuggestion]:
    """Returns a field for each column that probably fills one, by its index.

    Kept, because a page asks again at each change, and a wide file takes half a second.
    """
    match = match_columns(header, module, operation, find_by, Stated())
    names = FieldNames(module)
    ranks = (MatchBy.API_NAME, MatchBy.LABEL, MatchBy.SPELLING)
    found: dict[int, FieldSuggestion] = {}
    for one in match.mappings:
        if one.index is not None:
            named = names.find(header[one.index].strip())
            by = MatchBy.SPELLING if named is None else ranks[named.rank]
            found[one.index] = FieldSuggestion(one.api_name, by, one.find_by)
    lost = {column.name for column in match.lost}
    rest = [at for at, text in enumerate(header) if at not in found and text.strip() in lost]
    taken = {one.field for one in found.values()}
    free = [f for f in module.fields if f.api_name not in taken and can_be_filled(f)]
    for at, field in _similar([(at, header[at]) for at in rest[:_COMPARED]], free):
        by_id = "id" if field.data_type == "lookup" else None
        found[at] = FieldSuggestion(field.api_name, MatchBy.SIMILAR, by_id)
    return found


def can_be_filled(field: Field) -> bool:
    """Whether a column may fill a field."""
    return field.writable and (field.in_existing_table or field.api_name not in SYSTEM_FIELDS)


def suggest_formats(cells: Sequence[str], field: Field, zone: ZoneInfo) -> list[str]:
    """Returns formats that all of these cells have, the most usual first.

    None is suggested if there are no cells, or if all of them can be read without a format.
    """
    given = [cell for cell in cells if cell.strip()]
    if not given or field.in_existing_table or all(_reads(c, field, zone) for c in given):
        return []
    return [f for f in _candidates(field) if all(_fits(c, field, f, zone) for c in given)]


def _candidates(field: Field) -> list[str]:
    match field.storage_type:
        case StorageType.DATE:
            return list(_DAYS)
        case StorageType.DATETIME:
            return [
                f"{day}{sign}{time}" for time in _TIMES for sign in (" ", ", ") for day in _DAYS
            ]
        case StorageType.INTEGER | StorageType.DECIMAL:
            return list(_NUMBERS)
        case StorageType.BOOLEAN:
            return list(_BOOLEANS)
    return []


def _reads(cell: str, field: Field, zone: ZoneInfo) -> bool:
    with suppress(NotAValue):
        read_value(cell, field, zone)
        return True
    return False


def _fits(cell: str, field: Field, pattern: str, zone: ZoneInfo) -> bool:
    with suppress(NotAValue, NotJudged):
        check_formatted(cell, field, pattern, zone)
        return True
    return False


def _similar(
    columns: Sequence[tuple[int, str]], fields: Sequence[Field]
) -> list[tuple[int, Field]]:
    """Returns pairs of columns and fields with similar names, no column and no field twice."""
    named = [(_words(name), f) for f in fields for name in (f.display_label, f.api_name)]
    scores = [
        (score, at, field)
        for at, text in columns
        if (wanted := _words(text))
        for name, field in named
        if (score := _similarity(wanted, name)) >= _SIMILAR
    ]
    chosen: list[tuple[int, Field]] = []
    columns_taken: set[int] = set()
    fields_taken: set[str] = set()
    for _, at, field in sorted(scores, key=lambda score: -score[0]):
        if at not in columns_taken and field.api_name not in fields_taken:
            columns_taken.add(at)
            fields_taken.add(field.api_name)
            chosen.append((at, field))
    return chosen


def _similarity(one: str, other: str) -> float:
    """Returns how similar two names are, from 0 to 1; a name inside of another is similar to it."""
    short, long = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len)
    if len(short) >= _INSIDE and short in long and len(short) / len(long) >= _LEAST_SHARE:
        return _SIMILAR + (1 - _SIMILAR) * len(short) / len(long)
    matcher = SequenceMatcher(a=one, b=other)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else 0.0


def _words(name: str) -> str:
    """Returns the words of a name in one order: `Name, Last` equals `last_name`."""
    words = folded(name).replace("e mail", "email").split()
    return " ".join(sorted(words))
