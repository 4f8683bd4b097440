"""`modules import-zoho`: the modules of an org of Zoho, from files or from its API."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx2
from cyclopts import Parameter

from bulkwright.cli.documents import read_document
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, chosen_org, open_existing
from bulkwright.cli.output import lines_on_stderr, print_json, print_line
from bulkwright.cli.schema import audit_modules
from bulkwright.domain.errors import InvalidData
from bulkwright.service.org_import import ModuleImport, OrgImport
from bulkwright.service.zoho_answers import ZohoAnswers

_WORDS = re.compile(r"(?:^|[-. ])(?:fields|layouts)(?=$|[-. ])")
_SECONDS = 30.0
_OK, _NO_CONTENT = 200, 204
_UNREADABLE = ("INVALID_MODULE", "NOT_SUPPORTED", "API_NOT_SUPPORTED", "NO_PERMISSION")
"""Codes by which Zoho says that a module has no such description."""
_ADVICE = {
    "INVALID_TOKEN": "; give a --token of this data centre that has not expired",
    "OAUTH_SCOPE_MISMATCH": "; the token needs the scopes ZohoCRM.settings.modules.READ, "
    "ZohoCRM.settings.fields.READ and ZohoCRM.settings.layouts.READ",
}


class _Answer(NamedTuple):
    """One answer of Zoho."""

    name: str
    """What messages call it; as a file, with the ending `.json`."""
    module: str | None
    """The module that it is about; None for the list of modules."""
    document: object


def import_zoho(
    *files: Annotated[
        str,
        Parameter(
            help="What Zoho answers: settings/modules, settings/fields and settings/layouts. Name "
            "a list of fields or layouts after its module (fields-Leads.json), or give "
            "MODULE=FILE. Or a HAR with such calls."
        ),
    ],
    from_org: Annotated[
        str | None,
        Parameter(help="Query an org: the URL of its API, such as https://www.zohoapis.eu."),
    ] = None,
    token: Annotated[str | None, Parameter(help="Access token for --from-org.")] = None,
    only: Annotated[
        list[str] | None,
        Parameter(
            negative_iterable=(), help="API name of a module; repeat it for several. Default: all."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        Parameter(help="A folder for the answers of --from-org, to import them again as files."),
    ] = None,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Make the modules what they are in an org of Zoho: fields, picklists, lookups, mandatory.

    A module without records gets exactly the fields of Zoho; one with records keeps them. Prints,
    by name, what could not be taken.
    """
    if bool(files) == (from_org is not None):
        fail("give either files or --from-org.")
    if from_org is not None and token is None:
        fail("--from-org needs --token (or BULKWRIGHT_TOKEN).")
    found = _read(files) if from_org is None else _fetched(from_org, token or "", only or (), save)
    with lines_on_stderr() if json else nullcontext():
        answers = _added(found)
        with open_existing(location) as services:
            org = chosen_org(services, location)
            outcomes = OrgImport(services.modules, org.id).run(answers, only)
            unlike = ("unchanged", "left out")
            audit_modules(
                services, org.id, (one.api_name for one in outcomes if one.outcome not in unlike)
            )
        without = [name for name in answers.undescribed() if not only or name in only]
        _print_outcomes(outcomes, without)
    if json:
        print_json({"modules": list(map(asdict, outcomes)), "undescribed": without})


def _print_outcomes(outcomes: Iterable[ModuleImport], without: Sequence[str]) -> None:
    for one in outcomes:
        print_line(f"{one.api_name}: {one.outcome}" + f", {one.fields} fields" * bool(one.fields))
        for reason in one.omitted:
            print_line(f"  not taken: {reason}")
    if without:
        print_line(f"not taken, because their fields are not known: {', '.join(without)}")


def _added(found: Iterable[_Answer]) -> ZohoAnswers:
    answers = ZohoAnswers()
    for answer in found:
        try:
            answers.add(answer.document, answer.module)
        except InvalidData as error:
            fail(f"{answer.name}: {error.message} (at {error.details.get('json_path', '$')})")
    return answers


def _read(files: Iterable[str]) -> Iterator[_Answer]:
    for given in files:
        module, _, name = given.rpartition("=")
        path = Path(name)
        if not module and path.stem != "modules":
            module = _WORDS.sub("", path.stem).strip("-. ")
        document = read_document(path, name)
        if isinstance(document, dict) and "log" in document:
            yield from _recorded(name, document)
        else:
            yield _Answer(name, module or None, document)


def _recorded(name: str, document: object) -> Iterator[_Answer]:
    """Yields what a HAR holds about modules."""
    from bulkwright.intercept.exchange import NoHar, from_har

    try:
        calls = from_har(document)
    except NoHar as error:
        fail(f"{name} is no HAR file ({error}).")
    for call in calls:
        kind = call.path.rpartition("/settings/")[2]
        if call.status == _OK and kind in ("modules", "fields", "layouts"):
            module = dict(parse_qsl(urlsplit(call.url).query)).get("module")
            yield _Answer(name, module, json_module.loads(call.answer or b"{}"))


def _fetched(url: str, token: str, only: Iterable[str], save: Path | None) -> Iterator[_Answer]:
    """Yields what an org answers: its modules, then the fields and the layouts of each."""
    for answer in _queried(url, token, only):
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
            (save / answer.name).write_text(
                json_module.dumps(answer.document, indent=2) + "\n", "utf-8"
            )
        yield answer


def _queried(url: str, token: str, only: Iterable[str]) -> Iterator[_Answer]:
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    try:
        with httpx2.Client(
            base_url=f"{url.rstrip('/')}/crm/v8/settings", headers=headers, timeout=_SECONDS
        ) as http:
            modules = _get(http, "modules")
            if modules is None:
                fail(f"{url} has no modules for this token.")
            yield _Answer("modules.json", None, modules)
            for name in only or _with_api(modules):
                for kind in ("fields", "layouts"):
                    found = _get(http, kind, name)
                    if found is not None:
                        yield _Answer(f"{kind}-{name}.json", name, found)
    except httpx2.HTTPError as error:
        fail(f"{url} does not answer: {error}")


def _with_api(modules: object) -> list[str]:
    listed = modules.get("modules") if isinstance(modules, dict) else None
    return [
        raw["api_name"]
        for raw in (listed if isinstance(listed, list) else ())
        if isinstance(raw, dict) and raw.get("api_supported", True) and "api_name" in raw
    ]


def _get(http: httpx2.Client, kind: str, module: str | None = None) -> object:
    """Returns one answer; None where Zoho has none for this module."""
    response = http.get(f"/{kind}", params={"module": module} if module else {})
    if response.status_code == _NO_CONTENT:
        return None
    try:
        body: object = response.json()
    except ValueError:
        fail(f"{http.base_url} does not answer as Zoho does; check --from-org.")
    code = body.get("code") if isinstance(body, dict) else None
    if module and code in _UNREADABLE:
        print_line(f"{module}: its {kind} cannot be read ({code})")
        return None
    if not response.is_success:
        fail(f"settings/{kind}: {code or response.status_code}{_ADVICE.get(str(code), '')}.")
    return body
