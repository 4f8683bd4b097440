"""What five readers make of the same messy files: the table of docs/reading-files.md.

To print it with all columns:

    pip install --target /tmp/readers pandas duckdb
    PYTHONPATH=/tmp/readers .venv/bin/python -m tests.docs.readers

pandas and DuckDB are no dependencies of the project; a reader that is not installed has no column.
Each reads with its defaults, apart from the text columns and, in Polars, `truncate_ragged_lines`
where it would stop. `csv` is Python's module after its Sniffer.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bulkwright.domain.errors import BulkwrightError
from bulkwright.formats.csv import BAD_BYTE, Quoting, blocks, choose, inspect, parse_slowly, sniff
from bulkwright.formats.stream import ByteStream

FILES: dict[str, bytes] = {
    "text behind a closing quote": b'a,b,c\n1,"say "hi" now",x\n2,y,z\n',
    "a quote that is never closed": b'a,b,c\n1,"x,y\n2,p,q\n3,r,s\n',
    "open quotes on two lines": b'a,b,c\nA,"Acme,x\nB,"Beta,y\nC,Gamma,z\n',
    "a quote in a cell": b'a,b,c\n1,5" disk,x\n2,y,z\n',
    "times under a header with colons": b"a,t (HH:MM:SS)\nx,10:30:00\ny,11:45:10\n",
    "decimal commas between semicolons": b"a;p (1,0)\nx;2,50\ny;3,10\n",
    "tabs": b"a\tb\nx\ty\n",
    "sep=; of Excel": b"sep=;\na;b\nx;y\n",
    "too many cells": b"a,b\n1,2,3\n4,5\n",
    "too few cells": b"a,b,c\n1,2\n4,5,6\n",
    "CR line ends": b"a,b\r1,2\r3,4\r",
    "a CR in one line of LF": b"a,b\n1,2\r3,4\n5,6\n",
    "blank lines": b"a,b\n\n1,2\n\n\n3,4\n",
    "Ctrl-Z at the end": b"a,b\r\n1,2\r\n\x1a",
    "UTF-16 with a mark": "a,b\nü,2\n".encode("utf-16"),
    "windows-1250, undeclared": (
        "a,b\nDvořák,Plzeň\nKučera,Jičín\nRůžička,Ústí\nNěmec,Žďár\n".encode("cp1250")
    ),
    "a NUL": b"a,b\n1,x\0y\n3,4\n",
}
Rows = list[list[str]]


def by_bulkwright(data: bytes) -> str:
    """The rows; `!` marks those that are INVALID_DATA, `?` those with stray quotes."""
    seen = inspect(ByteStream([data]), None, None)
    splitting, _ = choose(seen.head.splittings)
    dialect = sniff(ByteStream([data]), seen.dialect.encoding, splitting.delimiter)
    shown = []
    for block in blocks(ByteStream([data]), dialect):
        for segment in block.segments:
            for row in parse_slowly(segment.data, dialect.delimiter):
                bad = any(BAD_BYTE in c or "\0" in c for c in row.cells)
                mark = "!" if bad or not row.fits(len(dialect.header)) else ""
                mark = mark or ("?" if row.quoting is Quoting.STRAY else "")
                shown.append(mark + show([row.cells]))
    return " ".join(shown)


def by_csv(data: bytes) -> str:
    """Python's csv module."""
    text = data.decode()
    try:
        dialect: Any = csv.Sniffer().sniff(text)
    except csv.Error:
        dialect = csv.excel
    return show(list(csv.reader(io.StringIO(text, newline=""), dialect))[1:])


def by_polars(data: bytes) -> str:
    """Polars."""
    import polars as pl

    try:
        frame = pl.read_csv(data, infer_schema=False)
    except pl.exceptions.ComputeError:
        frame = pl.read_csv(data, infer_schema=False, truncate_ragged_lines=True)
        return "truncated: " + show([[c or "" for c in row] for row in frame.rows()])
    return show([[c or "" for c in row] for row in frame.rows()])


def by_pandas(data: bytes) -> str:
    """pandas."""
    pd = import_module("pandas")
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    rows = frame.reset_index() if not isinstance(frame.index, pd.RangeIndex) else frame
    return show(rows.values.tolist())


def by_duckdb(data: bytes) -> str:
    """DuckDB."""
    duckdb = import_module("duckdb")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(data)
        query = f"SELECT * FROM read_csv('{path}', all_varchar=true)"
        return show([[c or "" for c in row] for row in duckdb.sql(query).fetchall()])


READERS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "here": ("bulkwright", by_bulkwright),
    "csv": ("csv", by_csv),
    "Polars": ("polars", by_polars),
    "pandas": ("pandas", by_pandas),
    "DuckDB": ("duckdb", by_duckdb),
}


def show(rows: Rows) -> str:
    """Rows as `[1|x] [2|y]`, with signs that are not printed as escapes."""
    return " ".join("[" + "|".join(map(str, row)) + "]" for row in rows)


def cell(reader: Callable[[bytes], str], data: bytes) -> str:
    """What a reader makes of a file, for a table of Markdown."""
    try:
        text = reader(data)
    except BulkwrightError as error:
        return f"rejected: {error.message}"
    except Exception as error:  # each reader has its own
        return f"error ({type(error).__name__})"
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return f"`{text}`".replace("|", "\\|") if text else "no rows"


def table() -> list[str]:
    """The lines of the table, for the readers that are installed."""
    readers = {name: read for name, (module, read) in READERS.items() if find_spec(module)}
    lines = [f"| file | {' | '.join(readers)} |", "|---" * (len(readers) + 1) + "|"]
    for name, data in FILES.items():
        cells = (cell(read, data) for read in readers.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
