"""Modules, fields, layouts, users and the org (facts 9), and `modules apply`."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import pytest
from tests.support.deployment import Deployment, make_tenant

from bulkwright.domain.errors import InvalidData
from bulkwright.service.org_import import OrgImport
from bulkwright.service.zoho_answers import ZohoAnswers
from bulkwright.zoho.versions import VERSIONS

Json = dict[str, Any]


def by_name(items: list[Json]) -> dict[str, Json]:
    """Items by api_name."""
    return {item["api_name"]: item for item in items}


def fields(server: Deployment, module: str, version: str = "v8") -> dict[str, Json]:
    """The fields of a module."""
    answer = server.get(f"/crm/{version}/settings/fields", params={"module": module})
    assert answer.status_code == 200
    return by_name(answer.json()["fields"])


def test_a_new_org_has_the_18_standard_modules(server: Deployment) -> None:
    """Facts 8.5."""
    answer = server.http.get("/crm/v2/settings/modules", headers=server.auth(server.other.token))
    modules = by_name(answer.json()["modules"])
    assert len(modules) == 18
    assert modules["Deals"]["module_name"] == "Potentials"
    assert modules["Leads"]["plural_label"] == "Leads"
    assert modules["Leads"]["id"].isdigit()
    assert modules["Leads"]["generated_type"] == "default"


def test_one_module_comes_with_its_fields(server: Deployment) -> None:
    """In the same wrapper (facts 9)."""
    (module,) = server.get("/crm/v2/settings/modules/Leads").json()["modules"]
    assert module["api_name"] == "Leads"
    assert "Last_Name" in by_name(module["fields"])
    unknown = server.get("/crm/v2/settings/modules/Nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "INVALID_MODULE")


def test_fields_have_what_an_sdk_reads(server: Deployment) -> None:
    """Facts 9, 9.1: types, lengths, uniqueness, picklists, lookups."""
    leads = fields(server, "Leads", "v8")
    assert leads["Last_Name"]["system_mandatory"] is True
    assert leads["Last_Name"]["json_type"] == "string"
    assert leads["id"]["unique"] == {"casesensitive": "false"}
    assert leads["Email"]["unique"] == {}
    values = leads["Lead_Source"]["pick_list_values"]
    assert values[0]["sequence_number"] == 1
    assert "Cold Call" in [v["actual_value"] for v in values]
    assert leads["Owner"]["data_type"] == "ownerlookup"
    assert leads["Last_Name"]["lookup"] == {}


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_each_version_shows_what_its_sdks_read(server: Deployment, version: str) -> None:
    """The module of a lookup, the status of a layout, the field `id`: in every metadata response.

    Text, number and no `id` before v3; an object with the module's own id, text from then on; `id`
    from v4 on (facts 9).
    """
    modules = by_name(server.get(f"/crm/{version}/settings/modules").json()["modules"])
    target: object = "Accounts"
    if version not in ("v2", "v2.1", "v2.2"):
        target = {"api_name": "Accounts", "id": modules["Accounts"]["id"]}
    (module,) = server.get(f"/crm/{version}/settings/modules/Contacts").json()["modules"]
    query = {"module": "Contacts"}
    (layout,) = server.get(f"/crm/{version}/settings/layouts", params=query).json()["layouts"]
    assert layout["status"] == (0 if isinstance(target, str) else "active")
    for shown in (fields(server, "Contacts", version), by_name(module["fields"]),
                  by_name(layout["sections"][0]["fields"])):  # fmt: skip
        assert shown["Account_Name"]["lookup"]["module"] == target
        assert ("id" in shown) == (version in ("v4", "v5", "v6", "v7", "v8"))


def test_the_module_parameter_is_required(server: Deployment) -> None:
    """Facts 9: REQUIRED_PARAM_MISSING, INVALID_MODULE."""
    missing = server.get("/crm/v2/settings/fields")
    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    unknown = server.get("/crm/v2/settings/fields", params={"module": "leads"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "INVALID_MODULE")


def test_a_module_has_one_layout(server: Deployment) -> None:
    """A `Layout` mapping names its id."""
    answer = server.get("/crm/v2/settings/layouts", params={"module": "Leads"})
    (layout,) = answer.json()["layouts"]
    module = server.services.modules.module(server.tenant.org.id, "Leads")
    assert module is not None
    assert layout["id"] == str(module.layout_id)


def test_the_current_user(server: Deployment) -> None:
    """The 8.0 SDKs query it at start; Node appends a `&` (client contract 2)."""
    for query in ("?type=CurrentUser", "?type=CurrentUser&"):
        body = server.get(f"/crm/v8/users{query}").json()
        (user,) = body["users"]
        assert user["id"] == str(server.tenant.user.id)
        assert user["email"] == server.tenant.user.email
        assert user["full_name"] == "Patricia Boyle"
        assert user["time_zone"] == "America/Los_Angeles"
        assert body["info"]["count"] == 1


def test_the_org(server: Deployment) -> None:
    """`zgid` is a string; uploads send it as X-CRM-ORG."""
    (org,) = server.get("/crm/v8/org").json()["org"]
    assert org["zgid"] == str(server.tenant.org.id)
    assert 7 <= len(org["zgid"]) <= 9
    assert org["company_name"] == "Zylker"


# modules apply


def apply(server: Deployment, *modules: object) -> list[str]:
    """Apply a document; the api_names of the changed modules."""
    changed = server.services.schema.apply(server.tenant.org.id, {"modules": list(modules)})
    return [m.api_name for m in changed]


def test_a_custom_module_is_made_with_the_system_fields(server: Deployment) -> None:
    """Jobs can write to it at once."""
    document = {
        "api_name": "Trees",
        "singular_label": "Tree",
        "plural_label": "Trees",
        "fields": [
            {"api_name": "Height", "data_type": "double", "length": 9},
            {"api_name": "Tag_No", "data_type": "text", "unique": True},
            {"api_name": "Owner_Account", "data_type": "lookup", "lookup_module": "Accounts"},
            {"api_name": "Kind", "data_type": "picklist", "pick_list_values": ["Oak", "Elm"]},
        ],
    }
    assert apply(server, document) == ["Trees"]
    trees = fields(server, "Trees")
    system = {"id", "Owner", "Created_By", "Modified_By", "Created_Time", "Modified_Time"}
    assert system | {"Layout", "Name", "Height"} <= set(trees)
    assert trees["Tag_No"]["unique"] == {"casesensitive": "false"}
    assert trees["Name"]["system_mandatory"] is True
    mappings = [{"api_name": "Name", "index": 0}, {"api_name": "Tag_No", "index": 1}]
    body = server.insert(module="Trees", find_by="Tag_No", field_mappings=mappings)
    assert server.create(body | {"operation": "upsert"}).status_code == 201
    assert apply(server, document) == []


def test_fields_are_added_to_a_standard_module(server: Deployment) -> None:
    """The same file can be applied again."""
    document = {
        "api_name": "Leads",
        "fields": [
            {"api_name": "Shoe_Size", "data_type": "integer"},
            {"api_name": "Last_Name", "data_type": "text"},
        ],
    }
    assert apply(server, document) == ["Leads"]
    assert fields(server, "Leads")["Shoe_Size"]["custom_field"] is True
    assert apply(server, document) == []


FIELD = {"api_name": "F", "data_type": "text"}


@pytest.mark.parametrize(
    "module",
    [
        "x",
        {},
        {"api_name": 'M"; DROP TABLE jobs; --'},
        {"api_name": "M" * 51},
        {"api_name": "leads"},
        {"api_name": "M", "unknown": 1},
        {"api_name": "M", "fields": {}},
        {"api_name": "M", "singular_label": 1},
        {"api_name": "M", "fields": [FIELD, {"api_name": "f", "data_type": "text"}]},
        {"api_name": "M", "fields": [{"api_name": "ID", "data_type": "text"}]},
        {"api_name": "M", "fields": [{"api_name": "Owner", "data_type": "text"}]},
        {"api_name": "M", "fields": [{"api_name": "x__key", "data_type": "text"}]},
        {"api_name": "M", "fields": [FIELD | {"data_type": "blob"}]},
        {"api_name": "M", "fields": [FIELD | {"data_type": None}]},
        {"api_name": "M", "fields": [FIELD | {"length": 0}]},
        {"api_name": "M", "fields": [FIELD | {"length": True}]},
        {"api_name": "M", "fields": [FIELD | {"unique": "yes"}]},
        {"api_name": "M", "fields": [FIELD | {"unique": True, "data_type": "boolean"}]},
        {"api_name": "M", "fields": [FIELD | {"lookup_module": "Leads"}]},
        {"api_name": "M", "fields": [FIELD | {"data_type": "lookup"}]},
        {"api_name": "M", "fields": [FIELD | {"data_type": "lookup", "lookup_module": "X"}]},
        {"api_name": "M", "fields": [FIELD | {"pick_list_values": [1]}]},
        {"api_name": "Leads", "fields": [{"api_name": "Last_Name", "data_type": "integer"}]},
        {"api_name": "Leads", "fields": [{"api_name": "last_name", "data_type": "text"}]},
    ],
)
def test_a_wrong_document_changes_nothing(server: Deployment, module: object) -> None:
    """Names become identifiers in SQL, so every invalid name is rejected."""
    before = server.services.modules.modules(server.tenant.org.id)
    with pytest.raises(InvalidData) as caught:
        apply(server, {"api_name": "Good_One", "fields": [FIELD]}, module)
    assert str(caught.value.details["json_path"]).startswith("$.modules[1]")
    assert server.services.modules.modules(server.tenant.org.id) == before


def zoho_field(name: str, data_type: str, **more: object) -> dict[str, object]:
    """A field as Zoho describes it."""
    return {"api_name": name, "field_label": name, "data_type": data_type, "length": 100, **more}


def test_modules_of_zoho_are_imported(server: Deployment) -> None:
    """An empty module is replaced with its table; one with records keeps its columns."""
    given = [
        zoho_field("Last_Name", "text", system_mandatory=True),
        zoho_field("Code", "text", unique={"casesensitive": "false"}),
        zoho_field("Kind", "picklist", pick_list_values=[{"actual_value": "Oak"}]),
    ]
    answers = ZohoAnswers()
    answers.add({"fields": given}, "Leads")
    answers.add({"layouts": [{"sections": [{"fields": [{"api_name": "Kind", "required": True}]}]}]},
                "Leads")  # fmt: skip
    importer = make_tenant(server.services, f"Importer{uuid.uuid4().hex}")
    org_id, auth = importer.org.id, server.auth(importer.token)

    def imported() -> str:
        (outcome,) = OrgImport(server.services.modules, org_id).run(answers)
        return outcome.outcome

    assert imported() == "replaced"
    leads = server.services.modules.module(org_id, "Leads")
    assert leads is not None and leads.field("Kind").layout_mandatory  # type: ignore[union-attr]
    assert imported() == "unchanged"
    record = {"Last_Name": "A", "Code": "x", "Kind": "Elm"}
    url = "/crm/v8/Leads"
    made = server.http.post(url, headers=auth, json={"data": [record, record]})
    assert [one["code"] for one in made.json()["data"]] == ["SUCCESS", "DUPLICATE_DATA"]
    answers.add({"fields": [*given[:2], zoho_field("Height", "double", decimal_place=2)]}, "Leads")
    assert imported() == "changed"
    (stored,) = server.get(f"{url}?fields=Kind,Height", importer.token).json()["data"]
    assert (stored["Kind"], stored["Height"]) == ("Elm", None)
    assert server.http.put(
        f"{url}/{stored['id']}", headers=auth, json={"data": [{"Height": 2.5}]}
    ).is_success


def test_the_api_process_stays_light() -> None:
    """It imports neither Polars nor a web framework."""
    program = (
        "import sys, bulkwright.asgi, bulkwright.wiring, bulkwright.store.sqlite.connection\n"
        "heavy = {'polars', 'pyarrow', 'numpy', 'starlette', 'adbc_driver_sqlite'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_one_user_and_one_field(server: Deployment) -> None:
    """By id; an unknown one is no content; a field needs its module."""
    user = server.tenant.user
    answer = server.get(f"/crm/v8/users/{user.id}")
    assert answer.json()["users"][0]["email"] == user.email
    assert server.get(f"/crm/v8/users/{server.other.user.id}").status_code == 204
    fields = server.get("/crm/v8/settings/fields?module=Leads").json()["fields"]
    wanted = fields[3]
    path = f"/crm/v8/settings/fields/{wanted['id']}"
    assert server.get(f"{path}?module=Leads").json() == {"fields": [wanted]}
    assert server.get("/crm/v8/settings/fields/1?module=Leads").status_code == 204
    missing = server.get(path)
    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
