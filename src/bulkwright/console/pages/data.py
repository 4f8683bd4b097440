"""Modules with their fields, and their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall
from bulkwright.console.render import plain
from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import PAGED_RECORDS
from bulkwright.domain.module import SYSTEM_FIELDS, Field, Module
from bulkwright.domain.record import Record, Reference, UserReference, Value
from bulkwright.domain.undo_errors import CannotUndo
from bulkwright.service.records import PageQuery, RecordPage, Wanted
from bulkwright.v1.problems import NoHistory, details_of
from bulkwright.wire import own_changes

_MODULES = f"{PREFIX}/modules"
_MODULE = f"{_MODULES}/{{module}}"
_RECORDS = f"{_MODULE}/records"
_A_PAGE = 50
_SHOWN_FIELDS = 7
"""Fields of a list of records, beside its last column."""
_EVERYWHERE = SYSTEM_FIELDS | {"Owner", "Layout"}
"""Fields that every record has, and that say little about it."""


class NoSuchRecord(e.ResourceNotFound):
    """The module has no record with this id."""

    code = "NO_SUCH_RECORD"
    default_message = "The module has no record with this id."


class NoSuchModule(e.ResourceNotFound):
    """The org has no module of this name."""

    code = "NO_SUCH_MODULE"
    default_message = "The org has no module of this name."


def list_modules(call: PageCall) -> Response:
    """Shows the modules of the org."""
    modules = call.services.metadata.all_modules(call.caller)
    return call.show("modules.html", section="data", modules=modules)


def show_module(call: PageCall) -> Response:
    """Shows the fields of a module."""
    return call.show("module.html", section="data", module=_module(call))


async def list_records(call: PageCall) -> Response:
    """Shows a page of a module's records, newest first, or of those that have a word."""
    module = await call.request.run(_module, call)
    word = call.query.get("word", "").strip()
    before, number = parse_id(call.query.get("before", "")), _number(call.query.get("page", ""))
    found, alert, status = RecordPage((), has_more=False), "", 200
    try:
        if word:
            found = await call.request.run_heavy(_search, call, module, word, number)
        else:
            query = PageQuery(_A_PAGE, before=before)
            records = call.services.records
            found = await call.request.run(records.page, call.caller, module.api_name, query)
    except e.RequestError as error:
        problem = details_of(error)
        alert, status = plain(problem), problem.status
    return await call.request.run(
        lambda: call.show(
            "records.html",
            status,
            section="data",
            alert=alert,
            module=module,
            word=word,
            fields=_shown_fields(module, found.records),
            records=[(record.id, _texts(record)) for record in found.records],
            next_page=_next_page(call, module, found, word, number),
            is_first=before is None and number == 1,
        )
    )


def show_record(call: PageCall) -> Response:
    """Shows a record with all of its fields."""
    module, number = _module(call), parse_id(call.path["record_id"])
    found = number and call.services.records.record(call.caller, module.api_name, number)
    if not found:
        raise NoSuchRecord
    return call.show(
        "record.html",
        section="data",
        module=module,
        record=found,
        texts=_texts(found),
        links=_links(module, found),
        has_history=call.visitor.may(Right.READ_JOBS) and module.table_kind.keeps_images,
    )


def show_history(call: PageCall) -> Response:
    """Shows which jobs and calls have written a record, and what they have changed."""
    module, record_id = _module(call), call.path["record_id"]
    alert, status = "", 200
    found = None
    try:
        names = {"module": module.api_name, "record_id": record_id}
        found = call.ask("readHistory", own_changes.HistoryOfRecord, **names)
    except (NoHistory, CannotUndo) as error:
        problem = details_of(error)
        alert, status = problem.detail, problem.status
    return call.show(
        "history.html",
        status,
        section="data",
        alert=alert,
        module=module,
        record_id=record_id,
        found=found,
        users={str(u.id): u.name for u in call.services.accounts.users(call.caller.org_id)},
    )


def _module(call: PageCall) -> Module:
    try:
        return call.services.metadata.module(call.caller, call.path["module"])
    except e.InvalidModule:
        raise NoSuchModule from None


def _search(call: PageCall, module: Module, word: str, number: int) -> RecordPage:
    query = PageQuery(_A_PAGE, skipped=(number - 1) * _A_PAGE)
    return call.services.records.search(
        call.caller, module.api_name, Wanted(word=word), query, contains=True
    )


def _next_page(call: PageCall, module: Module, found: RecordPage, word: str, number: int) -> str:
    """Returns the address of the next page; empty on the last one."""
    if not found.has_more or (word and (number + 1) * _A_PAGE > PAGED_RECORDS):
        return ""
    where: Mapping[str, object] = {"before": found.records[-1].id}
    if word:
        where = {"word": word, "page": number + 1}
    return f"{_MODULES}/{quote(module.api_name)}/records?{urlencode(where)}"


def _number(text: str) -> int:
    most = PAGED_RECORDS // _A_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return 1
    return int(text) if 0 < int(text) <= most else 1


def _shown_fields(module: Module, records: Sequence[Record]) -> list[Field]:
    """Returns the fields that say most: the name, what is mandatory, and what has values."""
    filled = {name for record in records for name, value in record.values.items() if value}
    wanted = [module.display_field, *module.mandatory_fields]
    wanted += [f for f in module.fields if f.is_key]
    wanted += [f for f in module.fields if f.api_name in filled]
    shown = dict.fromkeys(f for f in wanted if f is not None and f.api_name not in _EVERYWHERE)
    modified = module.field("Modified_Time")
    return [*list(shown)[:_SHOWN_FIELDS], *([] if modified is None else [modified])]


def _texts(record: Record) -> dict[str, str]:
    return {name: text_of(value) for name, value in record.values.items()}


def text_of(value: Value) -> str:
    """Returns a value as a page shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case list():
            return "; ".join(map(str, value))
        case Reference():
            return value.name or str(value.id)
        case UserReference():
            return value.name or str(value.id)
    return str(value)


def _links(module: Module, record: Record) -> dict[str, str]:
    """Returns the addresses of the records that lookups refer to, by field."""
    lookups: Iterable[Field] = (f for f in module.fields if f.lookup_module is not None)
    found = {}
    for field in lookups:
        value = record.values.get(field.api_name)
        if isinstance(value, Reference) and value.name is not None:
            name = quote(field.lookup_module or "")
            found[field.api_name] = f"{_MODULES}/{name}/records/{value.id}"
    return found


PAGES = (
    Page("GET", _MODULES, list_modules, Right.READ_METADATA),
    Page("GET", _MODULE, show_module, Right.READ_METADATA),
    Page("GET", _RECORDS, list_records, Right.READ_RECORDS),
    Page("GET", f"{_RECORDS}/{{record_id}}", show_record, Right.READ_RECORDS),
    Page("GET", f"{_RECORDS}/{{record_id}}/history", show_history, Right.READ_JOBS),
)
