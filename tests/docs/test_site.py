"""The docs site is built without a warning, and each page is in its contents."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bulkwright.domain.audit import Action
from bulkwright.domain.module import DATA_TYPES
from bulkwright.v1.app import ENDPOINTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

sys.path.insert(0, str(ROOT))
from run import SITE  # noqa: E402 - the project's own command, at the root


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """The command of `run.py docs`, with other folders."""
    options = [
        str(source) if o == "docs" else str(target) if o == "build/docs" else o for o in SITE
    ]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "--quiet", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """A link to nothing, a page that no contents list, or a broken block would be one."""
    done = build(DOCS, tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = {p.relative_to(tmp_path / "site").with_suffix("") for p in tmp_path.rglob("*.html")}
    sources = {p.relative_to(DOCS).with_suffix("") for p in DOCS.rglob("*.md")}
    assert sources <= pages
    front = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert re.findall(r'<(?:link|script|img)[^>]*"https?://[^>]*>', front) == []  # works offline


@pytest.mark.slow
def test_a_link_to_nothing_fails_the_build(tmp_path: Path) -> None:
    """So the test above can fail."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_bytes((DOCS / "conf.py").read_bytes())
    (source / "index.md").write_text("# Front\n\n[lost](lost.md)\n")
    done = build(source, tmp_path / "site")
    assert done.returncode != 0 and "lost.md" in done.stderr


def test_every_field_type_is_documented() -> None:
    """docs/field-types.md has each `data_type` that a field may have."""
    page = (DOCS / "field-types.md").read_text("utf-8")
    assert {kind for kind in DATA_TYPES if f"`{kind}`" not in page} == set()


def test_every_action_of_the_audit_log_is_documented() -> None:
    """docs/accounts.md has a line for it."""
    page = (DOCS / "accounts.md").read_text("utf-8")
    assert {action for action in Action if f"`{action.value}`" not in page} == set()


def test_every_endpoint_of_the_own_api_is_documented() -> None:
    """docs/api.md has a line for it."""
    page = (DOCS / "api.md").read_text("utf-8")
    paths = {f"{e.method} {e.path}" for e in ENDPOINTS}
    named = {path.replace("{module}", "MODULE").replace("{template}", "NAME") for path in paths}
    shown = {re.sub(r"\{\w+\}", "ID", path) for path in named}
    assert {path for path in shown if f"`{path}`" not in page} == set()
