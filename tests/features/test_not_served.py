"""What Zoho documents and this server does not do: HTTP 501, and never a false answer."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from tests.features.filled import filled
from tests.support.deployment import Deployment

from bulkwright.web.route import Route
from bulkwright.zoho.documented import HEADERS, OPERATIONS, PARAMETERS
from bulkwright.zoho.not_served import gap_routes, gaps_of
from bulkwright.zoho.routes import ROUTES

GAPS = gap_routes(ROUTES)
LOG = "bulkwright.api.not_served"
ASKED = [(route, name) for route in ROUTES for name in gaps_of(route)]


@pytest.fixture(scope="module")
def server(any_server: Deployment) -> Deployment:
    """SQLite alone: nothing of this reaches the SQL of a dialect."""
    return any_server


def counted(server: Deployment, operation: str, parameter: str = "") -> float:
    """How often the metrics say that this was asked for."""
    page = server.http.get("/metrics").text
    sample = f'operation="{operation}",parameter="{parameter}"'
    found = re.search(rf"bulkwright_not_implemented_total{{{re.escape(sample)}}} (\S+)", page)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("version", ["v2", "v8"])
def test_an_operation_that_is_not_served_is_a_501(server: Deployment, version: str) -> None:
    """Every one of the table; the message and the details name it."""
    assert len(GAPS) > 400
    for route in GAPS:
        path = filled(route.path, version=version, module="Accounts")
        answer = server.http.request(route.method, path, headers=server.auth())
        operation = f"{route.method} {route.path}"
        assert (answer.status_code, answer.json()) == (
            501,
            {
                "code": "NOT_IMPLEMENTED",
                "details": {"operation": operation},
                "message": f"{operation} is documented by Zoho, "
                "but this server does not implement it.",
                "status": "error",
            },
        ), path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/crm/v8/Services__s"),
        ("GET", "/crm/v2/settings/tags?module=Leads"),
        ("GET", "/crm/v2/files?id=1"),
        ("POST", "/crm/v2/__composite_requests"),
        ("POST", "/crm/bulk/v2/backup"),
        ("GET", "/crm/bulk/v2.1/backup/urls"),
        ("POST", "/crm/v2/Leads/actions/mass_update"),
        ("GET", "/crm/v2/Leads/1/Notes"),
    ],
)
def test_what_clients_call_beside_bulk_write_is_a_501(
    server: Deployment, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    """Also where another route would match; one warning, and one more in the metrics."""
    with caplog.at_level(logging.WARNING, LOG):
        answer = server.http.request(method, path, headers=server.auth())
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    operation = answer.json()["details"]["operation"]
    logged = [record.getMessage() for record in caplog.records if record.name == LOG]
    assert logged == [f"not implemented: {operation}"]
    before = counted(server, operation)
    server.http.request(method, path, headers=server.auth())
    assert counted(server, operation) == before + 1


def test_the_token_and_the_module_are_checked_first(server: Deployment) -> None:
    """As Zoho does; the scope of what is not served does not matter."""
    path = "/crm/v2/Leads/actions/mass_update"
    assert server.http.get(path).json()["code"] == "AUTHENTICATION_FAILURE"
    assert server.get(path, "1000.x").json()["code"] == "INVALID_TOKEN"
    assert server.get(path, server.token("ZohoCRM.org.READ")).status_code == 501
    unknown = server.get("/crm/v2/Lead/actions/mass_update")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "INVALID_MODULE")


def test_what_zoho_has_not_is_the_callers_mistake(server: Deployment) -> None:
    """A path of no documented operation, or a method that a documented path lacks."""
    for method, path, code in (
        ("GET", "/crm/v2/Leads/search/x/y/z", "INVALID_URL_PATTERN"),
        ("GET", "/crm/v2/coql", "INVALID_REQUEST_METHOD"),
        ("POST", "/crm/v2/Leads/search", "INVALID_REQUEST_METHOD"),
        ("PATCH", "/crm/v2/Leads", "INVALID_REQUEST_METHOD"),
        ("DELETE", "/crm/bulk/v2/write/1", "INVALID_REQUEST_METHOD"),
        ("GET", "/crm/bulk/v2/reed", "INVALID_URL_PATTERN"),
    ):
        answer = server.http.request(method, path, headers=server.auth())
        assert answer.json()["code"] == code, path


@pytest.mark.slow
@pytest.mark.parametrize(("route", "name"), ASKED, ids=[f"{r.path} {n}" for r, n in ASKED])
def test_a_parameter_that_is_not_honoured_is_a_501(
    server: Deployment, route: Route[Any, Any], name: str
) -> None:
    """Every documented parameter and header that the route does not declare."""
    key = (route.method, route.path)
    header = name in HEADERS.get(key, ())
    query = {"fields": "Last_Name", "module": "Leads"} | ({} if header else {name: "1"})
    headers = server.auth() | ({name: "x"} if header else {})
    before = counted(server, " ".join(key), name)
    answer = server.http.request(
        route.method,
        filled(route.path, version="v8", module="Accounts"),
        params=query,
        headers=headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert answer.json()["details"] == {"operation": " ".join(key), "param_name": name}
    assert f"The parameter {name} of {' '.join(key)}" in answer.json()["message"]
    assert counted(server, " ".join(key), name) == before + 1


def test_the_parameters_that_were_ignored_are_among_them() -> None:
    """A sorted list that is not sorted, a filter that filters nothing."""
    listed = {name for route, name in ASKED if route.path == "/crm/{version}/{module}"}
    assert {"cvid", "territory_id", "include_child", "X-EXTERNAL"} <= listed
    assert not {"fields", "page", "per_page", "ids", "sort_by", "page_token"} & listed
    single = {name for route, name in ASKED if route.path.endswith("/{record_id}")}
    assert {"cvid", "X-EXTERNAL"} <= single


def test_every_table_names_operations_of_the_first() -> None:
    """Parameters and headers belong to documented operations that are served."""
    served = {(route.method, route.path) for route in ROUTES}
    for method, path in (*PARAMETERS, *HEADERS):
        assert method in OPERATIONS[path]
        assert (method, path) in served


def test_a_type_of_users_that_is_not_honoured_is_an_error(server: Deployment) -> None:
    """It must not return all users: 501 for a documented one, 400 for any other text."""
    for kind, status in (("DeletedUsers", 501), ("adminusers", 501), ("x", 400)):
        answer = server.get("/crm/v2/users", params={"type": kind})
        assert answer.status_code == status
        assert answer.json()["details"]["param_name"] == "type"
    for kind in ("AllUsers", "CurrentUser", ""):
        assert server.get("/crm/v2/users", params={"type": kind}).status_code == 200


def test_users_have_pages(server: Deployment) -> None:
    """`page` and `per_page` are honoured; a page after the last is no content."""
    whole = server.get("/crm/v2/users").json()
    number = whole["info"]["count"]
    ids = []
    for page in range(1, number + 1):
        one = server.get("/crm/v2/users", params={"page": page, "per_page": 1}).json()
        assert one["info"] == {
            "per_page": 1, "count": 1, "page": page, "more_records": page < number,
        }  # fmt: skip
        ids.append(one["users"][0]["id"])
    assert ids == [user["id"] for user in whole["users"]]
    beyond = server.get("/crm/v2/users", params={"page": number + 1, "per_page": 1})
    assert (beyond.status_code, beyond.content) == (204, b"")


@pytest.mark.parametrize("version", ["v3", "v8"])
def test_a_list_needs_fields_from_v3_on(server: Deployment, version: str) -> None:
    """Also an empty list of names; fifty at most. v2 to v2.2 return whole records."""
    path = f"/crm/{version}/Accounts"
    for query in ("", "?fields=", "?fields=,"):
        answer = server.get(path + query)
        assert (answer.status_code, answer.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
        assert answer.json()["details"] == {"param_name": "fields"}
    many = server.get(path, params={"fields": ",".join(f"F{n}" for n in range(51))})
    assert (many.status_code, many.json()["code"]) == (400, "LIMIT_EXCEEDED")
    assert server.get(path, params={"fields": "Account_Name"}).status_code in (200, 204)
    assert server.get(f"{path}/1").status_code == 204
    for older in ("v2", "v2.1", "v2.2"):
        assert server.get(f"/crm/{older}/Accounts").status_code in (200, 204)
