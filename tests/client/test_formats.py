"""`Client.write` turns files of other formats into zips, at every host."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from bulkwright.client.sources import Shape, pieces

pytestmark = pytest.mark.slow


def texts(source: object, folder: Path, rows: int | None = None) -> list[str]:
    """The CSVs that a source becomes."""
    found = []
    for piece in pieces(source, folder, Shape(rows), with_header=True):
        with zipfile.ZipFile(piece.path) as archive:
            (name,) = archive.namelist()
            found.append(archive.read(name).decode())
        assert ",".join(piece.header or ()) in found[-1]
    return found


def test_files_of_other_formats_become_zips(tmp_path: Path) -> None:
    jsonl, parquet = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    jsonl.write_text('{"a": 1, "b": "x"}\n{"b": "y;z"}\n')
    pl.DataFrame({"a": [1.0, None]}).write_parquet(parquet)
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(b"a\n1\n"))
    made = tmp_path / "made"
    made.mkdir()
    assert texts(jsonl, made) == ["a,b\n1,x\n,y;z\n"]
    assert texts(jsonl, made, rows=1) == ["a,b\n1,x\n", "a,b\n,y;z\n"]
    assert texts(parquet, made) == ['a\n1\n""\n']
    assert texts(packed, made) == ["a\n1\n"]
    with jsonl.open("rb") as file:
        assert texts(file, made) == ["a,b\n1,x\n,y;z\n"]


def test_what_cannot_be_converted_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": {}}\n')
    with pytest.raises(ValueError, match="Line 1 has an object"):
        texts(path, tmp_path)
