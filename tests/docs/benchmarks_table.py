"""The table of speed in README.md, made from what benchmarks/README.md has measured.

`python -m tests.docs.benchmarks_table` writes it into the page.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE, SOURCE = ROOT / "README.md", ROOT / "benchmarks" / "README.md"
START, END = "<!-- speed: made from benchmarks/README.md -->\n", "<!-- end of speed -->\n"

SHOWN = {
    "B1 insert, ": "insert 1,000,000 rows x 16 columns into SQLite",
    "B1 upsert-match, with images": "upsert as many that are there, so that it can be undone",
    "B2 insert, ": "insert them into PostgreSQL",
    "B2 upsert-match, with images": "upsert as many that are there, so that it can be undone",
    "B3 ": "the first with 2, 20 and 50 % bad rows",
    "B4 ": "25,000 rows x 20 columns over HTTP, from the request to COMPLETED",
    "B6 job details": "job details, requests to one process",
    "B8 start": "start of `serve --dev`, on a used and on a new folder",
}
"""Measures by the beginning of their line there, and how README.md calls them."""


def table() -> str:
    """Return the lines of the measures, in the order of `SHOWN`."""
    text = SOURCE.read_text("utf-8")
    measured = text[text.index("## Measured") :]
    rows = re.findall(r"^\| (B\d.*) \|$", measured, re.MULTILINE)
    lines = ["| | bare | Bulkwright | ratio |", "| --- | --- | --- | --- |"]
    for beginning, name in SHOWN.items():
        (row,) = [row for row in rows if row.startswith(beginning)]
        _, reference, ours, ratio, _ = re.split(r" *\| *", row.replace("**", ""))
        lines.append(f"| {name} | {reference} | {ours} | {ratio} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return README.md with the present table."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
