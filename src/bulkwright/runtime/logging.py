"""Log lines on stderr, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from bulkwright.events.context import log_fields, request_id

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
"""What ends a line or moves the cursor of a terminal, as it is written instead."""


def log_to_stderr(role: str, style: str, level: str) -> None:
    """Logs to stderr. `style` is text or json, `role` the kind of process (`api`, `worker`).

    `level` is for our own lines. Other libraries log from `warning` on, because at `debug` some of
    them log headers and URLs, which contain secrets.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(role) if style == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    # psycopg warns of every lost connection; the component that uses the connection reports it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.getLogger("bulkwright").setLevel(level.upper())


class TextLines(logging.Formatter):
    """Formats a record as one line of text: time (UTC), level, logger and message.

    Only the lines of a traceback follow, indented: no text inside a record can look like another
    record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the lines of a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(" ", timespec="milliseconds")
        lines = [f"{time} {record.levelname} {record.name}: {record.getMessage()}"]
        if record.exc_info:
            lines += [f"  {line}" for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(line.translate(_CONTROL) for line in lines)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, role and pid.

    `request_id`, `job_id`, `correlation_id` and `error` (a traceback) are there when known.
    """

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "role": self._role,
            "pid": record.process,
        }
        if current := request_id():
            line["request_id"] = current
        line |= log_fields()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
