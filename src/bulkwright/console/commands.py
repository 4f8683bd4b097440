"""The same import as a user would type it: for curl, for the command line, for Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from bulkwright.domain.column_names import column_names
from bulkwright.web.json import encode
from bulkwright.wire import own

_LINE = " \\\n  "


def curl(request: own.NewJob, file: str, base_url: str) -> str:
    """Returns two calls of the own API."""
    body = {key: value for key, value in _plain(request).items() if key != "file_id"}
    text = json.dumps({"file_id": "FILE_ID", **body}, ensure_ascii=False, indent=2)
    api = f"{base_url}/api/v1"
    upload = ["curl", "-H", '"Authorization: Bearer $TOKEN"', "-F", quoted(f"file=@{file}")]
    create = ["curl", "-H", '"Authorization: Bearer $TOKEN"', "--json", quoted(text)]
    return (
        f"{' '.join([*upload, f'{api}/files'])}\n"
        "# The response has the id of the file.\n"
        f"{' '.join([*create, f'{api}/jobs'])}"
    )


def command_line(request: own.NewJob, file: str, base_url: str, header: Sequence[str]) -> str:
    """Returns the command `bulkwright write`; its token is in BULKWRIGHT_TOKEN.

    A column whose header is the API name of its field needs no option.
    """
    words = [
        f"bulkwright write {quoted(file)} --url {base_url}",
        f"--module {request.module} --operation {request.operation}",
    ]
    if request.find_by:
        words.append(f"--find-by {quoted(request.find_by)}")
    names = column_names([text.strip() for text in header])
    filled = {column.index for column in request.columns or () if column.index is not None}
    for column in request.columns or ():
        name = "" if column.index is None else names[column.index]
        if column.index is not None and (column.find_by or name != column.field):
            by = f":{column.find_by}" if column.find_by else ""
            words.append(f"--map {quoted(f'{name}={column.field}{by}')}")
        if column.default is not None:
            words.append(f"--default {quoted(f'{column.field}={column.default}')}")
        if column.format is not None:
            words.append(f"--format {quoted(f'{name}={column.format}')}")
    for at, name in enumerate(names):
        if at not in filled:
            words.append(f"--map {quoted(f'{name}=')}")
    if request.ignore_empty:
        words.append("--ignore-empty")
    if request.on_error == "all_or_nothing":
        words.append("--all-or-nothing")
    if request.priority != "normal":
        words.append(f"--priority {request.priority}")
    if isinstance(request.on_error, own.StopAfter):
        words.append(f"--max-errors {_limit(request.on_error)}")
    return _LINE.join(words)


def python(request: own.NewJob, file: str, base_url: str) -> str:
    """Returns a program for the Python client."""
    columns = []
    for column in request.columns or ():
        given = {
            "api_name": column.field,
            "index": column.index,
            "format": column.format,
            "find_by": column.find_by,
        }
        arguments = [f"{key}={value!r}" for key, value in given.items() if value is not None]
        if column.default is not None:
            arguments.append(f"default_value=DefaultValue(value={column.default!r})")
        columns.append(f"        NewFieldMapping({', '.join(arguments)}),")
    options = [f"module={request.module!r}", f"operation={request.operation!r}"]
    options += [f"find_by={request.find_by!r}"] if request.find_by else []
    options += ["ignore_empty=True"] if request.ignore_empty else []
    options += [f"priority={request.priority!r}"] if request.priority != "normal" else []
    if request.on_error != "continue":
        options.append(f"on_error={request.on_error!r}")
    has_defaults = any(column.default is not None for column in request.columns or ())
    lines = [
        "import os",
        "from bulkwright import Client",
        f"from bulkwright.wire.requests import {'DefaultValue, ' if has_defaults else ''}"
        "NewFieldMapping",
        *(["from bulkwright.wire.own import StopAfter"] if "StopAfter(" in options[-1] else []),
        "",
        f'with Client({base_url!r}, token=os.environ["TOKEN"]) as client:',
        f"    job = client.write({file!r}, {', '.join(options)}, mappings=[",
        *columns,
        "    ])",
        "    print(job.wait())",
    ]
    return "\n".join(lines)


def _limit(limit: own.StopAfter) -> str:
    if limit.stop_after is not None:
        return str(limit.stop_after)
    return f"{limit.stop_after_percent:g}%"


def quoted(text: str) -> str:
    """Returns a text as one word of a shell."""
    return shlex.quote(text)


def _plain(request: own.NewJob) -> dict[str, object]:
    """Returns a request without the keys that have their default values."""
    full = json.loads(encode(request))
    empty = json.loads(encode(own.NewJob(operation="insert", module="", file_id="")))
    kept = {
        key: value
        for key, value in full.items()
        if value != empty[key] or key in ("operation", "module")
    }
    kept["columns"] = [
        {key: value for key, value in column.items() if value is not None}
        for column in full["columns"] or ()
    ]
    return kept
