"""The sqlite3 shell: `.import` into a staging table, `INSERT OR IGNORE` into one with rules.

The table states what can be stated without a check: NOT NULL and a unique index. SQLite keeps text
in number and date columns, and ignores lengths; what is ignored is not reported.
"""

from __future__ import annotations

import os
import shutil
import sqlite3

from contest import COLUMNS, SQL_COLUMNS
from peer import Task, main

TABLE = ", ".join(
    f"{name} {kind}{' NOT NULL' if name == 'Last_Name' else ''}"
    for name, kind in SQL_COLUMNS.items()
)


def prepare(task: Task) -> None:
    """The table, its index, and the commands of the shell."""
    with sqlite3.connect(task.folder / "target.db") as target:
        target.execute("PRAGMA journal_mode = WAL")
        target.execute(f"CREATE TABLE leads ({TABLE})")
        target.execute("CREATE UNIQUE INDEX leads_by_email ON leads (Email)")
    values = ", ".join(f"nullif({name}, '')" for name in COLUMNS)
    (task.folder / "script.sql").write_text(
        f"""\
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
CREATE TEMP TABLE staging ({", ".join(f"{name} TEXT" for name in COLUMNS)});
.import --csv --skip 1 --schema temp "{task.csv}" staging
INSERT OR IGNORE INTO leads SELECT {values} FROM temp.staging;
""",
        encoding="utf-8",
    )


def load(task: Task) -> None:
    """Read the script."""
    shell = shutil.which("sqlite3")
    assert shell is not None
    os.execv(
        shell,
        [shell, "-batch", "-init", str(task.folder / "script.sql"),
         str(task.folder / "target.db"), "SELECT 1"],
    )  # fmt: skip


def account(task: Task) -> None:
    """The shell explains nothing."""
    with sqlite3.connect(task.folder / "target.db") as target:
        task.loaded(row for (row,) in target.execute("SELECT Row_No FROM leads"))
    task.explained(())


if __name__ == "__main__":
    main(prepare, load, account)
