"""Print the table of all cases: group, name, what is wrong, and the right outcome."""

from __future__ import annotations

from tests.hostile.case import Outcome
from tests.hostile.corpus import CASES

_SHOWN = 100
"""Characters of an outcome that are printed."""


def shown(outcome: Outcome) -> str:
    """An outcome in one line."""
    text = ", ".join(map(shown, outcome)) if isinstance(outcome, tuple) else repr(outcome)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


if __name__ == "__main__":
    for case in CASES:
        print(case.group, case.name, case.wrong, shown(case.outcome), sep=" | ")
