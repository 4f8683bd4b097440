"""The reading of a resource as JSON, in the column `reading`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bulkwright.domain.reading import FoundBy, Reading


def reading_json(reading: Reading | None) -> str | None:
    """Returns the text that is stored."""
    return None if reading is None else json.dumps(asdict(reading))


def reading_from(text: str | None) -> Reading | None:
    """Returns the reading of a stored text; None for a job of version 0.1.0."""
    if text is None:
        return None
    stored: dict[str, Any] = json.loads(text)
    stored["encoding_by"] = FoundBy(stored["encoding_by"])
    stored["delimiter_by"] = FoundBy(stored["delimiter_by"])
    lists = {key: tuple(value) for key, value in stored.items() if isinstance(value, list)}
    return Reading(**{**stored, **lists})
