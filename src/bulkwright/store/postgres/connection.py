"""A PostgreSQL database through psycopg: of the API, of the commands, and of workers.

Each call takes a connection from a pool; inside `transaction` a thread keeps its connection. Every
wait has a limit: for a connection, a statement, a lock, and for a client that was stopped in the
middle of a transaction.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any, ClassVar, Self, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import LEASE_SECONDS, STATEMENT_SECONDS
from bulkwright.domain.module import StorageType
from bulkwright.outages import register
from bulkwright.ports import ChunkSize
from bulkwright.store.database import Row
from bulkwright.store.postgres.copy_out import copied_rows
from bulkwright.store.postgres.errors import postgres_outage
from bulkwright.store.postgres.parameters import fetched, marked, without_nul
from bulkwright.store.postgres.values import load_as_sqlite
from bulkwright.store.postgres.wakeups import NotifiedWakeups, channel_of
from bulkwright.store.queries import NamedQueries
from bulkwright.store.tables import PLAIN_CELLS, Types
from bulkwright.store.wakeups import Topic, Wakeups
from bulkwright.variables import UnusableSetting

register(psycopg.Error, postgres_outage)

Connection = psycopg.Connection[DictRow]

TYPES = Types(
    of={
        StorageType.TEXT: "TEXT",
        StorageType.INTEGER: "BIGINT",
        StorageType.DECIMAL: "NUMERIC",
        StorageType.BOOLEAN: "BOOLEAN",
        StorageType.DATE: "DATE",
        StorageType.DATETIME: "TIMESTAMPTZ",
        StorageType.LIST: "JSONB",
        StorageType.REFERENCE: "BIGINT",
    },
    # Keys are compared byte by byte, which is the fastest comparison (decision 8).
    key='TEXT COLLATE "C"',
    folded='lower(trim({} COLLATE "C"))',
    ordered='{} COLLATE "C"',
    elements="jsonb_array_elements_text({}) AS e (value)",
    cells={
        **PLAIN_CELLS,
        # Sessions are in UTC.
        StorageType.DATETIME: """to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    },
)
"""PostgreSQL's column types."""

CONNECT_SECONDS = 5.0
"""How long to wait for a connection: a new one, or one that another thread returns."""
_RECONNECT_SECONDS = 0.25
"""How long to wait if the last attempt to connect failed, so that requests do not queue up."""
_APPLICATION = "bulkwright"
"""The name of the service's sessions on the server."""
_SILENT_SECONDS = 10
"""The time without any packet after which a connection is treated as lost."""
_KEEPALIVE = {
    "idle": _SILENT_SECONDS // 2,
    "interval": 1,
    "count": _SILENT_SECONDS // 2,
}
_CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": int(CONNECT_SECONDS),
    "application_name": _APPLICATION,
    **{f"keepalives_{name}": value for name, value in _KEEPALIVE.items()},
    "tcp_user_timeout": _SILENT_SECONDS * 1000,
}
"""psycopg's options of every connection."""

_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    # The connection of a machine that has disappeared ends too.
    **{f"tcp_keepalives_{name}": value for name, value in _KEEPALIVE.items()},
    "statement_timeout": int(STATEMENT_SECONDS * 1000),
    # A worker that is stopped in the middle of a chunk blocks its job no longer than this.
    "idle_in_transaction_session_timeout": int(LEASE_SECONDS * 1000),
    "tcp_user_timeout": _SILENT_SECONDS * 1000,
}
_WORKER_SESSION = {
    # Every chunk uses indexes, whatever the planner estimates about the tables. A join that reads
    # a whole table would cost more with every record in it.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
}


