"""Several CSVs in one zip: a parent and its children (facts 1.2, 3.3, 3.5)."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest
from tests.support.bench import Bench
from tests.support.uploads import zipped

from bulkwright.domain.errors import (
    BulkwrightError,
    ColumnIndexNotFound,
    FileNotFound,
    FileNotSupported,
    InvalidData,
    MandatoryNotFound,
)
from bulkwright.domain.job import FieldMapping, Job, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest

LEADS = "Ref,Last_Name,Company\nA,Boyle,Zylker\nB,,Anon\nC,Kay,Zylker\nD,Doe,Zylker\nD,Roe,Zylker\n"
PHONES = "Of,Phone_1\nA,111\na ,222\nB,333\nC,444\nZ,555\n,666\nD,777\n"
LINKS = "Lead,Product\nA,Pen\nC,Ink\nC,Nothing\n"

PARENT = ResourceRequest(
    "Leads",
    "",
    (FieldMapping("Last_Name", 1), FieldMapping("Company", 2)),
    file_names=("Leads.csv",),
)
CHILD = ResourceRequest(
    "Phones",
    "",
    (FieldMapping("Parent_Id", 0, parent_column_index=0), FieldMapping("Phone_1", 1)),
    file_names=("Phones.csv",),
)
LINK = ResourceRequest(
    "Leads_X_Products",
    "",
    (
        FieldMapping("Lead", 0, parent_column_index=0),
        FieldMapping("Product", 1, find_by="Product_Name"),
    ),
    file_names=("Links.csv",),
)


@pytest.fixture
def family(bench: Bench) -> Bench:
    """A bench with a subform and a linking module beside Leads and Products."""

    def lookup(name: str, module: str) -> dict[str, str]:
        return {"api_name": name, "data_type": "lookup", "lookup_module": module}

    plain = {"api_name": "Name", "data_type": "text"}
    bench.apply(
        {
            "api_name": "Phones",
            "fields": [
                plain,
                lookup("Parent_Id", "Leads"),
                {"api_name": "Phone_1", "data_type": "phone"},
            ],
        },
        {
            "api_name": "Leads_X_Products",
            "fields": [plain, lookup("Lead", "Leads"), lookup("Product", "Products")],
        },
    )
    bench.run("Product_Name\nPen\nInk\n", "Products")
    return bench


def create(bench: Bench, *resources: ResourceRequest, operation: str = "insert") -> Job:
    """Upload one zip with the three CSVs and add a job for these resources."""
    with bench.services.files.incoming() as incoming:
        others = {"Phones.csv": PHONES.encode(), "Links.csv": LINKS.encode()}
        incoming.write(zipped(LEADS, "Leads.csv", **others))
        file_id = bench.services.uploads.receive(bench.caller, "all.zip", incoming).id
    named = tuple(
        ResourceRequest(r.module, str(file_id), r.mappings, r.find_by, None, r.file_names)
        for r in resources
    )
    return bench.services.jobs.create(bench.caller, JobRequest(Operation(operation), named))


def row_outcomes(bench: Bench, job: Job) -> dict[str, list[str]]:
    """The outcome of each row, by the name of the CSV in the result."""
    result = bench.services.jobs.open_result(bench.org.id, job.id)
    with result, zipfile.ZipFile(result) as archive:
        assert archive.testzip() is None
        return {
            name: [line.split(",")[-3] + line.split(",")[-1] for line in lines[1:]]
            for name in archive.namelist()
            if (lines := archive.read(name).decode().splitlines())
        }


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_children_find_the_records_that_their_parent_rows_became(
    family: Bench, chunk_rows: int
) -> None:
    """A child names its parent by text; a skipped, unknown or ambiguous parent is an error."""
    job = create(family, PARENT, CHILD, LINK)
    with family.chunks(chunk_rows):
        assert family.worker.run_one(job.id)
    outcomes = row_outcomes(family, job)
    assert list(outcomes) == ["Leads-Leads.csv", "Phones-Phones.csv", "Leads_X_Products-Links.csv"]
    skipped = "SKIPPEDMANDATORY_NOT_FOUND-Last_Name"
    assert outcomes["Leads-Leads.csv"] == ["ADDED", skipped, "ADDED", "ADDED", "ADDED"]
    assert outcomes["Phones-Phones.csv"] == [
        "ADDED",
        "ADDED",
        "SKIPPEDINVALID_DATA-Of",
        "ADDED",
        "SKIPPEDINVALID_DATA-Of",
        "ADDED",
        "SKIPPEDCANNOT_PROCESS-Of",
    ]
    assert outcomes["Leads_X_Products-Links.csv"] == [
        "ADDED",
        "ADDED",
        "SKIPPEDINVALID_DATA-Product",
    ]
    leads = {r["Last_Name"]: r["id"] for r in family.records("Leads")}
    phones = {r["Phone_1"]: r["Parent_Id"] for r in family.records("Phones")}
    assert phones == {
        "111": leads["Boyle"],
        "222": leads["Boyle"],
        "444": leads["Kay"],
        "666": None,
    }
    done = family.services.jobs.details(family.org.id, job.id)
    assert [r.counts.added for r in done.resources] == [4, 4, 2]
    assert family.services.database.sql("SELECT count(*) AS n FROM parents")[0]["n"] == 0


def test_a_resource_may_name_one_of_several_csvs(family: Bench) -> None:
    """`file_names` selects the CSV; the others are not read."""
    job = create(family, PARENT)
    assert family.worker.run_one(job.id)
    assert list(row_outcomes(family, job)) == ["Leads-Leads.csv"]


def changed(resource: ResourceRequest, **changes: object) -> ResourceRequest:
    """The same resource with some attributes changed."""
    return replace(resource, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("resources", "error"),
    [
        pytest.param((changed(PARENT, file_names=()),), FileNotSupported, id="which CSV"),
        pytest.param((changed(PARENT, file_names=("No.csv",)),), FileNotFound, id="no such CSV"),
        pytest.param((CHILD,), InvalidData, id="a child without a parent"),
        pytest.param((PARENT, PARENT), InvalidData, id="a module twice"),
        pytest.param(
            (PARENT, changed(CHILD, mappings=None)), MandatoryNotFound, id="mappings are a must"
        ),
        pytest.param(
            (PARENT, changed(CHILD, mappings=(FieldMapping("Parent_Id", 0),))),
            MandatoryNotFound,
            id="a lookup that says nothing",
        ),
        pytest.param(
            (
                PARENT,
                changed(CHILD, mappings=(FieldMapping("Parent_Id", 0, parent_column_index=3),)),
            ),
            ColumnIndexNotFound,
            id="no such column of the parent",
        ),
    ],
)
def test_resources_that_contradict_each_other_are_rejected(
    family: Bench, resources: tuple[ResourceRequest, ...], error: type[BulkwrightError]
) -> None:
    """No job is created if the resources contradict each other."""
    with pytest.raises(error):
        create(family, *resources)
