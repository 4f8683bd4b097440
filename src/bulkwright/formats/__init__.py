"""File formats that uploads arrive in.

    stream.py          a stream of bytes that can be read ahead
    zip_directory.py   the directory of a zip, checked against the file
    zip.py             an uploaded zip: its CSVs, inflated under a limit
    gzip.py            a gzip, inflated under a limit
    cells.py           values as texts of cells
    jsonl.py           JSON lines as a CSV
    parquet.py         a Parquet file as a CSV
    xlsx.py            a sheet of a workbook as a CSV
    recognise.py       which format a file has
    conversion.py      a file of any format becomes a zip with one CSV
    __main__.py        the process in which the readers of JSON lines, Parquet and XLSX run
    csv/               the text of a CSV: its dialect, and its records in blocks

A format of rows has two functions: `sniff(file, ...)` returns the facts that a reader needs, and
`blocks(file, facts)` yields blocks of whole records. `file` is a `ByteStream`.
"""