class PostgresQueries(NamedQueries):
    """The part of `Database` that is the same for all PostgreSQL databases."""

    dialect: ClassVar[str] = "postgres"
    types: ClassVar[Types] = TYPES

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(clock)
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # its text may hold the password
            raise UnusableSetting(
                "--database is not a URL of PostgreSQL, such as "
                "postgresql://USER:PASSWORD@HOST/NAME; in it, % is written as %25."
            ) from None
        self._url = url

    def wake(self, topic: Topic) -> None:
        """Wakes all processes that wait for a topic when the transaction of this call commits."""
        self.sql("SELECT pg_notify(?, '')", (channel_of(topic),))

    def wakeups(self, topic: Topic) -> Wakeups:
        """Returns the wake-ups of a topic, to wait for and to close."""
        return NotifiedWakeups(self._url, _CONNECTION, topic)

    def run_script(self, script: str) -> None:
        """Runs the statements of a script; call it inside `transaction`."""
        self.sql(script)  # the server itself decides which semicolons end a statement


class PostgresDatabase(PostgresQueries):
    """A `Database` (see store/database.py) on a PostgreSQL server.

    Raises psycopg's OperationalError if the server cannot be reached (errors.py).
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        worker: bool = False,
        patient: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Connects nothing yet. At most `connections` are open; each thread needs one.

        With `patient`, a transaction may take as long as it needs, because a dry run is one.
        """
        super().__init__(url, clock)
        self._session = _SESSION | (_WORKER_SESSION if worker else {})
        if patient:
            self._session["idle_in_transaction_session_timeout"] = 0
        self._local = threading.local()
        self._connect_error: psycopg.Error | None = None
        """The error of the last attempt to connect; None if it succeeded."""
        self._pool = ConnectionPool[_Connection](
            url,
            connection_class=_Connection,
            kwargs=_CONNECTION | {"row_factory": dict_row, "on_attempt": self._on_attempt},
            min_size=0,
            max_size=connections,
            timeout=CONNECT_SECONDS,
            # The pauses between attempts double; after this time the next call starts again.
            reconnect_timeout=CONNECT_SECONDS,
            max_idle=60.0,
            configure=self._configure,
            # The server may have been restarted since the connection was used last.
            check=_check,
            open=True,
        )

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Runs a named query for its effect, once for each row of values, in order."""
        q = self._queries[query]
        with self.transaction():
            self._transaction_connection.cursor().executemany(
                marked(q.sql).encode(), [without_nul(q.bind(row)) for row in rows]
            )

    def sql_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement that Python builds for its effect, once for each row, in order."""
        with self.transaction():
            self._transaction_connection.cursor().executemany(
                marked(sql).encode(), list(map(without_nul, rows))
            )

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        if self._current is not None:
            return fetched(self._current, sql, values)
        with self._connected() as connection:
            try:
                return fetched(connection, sql, values)
            except psycopg.OperationalError:
                if not (connection.closed and sql.startswith("SELECT")):
                    raise
        # The server ended the idle connection just when it was lent. A query can be repeated.
        with self._connected() as connection:
            return fetched(connection, sql, values)

    def change(self, sql: str) -> int:
        """Runs an UPDATE without values, inside `transaction`; returns how many rows it changed."""
        return self._transaction_connection.execute(sql.encode()).rowcount

    def copy(self, sql: str, pieces: Iterable[bytes]) -> int:
        """Runs a COPY ... FROM STDIN inside `transaction`; returns how many rows it wrote."""
        with self._transaction_connection.cursor() as cursor:
            with cursor.copy(sql.encode()) as target:
                for piece in pieces:
                    target.write(piece)
            return cursor.rowcount

    def copy_bytes(self, sql: str) -> Iterator[bytes]:
        """Runs a COPY ... TO STDOUT inside `transaction`; yields its bytes."""
        with self._transaction_connection.cursor().copy(sql.encode()) as source:
            yield from map(bytes, source)

    def copy_out(
        self, sql: str, values: Sequence[object], size: ChunkSize
    ) -> Generator[list[bytes]]:
        """Runs a SELECT with values inside `snapshot`; yields each row as its line of a CSV."""
        statement = f"COPY ({marked(sql)}) TO STDOUT (FORMAT csv)".encode()
        return copied_rows(self._transaction_connection, statement, without_nul(values), size)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All statements inside see one moment; they may only read, for as long as they need."""
        with self._opened(locks=False) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # The server waits while the rows that it has sent are written to a slow file store.
            connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL tcp_user_timeout = 0")
            yield

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All calls inside commit together, or none of them if the block raises.

        Inside another transaction it is a savepoint of that one. Each one is durable.
        """
        inner = self._current
        with self._opened(locks=True) if inner is None else inner.transaction():
            yield

    def lock_wait(self) -> float:
        """Returns for how many seconds a session of the service has been waiting for a lock."""
        row = self.one("lock_wait", application=_APPLICATION)
        assert row is not None
        return float(row["seconds"])

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()

    @property
    def _current(self) -> Connection | None:
        """The connection of this thread's transaction; None outside one."""
        return cast("Connection | None", getattr(self._local, "connection", None))

    @property
    def _transaction_connection(self) -> Connection:
        """The connection of this thread's transaction, for calls that belong inside one."""
        connection = self._current
        assert connection is not None
        return connection

    @contextmanager
    def _opened(self, *, locks: bool) -> Iterator[Connection]:
        """The outermost transaction of this thread; measures how long it may hold locks."""
        with ExitStack() as stack:
            try:
                connection = self._begin(stack, locks=locks)
            except psycopg.OperationalError:
                # The server may have ended the idle connection just when it was lent. Without a
                # transaction nothing has happened.
                stack.close()
                connection = self._begin(stack, locks=locks)
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    def _begin(self, stack: ExitStack, *, locks: bool) -> Connection:
        """Begins a transaction that ends with the stack."""
        connection = stack.enter_context(self._connected())
        if locks:
            stack.callback(self._note_lock, perf_counter())
        stack.enter_context(connection.transaction())
        return connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Lends a connection of the pool; closes it if the block raises a database error."""
        connection = self._take_connection()
        try:
            yield connection
        except psycopg.Error:
            # It may hold a session lock, or its server may have become a standby.
            connection.close()
            raise
        finally:
            self._pool.putconn(connection)

    def _take_connection(self) -> _Connection:
        begun = SYSTEM_CLOCK.monotonic()
        seconds = CONNECT_SECONDS if self._connect_error is None else _RECONNECT_SECONDS
        try:
            connection = self._pool.getconn(seconds)
            while connection.is_read_only and connection.begun < begun:
                # It stays read-only, even if the server is not any more.
                connection.close()
                self._pool.putconn(connection)
                connection = self._pool.getconn(seconds)
        except PoolTimeout:
            if self._connect_error is None:
                raise
            raise self._connect_error from None
        self._connect_error = None
        return connection

    def _on_attempt(self, failure: psycopg.Error | None) -> None:
        self._connect_error = failure

    def _configure(self, connection: Connection) -> None:
        load_as_sqlite(connection)
        settings = ", ".join(f"set_config('{k}', '{v}', false)" for k, v in self._session.items())
        connection.execute(f"SELECT {settings}".encode())


class _Connection(psycopg.Connection[DictRow]):
    """Reports the result of each attempt to connect; a pool reports only a timeout."""

    begun: float
    """When the attempt to connect began, by the monotonic clock."""

    @property
    def is_read_only(self) -> bool:
        """Whether its transactions are read-only, by the setting when the session began."""
        return self.info.parameter_status("default_transaction_read_only") == "on"

    @classmethod
    def connect(  # type: ignore[override]  # the pool calls it with these arguments
        cls, conninfo: str = "", *, on_attempt: Callable[[psycopg.Error | None], None], **more: Any
    ) -> Self:
        """Connects as psycopg does, and reports the result."""
        begun = SYSTEM_CLOCK.monotonic()
        try:
            made = super().connect(conninfo, **more)
        except psycopg.Error as error:
            on_attempt(error)
            raise
        on_attempt(None)
        made.begun = begun
        return made


def _check(connection: _Connection) -> None:
    """Raises psycopg's OperationalError if the server has ended a connection.

    Without a message from the server nothing has happened, and a query to it is saved.
    """
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    if arrived.poll(0):
        ConnectionPool.check_connection(connection)
