"""What can be said to a client, and the requests that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, cast

from msgspec import UNSET

from bulkwright.formats.cells import cell_text
from bulkwright.wire.own import NewColumn, NewJob, StopAfter
from bulkwright.wire.requests import NewFieldMapping

Operation = Literal["insert", "update", "upsert"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """An OAuth client and its refresh token, with which new access tokens are requested."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


class AccountOptions(TypedDict, total=False):
    """How a client reaches an account."""

    token: str | None
    """An access token."""
    credentials: Credentials | None
    """With these the client requests access tokens itself; at least one of both is needed."""
    accounts_url: str | None
    """Where tokens come from, and `upload_url` where files go, if not to the same server."""
    upload_url: str | None
    org_id: str | None
    """The client queries it if it is not given."""
    version: str
    """Of the API: `v2` (the default) to `v8`."""
    retries: int
    """How often a call is repeated while the service is busy or away; 5 if it is not given."""


class CreateOptions(TypedDict, total=False):
    """The optional parts of a create request."""

    mappings: Sequence[NewFieldMapping] | Mapping[str, str] | None
    """Of each column its field: as the service takes them, or, for `write`, API names by header
    texts. Without them the header names the fields."""
    find_by: str | None
    ignore_empty: bool
    character_encoding: str | None


class WriteOptions(CreateOptions, total=False):
    """The optional parts of `write`. Zoho has no `dry_run`, `on_error` or `priority`, and
    formats in mappings only."""

    rows_per_job: int | None
    """The most rows of a job; a longer source becomes several. None: as many as there are, and
    25,000 at Zoho."""
    sheet: str
    """Of an XLSX workbook that has several sheets."""
    delimiter: Literal[",", ";", "\t", "|", ":"]
    """Of a CSV. Without it the service finds it, and a CSV that must be split, or that has mappings
    by header texts, is read with a comma."""
    dry_run: bool
    """Whether nothing is stored: the result is the one that a real run would have."""
    on_error: Literal["continue", "all_or_nothing"] | StopAfter
    """After how many skipped rows the job stops, or that nothing stays if one row is skipped."""
    date_format: str
    """Of the columns that fill dates: `dd.MM.yyyy`; likewise the next three."""
    datetime_format: str
    number_format: str
    boolean_format: str
    priority: Literal["low", "normal", "high"]
    """Which jobs of the org are run first; `normal` if it is not given."""


def by_index(mappings: Mapping[str, str], header: Sequence[str]) -> list[NewFieldMapping]:
    """Returns the mappings with the indexes of their columns. Raises ValueError."""
    for text in mappings:
        if header.count(text) != 1:
            found = "no column" if text not in header else "several columns"
            raise ValueError(f"the file has {found} {text!r}; its header is {list(header)}")
    return [NewFieldMapping(api_name=n, index=header.index(t)) for t, n in mappings.items()]


def create_options(options: WriteOptions) -> CreateOptions:
    """Returns the options of a create request of the Zoho API."""
    names = CreateOptions.__optional_keys__
    return cast("CreateOptions", {k: v for k, v in options.items() if k in names})


def new_job(operation: Operation, module: str, file_id: str, options: WriteOptions) -> NewJob:
    """Returns a create request of the service's own API."""
    mappings = cast("Sequence[NewFieldMapping] | None", options.get("mappings"))
    return NewJob(
        operation=operation,
        module=module,
        file_id=file_id,
        find_by=options.get("find_by"),
        ignore_empty=options.get("ignore_empty", False),
        columns=None if mappings is None else [_new_column(mapping) for mapping in mappings],
        encoding=options.get("character_encoding"),
        delimiter=options.get("delimiter"),
        on_error=options.get("on_error", "continue"),
        dry_run=options.get("dry_run", False),
        priority=options.get("priority", "normal"),
        date_format=options.get("date_format"),
        datetime_format=options.get("datetime_format"),
        number_format=options.get("number_format"),
        boolean_format=options.get("boolean_format"),
    )


def _new_column(mapping: NewFieldMapping) -> NewColumn:
    default = mapping.default_value
    return NewColumn(
        field=mapping.api_name,
        index=None if mapping.index is UNSET else mapping.index,
        format=mapping.format or None,
        find_by=mapping.find_by or None,
        default=None if default is UNSET else cell_text(default.value),
    )
