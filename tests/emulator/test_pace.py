"""The pace of jobs: a test walks through the steps of a job without a sleep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.served import leads

ROWS = 10


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> Iterator[None]:
    """Each test begins with the state at the start, and so does the next one."""
    yield
    assert emulated.control("POST", "/reset").status_code == 204


def pace(emulated: Emulated, progression: str, **measure: object) -> None:
    """Sets the pace."""
    body = {"progression": progression, **measure}
    answer = emulated.control("PUT", "/pace", json=body)
    assert answer.status_code == 200, answer.text
    shown = {k: v for k, v in answer.json().items() if v is not None}
    assert shown["progression"] == progression


def step(emulated: Emulated, job: str) -> tuple[str, int]:
    """The status of a job, and how many of its rows are written: one poll."""
    found = emulated.details(job)
    return found["status"], found["resource"][0]["file"].get("added_count", 0)


def test_a_job_that_is_immediate_has_ended_at_its_first_poll(emulated: Emulated) -> None:
    """Each of several."""
    pace(emulated, "immediate")
    jobs = [emulated.begin(leads(ROWS, prefix=f"now{n}")) for n in range(3)]
    assert [step(emulated, job) for job in jobs] == [("COMPLETED", ROWS)] * 3


@pytest.mark.parametrize(
    ("polls", "answers"),
    [
        (1, [("ADDED", 0)]),
        (2, [("ADDED", 0), ("INPROGRESS", 5)]),
        (3, [("ADDED", 0), ("ADDED", 0), ("INPROGRESS", 5)]),
        (4, [("ADDED", 0), ("ADDED", 0), ("INPROGRESS", 5), ("INPROGRESS", 5)]),
    ],
)
def test_a_job_ends_after_a_number_of_polls(
    emulated: Emulated, polls: int, answers: list[tuple[str, int]]
) -> None:
    """Every poll has the answer that its number says."""
    pace(emulated, "polls", polls=polls)
    job = emulated.begin(leads(ROWS, prefix=f"p{polls}"))
    expected = [*answers, ("COMPLETED", ROWS), ("COMPLETED", ROWS)]
    assert [step(emulated, job) for _ in expected] == expected


def test_jobs_that_are_polled_in_turns_do_not_wait_for_each_other(emulated: Emulated) -> None:
    """There is one worker, which holds none of them."""
    pace(emulated, "polls", polls=2)
    one, other = emulated.begin(leads(ROWS, "one")), emulated.begin(leads(ROWS, "other"))
    for expected in (("ADDED", 0), ("INPROGRESS", 5), ("COMPLETED", ROWS)):
        assert step(emulated, one) == expected
        assert step(emulated, other) == expected


def test_what_a_job_has_written_is_stored_at_its_step(emulated: Emulated) -> None:
    """The emulator shows no step that was not taken."""
    pace(emulated, "held", at="INPROGRESS")
    job = emulated.begin(leads(ROWS, "step"))
    assert step(emulated, job) == ("INPROGRESS", 5)
    assert _stored(emulated, "step") == 5
    assert "result" not in emulated.details(job)
    emulated.control("DELETE", "/pace")
    emulated.ended(job)
    assert _stored(emulated, "step") == ROWS


def _stored(emulated: Emulated, prefix: str) -> int:
    criteria = f"(Last_Name:starts_with:{prefix})"
    answer = emulated.http.get("/crm/v2/Leads/search", params={"criteria": criteria})
    return len(answer.json()["data"]) if answer.status_code == 200 else 0


def test_the_counts_of_skipped_rows_are_partial_too(emulated: Emulated) -> None:
    """Half of the file is half of its rows, whatever became of them."""
    pace(emulated, "held", at="INPROGRESS")
    bad = [f"bad{n},Zylker,no address" for n in range(2)]
    text = "\n".join(["Last_Name,Company,Email", *bad, *leads(2, "good").splitlines()[1:], ""])
    job = emulated.begin(text)
    found = emulated.details(job)["resource"][0]["file"]
    assert (found["added_count"], found["skipped_count"]) == (0, 2)
    pace(emulated, "immediate")
    found = emulated.details(job)["resource"][0]["file"]
    assert (found["added_count"], found["skipped_count"]) == (2, 2)


def test_a_job_takes_its_time_on_the_emulated_clock(emulated: Emulated) -> None:
    """Also when it is not polled: its callback is sent."""
    emulated.control("PUT", "/clock", json={"frozen": True})
    pace(emulated, "time", time="10m")
    with Receiver() as receiver:
        job = emulated.begin(leads(ROWS, "time"), callback=receiver.url)
        for _ in range(3):
            assert step(emulated, job) == ("ADDED", 0)
        emulated.control("PUT", "/clock", json={"move": "5m"})
        assert step(emulated, job) == ("INPROGRESS", 5)
        assert not receiver.letters
        emulated.control("PUT", "/clock", json={"move": "5m"})
        assert until(lambda: len(receiver.letters) == 1)
        assert step(emulated, job) == ("COMPLETED", ROWS)


def test_a_job_is_held_until_the_pace_changes(emulated: Emulated) -> None:
    """At each of its steps."""
    pace(emulated, "held", at="ADDED")
    job = emulated.begin(leads(ROWS, "held"))
    assert [step(emulated, job) for _ in range(3)] == [("ADDED", 0)] * 3
    pace(emulated, "held", at="INPROGRESS")
    assert [step(emulated, job) for _ in range(3)] == [("INPROGRESS", 5)] * 3
    pace(emulated, "immediate")
    assert step(emulated, job) == ("COMPLETED", ROWS)


def test_a_job_of_one_row_has_nothing_written_before_its_end(emulated: Emulated) -> None:
    """Half of one row is none."""
    pace(emulated, "polls", polls=2)
    job = emulated.begin(leads(1, "single"))
    expected = [("ADDED", 0), ("INPROGRESS", 0), ("COMPLETED", 1)]
    assert [step(emulated, job) for _ in expected] == expected


def test_a_bulk_read_has_the_same_steps(emulated: Emulated) -> None:
    """It reads nothing before its end."""
    pace(emulated, "polls", polls=2)
    query = {"query": {"module": {"api_name": "Leads"}, "fields": ["Last_Name"]}}
    made = emulated.http.post("/crm/bulk/v8/read", json=query)
    assert made.status_code == 201, made.text
    job = made.json()["data"][0]["details"]["id"]

    def state() -> str:
        found = emulated.http.get(f"/crm/bulk/v8/read/{job}").json()["data"][0]
        return str(found["state"])

    assert [state() for _ in range(3)] == ["ADDED", "IN PROGRESS", "COMPLETED"]


def test_a_held_job_can_be_aborted(emulated: Emulated) -> None:
    """It ends at once."""
    pace(emulated, "held", at="INPROGRESS")
    job = emulated.begin(leads(ROWS, "abort"))
    assert step(emulated, job) == ("INPROGRESS", 5)
    assert emulated.http.post(f"/api/v1/jobs/{job}/abort").status_code < 300
    assert emulated.ended(job, statuses=("FAILED",)) == "FAILED"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"progression": "slow"},
        {"progression": "polls"},
        {"progression": "polls", "polls": 0},
        {"progression": "time"},
        {"progression": "time", "time": -1},
        {"progression": "time", "time": "soon"},
        {"progression": "held"},
        {"progression": "held", "at": "COMPLETED"},
        {"progression": "immediate", "polls": 3},
        {"progression": "real", "speed": 1},
    ],
)
def test_a_pace_that_is_none_is_rejected(emulated: Emulated, body: dict[str, Any]) -> None:
    """The pace stays as it is."""
    answer = emulated.control("PUT", "/pace", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert emulated.control("GET", "/pace").json()["progression"] == "real"


@pytest.mark.parametrize(
    "wanted", [{"progression": "polls", "polls": 2}, {"progression": "held", "at": "INPROGRESS"}]
)
def test_a_job_of_which_nothing_stays_ends(emulated: Emulated, wanted: dict[str, Any]) -> None:
    """Its undo follows no pace, because no client polls it."""
    pace(emulated, **wanted)
    rows = "Last_Name,Email\nBoyle,b@none.example\nKay,none\n"
    file = emulated.http.post("/api/v1/files", files={"file": ("leads.csv", rows)}).json()["id"]
    body = {"operation": "insert", "module": "Leads", "file_id": file, "on_error": "all_or_nothing"}
    job = emulated.http.post("/api/v1/jobs", json=body).json()["id"]
    if "at" in wanted:
        assert until(lambda: step(emulated, job)[0] == "INPROGRESS")
        assert emulated.http.post(f"/api/v1/jobs/{job}/abort").is_success
    assert until(lambda: step(emulated, job)[0] == "FAILED")
    assert step(emulated, job) == ("FAILED", 0)
