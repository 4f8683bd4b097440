"""Import templates: list, read, save and delete them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.audit import Actor
from bulkwright.domain.import_template import ImportChoices, ImportTemplate
from bulkwright.domain.job import Operation
from bulkwright.domain.scope import JOBS_CREATE, JOBS_DELETE, JOBS_READ
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, decode
from bulkwright.v1.new_jobs import error_limit
from bulkwright.v1.present import moment, on_error
from bulkwright.v1.problems import BodyTooLong, InvalidBody, NoSuchTemplate
from bulkwright.web.json import encode
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own_templates as wire

_PATH = "/api/v1/import-templates"


def list_templates(call: OwnCall) -> wire.TemplateList:
    """Returns the templates of the org."""
    found = call.api.services.import_templates.of_org(call.caller.org_id)
    return wire.TemplateList(
        templates=[
            wire.TemplateSummary(
                name=one.name,
                module=one.module,
                operation=one.operation.value,
                changed_time=moment(one.changed_time),
                changed_by=str(one.changed_by),
            )
            for one in found
        ]
    )


def read_template(call: OwnCall) -> wire.TemplateSnapshot:
    """Returns one template with its choices."""
    return _snapshot(_template(call))


def read_mapping(call: OwnCall) -> Response:
    """Returns the mapping of a template as a file."""
    found = _template(call)
    name = re.sub("[^A-Za-z0-9_ -]", "_", found.entry.name)
    headers = {"content-disposition": f'attachment; filename="{name}.json"'}
    return Response(encode(_mapping(found.choices)), 200, headers, "application/json")


def save_template(call: OwnCall) -> wire.TemplateSnapshot:
    """Adds a template, or replaces the one of its name."""
    new = decode(call, wire.NewTemplate)
    choices = ImportChoices(
        module=new.module,
        operation=Operation(new.operation),
        find_by=new.find_by,
        ignore_empty=new.ignore_empty,
        columns=new.mapping.map,
        defaults=new.mapping.default,
        formats=new.mapping.format,
        all_or_nothing=new.on_error == "all_or_nothing",
        error_limit=error_limit(new.on_error),
    )
    actor = Actor(address=call.request.address)
    saved = call.api.services.import_templates.save(call.caller, _name(call), choices, actor)
    return _snapshot(saved)


def delete_template(call: OwnCall) -> wire.TemplateDeletion:
    """Deletes a template."""
    name, actor = _name(call), Actor(address=call.request.address)
    try:
        call.api.services.import_templates.delete(call.caller, name, actor)
    except e.ResourceNotFound:
        raise NoSuchTemplate from None
    return wire.TemplateDeletion(name=name)


def _name(call: OwnCall) -> str:
    """Returns the name in the path. Other parameters of paths have no characters to decode."""
    return unquote(call.path["template"])


def _template(call: OwnCall) -> ImportTemplate:
    try:
        return call.api.services.import_templates.template(call.caller.org_id, _name(call))
    except e.ResourceNotFound:
        raise NoSuchTemplate from None


def _mapping(choices: ImportChoices) -> wire.MappingFile:
    return wire.MappingFile(
        map=dict(choices.columns), default=dict(choices.defaults), format=dict(choices.formats)
    )


def _snapshot(found: ImportTemplate) -> wire.TemplateSnapshot:
    entry, choices = found.entry, found.choices
    return wire.TemplateSnapshot(
        name=entry.name,
        module=choices.module,
        operation=choices.operation.value,
        find_by=choices.find_by,
        ignore_empty=choices.ignore_empty,
        mapping=_mapping(choices),
        on_error=on_error(choices.error_limit, all_or_nothing=choices.all_or_nothing),
        changed_time=moment(entry.changed_time),
        changed_by=str(entry.changed_by),
    )


ENDPOINTS = (
    OwnEndpoint(
        "GET", _PATH,
        name="listImportTemplates", group="import templates", summary="List import templates",
        answers={200: ResponseDoc("All of the org, by name.", (wire.TemplateList,))},
        handler=list_templates, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", f"{_PATH}/{{template}}",
        name="readImportTemplate", group="import templates", summary="Read an import template",
        answers={200: ResponseDoc("The template.", (wire.TemplateSnapshot,))},
        errors=(NoSuchTemplate,),
        handler=read_template, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", f"{_PATH}/{{template}}/mapping",
        name="readImportMapping", group="import templates",
        summary="Download the mapping of an import template",
        text="The file that `bulkwright write --mapping` takes.",
        answers={200: ResponseDoc("The mapping file.", (wire.MappingFile,))},
        errors=(NoSuchTemplate,),
        handler=read_mapping, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "PUT", f"{_PATH}/{{template}}",
        name="saveImportTemplate", group="import templates", summary="Save an import template",
        text="Adds a template, or replaces the one of this name. All users of the org share it.",
        takes=wire.NewTemplate,
        answers={200: ResponseDoc("The template.", (wire.TemplateSnapshot,))},
        errors=(
            InvalidBody, BodyTooLong, e.InvalidData, e.InvalidField, e.LimitExceeded,
            e.ModuleNotAvailable,
        ),
        handler=save_template, scopes=JOBS_CREATE, right=Right.CREATE_JOBS,
    ),
    OwnEndpoint(
        "DELETE", f"{_PATH}/{{template}}",
        name="deleteImportTemplate", group="import templates",
        summary="Delete an import template",
        answers={200: ResponseDoc("What was deleted.", (wire.TemplateDeletion,))},
        errors=(NoSuchTemplate,),
        handler=delete_template, scopes=JOBS_DELETE, right=Right.CREATE_JOBS,
    ),
)  # fmt: skip
