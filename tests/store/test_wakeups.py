"""Wake-ups: a commit wakes those who wait, on both stores; nothing that happens to them blocks."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.postgres import Server, own_server
from tests.support.processes import until

from bulkwright.store.database import Database
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.store.sqlite.wakeups import wake_folder
from bulkwright.store.wakeups import Topic, Wakeups

LONG = 60.0
"""Seconds that no test waits for: only a wake-up ends such a wait."""


class Rollback(Exception):
    """Rolls a transaction back."""


@pytest.fixture
def receiving(empty_database: Database) -> Iterator[Wakeups]:
    """The wake-ups of jobs, which are received."""
    with empty_database.wakeups(Topic.JOBS) as wakeups:
        assert wakeups.wait(LONG), "the first call says to look"
        yield wakeups


def wake(database: Database, topic: Topic = Topic.JOBS) -> None:
    """Commit a transaction that wakes."""
    with database.transaction():
        database.wake(topic)


def test_a_commit_wakes(empty_database: Database, receiving: Wakeups) -> None:
    wake(empty_database)
    assert receiving.wait(LONG)


def test_a_wake_up_ends_a_wait_that_has_begun(empty_database: Database, receiving: Wakeups) -> None:
    """On another thread, as in a server."""
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(receiving.wait(LONG)))
    waiting.start()
    wake(empty_database)
    waiting.join(LONG / 2)
    assert woken == [True]


def test_several_wake_ups_are_one(empty_database: Database, receiving: Wakeups) -> None:
    """Who looks for work finds all of it."""
    for _ in range(3):
        wake(empty_database)
    assert receiving.wait(LONG)
    # A notification of PostgreSQL may arrive a moment later.
    assert until(lambda: not receiving.wait(0.0))


def test_neither_a_rollback_nor_another_topic_wakes(
    empty_database: Database, receiving: Wakeups
) -> None:
    with pytest.raises(Rollback), empty_database.transaction():
        empty_database.wake(Topic.JOBS)
        raise Rollback
    wake(empty_database, Topic.CALLBACKS)
    assert not receiving.wait(0.2)


def test_the_outer_transaction_decides(empty_database: Database, receiving: Wakeups) -> None:
    """A wake-up inside an inner transaction is sent by the commit of the outer one."""
    with empty_database.transaction():
        wake(empty_database)
        assert not receiving.wait(0.1)
    assert receiving.wait(LONG)
    with pytest.raises(Rollback), empty_database.transaction():
        wake(empty_database)
        raise Rollback
    assert not receiving.wait(0.1)


def test_everyone_who_waits_is_woken(empty_database: Database, receiving: Wakeups) -> None:
    with empty_database.wakeups(Topic.JOBS) as another:
        assert another.wait(LONG)
        wake(empty_database)
        assert receiving.wait(LONG)
        assert another.wait(LONG)


def test_an_interrupt_ends_this_wait_and_all_later_ones(receiving: Wakeups) -> None:
    """As at the end of a worker; a second one, by a second signal, is not an error."""
    receiving.interrupt()
    receiving.interrupt()
    assert not receiving.wait(LONG)
    receiving.pause(LONG)
    assert not receiving.wait(LONG)


def test_a_pause_is_not_ended_by_a_wake_up(empty_database: Database, receiving: Wakeups) -> None:
    """A blocked worker pauses, however many jobs are created."""
    wake(empty_database)
    receiving.pause(0.0)
    assert receiving.wait(LONG), "the wake-up is still there after the pause"


@dataclass
class Pipes:
    """A SQLite database, and the folder of its pipes."""

    database: StdlibDatabase
    folder: Path

    def names(self) -> list[str]:
        """The pipes that exist."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    """An empty database."""
    path = tmp_path / "test.sqlite"
    with closing(StdlibDatabase(path)) as database:
        yield Pipes(database, wake_folder(path))


def test_the_pipe_of_a_killed_process_is_deleted(pipes: Pipes) -> None:
    """And keeps no one waiting: opening it to write would wait for a reader."""
    pipes.folder.mkdir()
    os.mkfifo(pipes.folder / "jobs-dead")
    with pipes.database.wakeups(Topic.JOBS) as wakeups:
        assert wakeups.wait(LONG)
        wake(pipes.database)
        assert wakeups.wait(LONG)
        (alive,) = pipes.names()
        assert alive != "jobs-dead"
    assert pipes.names() == []


def test_a_full_pipe_blocks_no_one(pipes: Pipes) -> None:
    """A process that was stopped does not read; it is woken when it continues."""
    with pipes.database.wakeups(Topic.JOBS) as wakeups:
        assert wakeups.wait(LONG)
        (name,) = pipes.names()
        handle = os.open(pipes.folder / name, os.O_WRONLY | os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):
            while os.write(handle, b"\0" * 1024):
                pass
        os.close(handle)
        wake(pipes.database)
        assert wakeups.wait(LONG)


def test_a_deleted_pipe_is_made_again(pipes: Pipes) -> None:
    """The folder may be deleted or restored from a backup while processes wait."""
    with pipes.database.wakeups(Topic.JOBS) as wakeups:
        assert wakeups.wait(LONG)
        for name in pipes.names():
            (pipes.folder / name).unlink()
        pipes.folder.rmdir()
        wake(pipes.database)
        assert wakeups.wait(LONG), "there is a new pipe, so look"
        wake(pipes.database)
        assert wakeups.wait(LONG)


def test_without_pipes_there_is_only_the_poll(pipes: Pipes) -> None:
    """No pipe can be made: nothing raises, each wait takes its time, and pipes come back."""
    pipes.folder.touch()
    with pipes.database.wakeups(Topic.JOBS) as wakeups:
        assert not wakeups.wait(0.0)
        wake(pipes.database)
        assert not wakeups.wait(0.0)
        pipes.folder.unlink()
        assert wakeups.wait(LONG)
        wake(pipes.database)
        assert wakeups.wait(LONG)


def test_files_of_others_are_left_alone(pipes: Pipes) -> None:
    """What is not a pipe of this topic is neither written nor deleted."""
    pipes.folder.mkdir()
    (pipes.folder / "notes").write_text("mine")
    (pipes.folder / "jobs-link").symlink_to(pipes.folder / "notes")
    wake(pipes.database)
    assert (pipes.folder / "notes").read_text() == "mine"
    assert pipes.names() == ["jobs-link", "notes"]


@contextmanager
def connected(server: Server) -> Iterator[PostgresDatabase]:
    """A new database of a server."""
    with closing(PostgresDatabase(server.database(), connections=2)) as database:
        yield database


def test_a_lost_connection_is_made_again(postgres: Server) -> None:
    """The end of the connection wakes; then the next call connects and says to look."""
    with connected(postgres) as database, database.wakeups(Topic.JOBS) as wakeups:
        assert wakeups.wait(LONG)
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN %'"
        )
        assert wakeups.wait(LONG), "the connection has ended"
        wake(database)
        assert wakeups.wait(LONG), "it listens again, so look"
        wake(database)
        assert wakeups.wait(LONG)


@pytest.mark.slow
def test_without_the_server_there_is_only_the_poll() -> None:
    """A server that is down is tried again by each wait."""
    with (
        own_server() as server,
        connected(server) as database,
        database.wakeups(Topic.JOBS) as wakeups,
    ):
        server.stop("immediate")
        assert not wakeups.wait(0.0)
        server.start()
        assert wakeups.wait(LONG)
        wake(database)
        assert wakeups.wait(LONG)
