"""The import templates of the org: list, download as a mapping file, delete."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.domain.account import Right
from bulkwright.v1 import import_templates
from bulkwright.wire import own_templates

TEMPLATES = f"{PREFIX}/templates"
_TEMPLATE = f"{TEMPLATES}/{{template}}"


def list_templates(call: PageCall) -> Response:
    """Shows the templates, by name."""
    found = call.ask("listImportTemplates", own_templates.TemplateList)
    return call.show(
        "templates.html",
        section="import",
        templates=found.templates,
        may_delete=call.visitor.may(Right.CREATE_JOBS),
        users={str(u.id): u.name for u in call.services.accounts.users(call.caller.org_id)},
    )


def download_mapping(call: PageCall) -> Response:
    """Returns the file for `bulkwright write --mapping`."""
    own_call = call.of_api("readImportMapping", template=call.path["template"])
    return import_templates.read_mapping(own_call)


def delete_template(call: PageCall) -> Response:
    """Deletes a template."""
    call.ask("deleteImportTemplate", own_templates.TemplateDeletion, template=call.path["template"])
    return redirect(TEMPLATES)


PAGES = (
    Page("GET", TEMPLATES, list_templates, Right.READ_JOBS),
    Page("GET", f"{_TEMPLATE}/mapping", download_mapping, Right.READ_JOBS),
    Page("POST", f"{_TEMPLATE}/delete", delete_template, Right.CREATE_JOBS),
)
