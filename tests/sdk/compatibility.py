"""Renders the record of the last `pytest tests/sdk` as the table of docs/compatibility.md.

`python tests/sdk/compatibility.py [RECORD]` prints Markdown. Exit status 1: a test failed or an SDK
was not tested, so the table must not be published.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.sdk.catalogue import SDKS, Sdk

_RECORD = Path(__file__).parents[2] / ".pytest_cache/d/sdk/compatibility.json"

Row = dict[str, str]


def render(rows: list[Row]) -> str:
    """The table of endpoints by SDK, each SDK with its API version, and the known differences."""
    heads = [f"{sdk.name} {sdk.version}" for sdk in SDKS]
    lines = [
        "| endpoint | " + " | ".join(heads) + " |",
        "| --- |" + " --- |" * len(SDKS),
        "| version | " + " | ".join(sdk.api for sdk in SDKS) + " |",
    ]
    for endpoint in dict.fromkeys(row["endpoint"] for row in rows):
        cells = [_cell(rows, endpoint, sdk) for sdk in SDKS]
        lines.append(f"| `{endpoint}` | " + " | ".join(cells) + " |")
    differences = {(r["test"], r["reason"]): r["sdk"] for r in rows if r["outcome"] == "xfailed"}
    lines += [f"- known difference, {sdk}, {t}: {why}" for (t, why), sdk in differences.items()]
    return "\n".join(lines) + "\n"


def is_complete(rows: list[Row]) -> bool:
    """Whether every SDK was tested and nothing failed."""
    good = all(row["outcome"] in ("passed", "xfailed") for row in rows)
    return good and {row["sdk"] for row in rows} == {sdk.name for sdk in SDKS}


def _cell(rows: list[Row], endpoint: str, sdk: Sdk) -> str:
    mine = [row for row in rows if row["sdk"] == sdk.name]
    found = Counter(row["outcome"] for row in mine if row["endpoint"] == endpoint)
    if not found:
        return "not called" if mine else "not tested"
    words = {
        "failed": "FAILS in {}",
        "skipped": "not tested",
        "passed": "{} tests pass",
        "xfailed": "{} known to differ",
    }
    return ", ".join(words[o].format(found[o]) for o in words if found[o])


def main() -> int:
    """Print the table."""
    record = Path(sys.argv[1]) if len(sys.argv) > 1 else _RECORD
    try:
        rows = json.loads(record.read_text("utf-8"))
    except OSError as error:
        print(f"no record: {error}; run `pytest tests/sdk` first", file=sys.stderr)
        return 1
    print(render(rows), end="")
    return 0 if is_complete(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
