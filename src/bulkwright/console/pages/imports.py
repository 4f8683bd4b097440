"""A new import: upload a file, match its columns, look at the first rows, run it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from bulkwright.console import PREFIX, commands
from bulkwright.console.import_form import ImportForm, TakenTemplate, key_names, moved_columns
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.console.preview import Preview
from bulkwright.console.render import plain
from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Operation
from bulkwright.domain.module import Module
from bulkwright.domain.reading import Reading
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Incoming
from bulkwright.service.first_rows import FirstRows, first_rows
from bulkwright.service.reading import decide
from bulkwright.service.suggestions import can_be_filled
from bulkwright.v1.new_files import receive_upload
from bulkwright.v1.problems import InvalidBody, NoSuchJob, details_of
from bulkwright.web.errors import HttpError
from bulkwright.web.json import encode
from bulkwright.wire import own, own_templates

IMPORT = f"{PREFIX}/import"
_FILE = f"{IMPORT}/{{file_id}}"
_ROWS = 10
"""Rows of the preview."""
_DELIMITERS = ",;\t|:"
_NO_LIMIT = (
    "Skipped rows are a whole number or a percentage, such as 100 or 2%. All or nothing allows "
    "none: leave the number out."
)
_EARLIER = 8
"""Earlier jobs whose choices are offered."""


class NoSuchFile(e.ResourceNotFound):
    """The org has no file with this id."""

    code = "NO_SUCH_FILE"
    default_message = "The org has no file with this id, or it has expired. Upload it again."


def show_upload(call: PageCall) -> Response:
    """Shows the form in which a file is chosen."""
    return _upload_page(call, call.query)


async def upload(call: PageCall) -> Response:
    """Receives a file, and leads to its columns."""
    fields: dict[str, str] = {}
    uploads, own_call = call.services.uploads, call.of_api("uploadOwnFile")

    def take(name: str, incoming: Incoming) -> Upload:
        call.visitor.check_form(fields, call.request)
        sheet = fields.get("sheet", "").strip() or None
        return uploads.receive_any(own_call.caller, name, incoming, sheet=sheet)

    try:
        received = await receive_upload(own_call, take, fields=fields)
    except (e.RequestError, HttpError) as error:
        problem = details_of(error)
        return await call.request.run(
            _upload_page, call, fields, problem.status, alert=plain(problem)
        )
    if fields.get("template"):
        return redirect(f"{IMPORT}/{received.id}?template={quote(fields['template'], safe='')}")
    module, operation = fields.get("module", ""), fields.get("operation", "")
    chosen = f"module={_word(module)}&operation={_word(operation) or 'insert'}"
    return redirect(f"{IMPORT}/{received.id}?{chosen}")


def show_columns(call: PageCall) -> Response:
    """Shows the columns of a file, with a field suggested for each.

    The choices may also be those of a template or of another job.
    """
    before, template = call.query.get("from"), call.query.get("template")
    if template is not None:
        taken = _of_template(call, template)
        return _columns_page(call, taken.form, taken=taken)
    form = _sent(call.query) if before is None else _of_job(call, before)
    return _columns_page(call, form)


def choose(call: PageCall) -> Response:
    """Does what the pressed button says.

    It shows the choices again, saves them as a template, tries them, or starts the job.
    """
    form, step = _sent(call.form), call.form.get("step", "")
    if form.module != call.form.get("matched_module", form.module):
        # Fields of another module: the header names them anew.
        form = replace(form, columns={}, defaults={}, find_by="")
    if step == "save":
        return _save(call, form)
    if step not in ("dry-run", "start"):
        return _columns_page(call, form)
    try:
        request = form.request(call.path["file_id"], dry_run=step == "dry-run")
    except ValueError:
        return _columns_page(
            call,
            form,
            400,
            alert=_NO_LIMIT,
        )
    try:
        key = None if request.dry_run else _key(call, request)
        job = call.ask("createOwnJob", own.JobSnapshot, body=request, key=key)
    except (e.RequestError, InvalidBody) as error:
        problem = details_of(error)
        return _columns_page(call, form, problem.status, alert=plain(problem))
    return redirect(f"{PREFIX}/jobs/{job.id}")


def _save(call: PageCall, form: ImportForm) -> Response:
    """Saves the choices as a template, and shows them again."""
    name = call.form.get("template", "").strip()
    csv, _ = _read(call, form, _module(form, _modules(call)))
    try:
        template = form.template(csv.header, by_place="by_place" in call.form)
    except ValueError:
        return _columns_page(call, form, 400, alert=_NO_LIMIT)
    try:
        if not name:
            raise InvalidBody("Give the template a name.")
        call.ask(
            "saveImportTemplate",
            own_templates.TemplateSnapshot,
            body=template,
            template=quote(name, safe=""),
        )
    except e.RequestError as error:
        problem = details_of(error)
        return _columns_page(call, form, problem.status, alert=plain(problem))
    return _columns_page(call, form, note=f"The choices are saved as {name}.")


def _key(call: PageCall, request: own.NewJob) -> str:
    """Returns the idempotency key of a request: a form that is sent twice makes one job."""
    return hashlib.sha256(call.form.get("once", "").encode() + encode(request)).hexdigest()


def _upload_page(
    call: PageCall, chosen: Mapping[str, str], status: int = 200, alert: str = ""
) -> Response:
    limits = call.services.uploads.limits
    return call.show(
        "upload.html",
        status,
        section="import",
        alert=alert,
        modules=_modules(call),
        module=chosen.get("module", ""),
        operation=chosen.get("operation", "insert"),
        operations=[o.value for o in Operation],
        templates=call.ask("listImportTemplates", own_templates.TemplateList).templates,
        chosen_template=chosen.get("template", ""),
        most=limits.upload_bytes,
        most_rows=limits.rows,
        reads_xlsx=find_spec("python_calamine") is not None,
    )


def _columns_page(  # wide: the choices, and what there is to say of them
    call: PageCall,
    form: ImportForm,
    status: int = 200,
    *,
    alert: str = "",
    note: str = "",
    taken: TakenTemplate | None = None,
) -> Response:
    upload = _upload(call)
    modules = _modules(call)
    module = _module(form, modules)
    form = replace(form, module=module.api_name)
    try:
        csv, reading = _read(call, form, module)
    except e.FileNotSupported as error:
        return _upload_page(call, call.query, 400, plain(details_of(error)))
    form = form.completed(module, csv.header)
    first = _first_rows(call, upload, csv)
    users = call.services.accounts.users(call.caller.org_id)
    preview = Preview.of(form, module, csv.header, first.rows, users, call.zone)
    request = None if alert else _request(replace(form, columns=preview.columns))
    return call.show(
        "columns.html",
        status,
        once=secrets.token_hex(16),
        section="import",
        alert=alert,
        note=note,
        taken=taken,
        by_place="by_place" in call.form if taken is None else taken.by_place,
        template_name=call.form.get("template", "") if taken is None else taken.name,
        templates=call.ask("listImportTemplates", own_templates.TemplateList).templates,
        upload=upload,
        csv=csv,
        rows=first.total,
        reading=reading,
        form=form,
        module=module,
        modules=modules,
        operations=[o.value for o in Operation],
        keys=key_names(module),
        fields=[f for f in module.fields if can_be_filled(f) or f.api_name == "id"],
        missing=_missing(call, form, module),
        preview=preview,
        earlier=_earlier(call, module),
        commands=None if request is None else _commands(call, request, upload, csv),
    )


def _module(form: ImportForm, modules: list[Module]) -> Module:
    return next((m for m in modules if m.api_name == form.module), None) or modules[0]


def _read(call: PageCall, form: ImportForm, module: Module) -> tuple[CsvFacts, Reading]:
    """Returns the CSV of a form, and how it is read. Raises FileNotSupported."""
    upload = _upload(call)
    csvs = upload.csvs
    csv = next((one for one in csvs if one.name == form.file_name), None) or (csvs or (None,))[0]
    if csv is None:
        raise e.FileNotSupported(upload.problem)
    return decide(csv, module, (), _DELIMITERS)


def _of_template(call: PageCall, name: str) -> TakenTemplate:
    """Returns the choices of a template for the file."""
    found = call.ask(
        "readImportTemplate", own_templates.TemplateSnapshot, template=quote(name, safe="")
    )
    modules = {m.api_name: m for m in _modules(call)}
    if found.module not in modules:
        raise e.ModuleNotAvailable(f"The org has no module {found.module} any more")
    module = modules[found.module]
    csv, _ = _read(call, ImportForm(found.module, Operation(found.operation)), module)
    return ImportForm.of_template(found, module, csv.header)


def _request(form: ImportForm) -> own.NewJob | None:
    """Returns the request of a form for the commands; None while its limit is no number."""
    try:
        return form.request("FILE_ID")
    except ValueError:
        return None


def _of_job(call: PageCall, job_id: str) -> ImportForm:
    """Returns the choices of a job: for its file, or for another one that has its headers."""
    job = call.ask("readJob", own.JobSnapshot, job_id=job_id)
    if len(job.resources) != 1:
        raise NoSuchJob
    (resource,) = job.resources
    if resource.file_id == call.path["file_id"]:
        return ImportForm.of_job(job)
    module = call.services.metadata.module(call.caller, resource.module)
    before = call.services.upload_store.upload(call.caller.org_id, int(resource.file_id))
    now = _upload(call)
    if not now.csvs:
        raise e.FileNotSupported(now.problem)
    csvs = [c for c in before.csvs if c.name == resource.file_name] if before is not None else []
    if not csvs:
        raise NoSuchFile("The file of this job has expired, so its headers are not known any more.")
    headers = [decide(csv, module, (), _DELIMITERS)[0].header for csv in (csvs[0], now.csvs[0])]
    return ImportForm.of_job(job, moved_columns(*headers))


def _earlier(call: PageCall, module: Module) -> list[own.JobSnapshot]:
    """Returns the newest jobs of a module whose choices can be taken over for a file."""
    query = {"module": module.api_name, "limit": str(_EARLIER)}
    jobs = call.ask("listJobs", own.JobPage, query=query).jobs
    return [job for job in jobs if len(job.resources) == 1]


def _first_rows(call: PageCall, upload: Upload, csv: CsvFacts) -> FirstRows:
    try:
        return first_rows(call.services.files, upload, csv, _ROWS)
    except FileNotFoundError:
        raise NoSuchFile from None


def _missing(call: PageCall, form: ImportForm, module: Module) -> list[Any]:
    """Returns the fields that every new record needs and that no column fills."""
    if not form.operation.creates:
        return []
    filled = {one.field for one in form.columns.values()}
    needed = list(module.mandatory_fields)
    if call.services.jobs.layout_mandatory:
        needed += [f for f in module.fields if f.layout_mandatory and f not in needed]
    return [f for f in needed if f.api_name not in filled]


def _commands(
    call: PageCall, request: own.NewJob, upload: Upload, csv: CsvFacts
) -> list[tuple[str, str]]:
    file, url = upload.name or csv.name, call.console.base_url
    return [
        ("curl", commands.curl(request, file, url)),
        ("Command line", commands.command_line(request, file, url, csv.header)),
        ("Python", commands.python(request, file, url)),
    ]


def _upload(call: PageCall) -> Upload:
    number = parse_id(call.path["file_id"])
    found = number and call.services.upload_store.upload(call.caller.org_id, number)
    if not found:
        raise NoSuchFile
    return found


def _modules(call: PageCall) -> list[Module]:
    return [m for m in call.services.metadata.all_modules(call.caller) if m.bulk_write]


def _sent(fields: Mapping[str, str]) -> ImportForm:
    try:
        return ImportForm.of(fields)
    except ValueError:
        raise InvalidBody("The form is not one of this page.") from None


def _word(text: str) -> str:
    """Returns a name that needs no escape in an address, or nothing."""
    return text if text.isascii() and text.replace("_", "").isalnum() else ""


PAGES = (
    Page("GET", IMPORT, show_upload, Right.CREATE_JOBS),
    Page("POST", IMPORT, upload, Right.CREATE_JOBS, takes_file=True),
    Page("GET", _FILE, show_columns, Right.CREATE_JOBS),
    Page("POST", _FILE, choose, Right.CREATE_JOBS),
)
