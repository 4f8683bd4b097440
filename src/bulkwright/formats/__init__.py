"""File formats that uploads arrive in.

    stream.py          a stream of bytes that can be read ahead
    zip_directory.py   the directory of a zip, checked against the file
    zip.py             an uploaded zip: its CSVs, inflated under a limit
    csv/               the text of a CSV: its dialect, and its records in blocks

A format of rows has two functions: `sniff(file, ...)` returns the facts that a reader needs, and
`blocks(file, facts)` yields blocks of whole records. `file` is a `ByteStream`.
"""
