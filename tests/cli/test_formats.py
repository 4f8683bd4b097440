"""`write` takes JSON lines, Parquet and XLSX as it takes a CSV."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
from tests.support import workbooks as xlsx
from tests.support.program import Run

INSERT = ("--module", "Leads", "--operation", "insert", "--data", "d")


def test_json_lines_are_written(run: Run, tmp_path: Path, org: None) -> None:
    text = '{"Last_Name": "Boyle; Kay"}\n{"Last_Name": null}\n'
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    done = run("write", "a.jsonl.gz", *INSERT)
    assert done.returncode == 3 and "added 1" in done.stdout + done.stderr, done.stderr
    (tmp_path / "a.jsonl").write_text('{"Last_Name": {"a": 1}}\n')
    failed = run("write", "a.jsonl", *INSERT)
    assert failed.returncode == 1 and "a.jsonl: Line 1 has an object" in failed.stderr
    failed = run("write", "a.jsonl", *INSERT, "--encoding", "UTF-8")
    assert failed.returncode == 1 and "are for a CSV" in failed.stderr


def test_parquet_is_written(run: Run, tmp_path: Path, org: None) -> None:
    pl.DataFrame({"Last_Name": ["Boyle", "Kay"]}).write_parquet(tmp_path / "a.parquet")
    done = run("write", "a.parquet", *INSERT, "--dry-run")
    assert done.returncode == 0, done.stderr


def test_a_sheet_is_written(run: Run, tmp_path: Path, org: None) -> None:
    one = xlsx.rows([xlsx.text("Last_Name")], [xlsx.text("Boyle")])
    (tmp_path / "a.xlsx").write_bytes(xlsx.workbook({"One": one, "Two": one}))
    failed = run("write", "a.xlsx", *INSERT)
    assert failed.returncode == 1 and "One, Two" in failed.stderr
    done = run("write", "a.xlsx", *INSERT, "--sheet", "Two", "--file-format", "xlsx")
    assert done.returncode == 0, done.stderr
