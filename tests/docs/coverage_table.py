"""The tables of docs/coverage.md, made from the routes and from what Zoho documents.

`python -m tests.docs.coverage_table` writes them into the page.
"""

from __future__ import annotations

from pathlib import Path

from bulkwright.zoho.documented import OPERATIONS
from bulkwright.zoho.not_served import gap_routes, gaps_of
from bulkwright.zoho.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
START, END = "<!-- coverage: made from src/bulkwright/zoho -->\n", "<!-- end of coverage -->\n"


def tables() -> str:
    """Returns what is served, with the parameters that are not, and what is not served."""
    gaps: dict[str, list[str]] = {}
    for route in gap_routes(ROUTES):
        gaps.setdefault(route.path, []).append(route.method)
    documented = sum(map(len, OPERATIONS.values()))
    missing = sum(map(len, gaps.values()))
    lines = [
        f"## Served: {documented - missing} of {documented} operations",
        "",
        "| operation | parameters and headers | those that get a 501 |",
        "| --- | --- | --- |",
    ]
    for route in ROUTES:
        if route.method not in OPERATIONS.get(route.path, ()):
            continue
        declared = ", ".join(f"`{one.name}`" for one in route.parameters)
        refused = ", ".join(f"`{name}`" for name in gaps_of(route))
        lines.append(f"| `{route.method} {route.path}` | {declared} | {refused} |")
    lines += ["", f"## Not served: {missing} operations", "", "| path | methods |", "| --- | --- |"]
    lines += [f"| `{path}` | {', '.join(methods)} |" for path, methods in gaps.items()]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Returns the page with the present tables."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
