"""All cases, their groups, and the cases of the short form."""

from __future__ import annotations

from tests.hostile import bodies, callbacks, calls, paths, texts, values, wire, zips
from tests.hostile.case import Case

GROUPS = (
    "zip container", "zip names", "zip bombs", "csv encoding", "csv shape", "csv text", "values",
    "keys", "json", "ids", "callback urls", "http", "paths", "tenants", "tokens",
    "calls",
)  # fmt: skip

CASES: list[Case] = [
    case
    for module in (zips, texts, values, bodies, callbacks, wire, paths, calls)
    for case in module.CASES
]

SHORT_GROUP = 30
"""Cases of one group in the short form at most, chosen evenly; the long form has them all."""


def _short_form() -> list[Case]:
    chosen: list[Case] = []
    for group in GROUPS:
        quick = [case for case in CASES if case.group == group and not case.long]
        size = min(len(quick), SHORT_GROUP)
        chosen += [quick[number * len(quick) // size] for number in range(size)]
    return chosen


SHORT = _short_form()
