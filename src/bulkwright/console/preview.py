"""The first rows of a file under the choices of a form: what becomes of each cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bulkwright.console.import_form import ColumnChoice, ImportForm
from bulkwright.domain import dateformat
from bulkwright.domain.account import User, email_key
from bulkwright.domain.errors import InvalidFormat
from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.formats.csv import FileRow
from bulkwright.service.cell_checks import CellCheck, CellFinding, CellState
from bulkwright.service.suggestions import MatchBy, suggest_formats

_FORMATTED = (
    StorageType.DATE, StorageType.DATETIME, StorageType.INTEGER, StorageType.DECIMAL,
    StorageType.BOOLEAN,
)  # fmt: skip
_CHECKS: Mapping[StorageType, Callable[[str], object]] = {
    StorageType.DATE: dateformat.translate,
    StorageType.DATETIME: dateformat.translate,
    StorageType.INTEGER: dateformat.number_format,
    StorageType.DECIMAL: dateformat.number_format,
    StorageType.BOOLEAN: dateformat.boolean_words,
}
_VALUE = re.compile(r"[-+]?[0-9][-0-9.,:/ ]*|[^\s@]+@[^\s@]+[.][^\s@]+")


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """A cell, and what becomes of it."""

    text: str
    finding: CellFinding


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the file under the choices."""

    index: int
    header: str
    choice: ColumnChoice
    found_by: MatchBy | None
    """How its field was found; None if the user has chosen it, or if it fills no field."""
    field: Field | None
    cells: tuple[PreviewCell, ...]
    formats: tuple[str, ...] = ()
    """Formats that all cells have, if they cannot be read without one."""
    problem: str = ""
    """Why the format that was given is none."""

    @property
    def takes_format(self) -> bool:
        """Whether its field has values that are written in several ways."""
        return self.field is not None and self.field.storage_type in _FORMATTED

    @property
    def bad(self) -> int:
        """How many of its cells cannot be stored."""
        return sum(cell.finding.state is CellState.BAD for cell in self.cells)

    @property
    def first_problem(self) -> str:
        """What is wrong with the first of them."""
        found = (c.finding.message for c in self.cells if c.finding.state is CellState.BAD)
        return next(found, "")

    @property
    def samples(self) -> list[str]:
        """The first different values."""
        return list(dict.fromkeys(cell.text for cell in self.cells if cell.text))[:3]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file."""

    all_columns: tuple[PreviewColumn, ...]
    rows: tuple[int, ...]
    """The numbers of the rows that are shown."""
    damaged: frozenset[int]
    """Those of them whose cells may belong to other columns."""

    @classmethod
    def of(  # wide: a form, and everything that its cells are judged by
        cls,
        form: ImportForm,
        module: Module,
        header: Sequence[str],
        rows: Sequence[FileRow],
        users: Sequence[User],
        zone: ZoneInfo,
    ) -> Preview:
        """Returns the preview of rows."""
        keys = frozenset(
            key for user in users if user.is_active for key in (str(user.id), email_key(user.email))
        )
        columns = tuple(
            _column(index, text, form, module, tuple(_cell(row, index) for row in rows), keys, zone)
            for index, text in enumerate(header)
        )
        damaged = frozenset(at for at, row in enumerate(rows, 1) if not row.fits(len(header)))
        return cls(columns, tuple(range(1, len(rows) + 1)), damaged)

    @property
    def columns(self) -> Mapping[int, ColumnChoice]:
        """The choices, with the formats that were suggested."""
        return {column.index: column.choice for column in self.all_columns}

    @property
    def mapped(self) -> list[PreviewColumn]:
        """The columns that fill fields."""
        return [column for column in self.all_columns if column.field is not None]

    @property
    def left_out(self) -> list[str]:
        """The headers of the columns that fill none."""
        return [column.header for column in self.all_columns if column.field is None]

    @property
    def doubled(self) -> list[str]:
        """Fields that several columns fill."""
        counts = Counter(column.choice.field for column in self.mapped)
        return [name for name, count in counts.items() if count > 1]

    @property
    def header_in_doubt(self) -> bool:
        """Whether the header may be a row of values: it has a number, a date or an e-mail."""
        return any(_VALUE.fullmatch(column.header.strip()) for column in self.all_columns)

    @property
    def bad_rows(self) -> int:
        """How many of the rows would be skipped."""
        bad = set(self.damaged)
        for column in self.mapped:
            bad |= {
                number
                for number, cell in zip(self.rows, column.cells, strict=True)
                if cell.finding.state is CellState.BAD
            }
        return len(bad)


def _column(  # wide: one column of the form, and everything that its cells are judged by
    index: int,
    header: str,
    form: ImportForm,
    module: Module,
    texts: tuple[str, ...],
    users: frozenset[str],
    zone: ZoneInfo,
) -> PreviewColumn:
    choice = form.columns.get(index, ColumnChoice())
    field = module.field(choice.field) if choice.field else None
    suggestion = form.suggested.get(index)
    if field is None:
        unjudged = tuple(PreviewCell(text, CellFinding(CellState.EMPTY)) for text in texts)
        return PreviewColumn(index, header, ColumnChoice(), None, None, unjudged)
    formats = tuple(suggest_formats(texts, field, zone))
    if formats and not choice.format:
        choice = replace(choice, format=formats[0])
    problem = _format_problem(choice.format, field)
    mapping = FieldMapping(
        field.api_name,
        index,
        format=None if problem else choice.format or None,
        find_by=choice.find_by or None,
        default=form.defaults.get(field.api_name),
    )
    needed = field.required or (form.operation.updates and field.api_name == form.find_by)
    check = CellCheck(mapping, field, users, zone, mandatory=needed)
    cells = tuple(PreviewCell(text, check.judge(text)) for text in texts)
    found_by = suggestion.by if suggestion and suggestion.field == choice.field else None
    return PreviewColumn(index, header, choice, found_by, field, cells, formats, problem)


def _format_problem(pattern: str, field: Field) -> str:
    check = _CHECKS.get(field.storage_type)
    if not pattern or check is None:
        return ""
    with suppress(InvalidFormat):
        check(pattern)
        return ""
    return f"{pattern} is no format of this field."


def _cell(row: FileRow, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""
