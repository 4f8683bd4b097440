"""The two kinds of tables that modules have, and what each allows.

The service makes the tables of most modules. Others are existing tables of the user, in which other
programs write too, and whose constraints, triggers and types are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableKind:
    """What code that works on a table of either kind has to know of it."""

    one_writer: bool
    """Whether only the service writes records, so that they are those that results report."""
    keeps_images: bool
    """Whether former values of records can be kept, so that jobs can be undone."""
    keeps_given_ids: bool
    """Whether new records may have the ids of the file."""
    ids_in_order: bool
    """Whether new records get consecutive ids, all of them above that of their job."""
    keys_are_folded: bool
    """Whether equal keys are equal texts, because the keys are stored beside the values."""
    has_all_operations: bool
    """Whether there are calls for single records, bulk reads and aggregates."""
    schema_is_stored: bool
    """Whether the fields are those of the stored schema. Otherwise they follow the columns."""
    may_reject_rows: bool
    """Whether constraints and triggers may reject rows that the service has found valid."""
    gets_indexes: bool
    """Whether the service creates an index where a job needs one."""
    divides: bool
    """Whether the rows of one file can be written in parts, because nothing else connects them."""


SERVICE_TABLE = TableKind(
    one_writer=True,
    keeps_images=True,
    keeps_given_ids=False,
    ids_in_order=True,
    keys_are_folded=True,
    has_all_operations=True,
    schema_is_stored=True,
    may_reject_rows=False,
    gets_indexes=True,
    divides=True,
)
"""A table that the service has made for a module."""

EXISTING_TABLE = TableKind(
    one_writer=False,
    keeps_images=False,
    keeps_given_ids=True,
    ids_in_order=False,
    keys_are_folded=False,
    has_all_operations=False,
    schema_is_stored=False,
    may_reject_rows=True,
    gets_indexes=False,
    divides=False,
)
"""A table that was there before its module and is never altered."""
