"""`check`: is everything that was answered there, and nothing else?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import HERE, Place, known
from bulkwright.cli.show import console
from bulkwright.service.findings import Finding

FOUND = 1
"""Exit status when something is not as it should be."""


def check(
    *,
    place: Place = HERE,
    json: Annotated[bool, Parameter(help="One JSON object instead of a table.")] = False,
) -> int:
    """Hold a data folder's database and files against the results of its jobs.

    Every result line must be accounted for in ledger and counters, its record in the module's
    table, and every record in a line; uploads and results must be what was acknowledged. Nothing
    is written, and a server may run meanwhile. Ends with status 0 when all is well, 1 when
    something was found; what is harmless does not count.
    """
    from bulkwright.wiring import open_check

    with open_check(known(place)) as checking:
        found = list(checking.run())
        checked = dict(checking.checked)
    broken = [finding for finding in found if not finding.fault.harmless]
    if json:
        _print_json(found, checked, clean=not broken)
    else:
        _print_table(found)
        looked = ", ".join(f"{count:,} {what}" for what, count in checked.items() if count)
        verdict = "all is well" if not broken else f"{len(broken)} found"
        console.print(Text(f"checked {looked or 'the database'}: {verdict}"), soft_wrap=True)
    return FOUND if broken else 0


def _print_table(found: list[Finding]) -> None:
    if not found:
        return
    table = Table("Found", "Where", "What is wrong", "What to do")
    for finding in found:
        fault = Text(finding.fault.value, style="dim" if finding.fault.harmless else "red")
        shown = (Text(finding.where), Text(finding.problem), Text(finding.fault.remedy))
        table.add_row(fault, *shown)
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
    body = msgspec.json.encode({"clean": clean, "checked": checked, "findings": findings})
    print(msgspec.json.format(body, indent=2).decode())
