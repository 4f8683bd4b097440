"""docs/test-your-integration.md: its programs and their tests run as a reader would copy them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sdk.catalogue import SDKS
from tests.sdk.environments import Unavailable, command

PAGE = (Path(__file__).parents[2] / "docs" / "test-your-integration.md").read_text("utf-8")
OTHERS_OFF = ("-p", "no:randomly", "-p", "no:schemathesis", "-p", "no:cacheprovider")
PYTEST = [sys.executable, "-m", "pytest", "-q", *OTHERS_OFF]


def block(language: str, word: str) -> str:
    """The block of the page in a language that has this word."""
    (found,) = [b for b in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in b]
    return str(found)


def run(command: list[str], folder: Path, **variables: str) -> str:
    """Runs a command in a folder; returns what it prints."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(name: str) -> Path:
    """The folder of an SDK; skips the test where it cannot be installed."""
    (sdk,) = [sdk for sdk in SDKS if sdk.name == name]
    try:
        words = command(sdk)
    except Unavailable as reason:
        pytest.skip(f"{sdk} was NOT TESTED: {reason}")
    return Path(words[0]).parents[1] if sdk.is_python else Path(words[2])


def test_a_program_with_requests(tmp_path: Path) -> None:
    """And the same in unittest."""
    (tmp_path / "leads.py").write_text(block("python", "def add_lead"))
    (tmp_path / "test_leads.py").write_text(block("python", "def test_a_lead_is_added(bulk"))
    assert "2 passed" in run(PYTEST, tmp_path)
    (tmp_path / "unittests.py").write_text(block("python", "import unittest"))
    run([sys.executable, "unittests.py"], tmp_path)


def test_a_program_with_the_python_sdk(tmp_path: Path) -> None:
    """Its packages are those of the SDK's environment."""
    (packages,) = environment("zohocrmsdk8-0").glob("lib/python*/site-packages")
    (tmp_path / "contacts.py").write_text(block("python", "def add_contact"))
    (tmp_path / "test_contacts.py").write_text(block("python", "import add_contact"))
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(packages)]).strip(os.pathsep)
    assert "1 passed" in run(PYTEST, tmp_path, PYTHONPATH=path)
    assert not (tmp_path / "resources").exists()  # the SDK keeps its files elsewhere


@pytest.mark.parametrize("name", ["zohocrmsdk2-0", "zohocrmsdk2-1", "zohocrmsdk8-0"])
def test_each_python_sdk_is_initialised_by_one_call(name: str, tmp_path: Path) -> None:
    """Whichever is installed."""
    (packages,) = environment(name).glob("lib/python*/site-packages")
    (tmp_path / "test_sdk.py").write_text(
        "def test_it(bulkwright_server, tmp_path):\n"
        "    package = bulkwright_server.initialize_sdk(tmp_path)\n"
        "    from importlib import import_module\n"
        "    api = import_module(f'{package}.src.com.zoho.crm.api')\n"
        "    org = import_module(f'{package}.src.com.zoho.crm.api.org').OrgOperations()\n"
        "    call = getattr(org, 'get_organization', None) or org.get_organizations\n"
        "    assert call().get_status_code() == 200\n"
    )
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(packages)]).strip(os.pathsep)
    assert "1 passed" in run(PYTEST, tmp_path, PYTHONPATH=path)


def test_a_program_with_the_node_sdk(tmp_path: Path) -> None:
    """Without npx."""
    modules = environment("@zohocrm/nodejs-sdk-8.0") / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "contacts.test.mjs").write_text(block("js", "node:test"))
    words = [sys.executable, "-m", "bulkwright", "emulator", "run", "--", "node", "--test"]
    assert "# pass 1\n" in run(words, tmp_path)


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP was NOT TESTED: there is no php")
def test_a_program_in_php(tmp_path: Path) -> None:
    """With the functions of PHP alone."""
    (tmp_path / "test_leads.php").write_text(block("php", "getenv"))
    words = [sys.executable, "-m", "bulkwright", "emulator", "run", "--"]
    assert "ok" in run([*words, "php", "test_leads.php"], tmp_path)
