"""Bulkwright: `bulkwright write` with a result; a row is explained by its line there."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

from peer import Task, main

PROGRAM = str(Path(sys.executable).with_name("bulkwright"))
FIELDS = [
    {"api_name": "Row_No", "display_label": "Row No", "data_type": "integer"},
    {"api_name": "Met_On", "display_label": "Met On", "data_type": "date"},
]


def prepare(task: Task) -> None:
    """An org whose leads have two more fields."""
    data = ["--data", str(task.folder / "data")]
    more = task.folder / "fields.json"
    module = {"api_name": "Leads", "singular_label": "Lead", "plural_label": "Leads"}
    more.write_text(json.dumps({"modules": [{**module, "fields": FIELDS}]}), encoding="utf-8")
    for words in (["init", "--company", "Peers", "--email", "a@zylker.example"], ["modules"]):
        line = [*words, *(["apply", str(more)] if words == ["modules"] else []), *data]
        subprocess.run([PROGRAM, *line], check=True, stdout=subprocess.DEVNULL)


def load(task: Task) -> None:
    """Insert, and look each address up."""
    words = ["write", str(task.csv), "--module", "Leads", "--operation", "insert"]
    words += ["--find-by", "Email", "--data", str(task.folder / "data")]
    os.execv(PROGRAM, [PROGRAM, *words, "--result", str(task.folder / "result.zip")])


def account(task: Task) -> None:
    """What the store holds and what the result says."""
    with sqlite3.connect(task.folder / "data" / "bulkwright.sqlite") as store:
        asked = "SELECT name FROM sqlite_schema WHERE name GLOB 'org*_Leads'"
        (table,) = store.execute(asked).fetchone()
        task.loaded(row for (row,) in store.execute(f'SELECT Row_No FROM "{table}"'))
    with zipfile.ZipFile(task.folder / "result.zip") as archive:
        text = io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8", newline="")
        task.explained(
            line["Row_No"]
            for line in csv.DictReader(text)
            if line["STATUS"] == "SKIPPED" and line["ERRORS"]
        )


if __name__ == "__main__":
    main(prepare, load, account)
