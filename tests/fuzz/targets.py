"""The readers of hostile input, each as one function of bytes.

A target returns if the input was read or rejected with an error of our own; any other exception is
a bug. If two ways of reading must agree, the target compares them.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from datetime import date
from functools import partial
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import urlsplit

import polars as pl
from tests.fuzz.seeds import BOUNDARY

from bulkwright.domain import dateformat
from bulkwright.domain.account import ClientKind, OAuthClient
from bulkwright.domain.criteria import conditions
from bulkwright.domain.endpoint import InvalidEndpoint, parse_allowed, parse_endpoint
from bulkwright.domain.errors import BulkwrightError, InvalidFormat
from bulkwright.domain.job import Operation
from bulkwright.domain.limits import MiB
from bulkwright.domain.module import Field, Module
from bulkwright.domain.record_write import NotStored
from bulkwright.egress import why_forbidden
from bulkwright.formats.csv import (
    ENCODINGS,
    blocks,
    canonical_encoding,
    inspect,
    parse_slowly,
    sniff,
)
from bulkwright.formats.csv.charset import resolve_byte_order, to_utf8
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive
from bulkwright.pipeline.cells import ReadOptions
from bulkwright.pipeline.keys import normalised
from bulkwright.pipeline.read import read_chunks
from bulkwright.pipeline.values import read_values
from bulkwright.service.mapping import MappingRules
from bulkwright.service.signin import SignInService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.sessions import SessionStore
from bulkwright.web.errors import HttpError
from bulkwright.web.multipart import form_fields, receive_file
from bulkwright.web.request import Request
from bulkwright.web.turns import Turns
from bulkwright.zoho.parse.coql import parse_coql
from bulkwright.zoho.parse.jobs import job_request
from bulkwright.zoho.versions import VERSIONS

REDIRECTS = ("https://app.example/back", "http://127.0.0.1:5500/redirect.html")
DECLARED = (
    None,
    "UTF-8",
    "UTF-16",
    "windows-1252",
    "Shift_JIS",
    "ISO-2022-JP",
    "UTF-32",
    "GB18030",
)
CREATED = date(2026, 11, 26)
ZONES = ("UTC", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu")


def read_zip(data: bytes) -> None:
    """Every CSV of a zip, to its last byte."""
    with suppress(BulkwrightError):
        archive = open_archive(io.BytesIO(data))
        for member in archive.csvs:
            with suppress(BulkwrightError):
                size = sum(map(len, archive.stream(member, MiB, 4096)))
                assert size == member.size <= MiB


def read_csv(data: bytes) -> None:
    """The records of a CSV; as many for the API, for csv and for Polars."""
    if not data:
        return
    declared, data = DECLARED[data[0] % len(DECLARED)], data[1:]
    try:
        seen = inspect(ByteStream([data]), declared, 10**6)
    except BulkwrightError:
        return
    dialect, width = seen.dialect, len(seen.dialect.header)
    columns = tuple(range(min(width, 3)))
    for target, most in ((MiB, 1000), (64, 5)):
        cut = list(blocks(ByteStream([data]), dialect, target=target))
        segments = [segment for block in cut for segment in block.segments]
        rows = [row.cells for s in segments for row in parse_slowly(s.data, dialect.delimiter)]
        assert seen.rows == len(rows) == sum(s.count(dialect.delimiter) for s in segments)
        chunks = read_chunks(
            cut,
            columns=columns,
            width=width,
            delimiter=dialect.delimiter,
            max_rows=partial(int, most),
        )
        read = [cells for chunk in chunks for cells in chunk.cells.rows()]
        assert read == [tuple(row[i] if i < len(row) else "" for i in columns) for row in rows]


def read_charset(data: bytes) -> None:
    """An encoding that is supported, and a text that does not depend on cuts of the bytes."""
    found = "UTF-8"
    with suppress(BulkwrightError):
        found = sniff(ByteStream([data]), None).encoding
    with suppress(BulkwrightError):
        assert canonical_encoding(data.decode("latin-1")) in ENCODINGS
    for name in (found, DECLARED[len(data) % len(DECLARED)] or found):
        encoding = resolve_byte_order(name, data)
        whole = b"".join(to_utf8([data], encoding))
        whole.decode()
        assert whole == b"".join(to_utf8([data[i : i + 1] for i in range(len(data))], encoding))


def read_number(data: bytes) -> None:
    """Numbers of any pattern; every value is a number that reads as itself."""
    kind, pattern, cells = _cells(data, dateformat.number_format)
    field = _field(("double", "integer", "bigint", "percent", "currency")[kind % 5])
    values = read_values(cells, ReadOptions(field, pattern, "UTC", CREATED))
    assert len(values) == len(cells)
    texts = values.drop_nulls().cast(pl.String)
    again = read_values(texts, ReadOptions(field, None, "UTC", CREATED)).cast(pl.String)
    assert again.to_list() == texts.to_list()


def read_date(data: bytes) -> None:
    """Dates of any pattern; every value is in the years 1 to 9999."""
    kind, pattern, cells = _cells(data, dateformat.translate)
    field = _field(("date", "datetime")[kind % 2])
    options = ReadOptions(field, pattern, ZONES[kind // 2 % len(ZONES)], CREATED)
    values = read_values(cells, options)
    assert len(values) == len(cells)
    for value in values.drop_nulls().to_list():
        assert 1 <= value.year <= 9999


def read_text(data: bytes) -> None:
    """All other types, and keys."""
    kind, _, cells = _cells(b"\n".join((data[:1], data[1:])), str)
    types = ("email", "phone", "website", "multiselectpicklist", "boolean", "text", "lookup")
    field = _field(types[kind % len(types)], unique=kind % 2 == 1)
    values = read_values(cells, ReadOptions(field, None, "UTC", CREATED))
    assert len(values) == len(cells) == len(normalised(cells))


def read_body(data: bytes) -> None:
    """The body of a create request."""
    with suppress(BulkwrightError):
        job_request(data)


def read_coql(data: bytes) -> None:
    """A COQL query of any version: within its limits, or rejected."""
    text = data.decode("utf-8", "replace")
    for version in ("v2", "v8"):
        limits = VERSIONS[version].coql
        with suppress(BulkwrightError, NotStored):
            query = parse_coql(text, limits)
            found = list(conditions(query.criteria))
            assert 0 < len(found) <= limits.conditions
            assert all(len(condition.values) <= limits.values for condition in found)
            assert 0 < query.limit <= limits.rows
            assert query.limit + query.offset <= limits.reached_rows
            keys = [column.key for column in query.columns]
            assert len(set(keys)) == len(keys) <= limits.columns


def read_mapping(data: bytes) -> None:
    """Any mappings, checked with a module and a file."""
    body = b'{"operation":"%b","resource":[{"type":"data","module":"M","file_id":"1",'
    body += b'"find_by":"Email","field_mappings":%b}]}'
    for operation in (Operation.INSERT, Operation.UPSERT):
        with suppress(BulkwrightError):
            request = job_request(body % (operation.encode(), data))
            (resource,) = request.resources
            rules = MappingRules(
                cast(ModuleStore, _Modules()), MODULE, operation, resource.find_by, ("a", "b"), "$"
            )
            rules.check(resource.mappings or ())
            for mapping in resource.mappings or ():
                assert MODULE.field(mapping.api_name) is not None
    header = data.decode("utf-8", "replace").split(",")
    rules = MappingRules(
        cast(ModuleStore, _Modules()), MODULE, Operation.UPDATE, "Email", header, "$"
    )
    with suppress(BulkwrightError):
        rules.check(rules.by_header())


def read_multipart(data: bytes) -> None:
    """An upload's body in pieces: a name, and no more bytes than the body has."""
    kind = b"multipart/form-data" + (b"; boundary=" + BOUNDARY if data[:2] != b"--" else b"")
    for step in (7, 1024):
        out = io.BytesIO()
        with suppress(HttpError):
            request = _request(data, step, kind)
            name = asyncio.run(receive_file(request, out.write, 4096))
            assert name is not None
        assert len(out.getvalue()) <= min(len(data), 4096)
    with suppress(HttpError):
        request = _request(data, 64, b"multipart/form-data; boundary=" + BOUNDARY)
        asyncio.run(form_fields(request, 4096))


