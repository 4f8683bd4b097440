"""The client, sync and async, against a live service with a worker."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import Live
from tests.support.uploads import zipped

import bulkwright
from bulkwright import ApiError, AsyncClient, Client, Credentials
from bulkwright.wire.requests import DefaultValue, NewFieldMapping

MAPPINGS = [
    NewFieldMapping(api_name="Last_Name", index=0),
    NewFieldMapping(api_name="Email", index=1),
    NewFieldMapping(api_name="Company", default_value=DefaultValue(value="Zylker")),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service."""
    with Live(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    """A zip with a lead that no other test has, and an invalid one."""
    path = tmp_path / "leads.zip"
    email = f"{uuid.uuid4().hex}@zylker.example"
    path.write_bytes(zipped(f"Last_Name,Email\nBoyle,{email}\nKay,not an address\n"))
    return path


def account(live: Live, **changes: Any) -> dict[str, Any]:
    """The arguments of a client."""
    known = {"url": live.base_url, "token": live.credentials["access_token"]}
    return {**known, **changes}


def outcomes(path: Path) -> list[str]:
    """The error, or the status, of each row of a result."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return [row["ERRORS"] or row["STATUS"] for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize("version", ["v2", "v2.1", "v8"])
def test_one_job_from_file_to_result(live: Live, leads: Path, version: str) -> None:
    """Upload, create, wait, download; the client queries the org if it is not given."""
    seen: list[str] = []
    with Client(**account(live, version=version)) as client:
        job_id = client.create(
            "upsert", "Leads", client.upload(leads), mappings=MAPPINGS, find_by="Email"
        )
        details = client.wait(job_id, watch=lambda d: seen.append(d.status))
        client.download(details, leads.with_name("result.zip"))
    assert (details.id, details.status) == (job_id, "COMPLETED")
    assert set(seen) <= {"ADDED", "INPROGRESS"}
    assert outcomes(leads.with_name("result.zip")) == ["ADDED", "INVALID_DATA-Email"]


def test_the_async_client_does_the_same(live: Live, leads: Path) -> None:
    """With the same core."""
    seen: list[str] = []

    async def run() -> str:
        async with AsyncClient(**account(live)) as client:
            job_id = await client.create("insert", "Leads", await client.upload(leads))
            details = await client.wait(job_id, watch=lambda d: seen.append(d.status))
            await client.download(details, leads.with_name("result.zip"))
            assert (await client.details(job_id)).id == job_id
            assert (await client.snapshot(job_id)).rows.processed == 2
            assert {"Last_Name", "Email"} <= {f["api_name"] for f in await client.fields("Leads")}
            return details.status

    assert asyncio.run(run()) == "COMPLETED"
    assert set(seen) <= {"ADDED", "INPROGRESS"}
    assert outcomes(leads.with_name("result.zip")) == ["ADDED", "INVALID_DATA-Email"]


def test_an_expired_token_is_renewed(live: Live, leads: Path) -> None:
    """After a 401 the client requests a new token and sends the whole upload again."""
    known = live.credentials
    credentials = Credentials(known["client_id"], known["client_secret"], known["refresh_token"])
    assert known["client_secret"] not in repr(credentials)
    # With the id of the org the upload itself is the first request.
    for token, org_id in ((None, None), ("1000.expired", None), ("1000.expired", known["org_id"])):
        changes = {"token": token, "org_id": org_id, "credentials": credentials}
        with Client(**account(live, **changes)) as client:
            assert client.upload(leads).isdigit()


def test_a_rejected_request_raises_its_code(live: Live, leads: Path) -> None:
    """ApiError has the code of the response; for a wrong secret that of the token endpoint."""
    with Client(**account(live)) as client:
        with pytest.raises(ApiError, match="MODULE_NOT_AVAILABLE: Requested module") as caught:
            client.create("insert", "Nonsense", client.upload(leads))
        assert (caught.value.status, caught.value.code) == (400, "MODULE_NOT_AVAILABLE")
        with pytest.raises(ApiError, match="RESOURCE_NOT_FOUND"):
            client.details("1")
        with pytest.raises(ApiError, match="NO_SUCH_JOB"):
            client.snapshot("1")
        leads.write_bytes(b"no zip")
        with pytest.raises(ApiError, match="INVALID_FILE_FORMAT"):
            client.upload(leads)
    wrong = Credentials(live.credentials["client_id"], "wrong", "wrong")
    with (
        Client(**account(live, token=None, credentials=wrong)) as client,
        pytest.raises(ApiError, match="invalid_client_secret"),
    ):
        client.details("1")
    with pytest.raises(ValueError, match="a token or credentials"):
        Client(live.base_url)


def test_the_public_names_of_the_package() -> None:
    """The clients and the version, and no others."""
    assert bulkwright.Client is Client
    assert sorted(bulkwright.__all__) == [
        *("ApiError", "AsyncClient", "Client", "Credentials", "__version__")
    ]
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = bulkwright.Server
