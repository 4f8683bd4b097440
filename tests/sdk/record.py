"""Writes the outcomes by SDK and endpoint, from the test reports to a file in pytest's cache."""

from __future__ import annotations

import json

import pytest
from tests.sdk.catalogue import SDKS

TRIED = "official SDK"
"""The name of the report property that holds the endpoint and the SDK."""


def keep_record(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the record if any SDK was tested, and report how many were."""
    seen = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [words for report in seen for words in getattr(report, "user_properties", ())]
    rows = [row for name, row in properties if name == TRIED]
    if not rows:
        return
    cache = getattr(config, "cache", None)
    if cache is not None:
        text = json.dumps(rows, indent=1, ensure_ascii=False)
        (cache.mkdir("sdk") / "compatibility.json").write_text(text + "\n", "utf-8")
    tested = {row["sdk"] for row in rows if row["outcome"] != "skipped"}
    terminalreporter.write_line(f"official SDKs: {len(tested)} of {len(SDKS)} tested")