def read_redirect(data: bytes) -> None:
    """An authorize request: it redirects only to exactly a registered URL."""
    request = Request({"headers": [], "query_string": data}, _never, Turns(_Here(), 1))
    service = SignInService(
        cast(AccountStore, _Accounts()), cast(SessionStore, None), *(cast(Any, None),) * 3
    )
    with suppress(BulkwrightError, HttpError):
        asked = service.check_request(request.query())
        assert asked.redirect_uri in REDIRECTS
        for back in (asked.rejected(), asked.with_code("c", "https://accounts.example")):
            assert back.startswith(asked.redirect_uri) and back.isascii() and back.isprintable()
            assert urlsplit(back).netloc == urlsplit(asked.redirect_uri).netloc


def read_callback(data: bytes) -> None:
    """A callback URL: rejected, or read as Python's urlsplit reads it."""
    text = data.decode("utf-8", "replace")
    with suppress(InvalidEndpoint):
        parse_allowed(text)
    try:
        seen = parse_endpoint(text)
    except InvalidEndpoint:
        return
    other = urlsplit(text)
    assert (other.scheme, other.username, other.password) == (seen.scheme, None, None)
    assert seen.host in ((other.hostname or "").removesuffix("."), _spelled(other.hostname))
    assert (other.port or {"http": 80, "https": 443}[seen.scheme]) == seen.port
    assert parse_endpoint(f"{seen.origin}{seen.path}") == seen


