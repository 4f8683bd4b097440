"""A PostgreSQL database through psycopg: of the API, of the commands, and of workers.

Each call takes a connection of a pool; inside `transaction` a thread keeps the one that it began
with. Nothing waits for ever: not for a connection, a statement, a lock, or for a client that has
stopped in the middle of a transaction.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, Self, cast

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from bulkwright.domain.limits import LEASE_SECONDS
from bulkwright.domain.module import Kind
from bulkwright.store.database import Row
from bulkwright.store.postgres.values import read_as_sqlite_does
from bulkwright.store.queries import NamedQueries
from bulkwright.store.tables import Types

Connection = psycopg.Connection[DictRow]

TYPES = Types(
    of={
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "BIGINT",
        Kind.DECIMAL: "NUMERIC",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.DATETIME: "TIMESTAMPTZ",
        Kind.LIST: "JSONB",
        Kind.REFERENCE: "BIGINT",
    },
    # Bytes are all that keys are compared by, and the quickest to compare (decision 8).
    key='TEXT COLLATE "C"',
)
"""PostgreSQL's column types."""

STATEMENT_SECONDS = 30.0
"""How long one statement may take, waiting for locks included."""
CONNECT_SECONDS = 5.0
"""How long to wait for a connection: a new one, or one that another thread gives back."""
_KNOWN_GONE_SECONDS = 0.25
"""How long to wait when the last try to connect failed: requests must not queue up behind it."""
_UNHEARD_SECONDS = 10
"""After how long without a sign of life a connection is taken for lost."""
_KEEPALIVE = {
    "idle": _UNHEARD_SECONDS // 2,
    "interval": 1,
    "count": _UNHEARD_SECONDS // 2,
}

_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    # A machine that has vanished keeps no connection either.
    **{f"tcp_keepalives_{name}": value for name, value in _KEEPALIVE.items()},
    "statement_timeout": int(STATEMENT_SECONDS * 1000),
    # A worker that stops in the middle of a chunk keeps its job from others for no longer.
    "idle_in_transaction_session_timeout": int(LEASE_SECONDS * 1000),
    "tcp_user_timeout": _UNHEARD_SECONDS * 1000,
}
_WORKER_SESSION = {
    # Every chunk finds its way by indexes, whatever the planner believes about the tables: a
    # join that reads the whole table would cost more with every record that it holds.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
}


class PostgresQueries(NamedQueries):
    """What the PostgreSQL databases have in common."""

    dialect: ClassVar[str] = "postgres"
    types: ClassVar[Types] = TYPES


