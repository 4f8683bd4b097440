"""sqlite-utils: `insert --csv --ignore` into a table made before, with NOT NULL and a unique index.

Without --ignore the first broken rule ends the load. What is ignored is not reported.
"""

from __future__ import annotations

import os
import sqlite3
import sys

from peer import Task, main
from sqlite_shell import TABLE


def prepare(task: Task) -> None:
    """The table and its index."""
    with sqlite3.connect(task.folder / "target.db") as target:
        target.execute("PRAGMA journal_mode = WAL")
        target.execute(f"CREATE TABLE leads ({TABLE})")
        target.execute("CREATE UNIQUE INDEX leads_by_email ON leads (Email)")


def load(task: Task) -> None:
    """The command line, empty cells being NULL."""
    words = ["-m", "sqlite_utils", "insert", str(task.folder / "target.db"), "leads", str(task.csv)]
    os.execv(
        sys.executable, [sys.executable, *words, "--csv", "--empty-null", "--ignore", "--silent"]
    )


def account(task: Task) -> None:
    """It explains nothing."""
    with sqlite3.connect(task.folder / "target.db") as target:
        task.loaded(row for (row,) in target.execute("SELECT Row_No FROM leads"))
    task.explained(())


if __name__ == "__main__":
    main(prepare, load, account)
