"""The text of a CSV: its dialect, and its records in blocks.

Read in this order; a module imports only those above it:

    charset.py   which encodings are read, how one is recognised, bytes to UTF-8
    grammar.py   what a record is and where it ends, by Python's csv module
    records.py   the same ends, found fast where the quoting is well-formed
    dialect.py   encoding, delimiter and header of a file, by its first bytes
    blocks.py    a file as blocks of whole records, and one inspection of it

Nothing here writes to disk or looks up a codec by a caller's name. These are the names that other
packages use.
"""

from bulkwright.formats.csv.blocks import Block, Inspection, blocks, inspect
from bulkwright.formats.csv.charset import BAD_BYTE, ENCODINGS, canonical_encoding
from bulkwright.formats.csv.dialect import HEAD_BYTES, Dialect, sniff
from bulkwright.formats.csv.grammar import parse_slowly
from bulkwright.formats.csv.records import Segment

__all__ = [
    "BAD_BYTE",
    "ENCODINGS",
    "HEAD_BYTES",
    "Block",
    "Dialect",
    "Inspection",
    "Segment",
    "blocks",
    "canonical_encoding",
    "inspect",
    "parse_slowly",
    "sniff",
]
