"""B1: a million rows into SQLite, zip in, result zip out, against the sqlite3 shell.

    python benchmarks/b1_sqlite.py [--rows N] [--runs K] [--operation NAME] [--dir DIR]

`insert`, `insert-checked` (with `--find-by Email`) and `upsert-new` go into an empty store,
`upsert-match` into one that holds all the addresses with other values, `upsert-unchanged` into one
that holds the same records, which ours does not write again. Ours is one `bulkwright
write` process, from start to exit.

The reference is the shell's `.import` into a staging table and one `INSERT ... ON CONFLICT` into a
table with the same unique index, WAL, synchronous=FULL. It reads the CSV already unzipped, checks
nothing, remembers nothing and answers nothing. It has its unique index for `insert` too, where ours
looks nothing up; `insert-checked` compares like with like.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from data import COLUMNS_16, Dataset, make_apart
from harness import (
    BenchmarkError,
    Finished,
    bulkwright,
    expect_statuses,
    expect_stored,
    median,
    options,
    peak_floor_mb,
    read_once,
    report,
    say,
    scratch,
    sqlite_shell,
    target,
    timed,
    times,
    whole_process,
)

OPERATIONS = ("insert", "insert-checked", "upsert-new", "upsert-match", "upsert-unchanged")
TARGET = 1.0

TYPES = {"Annual_Revenue": "NUMERIC", "No_of_Employees": "INTEGER"}
"""Column types of the reference's table; every other column is TEXT."""


def import_script(source: Path, columns: list[str], *, conflict: str) -> str:
    """The commands of the shell: stage the file, then insert it, then leave.

    The temporary staging table and the cache of 64 MiB are the quickest of the settings tried.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    typed = ", ".join(f'"{name}" {TYPES.get(name, "TEXT")}' for name in columns)
    staged = ", ".join(f'"{name}" TEXT' for name in columns)
    return f"""\
.bail on
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
CREATE TABLE IF NOT EXISTS leads (id INTEGER PRIMARY KEY, {typed});
CREATE UNIQUE INDEX IF NOT EXISTS leads_by_email ON leads (Email);
CREATE TEMP TABLE staging ({staged});
.import --csv --skip 1 --schema temp "{source}" staging
INSERT INTO leads ({names}) SELECT {names} FROM temp.staging WHERE true
ON CONFLICT (Email) {conflict};
"""


def conflict_clause(operation: str, columns: list[str]) -> str:
    """What the reference does with an address that it already has."""
    if operation.startswith("insert"):
        return "DO NOTHING"
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != "Email")
    return f"DO UPDATE SET {changed}"


def reference(database: Path, source: Path, columns: list[str], operation: str) -> Finished:
    """One run of the shell."""
    script = import_script(source, columns, conflict=conflict_clause(operation, columns))
    done = timed([sqlite_shell(), "-batch", database], stdin=script)
    if done.code or done.stderr:
        raise BenchmarkError(f"the shell failed: {done.stderr[-500:]}")
    return done


def stored(database: Path) -> int:
    """How many rows the reference's table holds."""
    done = timed([sqlite_shell(), "-batch", database, "SELECT count(*) FROM leads"])
    return int(done.stdout)


def ours(
    data: Path,
    archive: Path,
    result: Path,
    operation: str,
    *,
    skips: bool = False,
    keep_images: str | None = None,
) -> Finished:
    """One run of `bulkwright write` on the embedded store, which says by its code if it `skips`."""
    verb = operation.partition("-")[0]
    argv: list[str | Path] = [*bulkwright(), "write", archive]
    argv += ["--module", "Leads", "--operation", verb]
    if operation != "insert":
        argv += ["--find-by", "Email"]
    if keep_images is not None:
        argv += ["--keep-images", keep_images]
    done = timed([*argv, "--data", data, "--result", result])
    if done.code != (3 if skips else 0):
        raise BenchmarkError(f"write exited with {done.code}: {done.stderr[-2000:]}")
    return done


def measure(operation: str, rows: int, runs: int, folder: Path) -> dict[str, Any]:
    """Both sides of one operation, taking turns."""
    first = Dataset(rows)
    say(f"{operation}: data")
    plain, archive = make_apart(first, folder), make_apart(first, folder, zipped=True)
    match = operation in ("upsert-match", "upsert-unchanged")
    status = "UPDATED" if match else "ADDED"
    theirs_runs: list[Finished] = []
    ours_runs: list[Finished] = []
    with scratch(folder) as space:
        filled_db, filled_data = space / "filled.db", space / "filled"
        if match:
            other = Dataset(rows, generation=int(operation == "upsert-match"))
            say(f"{operation}: filling both stores")
            reference(filled_db, make_apart(other, folder), COLUMNS_16, "insert")
            before = make_apart(other, folder, zipped=True)
            ours(filled_data, before, space / "filled.zip", "upsert-new")
        read_once(plain)
        read_once(archive)
        for run in range(runs):
            database, data, result = space / f"{run}.db", space / f"{run}", space / f"{run}.zip"
            if match:
                shutil.copy(filled_db, database)
                shutil.copytree(filled_data, data)
            theirs_runs.append(reference(database, plain, COLUMNS_16, operation))
            if stored(database) != rows:
                raise BenchmarkError("the reference lost rows")
            say(f"{operation}: run {run + 1}: reference {theirs_runs[-1].seconds:.2f} s")
            ours_runs.append(ours(data, archive, result, operation))
            expect_statuses(result, {status: rows})
            expect_stored(data, rows)
            say(f"{operation}: run {run + 1}: ours {ours_runs[-1].seconds:.2f} s")
            database.unlink()
            shutil.rmtree(data)
    own = median([done.seconds for done in ours_runs])
    theirs = median([done.seconds for done in theirs_runs])
    return {
        "reference": {
            "what": "sqlite3 shell: .import of the unzipped CSV into a temporary staging table, "
            "INSERT ... ON CONFLICT into a table with a unique index, WAL, synchronous=FULL",
            **times([done.seconds for done in theirs_runs]),
            "peak_mb": max(done.peak_mb for done in theirs_runs),
        },
        "ours": whole_process(ours_runs, rows),
        "ratio": round(own / theirs, 3),
        "target": target(own / theirs, at_most=TARGET),
        "peak_floor_mb": peak_floor_mb(),
        "input_bytes": {"csv": plain.stat().st_size, "zip": archive.stat().st_size},
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--operation", choices=OPERATIONS, action="append")
    args = parser.parse_args()
    chosen = args.operation or list(OPERATIONS)
    parameters = {"rows": args.rows, "columns": len(COLUMNS_16), "runs": args.runs}
    for name in chosen:
        report("B1", parameters, {name: measure(name, args.rows, args.runs, args.dir)})


if __name__ == "__main__":
    main()
