"""The CSV of a result: its name in the zip, its last columns, and what an ERRORS cell says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bulkwright.domain.outcome import SkipReason

STATUS, RECORD_ID, ERRORS = "STATUS", "RECORD_ID", "ERRORS"
MESSAGE = "MESSAGE"
"""Beside ERRORS in a file of failed rows: the errors in sentences."""
_CODE = re.compile(f"(?:^|:)({'|'.join(SkipReason)})-")


def member_name(module: str, file_name: str) -> str:
    """Returns `<module>-<file name>` (facts 5.1), always with the ending .csv."""
    stem = file_name[:-4] if file_name.lower().endswith(".csv") else file_name
    return f"{module}-{stem}.csv"


def split_errors(cell: str, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the codes of an ERRORS cell `CODE-A,B:CODE-C`, each with the label of a column.

    `labels` are the labels that may stand in it, because they may have commas themselves.
    """
    parts = _CODE.split(cell)[1:]
    return [
        (code, label)
        for code, joined in zip(parts[::2], parts[1::2], strict=True)
        for label in _labels(joined, labels)
    ]


def _labels(text: str, labels: Sequence[str]) -> Iterator[str]:
    """Splits `A,B`; of labels that begin alike, the longest one counts."""
    while text:
        fitting = (
            name for name in labels if name and (text == name or text.startswith(f"{name},"))
        )
        label = max(fitting, key=len, default="") or text.partition(",")[0]
        yield label
        text = text[len(label) + 1 :]
