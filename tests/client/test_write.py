"""`write` takes files, records and frames, and returns a job with its rows."""

from __future__ import annotations

import asyncio
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.support.live import Live

from bulkwright import ApiError, AsyncClient, Client
from bulkwright.wire.own import StopAfter
from bulkwright.wire.requests import DefaultValue, NewFieldMapping

pytestmark = pytest.mark.slow

CSV = "Last_Name,Email\nBoyle,p@x.example\nKay,not an address\n"
RECORDS = [
    {"Last_Name": "Boyle", "Email": "p@x.example"},
    {"Last_Name": "Kay", "Email": "not an address"},
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service."""
    with Live(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    """A client of it."""
    with Client(live.base_url, token=live.credentials["access_token"]) as made:
        yield made


def zipped_csv(folder: Path) -> Path:
    """A zip with the CSV."""
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", CSV)
    return path


def csv_path(folder: Path) -> Path:
    """The CSV, under a name that is none of a CSV."""
    path = folder / "leads.txt"
    path.write_text(CSV)
    return path


def pandas_frame(data: Any) -> Any:
    """A frame of pandas, whose import takes half a second: only where a test needs it."""
    import pandas as pd

    return pd.DataFrame(data)


SOURCES: dict[str, Callable[[Path], Any]] = {
    "a path": csv_path,
    "a text": lambda folder: str(csv_path(folder)),
    "a zip": zipped_csv,
    "an open file": lambda _: io.BytesIO(CSV.encode()),
    "records": lambda _: iter(RECORDS),
    "polars": lambda _: pl.DataFrame(RECORDS),
    "lazy polars": lambda _: pl.LazyFrame(RECORDS),
    "pandas": lambda _: pandas_frame(RECORDS),
    "arrow": lambda _: Arrow(pl.DataFrame(RECORDS)),
}


class Arrow:
    """A table of a library that is not known: it only exports Arrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream."""
        return self._frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source(client: Client, tmp_path: Path, kind: str) -> None:
    """The rows of the job are those of the source, in its order."""
    job = client.write(SOURCES[kind](tmp_path), module="Leads")
    rows = list(job.result())
    assert [row.values for row in rows] == RECORDS
    assert [(row.status, row.error) for row in rows] == [
        ("ADDED", None), ("SKIPPED", "INVALID_DATA-Email"),
    ]  # fmt: skip
    assert rows[0].record_id is not None and rows[0].is_stored
    assert [row.values["Last_Name"] for row in job.result().errors()] == ["Kay"]
    (details,) = job.wait()
    assert (details.id, details.operation, details.status) == (job.id, "insert", "COMPLETED")


def test_the_result_as_frames(client: Client) -> None:
    """All columns are texts, and what is empty is missing."""
    result = client.write(RECORDS, module="Leads").result()
    frame = result.to_polars()
    assert frame.columns == ["Last_Name", "Email", "STATUS", "RECORD_ID", "ERRORS"]
    assert frame["ERRORS"].to_list() == [None, "INVALID_DATA-Email"]
    assert frame["RECORD_ID"].dtype == pl.String
    table = result.to_pandas()
    assert list(table.columns) == frame.columns
    assert table["Last_Name"].tolist() == ["Boyle", "Kay"]
    assert table["ERRORS"].isna().tolist() == [True, False]


MOMENT = datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=UTC)
VALUES = [
    (None, ""), (True, "true"), (False, "false"), (7, "7"), (2.5, "2.5"), (3.0, "3"),
    (float("nan"), ""), (Decimal("1.10"), "1.10"), (date(2024, 2, 29), "2024-02-29"),
    (MOMENT, "2024-02-29T12:30:45+00:00"), (["a", "b"], "a;b"), ('say "a, b"\n', 'say "a, b"\n'),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["records", "polars", "pandas"])
@pytest.mark.parametrize(("value", "text"), VALUES, ids=str)
def test_each_value_becomes_the_text_that_the_service_reads(
    client: Client, kind: str, value: object, text: str
) -> None:
    """Whatever kind of table it comes from."""
    records: Any = [{"Last_Name": "x", "Description": value}]
    if kind == "polars":
        records = pl.DataFrame({"Last_Name": ["x"], "Description": [value]}, strict=False)
    elif kind == "pandas":
        records = pandas_frame({"Last_Name": ["x"], "Description": [value]})
    (row,) = client.write(records, module="Leads").result()
    assert (row.status, row.values["Description"]) == ("ADDED", text)


def test_mappings_by_header_text(client: Client, tmp_path: Path) -> None:
    """A header need not be a name of the API; a column without a mapping stays out."""
    path = tmp_path / "a.csv"
    path.write_text("Surname;Mail;Note\nBoyle;m@x.example;n\n")
    mappings = {"Mail": "Email", "Surname": "Last_Name"}
    job = client.write(path, module="Leads", mappings=mappings, delimiter=";")
    (row,) = job.result()
    assert row.values == {"Mail": "m@x.example", "Surname": "Boyle"}
    reading = client.snapshot(job.id).resources[0].reading
    assert reading is not None and reading.columns_left_out == ["Note"]
    by_index = [NewFieldMapping(api_name="Last_Name", index=1)]
    (row,) = client.write(path, module="Leads", mappings=by_index).result()
    assert row.values == {"Mail": "m@x.example"}
    with pytest.raises(ValueError, match="no column 'Name'; its header is"):
        client.write(path, module="Leads", mappings={"Name": "Last_Name"}, delimiter=";")


def test_a_column_that_names_no_field_is_named_by_the_job(client: Client, tmp_path: Path) -> None:
    """In a file, and as a key of records."""
    (tmp_path / "a.csv").write_text("Last_Name,Frist_Name\nBoyle,Pat\n")
    for source in (tmp_path / "a.csv", [{"Last_Name": "Boyle", "Frist_Name": "Pat"}]):
        job = client.write(source, module="Leads")
        assert [row.status for row in job.result()] == ["ADDED"]
        reading = client.snapshot(job.id).resources[0].reading
        assert reading is not None and reading.columns_left_out == ["Frist_Name"]


@pytest.mark.parametrize("kind", ["a path", "a zip", "a gzip", "records"])
def test_a_long_source_becomes_several_jobs(client: Client, tmp_path: Path, kind: str) -> None:
    """Of as many rows as a job may have; their results are one, in order."""
    count = 25
    records = [{"Last_Name": f"n{n}", "Description": f'several\n"lines" {n}'} for n in range(count)]
    source: Any = records
    if kind == "a path":
        source = tmp_path / "a.csv"
        pl.DataFrame(records).write_csv(source)
    elif kind == "a zip":
        source = tmp_path / "a.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("a.csv", pl.DataFrame(records).write_csv())
    elif kind == "a gzip":
        source = tmp_path / "data-1.csv.gz"
        source.write_bytes(gzip.compress(pl.DataFrame(records).write_csv().encode()))
    job = client.write(source, module="Leads", rows_per_job=10)
    assert len(job.ids) == 3
    rows = list(job.result())
    assert [row.values for row in rows] == records
    counts = [details.resource[0].file.total_count for details in job.wait()]
    assert counts == [10, 10, 5]
    with pytest.raises(ValueError, match="too many values"):
        _ = job.id
    (one,) = client.write(records[:10], module="Leads", rows_per_job=10).ids
    assert one.isdigit()


def test_rows_of_several_jobs_take_effect_in_order(client: Client) -> None:
    """A later job that changes a record of an earlier one finds it."""
    email = "in-order@x.example"
    records = [{"Last_Name": f"n{n}", "Email": email} for n in range(6)]
    job = client.write(records, module="Leads", operation="upsert", find_by="Email", rows_per_job=1)
    assert [row.status for row in job.result()] == ["ADDED", *["UPDATED"] * 5]


WRONG = {
    "no records": ([], "there are no records"),
    "a record with a further key": ([{"a": 1}, {"a": 1, "b": 2}], "record 2 has 'b'"),
    "bytes in a cell": ([{"Last_Name": b"x"}], "cannot hold a value of the type bytes"),
    "one record": ({"Last_Name": "x"}, "dict cannot be written"),
    "a number": (7, "int cannot be written"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_written_is_refused_by_name(client: Client, kind: str) -> None:
    """Nothing is left out in silence."""
    source, words = WRONG[kind]
    with pytest.raises(ValueError, match=words):
        client.write(source, module="Leads")


def test_files_that_cannot_be_written_are_refused_by_name(client: Client, tmp_path: Path) -> None:
    """Before anything is sent."""
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(ValueError, match=r"empty.csv has no header"):
        client.write(empty, module="Leads", mappings={"a": "Last_Name"})
    several = tmp_path / "several.zip"
    with zipfile.ZipFile(several, "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    with pytest.raises(ValueError, match=r"several.zip has 2 CSVs; a job takes a zip with one"):
        client.write(several, module="Leads", rows_per_job=1)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("Last_Name\nMüller\n".encode("latin-1") * 2)
    with pytest.raises(UnicodeDecodeError):
        client.write(latin, module="Leads", rows_per_job=1)
    job = client.write(latin, module="Leads", rows_per_job=1, character_encoding="ISO-8859-1")
    assert [row.values["Last_Name"] for row in job.result()] == ["Müller", "Last_Name", "Müller"]
    with pytest.raises(FileNotFoundError):
        client.write(tmp_path / "none.csv", module="Leads")


def test_a_job_without_a_result_says_so(client: Client, tmp_path: Path) -> None:
    """It failed before its first row."""
    path = tmp_path / "a.csv"
    path.write_text("Last_Name,Last_Name\n")
    with pytest.raises(ApiError):
        client.write(path, module="Leads").result()


def test_the_async_client_writes_too(live: Live, tmp_path: Path) -> None:
    """The event loop is not blocked meanwhile."""

    async def run() -> list[str]:
        token = live.credentials["access_token"]
        async with AsyncClient(live.base_url, token=token) as client:
            job = await client.write(csv_path(tmp_path), module="Leads", rows_per_job=1)
            assert [details.status for details in await job.wait()] == ["COMPLETED"] * 2
            for job_id in job.ids:
                assert (await client.errors(job_id)).module == "Leads"
            with pytest.raises(ApiError, match="JOB_HAS_ENDED"):
                await client.abort(job.ids[0])
            statuses = [row.status for row in await job.result()]
            assert [row.values["Last_Name"] for row in await job.errors()] == ["Kay"]
            (record,) = await job.diff()
            history = await client.history("Leads", record.record_id)
            assert [write.job for write in history.writes] == [job.ids[0]]
            assert [undo.records.removed for undo in await job.undo()] == [0, 1]
            assert (await client.delete(job.ids[0])).id == job.ids[0]
            return statuses

    assert asyncio.run(run()) == ["ADDED", "SKIPPED"]


def test_a_job_is_steered_through_the_own_api(client: Client) -> None:
    """Its errors in groups, its abort, its deletion."""
    job = client.write(RECORDS, module="Leads")
    job.wait()
    found = client.errors(job.id)
    assert [(group.code, group.column, group.rows) for group in found.groups] == [
        ("INVALID_DATA", "Email", 1)
    ]
    assert found == client.errors(job.id, "Leads")
    with pytest.raises(ApiError, match=r"JOB_HAS_ENDED: \w"):
        client.abort(job.id)
    assert client.delete(job.id).result_deleted
    with pytest.raises(ApiError, match="RESOURCE_NOT_FOUND"):
        client.details(job.id)
    long = client.write(({"Last_Name": str(n)} for n in range(24_000)), module="Leads")
    assert client.abort(long.id).abort_requested_time is not None
    (details,) = long.wait()
    assert (details.status, client.snapshot(long.id).code) == ("FAILED", "ABORTED")


def test_a_dry_run_and_a_limit_of_errors(client: Client) -> None:
    """The result is that of a real run, and nothing is stored; the job stops as it should."""
    upsert: dict[str, Any] = {"module": "Leads", "operation": "upsert", "find_by": "Email"}
    records = [{"Last_Name": "Dry", "Email": "dry@x.example"}]
    tried = list(client.write(records, **upsert, dry_run=True).result())
    assert [(row.status, row.record_id) for row in tried] == [("ADDED", None)]
    assert [row.status for row in client.write(records, **upsert).result()] == ["ADDED"]
    job = client.write(RECORDS, module="Leads", on_error=StopAfter(stop_after=0))
    (details,) = job.wait()
    assert (details.status, client.snapshot(job.id).code) == ("FAILED", "TOO_MANY_ERRORS")


def test_a_delimiter_is_that_of_the_job(client: Client, tmp_path: Path) -> None:
    """Also where the service would find another one."""
    path = tmp_path / "a.csv"
    path.write_text("Last_Name|City;Email\n" + "a|b;x@x.example\n" * 3)
    mapped = {"Last_Name|City": "Last_Name"}
    (first, *_) = client.write(path, module="Leads", delimiter=";", mappings=mapped).result()
    assert first.values == {"Last_Name|City": "a|b"}
    with_default = [
        NewFieldMapping(api_name="Last_Name", index=0),
        NewFieldMapping(api_name="Email_Opt_Out", default_value=DefaultValue(value=True)),
    ]
    job = client.write(path, module="Leads", delimiter="|", mappings=with_default)
    assert [row.values["Last_Name"] for row in job.result()] == ["a"] * 3


def test_a_job_is_undone(client: Client) -> None:
    """Its records go, and those that it changed are as before; a split source is undone whole."""
    records = [{"Last_Name": f"u{n}", "Email": f"u{n}@undo.example"} for n in range(3)]
    first = client.write([{**records[0], "Last_Name": "before"}], module="Leads")
    first.wait()
    job = client.write(records, module="Leads", operation="upsert", find_by="Email", rows_per_job=2)
    job.wait()
    for dry_run in (True, False):
        undone = [undo.records for undo in job.undo(dry_run=dry_run)]
        assert [(r.removed, r.restored, r.kept) for r in undone] == [(1, 0, 0), (1, 1, 0)]
    with pytest.raises(ApiError, match="ALREADY_UNDONE"):
        client.undo(job.ids[0])


def test_what_a_job_has_changed(client: Client) -> None:
    """Of a split source all records; and the history of one of them."""
    records = [{"Last_Name": f"d{n}", "Email": f"d{n}@diff.example"} for n in range(3)]
    first = client.write(records[:1], module="Leads")
    assert list(first.errors()) == []
    changed = [{**record, "Last_Name": "after"} for record in records]
    job = client.write(changed, module="Leads", operation="upsert", find_by="Email", rows_per_job=2)
    found = list(job.diff())
    assert [record.change for record in found] == ["UPDATED", "ADDED", "ADDED"]
    assert [(f.field, f.before, f.after) for f in found[0].fields] == [("Last_Name", "d0", "after")]
    assert list(client.diff(job.ids[0], "Leads")) == found[:2]
    history = client.history("Leads", found[0].record_id)
    assert [write.job for write in history.writes] == [job.ids[0], first.id]
    with pytest.raises(ApiError, match="NO_SUCH_RECORD"):
        client.history("Leads", "7")
    with pytest.raises(ApiError, match="NO_SUCH_JOB"):
        client.diff("7")
