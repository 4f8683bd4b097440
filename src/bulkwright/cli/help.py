"""The form of `--help`: a purpose, one line for each option or command, and an example.

Defaults, variables and whole sentences are in docs/commands.md and docs/settings.md.
"""

from __future__ import annotations

import re
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

_LABEL_CHARS = 24
_INDENT = " " * (_LABEL_CHARS + 3)
_ENDLESS = 10_000
_MOST_CHOICES = 20
"""The most choices of an option that are listed. An unknown one is answered with all of them."""
_SECTIONS = (
    (
        "Columns and their values",
        r"map|default|format|(date|datetime|number|boolean)-format|mapping|ignore-.*",
    ),
    ("How the file is read", "encoding|delimiter|file-format|sheet"),
    ("Parts of a job", "parts|parts-at-once"),
    ("Quotas of an org", "org-.*"),
    ("How long things are kept", "keep-.*"),
    ("Logs and metrics", "log-.*|metrics|metrics-token"),
    ("Where the data is", "data|database|files|free-disk-mib|org"),
)
"""The options that are shown below those of a command: the title of a section, their names."""


class HelpFormatter:
    """Prints the pages of `--help` (a formatter as cyclopts wants it)."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Prints one panel: options, or commands."""
        if not panel.entries:
            return
        for number, (title, entries) in enumerate(_sections(panel).items()):
            _print(console, f"{chr(10) if number else ''}{title}:")
            for entry in entries:
                names = ", ".join(_names(entry))
                text = first_sentence(_plain(entry.description))
                choices = entry.choices or ()
                unnamed = [one for one in choices if one not in text]
                if unnamed and len(choices) <= _MOST_CHOICES:
                    text = f"{text}: {', '.join(unnamed)}"
                if entry.required and panel.format == "parameter":
                    text = f"{text} (needed)"
                if len(names) > _LABEL_CHARS:
                    _print(console, f"  {names}")
                    names = ""
                line = f"  {names:<{_LABEL_CHARS}} {text}".rstrip()
                _print(console, _filled(line, console.width))
        if panel.title == "Arguments":
            _print(console, "")

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Prints the usage line."""
        _print(console, f"Usage: {_plain(usage).removeprefix('Usage:').strip()}\n")

    def render_description(self, console: Console, options: ConsoleOptions, text: Any) -> None:
        """Prints the purpose."""
        for paragraph in filter(None, _plain(text).strip().split("\n\n")):
            example = paragraph.removeprefix("Example: ")
            if example != paragraph:
                _print(console, f"Example:\n  {example}\n")
            else:
                _print(console, f"{fill(paragraph, console.width)}\n")


def first_sentence(text: str) -> str:
    """Returns the first sentence of a text, without a full stop."""
    sentence, stop, _ = text.partition(". ")
    return sentence if stop else sentence.removesuffix(".")


def _sections(panel: HelpPanel) -> dict[str, list[HelpEntry]]:
    """Returns the entries of a panel below their titles; those of the command come first."""
    own = str(panel.title)
    found: dict[str, list[HelpEntry]] = {title: [] for title in (own, *dict(_SECTIONS))}
    for entry in panel.entries:
        name = entry.display_labels[0]
        fits = (title for title, names in _SECTIONS if re.fullmatch(names, name.removeprefix("--")))
        found[next(fits, own) if name.startswith("--") else own].append(entry)
    if not found[own]:
        return {own: panel.entries}
    return {title: entries for title, entries in found.items() if entries}


def _filled(line: str, width: int) -> str:
    return fill(line, width, subsequent_indent=_INDENT, break_on_hyphens=False)


def _names(entry: HelpEntry) -> list[str]:
    """The names of an option as they are typed, with the kind of its value."""
    names = [n for n in entry.display_labels if not n.startswith("--no-")]
    if entry.positional_label:
        return [entry.positional_label]
    if entry.metavar:
        names[-1] += f" {entry.metavar.removesuffix('...')}"
    return names


def _plain(text: Any) -> str:
    """The text of anything that cyclopts shows, in one line a paragraph."""
    # Rich is imported where it is used: most runs of the program print no help.
    from rich.console import Console

    if text is None:
        return ""
    plain = Console(width=_ENDLESS, color_system=None)
    with plain.capture() as captured:
        plain.print(text, end="", soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _print(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
