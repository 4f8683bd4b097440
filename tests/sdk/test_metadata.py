"""Metadata as each SDK reads it: before its first record call, and by its own list of types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.driver import Driver
from tests.sdk.environments import Unavailable, command
from tests.support.caller import Caller
from tests.support.live import Live
from tests.support.uploads import zipped

_RECORD = "GET /crm/{version}/{module}/{record_id}"
_FIELDS = "GET /crm/{version}/settings/fields?module="
Json = dict[str, Any]


@pytest.mark.endpoint(_RECORD, _FIELDS)
def test_a_record_is_read(driver: Driver, live: Live, mail: str) -> None:
    """An SDK first reads the fields of the module, then those of every module it looks up."""
    caller = Caller(live)
    with caller.http:
        body = caller.insert(caller.upload(zipped(f"Name,Mail\nKay,{mail}\n")))
        body["resource"][0]["module"] = "Contacts"
        body["resource"][0]["field_mappings"].append({"api_name": "Email", "index": 1})
        done = caller.ended(caller.create(body), "v2")
        ((row,),) = caller.result(done["result"]["download_url"]).values()
    report = driver.record("Contacts", row["RECORD_ID"])
    assert (report.get("http"), report.get("class")) == (200, "ResponseWrapper"), report
    values = report["data"][0]["key_values"]
    assert (values["Last_Name"], values["Email"]) == ("Kay", mail)


SIMPLE: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "DateTime": str,
    "TimeZone": str,
    "Boolean": bool,
    "Double": (int, float),
    "Map": dict,
}
"""The JSON of the simple types of an SDK."""


class Types:
    """The types of the responses that an SDK reads: its `json_details.json`."""

    def __init__(self, sdk: Sdk) -> None:
        environment = Path(command(sdk)[0]).parents[1]  # above bin/python
        (path,) = environment.rglob("src/json_details.json")
        self.classes: Json = json.loads(path.read_text("utf-8"))

    def wrapper(self, kind: str) -> str:
        """The class of a whole response."""
        names = [n for n in self.classes if n.lower().endswith(f"api.{kind}.responsewrapper")]
        names += [n for n in self.classes if n.lower().endswith(f"api.{kind}.bodywrapper")]
        return names[0]

    def misread(self, value: object, name: str, path: str) -> Iterator[str]:
        """What the SDK would not read, or would read as something else."""
        if value == {} or self.classes[name].get("interface"):
            return
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        keys = {k["name"]: k for k in self.classes[name].values() if isinstance(k, dict)}
        for key, inner in value.items():
            if key in keys and inner is not None:
                yield from self._misread_key(inner, keys[key], f"{path}.{key}")

    def _misread_key(self, value: object, key: Json, path: str) -> Iterator[str]:
        kind = key["type"]
        if kind in ("Integer", "Long"):
            if isinstance(value, bool) or not str(value).lstrip("-").isdigit():
                yield f"{path} is no {kind}"
        elif kind in SIMPLE:
            if not isinstance(value, SIMPLE[kind]):
                yield f"{path} is no {kind}"
        elif kind == "List":
            if not isinstance(value, list):
                yield f"{path} is no List"
            elif key.get("structure_name") in self.classes:
                for one in value:
                    yield from self.misread(one, key["structure_name"], f"{path}[]")
        elif kind in self.classes:
            yield from self.misread(value, kind, path)


def test_every_metadata_response_has_the_types_of_the_sdk(sdk: Sdk, live: Live) -> None:
    """Modules, their fields and layouts, users, the org: of every standard module."""
    if not sdk.is_python:
        pytest.skip("the Node SDKs are made of the same descriptions")
    try:
        types = Types(sdk)
    except Unavailable as reason:
        pytest.skip(f"{sdk} was NOT TESTED: {reason}")
    base = f"{live.base_url}/crm/{sdk.api}"

    def read(path: str, kind: str) -> Iterator[str]:
        answer = httpx2.get(base + path, headers=live.headers, timeout=60)
        return types.misread(answer.json(), types.wrapper(kind), path)

    misread = [
        *read("/settings/modules", "modules"),
        *read("/users", "users"),
        *read("/org", "org"),
    ]
    modules = httpx2.get(f"{base}/settings/modules", headers=live.headers, timeout=60).json()
    for module in modules["modules"]:
        name = module["api_name"]
        misread += read(f"/settings/modules/{name}", "modules")
        misread += read(f"/settings/fields?module={name}", "fields")
        misread += read(f"/settings/layouts?module={name}", "layouts")
    assert misread == []
