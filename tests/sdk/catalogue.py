"""The official SDKs that are tested, in the versions of the client contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_LOCKS = _HERE.parents[1] / "requirements"


@dataclass(frozen=True)
class Sdk:
    """One SDK as published, and how its objects differ from those of the others."""

    name: str
    version: str
    api: str
    """The API version written into it."""
    lock: Path
    driver: Path

    @property
    def is_python(self) -> bool:
        """Whether it is for Python; the others are for Node."""
        return self.driver.suffix == ".py"

    @property
    def is_8(self) -> bool:
        """Whether it is of generation 8.0, which queries user and org, with job ids as text."""
        return self.api == "v8"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def _python(name: str, version: str, api: str, driver: str) -> Sdk:
    return Sdk(name, version, api, _LOCKS / f"sdk-{name}.txt", _HERE / "drivers" / driver)


def _node(name: str, version: str, api: str, driver: str) -> Sdk:
    lock = _HERE / "npm" / f"{name.split('/')[-1]}.json"
    return Sdk(name, version, api, lock, _HERE / "drivers" / driver)


SDKS = (
    _python("zohocrmsdk2-0", "6.0.0", "v2", "python_2.py"),
    _python("zohocrmsdk2-1", "3.0.0", "v2.1", "python_2.py"),
    _python("zohocrmsdk8-0", "7.0.0", "v8", "python_8.py"),
    _node("@zohocrm/nodejs-sdk-2.0", "6.1.0", "v2", "node_2.cjs"),
    _node("@zohocrm/nodejs-sdk-8.0", "2.0.0", "v8", "node_8.mjs"),
)

PROGRAMS = (
    Sdk("zoho-crm-connector", "1.0.3", "v2", _LOCKS / "program-zoho-crm-connector.txt",
        _HERE / "drivers" / "program_connector.py"),
    Sdk("zoho-crm-mcp", "0.1.1", "v2", _LOCKS / "program-zoho-crm-mcp.txt",
        _HERE / "drivers" / "program_mcp.py"),
    _node("zcrmsdk", "1.1.0", "v2", "program_zcrmsdk.cjs"),
    Sdk("clients", "httpx 0.28, aiohttp 3.14", "v8", _LOCKS / "program-clients.txt",
        _HERE / "drivers" / "program_clients.py"),
)  # fmt: skip
"""Published packages that carry Zoho's hosts in their code, each with a program that uses it; and
HTTP clients of Python."""
