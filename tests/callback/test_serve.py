"""Callbacks of a server in its own process, which is killed at the worst moments."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.processes import until
from tests.support.receivers import Receiver, answer, hang
from tests.support.served import Served, leads

from bulkwright.domain.limits import CALLBACK_ATTEMPT_SECONDS


def wait_for(receiver: Receiver, count: int) -> None:
    """Waits until `count` requests have arrived."""
    assert until(lambda: len(receiver.letters) >= count), "no callback"


def test_killed_between_sending_and_recording(tmp_path: Path) -> None:
    """The request is sent, the server is killed before the response: it is sent again."""
    with Receiver(hang, answer(200)) as receiver:
        served = Served(tmp_path / "data")
        served.start()
        job = served.begin(leads(2), receiver.url)
        wait_for(receiver, 1)
        served.kill()
        with served:
            wait_for(receiver, 2)
            details = served.http.get(f"/crm/bulk/v2/write/{job}")
        said = served.log
    one, two = receiver.letters
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body == details.content
    assert details.json()["status"] == "COMPLETED"
    assert f"job {job}: callback to 127.0.0.1:{receiver.port} delivered, attempt 2" in said
    assert "s3cret" not in said


def test_a_slow_receiver_delays_nothing_else(tmp_path: Path) -> None:
    """While callbacks wait for an answer, jobs end, the API answers, and a stop ends."""
    jobs = 5
    with Receiver(hang) as receiver, Served(tmp_path / "data") as served:
        begun = time.monotonic()
        for job in [served.begin(leads(2, f"p{n}-"), receiver.url) for n in range(jobs)]:
            served.ended(job)
        # One after the other, the attempts would last 50 seconds.
        assert time.monotonic() - begun < (jobs - 2) * CALLBACK_ATTEMPT_SECONDS
        last = served.begin(leads(2, "last-"), receiver.url)
        wait_for(receiver, jobs + 1)
        served.stop()
    assert f"job {last}: callback" not in served.log, "the stop waited for the attempt to end"


def test_an_invalid_entry_of_the_allow_list_is_rejected(tmp_path: Path) -> None:
    """An error in --callback-allow ends the start with one line that names it."""
    served = Served(tmp_path / "data", "--callback-allow", "everything")
    served.spawn()
    assert served.wait(300) == 1
    last = served.log.strip().splitlines()[-1]
    assert last.endswith("--callback-allow: 'everything' is not host:port.")
