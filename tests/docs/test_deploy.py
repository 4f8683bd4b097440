"""Bulkwright knows every option and value in deploy/ and its pages.

Command lines, environment variables, probes and ports are read from the files and compared with
the program: after an option is renamed, this fails. Other tools check the files
themselves (deploy/README.md).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.processes import free_port

from bulkwright.cli import app
from bulkwright.domain.limits import STATEMENT_SECONDS
from bulkwright.ops import health
from bulkwright.ops.standalone import MetricsServer
from bulkwright.settings import Settings
from bulkwright.variables import PLACEHOLDER

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGES = (ROOT / "docs" / "deploy.md", DEPLOY / "README.md")
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
MANIFESTS: list[dict[str, Any]] = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
PODS: dict[str, dict[str, Any]] = {
    found["metadata"]["name"]: found["spec"]["template"]["spec"]
    for found in MANIFESTS
    if found.get("kind") in ("Deployment", "Job")
}
UNITS = {path.name: path.read_text() for path in (DEPLOY / "systemd").iterdir()}
_TYPED = re.compile(
    r"^    (?:manage|bulkwright) (.+)$|run --rm api-1 (.+)$|`bulkwright (\w[^`]* --[^`]+)`",
    re.MULTILINE,
)
"""In a page's block, by Compose, or with an option in the midst of a text."""
_PROBE = re.compile(r"http://127\.0\.0\.1:(\d+)(/\w+)")


def ours(service: dict[str, Any]) -> bool:
    """Whether a service of Compose runs Bulkwright."""
    return str(service["image"]).startswith("bulkwright:")


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """The one container of a pod."""
    (found,) = pod["containers"]
    return dict(found)


def lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line of Bulkwright in deploy/ and its pages, and where it stands."""
    for name, service in COMPOSE.items():
        if ours(service):
            yield f"compose {name}", service["command"]
    for name, pod in PODS.items():
        yield f"kubernetes {name}", container(pod)["args"]
    for name, text in UNITS.items():
        for line in re.findall(r"^ExecStart=\S+/bulkwright (.+)$", text, re.MULTILINE):
            yield name, shlex.split(line.replace("%i", "01"))
    for page in (*PAGES, DEPLOY / "compose.yaml"):
        for found in _TYPED.findall(page.read_text()):
            yield page.name, shlex.split("".join(found), comments=True)


@pytest.mark.parametrize("line", [words for _, words in lines()], ids=" ".join)
def test_every_command_line_is_understood(line: list[str]) -> None:
    """Command, options and values; nothing is run."""
    app.parse_args(line, exit_on_error=False, print_error=False, help_on_error=False)


def test_command_lines_were_found_everywhere() -> None:
    """Else the test above would say nothing."""
    places = {place for place, _ in lines()}
    assert {"compose api-1", "compose api-2", "compose worker"} <= places
    assert {"kubernetes bulkwright-api", "kubernetes bulkwright-worker"} <= places
    assert {*UNITS, "deploy.md", "compose.yaml"} <= places


@pytest.mark.parametrize("path", [*FILES, PAGES[0]], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_variable_is_an_option(path: Path) -> None:
    """A misspelled BULKWRIGHT_ variable would silently do nothing."""
    known = {
        "BULKWRIGHT_" + name.removeprefix("--").replace("-", "_").upper()
        for command in ("serve", "worker")
        for argument in app[command].assemble_argument_collection()
        for name in argument.names
    }
    text = path.read_text()
    assert set(re.findall(r"\bBULKWRIGHT_[A-Z_]+", text)) <= known
    documented = (ROOT / "docs" / "failure-model.md").read_text()
    assert all(name in documented for name in re.findall(r"\bAWS_[A-Z_]+", text))


def _environments() -> Iterator[tuple[str, dict[str, str]]]:
    """The variables of each kind of deployment."""
    lines = (DEPLOY / "env" / "bulkwright.env.example").read_text().splitlines()
    file = dict(line.split("=", 1) for line in lines if line.startswith("BULKWRIGHT_"))
    yield "systemd", file
    yield "compose", file | COMPOSE["api-1"]["environment"]
    (config,) = [found for found in MANIFESTS if found.get("kind") == "ConfigMap"]
    yield "kubernetes", config["data"]


@pytest.mark.parametrize(("kind", "environment"), [*_environments()], ids=lambda v: str(v)[:10])
def test_every_value_is_usable(kind: str, environment: dict[str, str]) -> None:
    """Once secrets are set; the balancer is a trusted proxy, so each client has its own limit."""
    edited = {name: text.replace(PLACEHOLDER, "own") for name, text in environment.items()}
    settings = Settings.from_env(edited)
    assert settings.trusted_proxies, kind
    assert settings.public_origin.startswith("https://")
    if kind == "compose":
        networks = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["networks"]
        (subnet,) = networks["default"]["ipam"]["config"]
        assert settings.trusted_proxy == (subnet["subnet"],)


def test_probes_ask_for_what_is_served(tmp_path: Path) -> None:
    """By path and port, of the API and of a worker by itself."""
    api = {route.path for route in health.ROUTES}
    with MetricsServer(f"127.0.0.1:{free_port()}", "") as alone:
        worker = {p for p in ("/healthz", "/readyz") if alone.respond(p, "")[0] == 200}

    asked = 0
    for service in filter(ours, COMPOSE.values()):
        port, path = _PROBE.findall(str(service["healthcheck"]["test"]))[0]
        assert port in " ".join(service["command"])
        assert path in (api if "serve" in service["command"] else worker)
        asked += 1
    for name in ("bulkwright-api", "bulkwright-worker"):
        one = container(PODS[name])
        (port,) = one["ports"]
        assert str(port["containerPort"]) in " ".join(one["args"])
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in one:
                assert one[kind]["httpGet"]["path"] in (api if "serve" in one["args"] else worker)
                assert one[kind]["httpGet"]["port"] == port["name"]
                asked += 1
    assert asked == 3 + 5
    (watched,) = re.findall(r"health_uri (\S+)", (DEPLOY / "Caddyfile").read_text())
    assert watched in api


def _graces() -> Iterator[tuple[str, list[str], float]]:
    """Each long-running command line and how many seconds it has to stop."""
    for name, service in COMPOSE.items():
        if ours(service):
            yield name, service["command"], float(service["stop_grace_period"].rstrip("s"))
    for name in ("bulkwright-api", "bulkwright-worker"):
        yield name, container(PODS[name])["args"], PODS[name]["terminationGracePeriodSeconds"]
    for name, text in UNITS.items():
        (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        yield (
            name,
            line.split(),
            float(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0]),
        )


@pytest.mark.parametrize(("name", "line", "grace"), [*_graces()], ids=lambda v: str(v)[:20])
def test_there_is_time_to_stop(name: str, line: list[str], grace: float) -> None:
    """Draining and requests under way (docs/operations.md); a chunk's longest statement."""
    assert line.count("serve") + line.count("worker") == 1, name
    drains = float(line[line.index("--drain-seconds") + 1]) if "serve" in line else 0.0
    assert grace >= drains + STATEMENT_SECONDS


@pytest.mark.parametrize("name", PODS)
def test_pods_get_no_variables_of_services(name: str) -> None:
    """A Service called bulkwright sets BULKWRIGHT_PORT, which is an option's variable too."""
    assert PODS[name]["enableServiceLinks"] is False
    assert container(PODS[name])["securityContext"]["readOnlyRootFilesystem"] is True
    assert PODS[name]["securityContext"]["runAsNonRoot"] is True


def test_no_secret_is_written_down() -> None:
    """Templates hold nothing, examples say so."""
    (secret,) = [found for found in MANIFESTS if found.get("kind") == "Secret"]
    assert set(secret["stringData"].values()) == {""}
    for example in (DEPLOY / "env").glob("*.example"):
        values = re.findall(
            r"^\w*(?:PASSWORD|SECRET\w*|TOKEN)=(.*)$", example.read_text(), re.MULTILINE
        )
        assert set(values) == {PLACEHOLDER}, example


def test_network_policies_name_the_pods_and_their_ports() -> None:
    """A policy for each Deployment; a port is named as the container names it."""
    policies = [found for found in MANIFESTS if found.get("kind") == "NetworkPolicy"]
    opened = {
        policy["spec"]["podSelector"]["matchLabels"]["app"]: [
            port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]
        ]
        for policy in policies
    }
    ports = {
        name: [port["name"] for port in container(PODS[name])["ports"]]
        for name in ("bulkwright-api", "bulkwright-worker")
    }
    assert opened == ports
