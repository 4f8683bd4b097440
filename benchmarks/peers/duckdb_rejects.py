"""DuckDB: `read_csv` with `store_rejects`, then `INSERT OR IGNORE` into a table with a unique key.

Rejects name line, column and reason of cells that are not of their type. A NOT NULL or a CHECK
would end the load at the first row that breaks it, so the table states neither; a duplicate key is
ignored without a word.
"""

from __future__ import annotations

import csv

import duckdb
from contest import SQL_COLUMNS
from peer import Task, main

TYPES = ", ".join(f"'{name}': '{kind}'" for name, kind in SQL_COLUMNS.items())


def prepare(task: Task) -> None:
    """The table."""
    columns = ", ".join(
        f"{name} {kind}{' UNIQUE' if name == 'Email' else ''}" for name, kind in SQL_COLUMNS.items()
    )
    with duckdb.connect(str(task.folder / "target.duckdb")) as target:
        target.execute(f"CREATE TABLE leads ({columns})")


def load(task: Task) -> None:
    """Read, insert, keep the rejects."""
    with duckdb.connect(str(task.folder / "target.duckdb")) as target:
        target.execute(
            f"INSERT OR IGNORE INTO leads SELECT * FROM read_csv('{task.csv}', header = true, "
            f"columns = {{{TYPES}}}, store_rejects = true, rejects_limit = 0)"
        )
        rejected = target.execute("SELECT csv_line, error_message FROM reject_errors").fetchall()
    with (task.folder / "rejects.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rejected)


def account(task: Task) -> None:
    """The table, and the rejects with a message."""
    with duckdb.connect(str(task.folder / "target.duckdb")) as target:
        rows = target.execute("SELECT Row_No FROM leads").fetchall()
    task.loaded(row for (row,) in rows)
    with (task.folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        task.explained(line.partition(",")[0] for line, reason in csv.reader(file) if reason)


if __name__ == "__main__":
    main(prepare, load, account)
