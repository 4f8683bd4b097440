"""The form of `--help`: a purpose, one line for each option or command, and an example.

Defaults, variables and whole sentences are in docs/commands.md and docs/settings.md.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

_LABEL_CHARS = 24
_INDENT = " " * (_LABEL_CHARS + 3)
_ENDLESS = 10_000


class HelpFormatter:
    """Prints the pages of `--help` (a formatter as cyclopts wants it)."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Prints one panel: options, or commands."""
        if not panel.entries:
            return
        _print(console, f"{panel.title}:")
        for entry in panel.entries:
            names = ", ".join(_names(entry))
            text = first_sentence(_plain(entry.description))
            if entry.required and panel.format == "parameter":
                text = f"{text} (needed)"
            line = f"  {names:<{_LABEL_CHARS}} {text}".rstrip()
            _print(console, fill(line, console.width, subsequent_indent=_INDENT))
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
