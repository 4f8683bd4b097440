"""A server that is killed during record calls: each call is stored as a whole or not at all."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from tests.support.processes import until
from tests.support.served import Served
from tests.support.watch import Watch

KILLS, CALLS, RECORDS = 3, 6, 20


class Group:
    """Records that are written together; each call gives all of them another first name."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sent: list[str] = []
        self.answered = 0
        """How many of the calls were answered; they were sent one after the other."""

    def write(self, served: Served) -> None:
        """Add the records, or change them."""
        first_name = f"n{len(self.sent)}"
        self.sent.append(first_name)
        records = [
            {
                "Last_Name": f"{self.number}",
                "First_Name": first_name,
                "Email": f"{self.number}.{n}@x.example",
            }
            for n in range(RECORDS)
        ]
        answer = served.http.post("/crm/v8/Leads/upsert", json={"data": records})
        assert answer.status_code == 200, answer.text
        self.answered = len(self.sent)

    def check(self, stored: list[tuple[str, str]]) -> None:
        """Every record is there once, as an answered call or a later one left it."""
        if not stored:
            assert not self.answered, f"{self.number}: what was answered is lost"
            return
        assert len({email for _, email in stored}) == len(stored) == RECORDS
        (first_name,) = {name for name, _ in stored}
        assert self.sent.index(first_name) >= self.answered - 1


def call_until_killed(served: Served, groups: list[Group]) -> None:
    """Add a group and change an earlier one, again and again."""
    with suppress(httpx2.HTTPError):
        while True:
            groups.append(Group(len(groups)))
            groups[-1].write(served)
            random.choice(groups).write(served)


@pytest.mark.slow
def test_a_call_is_stored_as_a_whole_or_not_at_all(tmp_path: Path, watch: Watch) -> None:
    """Kills at any time, also in the middle of a transaction: nothing is lost, torn or doubled."""
    groups: list[Group] = []
    served = Served(watch.data, log=tmp_path / "log")
    for _ in range(KILLS):
        served.start()
        most = len(groups) + CALLS
        thread = threading.Thread(target=call_until_killed, args=(served, groups))
        thread.start()
        assert until(lambda: len(groups) > most or not thread.is_alive())  # noqa: B023
        time.sleep(random.uniform(0.0, 0.05))
        served.kill()
        thread.join()
        found: dict[str, list[tuple[str, str]]] = {}
        query = f'SELECT "Last_Name", "First_Name", "Email" FROM {watch.table()}'
        for last_name, first_name, email in watch.ask(query):
            found.setdefault(last_name, []).append((first_name, email))
        assert len(groups) > most
        for group in groups:
            group.check(found.get(str(group.number), []))