class PostgresDatabase(PostgresQueries):
    """A `Database` (see store/database.py) on a PostgreSQL server.

    Raises psycopg's OperationalError where the server cannot be reached (trouble.py).
    """

    def __init__(
        self, url: str, *, connections: int, worker: bool = False, patient: bool = False
    ) -> None:
        """Nothing is connected yet. `connections` are open at most: a thread needs one each.

        With `patient`, transactions may take as long as they need: a dry run is a single one.
        """
        super().__init__()
        self._session = _SESSION | (_WORKER_SESSION if worker else {})
        if patient:
            self._session["idle_in_transaction_session_timeout"] = 0
        self._local = threading.local()
        self._unreached: psycopg.Error | None = None
        """Why the last try to connect failed; None when it did not."""
        self._pool = ConnectionPool[_Connection](
            url,
            connection_class=_Connection,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": int(CONNECT_SECONDS),
                "application_name": "bulkwright",
                **{f"keepalives_{name}": value for name, value in _KEEPALIVE.items()},
                "tcp_user_timeout": _UNHEARD_SECONDS * 1000,
                "tried": self._tried,
            },
            min_size=0,
            max_size=connections,
            timeout=CONNECT_SECONDS,
            # Its pauses between tries double; given up, it begins anew with the next call.
            reconnect_timeout=CONNECT_SECONDS,
            max_idle=60.0,
            configure=self._configure,
            # The server may have been started anew since the connection was used last.
            check=ConnectionPool.check_connection,
            open=True,
        )

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a named query for its effect, once for each of these rows of values, in order."""
        q = self._queries[query]
        with self.transaction():
            connection = self._current
            assert connection is not None
            connection.cursor().executemany(
                marked(q.sql).encode(), [_holdable(q.bind(row)) for row in rows]
            )

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`."""
        if self._current is not None:
            return fetched(self._current, sql, values)
        with self._connected() as connection:
            return fetched(connection, sql, values)

    def change(self, sql: str) -> int:
        """Run an UPDATE that binds nothing, inside `transaction`; how many rows it changed."""
        connection = self._current
        assert connection is not None
        return connection.execute(sql.encode()).rowcount

    def copy(self, sql: str, pieces: Iterable[bytes]) -> int:
        """Run a COPY ... FROM STDIN with these bytes, inside `transaction`; how many rows."""
        connection = self._current
        assert connection is not None
        with connection.cursor() as cursor:
            with cursor.copy(sql.encode()) as target:
                for piece in pieces:
                    target.write(piece)
            return cursor.rowcount

    def stamp(self) -> object:
        """Never equal: others may have committed, and asking whether they have costs a trip."""
        return object()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls inside commit together, or not at all when the block raises.

        Inside another transaction it is a savepoint of that one.
        """
        if self._current is not None:
            with self._current.transaction():
                yield
            return
        with self._connected() as connection:
            self._local.connection = connection
            try:
                with connection.transaction():
                    yield
            finally:
                self._local.connection = None

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @property
    def _current(self) -> Connection | None:
        """The connection of this thread's transaction, if it is in one."""
        return cast("Connection | None", getattr(self._local, "connection", None))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection of the pool, which gets it back; closed when the block met an error."""
        connection = self._taken()
        try:
            yield connection
        except psycopg.Error:
            # It may have kept a lock of its session, or lead to what is a standby now.
            connection.close()
            raise
        finally:
            self._pool.putconn(connection)

    def _taken(self) -> _Connection:
        asked = time.monotonic()
        patience = CONNECT_SECONDS if self._unreached is None else _KNOWN_GONE_SECONDS
        try:
            connection = self._pool.getconn(patience)
            while connection.only_reads and connection.begun < asked:
                # It would only read for ever, whatever the server does by now.
                connection.close()
                self._pool.putconn(connection)
                connection = self._pool.getconn(patience)
        except PoolTimeout:
            if self._unreached is None:
                raise
            raise self._unreached from None
        self._unreached = None
        return connection

    def _tried(self, failure: psycopg.Error | None) -> None:
        self._unreached = failure

    def _configure(self, connection: Connection) -> None:
        read_as_sqlite_does(connection)
        settings = ", ".join(f"set_config('{k}', '{v}', false)" for k, v in self._session.items())
        connection.execute(f"SELECT {settings}".encode())


class _Connection(psycopg.Connection[DictRow]):
    """Tells how each try to connect went: a pool says only that there is no connection."""

    begun: float
    """When it began to be made, by the monotonic clock."""

    @property
    def only_reads(self) -> bool:
        """Whether its transactions only read, as the server had it when the session began."""
        return self.info.parameter_status("default_transaction_read_only") == "on"

    @classmethod
    def connect(  # type: ignore[override]  # as the pool calls it
        cls, conninfo: str = "", *, tried: Callable[[psycopg.Error | None], None], **more: Any
    ) -> Self:
        """Connect as psycopg does."""
        begun = time.monotonic()
        try:
            made = super().connect(conninfo, **more)
        except psycopg.Error as error:
            tried(error)
            raise
        tried(None)
        made.begun = begun
        return made


@lru_cache(1000)
def marked(sql: str) -> str:
    """Our question marks as psycopg's; quoted names may hold either, other text of ours does not.

    Only to be run with values: without any, psycopg leaves doubled signs as they are.
    """
    parts = _QUOTED.split(sql)
    parts[::2] = [part.replace("?", "%s") for part in parts[::2]]
    parts[1::2] = [name.replace("%", "%%") for name in parts[1::2]]
    return "".join(parts)


_QUOTED = re.compile(r'("(?:[^"]|"")*")')


def fetched(connection: Connection, sql: str, values: Sequence[object]) -> list[Row]:
    """Run a statement with question marks and return its rows, none where it has none to give."""
    if values:
        cursor = connection.execute(marked(sql).encode(), _holdable(values))
    else:
        cursor = connection.execute(sql.encode())
    return cast("list[Row]", cursor.fetchall()) if cursor.description else []


def _holdable(values: Sequence[object]) -> Sequence[object]:
    """The values as PostgreSQL can hold them: no text of its holds a NUL, so one finds nothing."""
    if any(isinstance(v, str) and "\0" in v for v in values):
        return tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in values)
    return values
