"""How the errors of a PostgreSQL server are classified: by SQLSTATE, and without any secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from tests.support.postgres import Server
from tests.support.processes import free_port

import bulkwright.store.postgres.connection  # noqa: F401 - registers its classifier
from bulkwright.outages import Outage, classify

STATES = {
    "08006": "connection",
    "25006": "primary",
    "25P03": "stopped in the middle",
    "28P01": "rejects",
    "3D000": "rejects",
    "40001": "in conflict",
    "40P01": "in conflict",
    "42501": "permission",
    "53100": "free some",
    "53200": "out of memory",
    "53300": "max_connections",
    "55P03": "took too long",
    "57014": "took too long",
    "57P01": "starting or shutting down",
    "57P02": "starting or shutting down",
    "57P03": "starting or shutting down",
    "58030": "input/output",
}
FAULTS = ("23505", "22P02", "25P02", "42P01", "42601", "XX000", "XX001")
"""SQLSTATEs of faults of a job or of the program."""


@pytest.fixture
def connection(postgres: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a server."""
    with closing(psycopg.connect(postgres.url, autocommit=True)) as made:
        yield made


def _outage(run: object, *arguments: object) -> Outage | None:
    with pytest.raises(psycopg.Error) as raised:
        run(*arguments)  # type: ignore[operator]
    return classify(raised.value)


def _raise(connection: psycopg.Connection[tuple[object, ...]], state: str) -> Outage | None:
    return _outage(connection.execute, f"DO $$BEGIN RAISE EXCEPTION SQLSTATE '{state}'; END$$")


@pytest.mark.parametrize(("state", "word"), STATES.items())
def test_an_outage_has_a_message(
    connection: psycopg.Connection[tuple[object, ...]], state: str, word: str
) -> None:
    """It is one line that says what to do."""
    outage = _raise(connection, state)
    assert word in str(outage)
    assert "\n" not in str(outage)


@pytest.mark.parametrize("state", FAULTS)
def test_a_fault_is_no_outage(
    connection: psycopg.Connection[tuple[object, ...]], state: str
) -> None:
    """Waiting would not help, so the error is raised as it is."""
    assert _raise(connection, state) is None


def test_errors_that_the_server_raises_itself(
    connection: psycopg.Connection[tuple[object, ...]], postgres: Server
) -> None:
    """Timeouts, locks and missing permissions of a real server."""
    run = connection.execute
    run("SET statement_timeout = 20")
    assert "took too long" in str(_outage(run, "SELECT pg_sleep(5)"))
    run("SET statement_timeout = 0")
    run("SET lock_timeout = 20")
    with closing(psycopg.connect(postgres.url)) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        assert "took too long" in str(_outage(run, "SELECT pg_advisory_lock(1)"))
    run("SET default_transaction_read_only = on")
    assert "primary" in str(_outage(run, "CREATE TABLE t (a int)"))
    run("SET default_transaction_read_only = off")
    run("SET ROLE pg_monitor")
    assert "permission" in str(_outage(run, "SELECT * FROM pg_authid"))
    run("RESET ROLE")
    run("SET idle_in_transaction_session_timeout = 20")
    run("BEGIN")
    run("SELECT 1")
    assert "stopped in the middle" in str(_outage(_after_a_while, connection))


def _after_a_while(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    time.sleep(0.3)
    connection.execute("SELECT 1")


def test_connections_that_cannot_be_established(postgres: Server) -> None:
    """Rejected, unknown, or all in use: these have no SQLSTATE; the message has no secret."""
    there = urlsplit(postgres.url)
    _, _, host = there.netloc.rpartition("@")
    closed = f"postgresql://user:Geh31m@127.0.0.1:{free_port()}/nowhere"
    for url, word in (
        (closed, "cannot be reached"),
        ("postgresql://user:Geh31m@nowhere.invalid/nowhere", "cannot be reached"),
        (urlunsplit(there._replace(path="/Geh31m")), "rejects"),
        (urlunsplit(there._replace(netloc=f"Geh31m@{host}")), "rejects"),
    ):
        outage = str(_outage(psycopg.connect, url))
        assert word in outage
        assert "Geh31m" not in outage
    pool = ConnectionPool(postgres.url, min_size=1, max_size=1, timeout=0.1, open=True)
    with pool, pool.connection():
        assert "in use" in str(_outage(pool.getconn))
