"""`/api/v1/import-templates`: saved, listed, read, downloaded and deleted, by org."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.test_jobs import problem

from bulkwright.domain import limits
from bulkwright.domain.account import Role
from bulkwright.domain.audit import Action

TEMPLATES = "/api/v1/import-templates"
MAPPING = {
    "map": {"Last Name": "Last_Name", "Firm": "Company", "Note": ""},
    "default": {"Lead_Source": "Trade Show"},
    "format": {"Closing": "dd.MM.yyyy"},
}
TEMPLATE = {
    "module": "Leads",
    "operation": "upsert",
    "find_by": "Email",
    "mapping": MAPPING,
    "on_error": {"stop_after_percent": 2.5},
}


def headers(server: Deployment, token: str | None = None) -> dict[str, str]:
    """Those of a user of the tenant."""
    return {"Authorization": f"Bearer {token or server.tenant.token}"}


def put(server: Deployment, name: str, body: dict[str, Any], token: str | None = None) -> Any:
    """The response to a template that is saved."""
    path = f"{TEMPLATES}/{name}"
    return server.http.put(path, headers=headers(server, token), json=body)


def delete(server: Deployment, name: str, token: str | None = None) -> Any:
    """The response to a template that is deleted."""
    return server.http.delete(f"{TEMPLATES}/{name}", headers=headers(server, token))


def test_a_template_is_saved_listed_read_and_deleted(server: Deployment) -> None:
    """A second one of the name replaces the first; what is not given has its default."""
    assert put(server, "Trade show", TEMPLATE).status_code == 200
    saved = put(server, "Trade show", TEMPLATE | {"ignore_empty": True}).json()
    assert saved == server.get(f"{TEMPLATES}/Trade show").json()
    assert saved | TEMPLATE == saved and saved["ignore_empty"] is True
    assert saved["changed_by"] == str(server.tenant.user.id)
    plain = put(server, "Ümläut %", {"module": "Leads", "operation": "insert"}).json()
    assert plain["mapping"] == {"map": {}, "default": {}, "format": {}}
    assert plain["on_error"] == "continue" and plain["find_by"] is None
    listed = server.get(TEMPLATES).json()["templates"]
    assert [one["name"] for one in listed] == ["Trade show", "Ümläut %"]
    assert "mapping" not in listed[0] and listed[0]["operation"] == "upsert"
    for name in ("Trade show", "Ümläut %"):
        assert delete(server, name).json() == {"name": name}
    problem(delete(server, "Trade show"), 404, "NO_SUCH_TEMPLATE")
    assert server.get(TEMPLATES).json() == {"templates": []}
    found = server.services.audit.page_of_org(server.tenant.org.id, 5)
    acts = [(entry.action, entry.detail) for _, entry in found]
    assert acts[:2] == [
        (Action.TEMPLATE_DELETED, "Ümläut %"),
        (Action.TEMPLATE_DELETED, "Trade show"),
    ]
    assert found[0][1].user_id == server.tenant.user.id and found[0][1].actor.address
    assert (Action.TEMPLATE_SAVED, "Trade show") in acts


def test_the_mapping_is_a_file(server: Deployment) -> None:
    """It has the sections of a file for `write --mapping`, and nothing else."""
    put(server, "Fair '26", TEMPLATE)
    answer = server.get(f"{TEMPLATES}/Fair '26/mapping")
    assert answer.json() == MAPPING
    assert answer.headers["content-disposition"] == 'attachment; filename="Fair _26.json"'
    delete(server, "Fair '26")


def test_another_org_has_templates_of_its_own(server: Deployment) -> None:
    """It neither sees, replaces nor deletes those of the tenant."""
    put(server, "shared", TEMPLATE)
    other = server.other.token
    assert server.get(TEMPLATES, other).json() == {"templates": []}
    problem(server.get(f"{TEMPLATES}/shared", other), 404, "NO_SUCH_TEMPLATE")
    problem(server.get(f"{TEMPLATES}/shared/mapping", other), 404, "NO_SUCH_TEMPLATE")
    problem(delete(server, "shared", other), 404, "NO_SUCH_TEMPLATE")
    assert put(server, "shared", TEMPLATE | {"operation": "insert"}, other).status_code == 200
    assert server.get(f"{TEMPLATES}/shared").json()["operation"] == "upsert"
    assert delete(server, "shared", other).status_code == 200
    assert delete(server, "shared").status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"module": "Nothing"}, "MODULE_NOT_AVAILABLE"),
        ({"find_by": "Nothing"}, "INVALID_FIELD"),
        ({"find_by": None}, "INVALID_FIELD"),
        ({"mapping": {"map": {"A": "Nothing"}}}, "INVALID_FIELD"),
        ({"mapping": {"default": {"Nothing": "x"}}}, "INVALID_FIELD"),
        ({"mapping": {"columns": {}}}, "INVALID_BODY"),
        ({"operation": "delete"}, "INVALID_BODY"),
        ({"on_error": {}}, "INVALID_BODY"),
        ({"callback_url": "https://x.example"}, "INVALID_BODY"),
    ],
)
def test_choices_that_no_job_can_have_are_rejected(
    any_server: Deployment, change: dict[str, Any], code: str
) -> None:
    answer = put(any_server, "wrong", TEMPLATE | change)
    assert answer.status_code == 400 and answer.json()["code"] == code, answer.text
    problem(any_server.get(f"{TEMPLATES}/wrong"), 404, "NO_SUCH_TEMPLATE")


@pytest.mark.parametrize("name", ["%20x", "a%00", "%0A", "x" * 81, ".hidden"])
def test_a_name_is_plain_text(any_server: Deployment, name: str) -> None:
    problem(put(any_server, name, TEMPLATE), 400, "INVALID_DATA")


def test_scopes_and_rights(any_server: Deployment) -> None:
    """To read, to save and to delete are three rights, as for jobs."""
    read = any_server.token("bulkwright.jobs.READ")
    create = any_server.token("bulkwright.jobs.CREATE")
    problem(put(any_server, "mine", TEMPLATE, read), 403, "OAUTH_SCOPE_MISMATCH")
    assert put(any_server, "mine", TEMPLATE, create).status_code == 200
    problem(any_server.get(TEMPLATES, create), 403, "OAUTH_SCOPE_MISMATCH")
    problem(delete(any_server, "mine", create), 403, "OAUTH_SCOPE_MISMATCH")
    assert any_server.get(f"{TEMPLATES}/mine", read).status_code == 200
    user = any_server.services.setup.create_user(
        any_server.tenant.org, "A", "B", "templates@zylker.example", role=Role.STANDARD
    )
    standard = any_server.services.tokens.issue_access(
        any_server.tenant.client, "bulkwright.jobs.ALL", user_id=user.id
    )
    for answer in (
        any_server.get(TEMPLATES, standard),
        put(any_server, "mine", TEMPLATE, standard),
        delete(any_server, "mine", standard),
    ):
        assert answer.status_code == 403, answer.text
    assert delete(any_server, "mine").status_code == 200


def test_an_org_has_a_limited_number(server: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that exists can still be replaced."""
    monkeypatch.setattr("bulkwright.service.import_templates.TEMPLATES_OF_ORG", 1)
    assert limits.TEMPLATES_OF_ORG == 200
    assert put(server, "first", TEMPLATE).status_code == 200
    problem(put(server, "second", TEMPLATE), 400, "LIMIT_EXCEEDED")
    assert put(server, "first", TEMPLATE).status_code == 200
    delete(server, "first")
