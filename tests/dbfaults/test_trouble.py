"""What the server's errors are told as: by their state, and never with what is secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from tests.cluster.site import free_port
from tests.postgres import Server

from bulkwright.trouble import trouble

STATES = {
    "08006": "connection",
    "25006": "primary",
    "25P03": "stopped in the middle",
    "28P01": "refuses",
    "3D000": "refuses",
    "40001": "in each other's way",
    "40P01": "in each other's way",
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
"""Of the work at hand, or of the program."""


@pytest.fixture
def connection(postgres: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a server."""
    with closing(psycopg.connect(postgres.url, autocommit=True)) as made:
        yield made


def _told(run: object, *arguments: object) -> str | None:
    with pytest.raises(psycopg.Error) as raised:
        run(*arguments)  # type: ignore[operator]
    return trouble(raised.value)


def _raise(connection: psycopg.Connection[tuple[object, ...]], state: str) -> str | None:
    return _told(connection.execute, f"DO $$BEGIN RAISE EXCEPTION SQLSTATE '{state}'; END$$")


@pytest.mark.parametrize(("state", "word"), STATES.items())
def test_what_passes(
    connection: psycopg.Connection[tuple[object, ...]], state: str, word: str
) -> None:
    """One line that says what to do."""
    told = _raise(connection, state)
    assert told is not None
    assert word in told
    assert "\n" not in told


@pytest.mark.parametrize("state", FAULTS)
def test_what_does_not_pass(connection: psycopg.Connection[tuple[object, ...]], state: str) -> None:
    """Waiting would not help."""
    assert _raise(connection, state) is None


def test_what_the_server_says_by_itself(
    connection: psycopg.Connection[tuple[object, ...]], postgres: Server
) -> None:
    """Timeouts, locks and rights as they really come."""
    run = connection.execute
    run("SET statement_timeout = 20")
    assert "took too long" in str(_told(run, "SELECT pg_sleep(5)"))
    run("SET statement_timeout = 0")
    run("SET lock_timeout = 20")
    with closing(psycopg.connect(postgres.url)) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        assert "took too long" in str(_told(run, "SELECT pg_advisory_lock(1)"))
    run("SET default_transaction_read_only = on")
    assert "primary" in str(_told(run, "CREATE TABLE t (a int)"))
    run("SET default_transaction_read_only = off")
    run("SET ROLE pg_monitor")
    assert "permission" in str(_told(run, "SELECT * FROM pg_authid"))
    run("RESET ROLE")
    run("SET idle_in_transaction_session_timeout = 20")
    run("BEGIN")
    run("SELECT 1")
    assert "stopped in the middle" in str(_told(_after_a_while, connection))


def _after_a_while(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    time.sleep(0.3)
    connection.execute("SELECT 1")


def test_connections_that_do_not_come_about(postgres: Server) -> None:
    """Refused, unknown, or none that is free: with no state and no secret."""
    there = urlsplit(postgres.url)
    _, _, host = there.netloc.rpartition("@")
    closed = f"postgresql://someone:Geh31m@127.0.0.1:{free_port()}/nowhere"
    for url, word in (
        (closed, "cannot be reached"),
        ("postgresql://someone:Geh31m@nowhere.invalid/nowhere", "cannot be reached"),
        (urlunsplit(there._replace(path="/Geh31m")), "refuses"),
        (urlunsplit(there._replace(netloc=f"Geh31m@{host}")), "refuses"),
    ):
        told = str(_told(psycopg.connect, url))
        assert word in told
        assert "Geh31m" not in told
    pool = ConnectionPool(postgres.url, min_size=1, max_size=1, timeout=0.1, open=True)
    with pool, pool.connection():
        assert "in use" in str(_told(pool.getconn))