def read_address(data: bytes) -> None:
    """An address: every one that Python's ipaddress calls special is forbidden."""
    texts = [data.decode("latin-1")]
    if len(data) in (4, 16):
        texts.append(str(ip_address(data)))
    for text in texts:
        if why_forbidden(text) is None:
            ip = ip_address(text)
            assert not (ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast)
            assert not (ip.is_reserved and not text.startswith("64:ff9b::"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "zip": read_zip,
    "csv": read_csv,
    "charset": read_charset,
    "number": read_number,
    "date": read_date,
    "text": read_text,
    "body": read_body,
    "coql": read_coql,
    "mapping": read_mapping,
    "multipart": read_multipart,
    "redirect": read_redirect,
    "callback": read_callback,
    "address": read_address,
}
"""By name."""


def _field(data_type: str, *, unique: bool = False, name: str = "F", **more: Any) -> Field:
    return Field(1, name, name, data_type, unique=unique, length=more.pop("length", 30), **more)


MODULE = Module(
    1, 1, "M", "M", "M", "M", "custom", 1, True,
    (
        _field("bigint", name="id"),
        _field("text", name="Last_Name", system_mandatory=True),
        _field("email", name="Email", unique=True),
        _field("datetime", name="When"),
        _field("double", name="Sum"),
        _field("lookup", name="Account", lookup_module="M"),
        _field("ownerlookup", name="Owner"),
        _field("formula", name="Formula"),
    ),
)  # fmt: skip


class _Modules:
    def module(self, _org: int, name: str) -> Module | None:
        return MODULE if name == "M" else None


class _Accounts:
    def client(self, client_id: str) -> OAuthClient | None:
        kind = {"1": ClientKind.SERVER, "2": ClientKind.JAVASCRIPT}.get(client_id)
        return None if kind is None else OAuthClient(client_id, 1, 1, kind, "c", None, REDIRECTS)


class _Here(Executor):
    """Runs work in the thread that submits it."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def _cells(data: bytes, check: Callable[[str], object]) -> tuple[int, str | None, pl.Series]:
    """A choice, a pattern that passed its check, and cells."""
    text = data[1:].decode("utf-8", "replace")
    pattern, _, rest = text.partition("\n") if "\n" in text else ("", "", text)
    with suppress(InvalidFormat):
        if pattern:
            check(pattern)
            return data[0], pattern, pl.Series(rest.split("|"), dtype=pl.String)
    return data[0] if data else 0, None, pl.Series(text.split("|"), dtype=pl.String)


def _request(data: bytes, step: int, kind: bytes) -> Request:
    pieces = [data[i : i + step] for i in range(0, len(data), step)] or [b""]

    async def receive(left: list[bytes]) -> dict[str, object]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    scope = {"headers": [(b"content-type", kind)], "query_string": b""}
    return Request(scope, partial(receive, pieces), Turns(_Here(), 1))


async def _never() -> dict[str, object]:
    raise AssertionError("no body is read")


def _spelled(host: str | None) -> str:
    """An address of an URL in its canonical spelling."""
    try:
        return str(ip_address(host or ""))
    except ValueError:
        return ""
