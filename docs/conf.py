"""The docs site: `python3 run.py docs` builds it into build/docs, and a warning fails the build."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)\s]*)\)")

project = "Bulkwright"
author = "the Bulkwright developers"
extensions = ["myst_parser"]
exclude_patterns = ["prose-words.txt"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Bulkwright"
html_copy_source = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Prepare pages before they are parsed."""
    app.connect("source-read", _without_links_out_of_the_site)


def _without_links_out_of_the_site(_app: Sphinx, name: str, content: list[str]) -> None:
    """Name files of the repository instead of linking to them: the site does not have them."""
    folder = (_ROOT / "docs" / name).parent

    def named(match: re.Match[str]) -> str:
        target = (folder / match[2].partition("#")[0]).resolve()
        if not target.exists() or target.is_relative_to(_ROOT / "docs"):
            return match[0]
        return f"{match[1]} (`{target.relative_to(_ROOT)}`)"

    content[0] = _LINK.sub(named, content[0])
