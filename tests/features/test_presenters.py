"""The exact bytes of metadata and records (facts 9): `golden.jsonl` has one response a line.

The SDKs of v2 and v8 read lookups, layouts and `id` in different forms (facts 9).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from bulkwright.domain.account import Org, User
from bulkwright.domain.module import Field, Module
from bulkwright.domain.record import Record, Reference, UserReference, Value
from bulkwright.service.metadata import OrgDetails, UserDetails
from bulkwright.web.json import encode
from bulkwright.zoho.present import metadata, records
from bulkwright.zoho.versions import VERSIONS

V2, V8 = VERSIONS["v2"], VERSIONS["v8"]
GOLDEN = Path(__file__).with_name("golden.jsonl")
CREATED = datetime(2024, 1, 31, 9, 0, 0, 250_000, UTC).astimezone(timezone(-timedelta(hours=8)))

ORG = Org(70_000_001, 4_001, "Zylker", "America/Los_Angeles", "EUR", CREATED)
USER = User(4_002, ORG.id, "Patricia", "Größe", "p@zylker.example", "Asia/Kolkata", CREATED)
FIELDS = (
    Field(4_010, "id", "Record Id", "bigint", 20, read_only=True, unique=True),
    Field(4_011, "Owner", "Owner", "ownerlookup", 120),
    Field(4_012, "Planted", "Planted", "datetime", custom=True),
    Field(4_013, "Uses", "Uses", "multiselectpicklist", custom=True, pick_list_values=("Wood",)),
    Field(4_090, "Name", "Name", "text", 120, system_mandatory=True, unique=True),
    Field(4_091, "Price", "Price", "currency", 16, 2),
    Field(4_092, "Parent", "Parent", "lookup", lookup_module="Trees"),
    Field(4_093, "Kind", "Kind", "picklist", pick_list_values=("Oak", "Elm")),
)
MODULE = Module(
    ORG.id, 4_003, "Trees", "Trees", "Tree", "Trees", "custom", 4_004, bulk_write=True,
    fields=FIELDS,
)  # fmt: skip
VALUES: dict[str, Value] = {
    "Text": 'Größe "q" \u2028 \U0001f600',
    "Tag": None,
    "id": 4_100,
    "Integer": -(2**62),
    "Decimal": Decimal("12345678901234.50"),
    "Boolean": True,
    "Date": "2024-01-31",
    "Datetime": CREATED,
    "List": ["Oak", "Elm"],
    "Subform": [],
    "Lookup": Reference(4_101, "Ygg"),
    "Dangling": Reference(42, None),
    "Layout": Reference(4_004, "Standard"),
    "Owner": UserReference(4_002, "Patricia Größe", "p@zylker.example"),
    "Unset": None,
}


def test_the_bytes_of_every_presenter_stay() -> None:
    """Order of the keys, types of the values, escapes."""
    record = Record(4_100, VALUES)
    page = (record, Record(4_099, {"id": 4_099}))
    info = records.page_info(2, 2, 2, True)
    presented = [
        metadata.modules([MODULE, MODULE]),
        metadata.module(MODULE, V2, {}),
        metadata.fields(MODULE, V2, {}),
        metadata.layouts(MODULE, V2, {}),
        metadata.fields(MODULE, V8, {"Trees": 4_003}),
        metadata.layouts(MODULE, V8, {}),
        metadata.users([UserDetails(USER, timedelta(hours=5, minutes=30))], 1, 200, has_more=False),
        metadata.org(OrgDetails(ORG, (USER,))),
        metadata.org(OrgDetails(ORG, ())),
        records.record(record),
        records.records(page, info),
        records.records(page, info, ["Text", "$approved", "Nothing"]),
    ]
    assert [encode(body).decode() for body in presented] == GOLDEN.read_text("ascii").splitlines()
