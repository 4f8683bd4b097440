"""Calls: records one by one, searches, queries and bulk reads with input that was made to harm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.hostile.case import Answered, Case

from bulkwright.domain.limits import CRITERIA_LEVELS

if TYPE_CHECKING:
    from tests.hostile.target import Target

RECORDS, QUERIES, READS = "/crm/v8/Leads", "/crm/v8/coql", "/crm/bulk/v8/read"
NOTHING = Answered(204, "")
INVALID = Answered(400, "INVALID_DATA")
NO_JSON = Answered(400, "INVALID_DATA", "$")
TOO_MANY = Answered(400, "LIMIT_EXCEEDED")
NO_QUERY = Answered(400, "INVALID_QUERY")
TOO_DEEP = Answered(
    400, "INVALID_CRITERIA", f"$.query.criteria{'.group[0]' * (CRITERIA_LEVELS + 1)}"
)
DEEP = 50_000
SQL = "x'; DROP TABLE records; --"


@dataclass(frozen=True)
class Call:
    """A request with a body; `<words>` of the target in both are filled in."""

    method: str
    path: str
    body: bytes = b""

    def __call__(self, target: Target) -> Answered:
        """Send it; the outcome of a call with one record is the one of that record."""
        answer = target.http.request(
            self.method,
            target.filled(self.path.encode()).decode(),
            headers=target.auth(),
            content=target.filled(self.body),
        )
        data = answer.json().get("data", []) if answer.content else []
        if len(data) == 1 and "code" in data[0] and answer.status_code >= 400:
            one = json.dumps(data[0]).encode()
            return target.judge(answer.status_code, answer.headers, one)
        return target.judge(answer.status_code, answer.headers, answer.content)


def call(name: str, wrong: str, method: str, path: str, body: object, outcome: Answered) -> Case:
    """A case of this group."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Case("calls", name, wrong, Call(method, path, content), outcome)


def records(name: str, wrong: str, data: object, outcome: Answered, method: str = "POST") -> Case:
    """Records that are written."""
    body = data if isinstance(data, bytes) else {"data": data}
    return call(f"records_{name}", wrong, method, RECORDS, body, outcome)


def search(name: str, wrong: str, criteria: str, outcome: Answered) -> Case:
    """Criteria of a search."""
    path = f"{RECORDS}/search?criteria={quote(criteria)}"
    return call(f"search_{name}", wrong, "GET", path, b"", outcome)


def query(name: str, wrong: str, text: str, outcome: Answered) -> Case:
    """A COQL query."""
    return call(f"query_{name}", wrong, "POST", QUERIES, {"select_query": text}, outcome)


def read(name: str, wrong: str, outcome: Answered, **wanted: Any) -> Case:
    """A bulk read."""
    body = {"query": {"module": "Leads", **wanted}}
    return call(f"read_{name}", wrong, "POST", READS, body, outcome)


def nested(levels: int) -> dict[str, Any]:
    """Criteria of a bulk read with groups in groups."""
    one = {"api_name": "City", "comparator": "equal", "value": "x"}
    found: dict[str, Any] = one
    for _ in range(levels):
        found = {"group": [found, one], "group_operator": "and"}
    return found


CASES = [
    records("deep", "Lists in lists.", b'{"data":' + b"[" * DEEP + b"]" * DEEP + b"}", NO_JSON),
    records("too_many", "There are 101 records.", [{"Last_Name": "x"}] * 101, TOO_MANY),
    records("numbers", "A record is a number.", [1],
            Answered(400, "INVALID_DATA", "$.data[0]")),
    records("object", "The records are an object.", {"Last_Name": "x"}, INVALID),
    records("long_text", "A text is longer than its field.", [{"Last_Name": "x" * 10_000}],
            Answered(400, "INVALID_DATA", "$.data[0].Last_Name")),
    records("wrong_types", "An object stands for a number.",
            [{"Last_Name": "x", "No_of_Employees": {"id": {"id": "1"}}}],
            Answered(400, "INVALID_DATA", "$.data[0].No_of_Employees")),
    records("huge_number", "A number has 4,000 digits.",
            b'{"data":[{"Last_Name":"x","No_of_Employees":' + b"9" * 4_000 + b"}]}", NO_JSON),
    records("no_id", "An update of no record.", [{"City": SQL}],
            Answered(400, "MANDATORY_NOT_FOUND", "$.data[0].id"), "PUT"),
    records("their_id", "An update of an id that no record has.",
            [{"id": "<their job>", "City": "x"}], INVALID, "PUT"),
    call("delete_too_many", "There are 101 ids.", "DELETE",
         f"{RECORDS}?ids={','.join(str(n) for n in range(1, 102))}", b"", TOO_MANY),
    call("delete_sql", "SQL instead of ids.", "DELETE", f"{RECORDS}?ids={quote('1) OR (1=1')}",
         b"", INVALID),
    search("sql", "SQL in a value.", f"(Last_Name:equals:{SQL})", NOTHING),
    search("sql_name", "SQL instead of a field.", "(1=1 OR Last_Name:equals:x)", NO_QUERY),
    search("deep", "Brackets in brackets.", "(" * 2_000 + "Last_Name:equals:x" + ")" * 2_000,
           NO_QUERY),
    search("like", "The signs of LIKE in a value.", "(Last_Name:starts_with:%_%)", NOTHING),
    query("two", "A second statement follows.",
          "select id from Leads where id is not null; drop table jobs",
          Answered(400, "SYNTAX_ERROR")),
    query("table", "A table of the service instead of a module.",
          "select id from tokens where id is not null", Answered(400, "INVALID_MODULE")),
    query("union", "A union follows.",
          "select id from Leads where id is not null union select 1 from Contacts",
          Answered(400, "SYNTAX_ERROR")),
    query("deep", "Brackets in brackets.",
          "select id from Leads where " + "(" * 2_000 + "id is not null" + ")" * 2_000,
          TOO_MANY),
    query("sql", "SQL in a value.", f"select id from Leads where City = '{SQL[0]}'' OR 1=1'",
          NOTHING),
    read("deep", "Groups in groups.", TOO_DEEP, criteria=nested(200)),
    read("sql_field", "SQL instead of a field.", Answered(400, "FIELD_NOT_AVAILABLE"),
         fields=['id"; DROP TABLE jobs; --']),
    read("sql_module", "SQL instead of a module.", Answered(400, "MODULE_NOT_AVAILABLE"),
         module="Leads; DROP TABLE jobs"),
    read("page", "A page that no store can count to.", Answered(400, "PAGE_RANGE_EXCEEDED"),
         page=2**62),
    read("their_token", "The token of a job of another org.", Answered(400, "EXPIRED_VALUE"),
         page_token="cmVhZDox"),
    call("read_body", "The body is a list of lists.", "POST", READS, b"[" * DEEP + b"]" * DEEP,
         Answered(400, "REQUEST_BODY_NOT_READABLE")),
    call("read_their_details", "The details of a bulk write.", "GET", f"{READS}/<job>", b"",
         Answered(404, "RESOURCE_NOT_FOUND")),
    call("read_their_result", "The result of a job of another org.", "GET",
         f"{READS}/<their job>/result", b"", Answered(404, "RESOURCE_NOT_FOUND")),
]  # fmt: skip
