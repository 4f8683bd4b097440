"""A request for a job, well-formed but not yet checked against the module and the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.job import Callback, FieldMapping, Operation, Priority
from bulkwright.domain.module import Module

MakeMappings = Callable[[Module, Sequence[str]], tuple[FieldMapping, ...]]
"""Makes the mappings of a file from its module and its header."""


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """A column and the field that it fills. The column is named by its header or its index.

    Without both, the field has the default value in every row.
    """

    field: str
    header: str | None = None
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """One module and the file for it (facts 3.2)."""

    module: str
    file_id: str
    """As it was sent; the service checks whether it is an id."""
    mappings: tuple[FieldMapping, ...] | None = None
    """None: the header names the fields (facts 1.4), or `make_mappings` makes them."""
    find_by: str | None = None
    ignore_empty: bool | None = None
    file_names: tuple[str, ...] = ()
    make_mappings: MakeMappings | None = None
    by_header: bool = False
    """Whether `make_mappings` follows the header alone."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """The job that a caller requests (facts 3.2)."""

    operation: Operation
    resources: tuple[ResourceRequest, ...]
    character_encoding: str | None = None
    delimiters: str = ",;|:"
    """The delimiters that the file may have; the documented ones (facts 1.2)."""
    ignore_empty: bool | None = None
    callback: Callback | None = None
    fingerprint: str | None = None
    version: str = "v2"
    """The API version of the request; the callback has the shape of that version."""
    idempotency: IdempotencyKey | None = None
    error_limit: ErrorLimit | None = None
    dry: bool = False
    priority: Priority = Priority.NORMAL
    all_or_nothing: bool = False
    """Whether nothing stays unless all rows are stored; `error_limit` does not matter then."""
