"""The text of a CSV: its dialect, and its records in blocks.

Read in this order; a module imports only those above it:

    encodings.py     which encodings are read, and their names
    charset_guess.py which encoding a text has that is no Unicode and names none
    charset.py       which encoding a file has; bytes to UTF-8
    grammar.py       where a record ends and what its quotes mean, by Python's csv module
    records.py       the same ends, found fast where the quoting is well-formed
    delimiter.py     the delimiter under which header and first rows agree
    dialect.py       encoding, delimiter and header of a file
    blocks.py        a file as blocks of whole records, and one inspection of it
    rows.py          a file row by row, with line numbers and the text of each row
    writer.py        lines of a CSV that the service writes

Nothing here writes to disk or looks up a codec by a caller's name. These are the names that other
packages use.
"""

from bulkwright.domain.value_rules import BAD_BYTE
from bulkwright.formats.csv.blocks import Block, Inspection, blocks, inspect, text_before_rows
from bulkwright.formats.csv.delimiter import DELIMITER_NAMES, choose
from bulkwright.formats.csv.dialect import HEAD_BYTES, Dialect, sniff
from bulkwright.formats.csv.encodings import ENCODINGS, canonical_encoding
from bulkwright.formats.csv.grammar import Quoting, TextRow, parse_slowly
from bulkwright.formats.csv.records import Segment
from bulkwright.formats.csv.rows import FileRow, RowBlock, row_blocks
from bulkwright.formats.csv.writer import CsvWriter

__all__ = [
    "BAD_BYTE",
    "DELIMITER_NAMES",
    "ENCODINGS",
    "HEAD_BYTES",
    "Block",
    "CsvWriter",
    "Dialect",
    "FileRow",
    "Inspection",
    "Quoting",
    "RowBlock",
    "Segment",
    "TextRow",
    "blocks",
    "canonical_encoding",
    "choose",
    "inspect",
    "parse_slowly",
    "row_blocks",
    "sniff",
    "text_before_rows",
]
