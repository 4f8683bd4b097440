"""Our own client, sync and async, against a live service with a worker."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import zipped
from tests.sdk.live import Live

import bulkwright
from bulkwright import ApiError, AsyncClient, Client, Credentials
from bulkwright.wire.requests import DefaultValue, FieldMapping

ROWS = "Last_Name,Email\nBoyle,p.boyle@zylker.example\nKay,not an address\n"
MAPPINGS = [
    FieldMapping(api_name="Last_Name", index=0),
    FieldMapping(api_name="Email", index=1),
    FieldMapping(api_name="Company", default_value=DefaultValue(value="Zylker")),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service."""
    with Live(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    """A zip with two leads, one of them bad."""
    path = tmp_path / "leads.zip"
    path.write_bytes(zipped(ROWS))
    return path


def account(live: Live, **changes: Any) -> dict[str, Any]:
    """What a client is made with."""
    known = {"url": live.base_url, "token": live.credentials["access_token"]}
    return {**known, **changes}


def outcomes(path: Path) -> list[str]:
    """What the result says of each row."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return [row["ERRORS"] or row["STATUS"] for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize("version", ["v2", "v2.1", "v8"])
def test_one_job_from_file_to_result(live: Live, leads: Path, version: str) -> None:
    """Upload, create, wait, download; the org is asked for when it is not given."""
    seen: list[str] = []
    with Client(**account(live, version=version)) as client:
        job_id = client.write(
            "upsert", "Leads", client.upload(leads), mappings=MAPPINGS, find_by="Email"
        )
        details = client.wait(job_id, watch=lambda d: seen.append(d.status))
        client.download(details, leads.with_name("result.zip"))
    assert (details.id, details.status) == (job_id, "COMPLETED")
    assert set(seen) <= {"ADDED", "INPROGRESS"}
    (first, second) = outcomes(leads.with_name("result.zip"))
    assert first in ("ADDED", "UPDATED")
    assert second == "INVALID_DATA-Email"


def test_the_async_client_does_the_same(live: Live, leads: Path) -> None:
    """One core, another way of waiting."""

    async def run() -> str:
        async with AsyncClient(**account(live)) as client:
            job_id = await client.write("insert", "Leads", await client.upload(leads))
            details = await client.wait(job_id)
            await client.download(details, leads.with_name("result.zip"))
            assert (await client.details(job_id)).id == job_id
            return details.status

    assert asyncio.run(run()) == "COMPLETED"
    assert outcomes(leads.with_name("result.zip")) == ["ADDED", "INVALID_DATA-Email"]


def test_a_token_that_has_run_out_is_renewed(live: Live, leads: Path) -> None:
    """With credentials a 401 is answered by a new token, and the whole upload is sent again."""
    known = live.credentials
    credentials = Credentials(known["client_id"], known["client_secret"], known["refresh_token"])
    assert known["client_secret"] not in repr(credentials)
    for token in (None, "1000.run.out"):
        with Client(**account(live, token=token, credentials=credentials)) as client:
            assert client.upload(leads).isdigit()


def test_a_refusal_is_an_error_with_its_code(live: Live, leads: Path) -> None:
    """What the envelope says is what the error tells; a wrong secret is the endpoint's own word."""
    with Client(**account(live)) as client:
        with pytest.raises(ApiError, match="MODULE_NOT_AVAILABLE: Requested module") as refused:
            client.write("insert", "Nonsense", client.upload(leads))
        assert (refused.value.status, refused.value.code) == (400, "MODULE_NOT_AVAILABLE")
        with pytest.raises(ApiError, match="RESOURCE_NOT_FOUND"):
            client.details("1")
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


def test_what_the_package_offers() -> None:
    """The clients stand at the top of the package; nothing else is promised there."""
    assert bulkwright.Client is Client
    assert sorted(bulkwright.__all__) == [
        *("ApiError", "AsyncClient", "Client", "Credentials", "__version__")
    ]
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = bulkwright.Server
