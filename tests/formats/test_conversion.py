"""A file of another format becomes a zip with one CSV, under limits."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from bulkwright.domain.errors import FileError, FileTooLarge
from bulkwright.domain.file_format import FileFormat, FormatBy, Origin
from bulkwright.formats import conversion
from bulkwright.formats.cells import cell_text
from bulkwright.formats.conversion import convert, csv_name
from bulkwright.formats.recognise import recognise
from bulkwright.formats.zip import open_archive

pytestmark = pytest.mark.slow

MOST = 100_000


def zip_of(folder: Path, data: bytes, name: str, most: int = MOST) -> bytes:
    """The zip that a file becomes."""
    path = folder / "file"
    path.write_bytes(data)
    made = io.BytesIO()
    with path.open("rb") as file:
        convert(file, name, recognise(file, name), made, most)
    return made.getvalue()


def test_equal_files_become_equal_zips_that_the_service_reads(tmp_path: Path) -> None:
    data = zip_of(tmp_path, b"a,b\n1,2\n", "x.csv")
    assert data == zip_of(tmp_path, b"a,b\n1,2\n", "x.csv")
    archive = open_archive(io.BytesIO(data))
    (member,) = archive.csvs
    assert (member.name, b"".join(archive.stream(member, MOST))) == ("x.csv", b"a,b\n1,2\n")


def test_more_text_than_the_limit_ends_a_conversion(tmp_path: Path) -> None:
    parquet = io.BytesIO()
    pl.DataFrame({"a": pl.repeat("x" * 1000, 10_000, eager=True)}).write_parquet(parquet)
    line = b'{"a": "' + b"x" * 1000 + b'"}\n'
    for name, data in {
        "x.csv": b"a\n" * MOST,
        "x.csv.gz": gzip.compress(b"a\n" * MOST),
        "x.jsonl": line * 1000,
        "x.jsonl.gz": gzip.compress(line * 1000),
        "x.parquet": parquet.getvalue(),
    }.items():
        with pytest.raises(FileTooLarge):
            zip_of(tmp_path, data, name)
        assert zip_of(tmp_path, data, name, 200 * MOST)


def test_a_million_columns_are_refused(tmp_path: Path) -> None:
    """Or become a CSV, of which the limits of columns say that it is too wide."""
    many = "{" + ",".join(f'"k{n}": 1' for n in range(1_000_000)) + "}\n"
    with pytest.raises(FileError):
        zip_of(tmp_path, many.encode(), "x.jsonl", 1 << 30)


@pytest.mark.parametrize(
    ("name", "csv"),
    [
        ("leads.jsonl.gz", "leads.csv"),
        ("a/b\\c.CSV", "c.csv"),
        ("", "data.csv"),
        ("..", "data.csv"),
        (".gz", "data.csv"),
        ("a\nb\u202e.tsv", "ab.csv"),
        ("x" * 300, "x" * 251 + ".csv"),
    ],
)
def test_the_csv_has_the_name_of_the_file(name: str, csv: str) -> None:
    assert csv_name(name) == csv


def test_the_process_of_a_conversion_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKWRIGHT_DATABASE", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in str(conversion._environment())


def test_a_process_that_is_ended_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = tmp_path / "python"
    ended.write_text("#!/bin/sh\nkill -9 $$\n")
    ended.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(ended))
    with pytest.raises(FileError, match="divide it"):
        zip_of(tmp_path, b'{"a": 1}\n', "x.jsonl")
    ended.write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(RuntimeError, match="status 9"):
        zip_of(tmp_path, b'{"a": 1}\n', "x.jsonl")


def test_a_conversion_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": "' + b"x" * 1000 + b'"}\n' * 10_000)
    before = _children()

    class Full:
        def write(self, data: bytes) -> None:
            raise OSError("the disk is full")

    with path.open("rb") as file, pytest.raises(OSError, match="full"):
        convert(file, "x.jsonl", Origin(FileFormat.JSONL, FormatBy.CONTENT), Full(), MOST)
    assert _children() == before


def _children() -> str:
    return subprocess.run(
        ("pgrep", "-P", str(os.getpid()), "-f", "bulkwright.formats"),
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"), (0.1, "0.1"), (1e23, "1" + "0" * 23), (1e-7, "0.0000001"), (True, "true"),
        (None, ""), (float("nan"), ""), (float("inf"), "inf"), (10**30, "1" + "0" * 30),
        ([1, None, "a"], "1;;a"),
    ],
)  # fmt: skip
def test_numbers_keep_their_values(value: object, text: str) -> None:
    assert cell_text(value) == text
