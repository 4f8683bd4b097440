"""The form of a new import: what the user chose for each column, and what was suggested.

A form that was not sent yet is made from the header of the file, or from a job whose choices are
taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import msgspec

from bulkwright.domain.column_names import column_names, index_of, is_place_name, place_name
from bulkwright.domain.import_template import target_of
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.module import Module
from bulkwright.service.columns import FieldNames
from bulkwright.service.suggestions import FieldSuggestion, suggest_fields
from bulkwright.wire import own, own_templates

_OnError: TypeAlias = Literal["continue", "all_or_nothing"] | own.StopAfter


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What fills a field, or that nothing does."""

    field: str = ""
    """API name; empty if the column fills no field."""
    find_by: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class ImportForm:
    """The choices of a user."""

    module: str
    operation: Operation
    file_name: str = ""
    """The CSV in the zip, if there are several."""
    find_by: str = ""
    ignore_empty: bool = False
    stop_after: str = ""
    """How many rows may be skipped, `100` or `2%`; empty for no limit."""
    all_or_nothing: bool = False
    """Whether what was stored is undone if a row is skipped."""
    priority: Literal["low", "normal", "high"] = "normal"
    callback_url: str = ""
    columns: Mapping[int, ColumnChoice] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Values for every row, by the API names of fields that no column fills."""
    suggested: Mapping[int, FieldSuggestion] = field(default_factory=dict)
    """How the fields of columns were found; for those that the user did not choose."""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> ImportForm:
        """Returns the form that was sent. Raises ValueError if no page has such a form."""
        columns: dict[int, ColumnChoice] = {}
        defaults: dict[str, str] = {}
        for name, value in sent.items():
            kind, _, key = name.partition("-")
            if kind == "default" and value:
                defaults[key] = value
            elif kind == "field":
                more = (sent.get(f"{other}-{key}", "").strip() for other in ("find_by", "format"))
                columns[int(key)] = ColumnChoice(value, *more)
        return cls(
            module=sent.get("module", ""),
            operation=Operation(sent.get("operation", "insert")),
            file_name=sent.get("file_name", ""),
            find_by=sent.get("find_by", ""),
            ignore_empty="ignore_empty" in sent,
            stop_after=sent.get("stop_after", "").strip(),
            all_or_nothing="all_or_nothing" in sent,
            priority=_priority(sent.get("priority", "normal")),
            callback_url=sent.get("callback_url", "").strip(),
            columns=columns,
            defaults=defaults,
        )

    @classmethod
    def of_job(cls, job: own.JobSnapshot, moved: Mapping[int, int] | None = None) -> ImportForm:
        """Returns the choices of a job with one file.

        `moved` has the index of each of its columns in another file, for which they are taken over.
        """
        (resource,) = job.resources
        filled = [m for m in resource.mappings if m.index is not None]
        if moved is not None:
            filled = [
                msgspec.structs.replace(m, index=moved[m.index])
                for m in filled
                if m.index is not None and m.index in moved
            ]
        return cls(
            module=resource.module,
            operation=Operation(job.operation),
            find_by=resource.find_by or "",
            ignore_empty=resource.ignore_empty,
            stop_after=_limit_text(job.on_error),
            all_or_nothing=job.on_error == "all_or_nothing",
            priority=_priority(job.priority),
            callback_url=job.callback_url or "",
            columns={
                m.index: ColumnChoice(m.api_name, m.find_by or "", m.format or "")
                for m in filled
                if m.index is not None
            },
            defaults={m.api_name: m.default for m in resource.mappings if m.default is not None},
        )

    @classmethod
    def of_template(
        cls, template: own_templates.TemplateSnapshot, module: Module, header: Sequence[str]
    ) -> TakenTemplate:
        """Returns the choices of a template for a file with this header."""
        names, texts = FieldNames(module), [text.strip() for text in header]
        columns: dict[int, ColumnChoice] = {}
        lacking, no_fields = [], []
        known: set[int] = set()
        for column, target in template.mapping.map.items():
            name, find_by = target_of(target)
            found = names.find(name) if name else None
            at = index_of(column, texts)
            if at is None:
                lacking.append(column)
                continue
            known.add(at)
            if name and found is None:
                no_fields.append(name)
            elif found is not None:
                formats = template.mapping.format
                pattern = formats.get(column) or formats.get(name, "")
                columns[at] = ColumnChoice(found.field.api_name, find_by, pattern)
        defaults = {name: names.find(name) for name in template.mapping.default}
        form = cls(
            module=module.api_name,
            operation=Operation(template.operation),
            find_by=template.find_by or "",
            ignore_empty=template.ignore_empty,
            stop_after=_limit_text(template.on_error),
            all_or_nothing=template.on_error == "all_or_nothing",
            columns=columns,
            defaults={
                found.field.api_name: template.mapping.default[name]
                for name, found in defaults.items()
                if found is not None
            },
        )
        return TakenTemplate(
            form,
            template.name,
            tuple(lacking),
            tuple(name for at, name in enumerate(column_names(texts)) if at not in known),
            (*no_fields, *(name for name, found in defaults.items() if found is None)),
            all(map(is_place_name, template.mapping.map)),
        )

    def template(
        self, header: Sequence[str], *, by_place: bool = False
    ) -> own_templates.NewTemplate:
        """Returns the choices as a template, in which columns have the names of their headers.

        `by_place` names all columns by their places. Raises ValueError for a limit of no number.
        """
        texts = [text.strip() for text in header]
        names = [place_name(at) for at in range(len(texts))] if by_place else column_names(texts)
        made = {names[at]: one for at, one in self.columns.items() if at < len(names) and one.field}
        return own_templates.NewTemplate(
            module=self.module,
            operation=self.operation.value,
            find_by=self.find_by or None if self.operation.updates else None,
            ignore_empty=self.ignore_empty,
            mapping=own_templates.MappingFile(
                map={name: _target(made[name]) if name in made else "" for name in names},
                default=dict(self.defaults),
                format={name: one.format for name, one in made.items() if one.format},
            ),
            on_error=_limit(self.stop_after, all_or_nothing=self.all_or_nothing),
        )

    def completed(self, module: Module, header: tuple[str, ...]) -> ImportForm:
        """Returns the form with a suggestion for each column, if the user has chosen none yet."""
        find_by = self.find_by
        if self.operation is not Operation.INSERT and not find_by:
            keys = key_names(module)
            find_by = keys[0] if keys else ""
        found = suggest_fields(header, module, self.operation, find_by or None)
        if self.columns:
            agreed = {at: one for at, one in found.items() if self._chose(at) == one.field}
            return replace(self, find_by=find_by, suggested=agreed)
        columns = {at: ColumnChoice(one.field, one.find_by or "") for at, one in found.items()}
        return replace(self, find_by=find_by, columns=columns, suggested=found)

    def _chose(self, index: int) -> str:
        return self.columns.get(index, ColumnChoice()).field

    def mappings(self) -> list[FieldMapping]:
        """Returns the mappings of these choices."""
        made = [
            FieldMapping(
                one.field, at, one.format or None, one.find_by or None, self.defaults.get(one.field)
            )
            for at, one in sorted(self.columns.items())
            if one.field
        ]
        filled = {one.api_name for one in made}
        rest = {name: text for name, text in self.defaults.items() if name not in filled}
        return made + [FieldMapping(name, default=text) for name, text in rest.items()]

    def request(self, file_id: str, *, dry_run: bool = False) -> own.NewJob:
        """Returns the request that creates the job. Raises ValueError for a limit of no number."""
        return own.NewJob(
            operation=self.operation.value,
            module=self.module,
            file_id=file_id,
            file_name=self.file_name or None,
            find_by=self.find_by or None if self.operation.updates else None,
            ignore_empty=self.ignore_empty,
            columns=[
                own.NewColumn(
                    field=m.api_name,
                    index=m.index,
                    format=m.format,
                    find_by=m.find_by,
                    default=m.default,
                )
                for m in self.mappings()
            ],
            callback_url=self.callback_url or None,
            on_error=_limit(self.stop_after, all_or_nothing=self.all_or_nothing),
            priority=self.priority,
            dry_run=dry_run,
        )


@dataclass(frozen=True, slots=True)
class TakenTemplate:
    """The choices of a template for a file, and what of the two does not fit."""

    form: ImportForm
    name: str
    lacking: tuple[str, ...]
    """Columns of the template that the file does not have."""
    besides: tuple[str, ...]
    """Columns of the file that the template does not name."""
    no_fields: tuple[str, ...]
    """Fields of the template that the module does not have."""
    by_place: bool
    """Whether it names columns by their places only."""


def _target(one: ColumnChoice) -> str:
    return f"{one.field}:{one.find_by}" if one.find_by else one.field


def _priority(word: str) -> Literal["low", "normal", "high"]:
    match word:
        case "low" | "normal" | "high":
            return word
    raise ValueError(f"{word} is no priority")


def _limit(text: str, *, all_or_nothing: bool) -> _OnError:
    if all_or_nothing:
        if text:
            raise ValueError("all or nothing allows no skipped row")
        return "all_or_nothing"
    if not text:
        return "continue"
    if text.endswith("%"):
        return own.StopAfter(stop_after_percent=float(text[:-1]))
    return own.StopAfter(stop_after=int(text))


def _limit_text(limit: _OnError) -> str:
    if isinstance(limit, str):
        return ""
    if limit.stop_after is not None:
        return str(limit.stop_after)
    return f"{limit.stop_after_percent:g}%"


def moved_columns(before: Sequence[str], now: Sequence[str]) -> dict[int, int]:
    """Returns the index of each column of a file in another one that has its name."""
    names, others = (column_names([text.strip() for text in header]) for header in (before, now))
    places = {name: at for at, name in enumerate(others)}
    return {at: places[name] for at, name in enumerate(names) if name in places}


def key_names(module: Module) -> list[str]:
    """Returns the fields by which records of a module are found: unique ones first."""
    fields = sorted(module.fields, key=lambda f: (f.api_name == "id", not f.unique))
    return [f.api_name for f in fields if f.is_key or f.api_name == "id"]
