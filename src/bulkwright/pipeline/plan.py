"""What stays the same for every chunk of a resource: made once, before the first row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bulkwright.domain.job import Job, Mapping, Operation, Resource
from bulkwright.domain.module import Field, Module
from bulkwright.pipeline.values import Reading


@dataclass(frozen=True, slots=True)
class Column:
    """One mapping, bound to its field."""

    mapping: Mapping
    field: Field
    label: str
    """How result lines call it: the CSV header, or the API name where there is no column."""
    reading: Reading
    target: Module | None = None
    """The looked-up module of a lookup."""
    target_field: Field | None = None
    """The field of that module which the cells name; None or `id` means record ids."""

    @property
    def finds(self) -> bool:
        """Whether the cells name a record, which has to be found."""
        return self.target is not None or self.mapping.parent_column_index is not None

    @property
    def name(self) -> str:
        """The field's API name, which is also the frame column's."""
        return self.field.api_name


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one resource become records of one module."""

    job: Job
    resource: Resource
    position: int
    """Position of the resource in the job."""
    module: Module
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    user_ids: dict[str, int]
    """User ids by their digits and by their e-mail key."""

    @property
    def asked_columns(self) -> tuple[int, ...]:
        """CSV columns by whose text children of this resource find their parent (facts 3.3).

        The first resource of a job is the parent of all others.
        """
        if self.position:
            return ()
        children = (m for r in self.job.resources[1:] for m in r.mappings)
        return tuple(
            sorted({m.parent_column_index for m in children if m.parent_column_index is not None})
        )

    @property
    def needed_columns(self) -> tuple[int, ...]:
        """Every CSV column that is looked at."""
        return tuple(sorted({*self.resource.columns, *self.asked_columns}))

    @property
    def operation(self) -> Operation:
        """What the job does with matching rows and with others."""
        return self.job.operation

    @property
    def keep_empty(self) -> bool:
        """Whether an empty cell leaves the stored value alone (`ignore_empty`)."""
        return self.resource.ignore_empty

    @property
    def find_by(self) -> Column | None:
        """The column that says which record a row means."""
        return self.column(self.resource.find_by) if self.resource.find_by else None

    @property
    def unique(self) -> tuple[Column, ...]:
        """Mapped unique fields that rows may clash on, the find_by field left out."""
        return tuple(
            c
            for c in self.columns
            if c.field.unique and c.name != "id" and c.name != self.resource.find_by
        )

    @property
    def matched_by(self) -> tuple[Column, ...]:
        """Columns whose keys decide which record a row means, or whether it clashes."""
        return self.unique if self.find_by is None else (self.find_by, *self.unique)

    @property
    def mandatory(self) -> tuple[Column, ...]:
        """Mapped fields without which no record is made."""
        return tuple(c for c in self.columns if c.field.system_mandatory)

    @property
    def writes(self) -> tuple[Column, ...]:
        """Columns that are stored; `id` only finds."""
        return tuple(c for c in self.columns if c.name != "id")

    def column(self, api_name: str) -> Column | None:
        """The column of a field, if it is mapped."""
        return next((c for c in self.columns if c.name == api_name), None)

    def grown(self, field: Field) -> Plan:
        """The same plan with a newer state of one field (its picklist has grown)."""
        columns = tuple(
            replace(c, field=field) if c.name == field.api_name else c for c in self.columns
        )
        return replace(self, columns=columns)


def make_plan(
    job: Job,
    position: int,
    header: tuple[str, ...],
    modules: dict[str, Module],
    user_ids: dict[str, int],
) -> Plan:
    """Bind a resource's mappings to the fields of its module.

    `modules` holds the resource's module and every looked-up one. Mappings were checked when the
    job was created; one whose field has vanished since raises KeyError.
    """
    resource = job.resources[position]
    module = modules[resource.module]
    columns = []
    for mapping in resource.mappings:
        field = module.field(mapping.api_name)
        if field is None:
            raise KeyError(mapping.api_name)
        target = modules.get(field.lookup_module or "") if field.data_type == "lookup" else None
        by = mapping.find_by if target is not None else None
        target_field = target.field(by) if target is not None and by and by != "id" else None
        label = header[mapping.index] if mapping.index is not None else mapping.api_name
        columns.append(
            Column(
                mapping,
                field,
                label.strip() or mapping.api_name,
                Reading(target_field or field, mapping.format, job.time_zone),
                target,
                target_field,
            )
        )
    return Plan(job, resource, position, module, header, tuple(columns), user_ids)
