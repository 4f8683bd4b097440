"""What the pages and docstrings point at is there."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from bulkwright.domain import limits
from bulkwright.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in page.parts[1:])
)
_NUMBER = r"\d+(?:\.\d+)?"
_CITED = re.compile(
    rf"\b(facts|(?:client )?contract)\s+({_NUMBER}(?:\s*(?:,|and|to)\s+{_NUMBER})*)", re.IGNORECASE
)


def headings() -> set[str]:
    """`facts 4.1` and `clients 1.3`, as docs/wire.md has them."""
    text = (ROOT / "docs" / "wire.md").read_text("utf-8")
    return {
        h.lower() for h in re.findall(rf"^## ((?:Facts|Clients) {_NUMBER})", text, re.MULTILINE)
    }


def cited(text: str) -> set[str]:
    """Every section of the wire that a source names, be it wrapped over two lines."""
    found = set()
    for kind, numbers in _CITED.findall(re.sub(r"\s*\n\s*(?:# )?", " ", text)):
        name = "facts" if kind.lower() == "facts" else "clients"
        found |= {f"{name} {number}" for number in re.findall(_NUMBER, numbers)}
    return found


def test_every_fact_that_a_source_names_has_its_section() -> None:
    """`facts 4.1` is "Facts 4.1" of docs/wire.md, `client contract 3` is "Clients 3"."""
    known = headings()
    lost = {
        (str(source.relative_to(ROOT)), name)
        for source in SOURCES
        for name in cited(source.read_text("utf-8")) - known
        if source != Path(__file__)
    }
    assert lost == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    """Files, folders, and headings within pages."""
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
            assert anchor in slugs, link


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/]+(?:/|\.py))`", ARCHITECTURE))))
def test_every_path_of_the_architecture_exists(path: str) -> None:
    """A module by its path below the package; a name alone is in a folder named before it."""
    source = ROOT / "src" / "bulkwright"
    if "/" in path.rstrip("/"):
        assert (source / path).exists()
    else:
        assert list(source.rglob(path.rstrip("/")))


def _undocumented(body: list[ast.stmt]) -> list[str]:
    """Names that are assigned to without a text behind them."""
    lost = []
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            targets: list[ast.expr] = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
        else:
            continue
        documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        lost += [t.id for t in targets if isinstance(t, ast.Name) and not documented]
    return lost


def test_every_limit_says_what_it_is() -> None:
    """A constant of domain/limits.py has its text, and is used."""
    source = Path(limits.__file__)
    tree = ast.parse(source.read_text("utf-8"))
    plain = {"MiB", "PROFILES"}
    assert set(_undocumented(tree.body)) <= plain
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    assert [_undocumented(one.body) for one in classes] == [[]] * len(classes)
    names = {t.id for s in tree.body if isinstance(s, ast.Assign) for t in s.targets
             if isinstance(t, ast.Name)}  # fmt: skip
    others = [s.read_text("utf-8") for s in (ROOT / "src").rglob("*.py") if s != source]
    unused = {n for n in names if not any(re.search(rf"\b{n}\b", text) for text in others)}
    assert unused <= {"ZOHO", "SERVICE"}


def test_every_setting_says_what_it_is() -> None:
    """Each field of Settings has the text that `--help` shows."""
    assert [f.name for f in fields(Settings) if not f.metadata.get("help")] == []
