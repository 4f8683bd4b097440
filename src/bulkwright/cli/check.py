"""`check`: compares the database and the files with the results of jobs."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import DEFAULT_LOCATION, Json, Location, require_data
from bulkwright.cli.output import console, print_json
from bulkwright.service.findings import Finding
from bulkwright.settings import Settings
from bulkwright.wiring import open_check

FOUND = 1
"""Exit status when something is wrong."""


def check(*, json: Json = False, location: Location = DEFAULT_LOCATION) -> int:
    """Check a data folder against its job results.

    Every result line must be in the ledger and in the counts, its record in the module's table,
    and every record in a result line. Uploads and results must have their stored checksums. The
    command writes nothing, and a server may run meanwhile. The exit status is 0 when nothing is
    wrong, 1 otherwise; harmless findings do not count.
    """
    require_data(location)
    with open_check(Settings.merged(location)) as checking:
        found = list(checking.run())
        checked = dict(checking.checked)
    broken = [finding for finding in found if not finding.fault.harmless]
    if json:
        _print_json(found, checked, clean=not broken)
    else:
        _print_table(found)
        scope = ", ".join(f"{count:,} {what}" for what, count in checked.items() if count)
        result = f"{len(broken)} found" if broken else "nothing is wrong"
        console.print(Text(f"checked {scope or 'the database'}: {result}"), soft_wrap=True)
    return FOUND if broken else 0


def _print_table(found: list[Finding]) -> None:
    if not found:
        return
    table = Table("Found", "Where", "What is wrong", "What to do")
    for finding in found:
        fault = Text(finding.fault.value, style="dim" if finding.fault.harmless else "red")
        cells = (Text(finding.where), Text(finding.problem), Text(finding.fault.remedy))
        table.add_row(fault, *cells)
    console.print(table)


def _print_json(found: list[Finding], checked: dict[str, int], *, clean: bool) -> None:
    findings = [
        {
            "code": finding.fault.value,
            "harmless": finding.fault.harmless,
            "where": finding.where,
            "problem": finding.problem,
            "next": finding.fault.remedy,
        }
        for finding in found
    ]
    print_json({"clean": clean, "checked": checked, "findings": findings})
