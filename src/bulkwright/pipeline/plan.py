"""What stays the same for every chunk of a resource, made once, before the first row.

Only picklists grow between chunks; targets/picklists.py holds their values.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.job import FieldMapping, Job, Operation, Resource
from bulkwright.domain.module import Field, Module
from bulkwright.pipeline.cells import ReadOptions


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One mapping with the field that it fills."""

    mapping: FieldMapping
    field: Field
    label: str
    """Its name in result lines: the CSV header, or the API name if there is no CSV column."""
    options: ReadOptions
    lookup_module: Module | None = None
    """The module in which a lookup finds its records."""
    lookup_field: Field | None = None
    """The field of that module whose values the cells hold; None if they hold record ids."""

    @property
    def is_lookup(self) -> bool:
        """Whether the cells name a record that has to be found."""
        return self.lookup_module is not None or self.mapping.parent_column_index is not None

    @property
    def nullable(self) -> bool:
        """Whether the column in the table can be null."""
        return self.field.column is None or self.field.column.nullable

    @property
    def name(self) -> str:
        """The field's API name, which is also its column's name in frames."""
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
    columns: tuple[MappedColumn, ...]
    user_ids: dict[str, int]
    """User ids by their digits and by their e-mail key."""

    @property
    def parent_columns(self) -> tuple[int, ...]:
        """CSV columns by whose texts the children of this resource find their parent (facts 3.3).

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
        """Every CSV column that is read."""
        return tuple(sorted({*self.resource.columns, *self.parent_columns}))

    @property
    def operation(self) -> Operation:
        """What the job does with rows that match a record and with the others."""
        return self.job.operation

    @property
    def keep_empty(self) -> bool:
        """Whether an empty cell leaves the stored value as it is (`ignore_empty`)."""
        return self.resource.ignore_empty

    @property
    def keeps_ids(self) -> bool:
        """Whether new records have the ids of the file: an existing table may allow this."""
        if self.operation is not Operation.INSERT or not self.module.table_kind.keeps_given_ids:
            return False
        id_column = self.column("id")
        return id_column is not None and id_column.field.writable

    @property
    def find_by(self) -> MappedColumn | None:
        """The column by which rows find their records.

        None if this would be an id that is kept: then it is a unique value like others.
        """
        found = self.column(self.resource.find_by) if self.resource.find_by else None
        return None if found is not None and found.name == "id" and self.keeps_ids else found

    @property
    def unique(self) -> tuple[MappedColumn, ...]:
        """Columns whose values no two records share, without the find_by column.

        `id` is one of them if the ids of the file are kept.
        """
        find_by = self.find_by
        return tuple(
            c
            for c in self.columns
            if c.field.unique and c is not find_by and (c.name != "id" or self.keeps_ids)
        )

    @property
    def matched_by(self) -> tuple[MappedColumn, ...]:
        """Columns whose keys decide which record a row means, or whether it is a duplicate."""
        return self.unique if self.find_by is None else (self.find_by, *self.unique)

    @property
    def written(self) -> tuple[MappedColumn, ...]:
        """Columns whose cells are stored. `id` is not one: it finds records, or is their id."""
        return tuple(c for c in self.columns if c.name != "id")

    def column(self, api_name: str) -> MappedColumn | None:
        """The column of a field, if it is mapped."""
        return next((c for c in self.columns if c.name == api_name), None)


def make_plan(
    job: Job,
    position: int,
    header: tuple[str, ...],
    modules: dict[str, Module],
    user_ids: dict[str, int],
) -> Plan:
    """Bind a resource's mappings to the fields of its module.

    `modules` holds the resource's module and the modules of its lookups. Mappings were checked when
    the job was created; raises KeyError if a field no longer exists.
    """
    resource = job.resources[position]
    module = modules[resource.module]
    columns = []
    for mapping in resource.mappings:
        field = module.field(mapping.api_name)
        if field is None:
            raise KeyError(mapping.api_name)
        is_lookup = field.data_type == "lookup"
        lookup_module = modules.get(field.lookup_module or "") if is_lookup else None
        lookup_field = None
        if lookup_module is not None and mapping.find_by and mapping.find_by != "id":
            lookup_field = lookup_module.field(mapping.find_by)
        label = header[mapping.index] if mapping.index is not None else mapping.api_name
        columns.append(
            MappedColumn(
                mapping,
                field,
                label.strip() or mapping.api_name,
                ReadOptions(
                    lookup_field or field,
                    mapping.format,
                    job.time_zone,
                    job.created_time.date(),
                    has_infinity=module.has_infinity,
                ),
                lookup_module,
                lookup_field,
            )
        )
    return Plan(job, resource, position, module, header, tuple(columns), user_ids)
