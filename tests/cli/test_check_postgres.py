"""`bulkwright check` has the same findings on PostgreSQL as on SQLite (test_check.py)."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from tests.support.postgres import Server
from tests.support.program import Run

from bulkwright.service.findings import Fault


def test_check_finds_missing_and_unreported_records(
    run: Run, mixed: Path, postgres: Server
) -> None:
    """A sound database has no findings; a deleted record and one added by hand are found."""
    url = postgres.database()
    place = ("--data", "d", "--database", url)
    write = run("write", mixed, "--module", "Leads", "--operation", "insert", *place)
    assert write.returncode == 3, write.stderr
    sound = run("check", *place)
    assert (sound.returncode, sound.stderr) == (0, "") and "nothing is wrong" in sound.stdout

    with psycopg.connect(url, autocommit=True) as connection:
        query = (
            "SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE relname LIKE '%\\_Leads'"
        )
        ((table,),) = connection.execute(query).fetchall()
        first = f"(SELECT min(id) FROM {table})"
        connection.execute(f"DELETE FROM {table} WHERE id = {first}".encode())
        connection.execute(f"INSERT INTO {table} (id, \"Last_Name\") VALUES (7, 'Ghost')".encode())
    broken = run("check", "--json", *place)
    assert broken.returncode == 1
    found = {finding["code"] for finding in json.loads(broken.stdout)["findings"]}
    assert found == {Fault.RECORD_MISSING.value, Fault.RECORD_UNREPORTED.value}
