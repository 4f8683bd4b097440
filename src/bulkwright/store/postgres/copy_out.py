"""COPY ... TO STDOUT through libpq itself.

psycopg's own loop runs several Python functions for each row, which takes longer than the server
needs to make it.
"""

from __future__ import annotations

import select
from collections.abc import Generator, Sequence
from typing import Any

from psycopg import ClientCursor, Connection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from bulkwright.ports import ChunkSize


def copied_rows(
    connection: Connection[Any], sql: bytes, values: Sequence[object], size: ChunkSize
) -> Generator[list[bytes]]:
    """Runs a COPY ... TO STDOUT with values for each `%s`; yields what it writes, row by row.

    At least one chunk is yielded. Until the last one, the connection can be used for nothing else;
    if the iterator is closed before, the connection is closed too. Raises psycopg's errors. Other
    threads run while the server works.
    """
    statement = ClientCursor(connection).mogrify(sql, values)
    link = connection.pgconn
    arrived = select.poll()
    arrived.register(link.socket, select.POLLIN)
    link.send_query(statement.encode())
    _receive_result(link, arrived, ExecStatus.COPY_OUT)
    take, most_rows, most_bytes = link.get_copy_data, size.rows, size.bytes
    rows: list[bytes] = []
    length = 0
    try:
        while True:
            received, row = take(1)
            if received > 0:
                # The garbage collector would look at each memoryview again and again.
                rows.append(bytes(row))
                length += received
                if length >= most_bytes or len(rows) >= most_rows:
                    yield rows
                    rows, length = [], 0
            elif received == 0:
                _receive(link, arrived)
            else:
                break
    except GeneratorExit:
        connection.close()
        raise
    _receive_result(link, arrived, ExecStatus.COMMAND_OK)
    link.get_result()  # None: the statement has ended
    yield rows


def _receive(link: PGconn, arrived: select.poll) -> None:
    """Waits for bytes of the server and reads them."""
    arrived.poll()
    link.consume_input()


def _receive_result(link: PGconn, arrived: select.poll, wanted: ExecStatus) -> None:
    """Waits for the next result. Raises its error if it has another status."""
    while link.is_busy():
        _receive(link, arrived)
    result = link.get_result()
    assert result is not None
    if result.status != wanted:
        while link.get_result() is not None:
            pass
        raise error_from_result(result)
