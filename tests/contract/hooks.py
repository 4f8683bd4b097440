"""Hooks for Schemathesis, which cannot guess zips and existing ids.

Loaded by `schemathesis.toml`. BULKWRIGHT_CONTRACT is the path of a JSON file with existing ids.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from tests.support.uploads import zipped

KNOWN: dict[str, Any] = json.loads(Path(os.environ["BULKWRIGHT_CONTRACT"]).read_text("utf-8"))


_ROWS = b"Last_Name,Company,Email\nBoyle,Zylker,p@zylker.example\n,,\n"
_names = st.sampled_from(["leads.csv", "Leads/leads.csv", "leads.txt"])
_files = st.one_of(
    st.just(zipped(_ROWS)),
    st.builds(zipped, st.binary(max_size=200), _names),
    st.binary(max_size=200),
)
schemathesis.openapi.format("binary", _files)


_SOUND = {
    "job_id": "[1-9][0-9]{0,17}",
    "org": "(org)?[0-9]{1,20}",
    "file": "[0-9]{1,18}[.]zip",
    "version": "v[2-8]|v2[.][12]",
}
_REAL_IN = ("v2", "v2.1", "v4", "v6", "v8")
"""Valid requests in these versions use existing ids; those in other versions use unknown ids."""


@schemathesis.hook
def map_path_parameters(context: Any, value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Puts the existing job, its org and its file into the path of a valid request."""
    if value is None or value.get("version") not in _REAL_IN:
        return value
    if all(re.fullmatch(_SOUND[n], str(v)) for n, v in value.items() if n in _SOUND):
        return {name: KNOWN.get(name, given) for name, given in value.items()}
    return value


@schemathesis.hook
def map_headers(context: Any, value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Lets most valid uploads be for the org of the caller."""
    if value and re.fullmatch(r"[0-9]{1,3}", str(value.get("X-CRM-ORG", "none"))):
        return {**value, "X-CRM-ORG": KNOWN["org"].removeprefix("org")}
    return value


@schemathesis.hook
def map_query(context: Any, value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Lets half of the valid requests for fields be for an existing module."""
    if value and re.fullmatch(r"\w{0,4}", str(value.get("module", "none"))):
        return {**value, "module": "Leads"}
    return value


@schemathesis.check
def an_error_with_status_200_is_one(ctx: Any, response: Any, case: Any) -> None:
    """A body with status 200 is either a result or an error (facts 2.3 and 7.2)."""
    if response.status_code != 200 or case.operation.method != "post":
        return
    body = response.json()
    if case.operation.label == "POST /crm/{version}/upload":
        assert (body.get("status") == "error") == ("file_id" not in body.get("details", {}))
    elif case.operation.label == "POST /crm/{version}/coql":
        assert set(body) == {"data", "info"}
    else:
        assert ("error" in body) != bool({"access_token", "status"} & set(body))
