"""B2: a million rows into PostgreSQL, zip in, result zip out, against psql.

    python benchmarks/b2_postgres.py [--rows N] [--runs K] [--operation NAME] [--parts 1,2]
                                     [--dir DIR]

As B1, on a PostgreSQL server of its own (18, out of a wheel, on the disk of `--dir`, durable). Ours
is one `bulkwright write --database --parts N` command, from start to exit, for each N of `--parts`
(1,2). Beside the wall it prints the CPU time of the server's processes and of the client's.

The reference is what one would type: `\\copy` of the unzipped CSV into a temporary table and one
`INSERT ... ON CONFLICT` into a table with the same unique index, in one transaction. It checks
types by their column alone, remembers nothing and answers nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from b1_sqlite import OPERATIONS, TARGET, conflict_clause
from data import COLUMNS_16, Dataset, make_apart
from harness import (
    ROOT,
    BenchmarkError,
    Finished,
    bulkwright,
    expect_statuses,
    median,
    options,
    peak_floor_mb,
    read_once,
    report,
    say,
    scratch,
    target,
    timed,
    times,
    whole_process,
)

sys.path.insert(0, str(ROOT))
from tests.support.postgres import OwnServer, own_server

SETTINGS = ("-c shared_buffers=1GB", "-c max_wal_size=8GB")
"""Of the server, for both sides; all else is the default: every commit is flushed."""
TYPES = {"Annual_Revenue": "numeric", "No_of_Employees": "bigint", "Email_Opt_Out": "boolean"}
"""Column types of the reference's table; every other column is text."""


def load_script(source: Path, *, conflict: str) -> str:
    """The commands of psql: stage the file, then insert it."""
    names = ", ".join(f'"{name}"' for name in COLUMNS_16)
    typed = ", ".join(f'"{name}" {TYPES.get(name, "text")}' for name in COLUMNS_16)
    return f"""\
\\set ON_ERROR_STOP on
BEGIN;
CREATE TABLE IF NOT EXISTS leads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {typed});
CREATE UNIQUE INDEX IF NOT EXISTS leads_by_email ON leads ("Email");
CREATE TEMPORARY TABLE staging ({typed}) ON COMMIT DROP;
\\copy staging FROM '{source}' WITH (FORMAT csv, HEADER)
INSERT INTO leads ({names}) SELECT {names} FROM staging ON CONFLICT ("Email") {conflict};
COMMIT;
"""


def asked(server: OwnServer, url: str, sql: str) -> str:
    """What psql answers to a query."""
    done = timed([server.psql, "-qtA", url, "-c", sql])
    if done.code:
        raise BenchmarkError(f"psql failed: {done.stderr[-500:]}")
    return done.stdout.strip()


def reference(server: OwnServer, url: str, source: Path, operation: str) -> Finished:
    """One run of psql."""
    script = load_script(source, conflict=conflict_clause(operation, COLUMNS_16))
    done = timed([server.psql, "-q", url], stdin=script)
    if done.code:
        raise BenchmarkError(f"psql failed: {done.stderr[-500:]}")
    return done


def ours(
    url: str, data: Path, archive: Path, result: Path, operation: str, parts: int = 1
) -> Finished:
    """One run of `bulkwright write`."""
    argv: list[str | Path] = [*bulkwright(), "write", archive, "--module", "Leads"]
    argv += ["--operation", operation.partition("-")[0], "--database", url]
    if operation != "insert":
        argv += ["--find-by", "Email"]
    done = timed([*argv, "--parts", str(parts), "--data", data, "--result", result])
    if done.code:
        raise BenchmarkError(f"write exited with {done.code}: {done.stderr[-2000:]}")
    return done


def expect_stored(server: OwnServer, url: str, table: str, rows: int) -> None:
    """Check how many rows a table holds; `%` stands for what we do not know of its name."""
    named = (
        f"SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relname LIKE '{table}'"
    )
    held = asked(server, url, f"SELECT count(*) FROM {asked(server, url, named)}")
    if int(held) != rows:
        raise BenchmarkError(f"there should be {rows} rows in {table}, there are {held}")


