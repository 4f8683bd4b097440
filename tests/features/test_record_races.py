"""Record calls and jobs at the same time: a unique value stays one record (decision 9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.postgres import Server
from tests.support.served import Served

from bulkwright.domain.limits import RECORDS_PER_CALL

KEYS = [f"race{n}@x.example" for n in range(400)]


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_key_is_one_record(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Upserts of the same keys by jobs and by calls, all at once, make one record of each key."""
    options = ["--workers", "2"]
    if store == "postgres":
        server: Server = request.getfixturevalue("postgres")
        options += ["--database", server.database()]
    with Served(tmp_path / "data", *options) as served:
        served.wait_ready()
        served.operation = "upsert"
        rows = "\n".join(["Last_Name,Email", *(f"job,{key}" for key in KEYS), ""])

        def job() -> None:
            made = served.ask(served.file_id(rows), find_by="Email")
            assert made.status_code == 201, made.text
            served.ended(str(made.json()["details"]["id"]))

        def call(start: int) -> list[str]:
            keys = KEYS[start : start + RECORDS_PER_CALL]
            body = {"data": [{"Last_Name": "call", "Email": key} for key in keys]}
            answer = served.http.post("/crm/v8/Leads/upsert", json=body)
            assert answer.status_code == 200, answer.text
            return [one["details"]["id"] for one in answer.json()["data"]]

        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(job) for _ in range(2)]
            starts = [*range(0, len(KEYS), RECORDS_PER_CALL)] * 3
            ids = [pool.submit(call, start) for start in starts]
            for one in jobs:
                one.result()
            named = {number for one in ids for number in one.result()}
        assert len(named) == len(KEYS)
        emails = []
        for page in range(1, 10):
            answer = served.http.get("/crm/v2/Leads", params={"page": page})
            if answer.status_code == 204:
                break
            emails += [record["Email"] for record in answer.json()["data"]]
        assert sorted(emails) == sorted(KEYS)
