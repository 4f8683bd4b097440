"""dlt: a CSV through a Pydantic model into DuckDB, rows that do not fit being discarded.

The contract `discard_row` is what lets the rest of a file through: `freeze` ends the load at the
first row that does not fit. `merge` on the address keeps one row of each. Neither reports a row.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

import dlt
import duckdb
from contest import LONGEST_NAME
from peer import Task, main, nothing
from pydantic import BaseModel, Field


class Lead(BaseModel):
    """What a row must be."""

    Row_No: int
    Email: Annotated[str, Field(max_length=100)]
    Last_Name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    First_Name: str
    Company: str
    Phone: str
    City: str
    Annual_Revenue: Decimal
    No_of_Employees: int
    Met_On: date


def load(task: Task) -> None:
    """Extract, normalize, load."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

    @dlt.resource(
        name="leads",
        columns=Lead,
        primary_key="Email",
        write_disposition="merge",
        schema_contract={"data_type": "discard_row"},
    )
    def leads() -> Iterator[list[dict[str, str]]]:
        block: list[dict[str, str]] = []
        with task.csv.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                block.append(row)
                if len(block) == 10_000:
                    yield block
                    block = []
        yield block

    pipeline = dlt.pipeline(
        "peers",
        pipelines_dir=str(task.folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(task.folder / "target.duckdb")),
        dataset_name="peers",
    )
    pipeline.run(leads())


def account(task: Task) -> None:
    """It explains nothing."""
    with duckdb.connect(str(task.folder / "target.duckdb")) as target:
        rows = target.execute("SELECT row_no FROM peers.leads").fetchall()
    task.loaded(row for (row,) in rows)
    task.explained(())


if __name__ == "__main__":
    main(nothing, load, account)
