"""`bulkwright check` on PostgreSQL finds what it finds on SQLite (test_check.py)."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from tests.cli.conftest import Run
from tests.postgres import Server


def test_check_finds_what_is_missing_and_what_nobody_told_of(
    run: Run, mixed: Path, postgres: Server
) -> None:
    """A sound database is called sound; one record gone and one from nowhere are found."""
    url = postgres.database()
    place = ("--data", "d", "--database", url)
    write = run("write", mixed, "--module", "Leads", "--operation", "insert", *place)
    assert write.returncode == 3, write.stderr
    sound = run("check", *place)
    assert (sound.returncode, sound.stderr) == (0, "") and "all is well" in sound.stdout

    with psycopg.connect(url, autocommit=True) as connection:
        query = (
            "SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE relname LIKE '%\\_Leads'"
        )
        ((table,),) = connection.execute(query).fetchall()
        first = f"(SELECT min(id) FROM {table})"
        connection.execute(f"DELETE FROM {table} WHERE id = {first}".encode())
        connection.execute(f"INSERT INTO {table} (id, \"Last_Name\") VALUES (7, 'Nobody')".encode())
    broken = run("check", "--json", *place)
    assert broken.returncode == 1
    found = {finding["code"] for finding in json.loads(broken.stdout)["findings"]}
    assert found == {"record-missing", "record-untold"}