def measure(
    server: OwnServer, operation: str, rows: int, runs: int, folder: Path, parts: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Both sides of one operation, taking turns; ours once for each number of parts."""
    first = Dataset(rows)
    plain, archive = make_apart(first, folder), make_apart(first, folder, zipped=True)
    match = operation == "upsert-match"
    filled_theirs = filled_ours = None
    theirs_runs: list[Finished] = []
    ours_runs: dict[int, list[Finished]] = {number: [] for number in parts}
    cpu: dict[int, list[float]] = {number: [] for number in (0, *parts)}
    """CPU seconds of the server, by the number of parts; 0 is the reference."""
    with scratch(folder) as space:
        if match:
            say(f"{operation}: filling both databases")
            filled_theirs, filled_ours = server.database(), server.database()
            other = Dataset(rows, generation=1)
            reference(server, filled_theirs, make_apart(other, folder), "insert")
            before = make_apart(other, folder, zipped=True)
            ours(filled_ours, space / "filled", before, space / "filled.zip", "upsert-new")
        read_once(plain)
        read_once(archive)
        for run in range(runs):
            url = server.database(filled_theirs)
            server.run("CHECKPOINT")
            begun = server.cpu_s()
            theirs_runs.append(reference(server, url, plain, operation))
            cpu[0].append(server.cpu_s() - begun)
            expect_stored(server, url, "leads", rows)
            server.drop(url)
            say(f"{operation}: run {run + 1}: reference {theirs_runs[-1].seconds:.2f} s")
            for number in parts:
                url = server.database(filled_ours)
                server.run("CHECKPOINT")
                result = space / f"{run}-{number}.zip"
                data, begun = space / f"{run}-{number}", server.cpu_s()
                done = ours(url, data, archive, result, operation, number)
                cpu[number].append(server.cpu_s() - begun)
                ours_runs[number].append(done)
                expect_statuses(result, {"UPDATED" if match else "ADDED": rows})
                expect_stored(server, url, "org%_Leads", rows)
                server.drop(url)
                say(
                    f"{operation}: run {run + 1}: ours, {number} parts {done.seconds:.2f} s, "
                    f"CPU of the server {cpu[number][-1]:.1f} s, of the client {done.cpu_s:.1f} s"
                )
    return {
        number: compared(theirs_runs, ours_runs[number], cpu[0], cpu[number], rows)
        for number in parts
    }


def compared(
    theirs_runs: list[Finished],
    ours_runs: list[Finished],
    theirs_cpu: list[float],
    ours_cpu: list[float],
    rows: int,
) -> dict[str, Any]:
    """The figures of both sides."""
    own = median([done.seconds for done in ours_runs])
    theirs = median([done.seconds for done in theirs_runs])
    return {
        "reference": {
            "what": "psql: \\copy of the unzipped CSV into a temporary table, INSERT ... ON "
            "CONFLICT into a table with a unique index, one transaction",
            **times([done.seconds for done in theirs_runs]),
            "server_cpu_s": median(theirs_cpu),
            "client_cpu_s": median([done.cpu_s for done in theirs_runs]),
        },
        "ours": {
            **whole_process(ours_runs, rows),
            "server_cpu_s": median(ours_cpu),
            "client_cpu_s": median([done.cpu_s for done in ours_runs]),
        },
        "ratio": round(own / theirs, 3),
        "target": target(own / theirs, at_most=TARGET),
        "peak_floor_mb": peak_floor_mb(),
        "server": list(SETTINGS),
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--operation", choices=OPERATIONS, action="append")
    parser.add_argument("--parts", default="1,2")
    args = parser.parse_args()
    parts = [int(number) for number in args.parts.split(",")]
    parameters = {"rows": args.rows, "columns": len(COLUMNS_16), "runs": args.runs}
    args.dir.mkdir(parents=True, exist_ok=True)
    with own_server(settings=SETTINGS, parent=args.dir) as server:
        for name in args.operation or OPERATIONS:
            measured = measure(server, name, args.rows, args.runs, args.dir, parts)
            for number, figures in measured.items():
                report("B2", {**parameters, "parts": number}, {name: figures})


if __name__ == "__main__":
    main()
