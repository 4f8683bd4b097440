"""No org keeps another one waiting, whatever it does within its limits. Time is the subject here.

`python -m tests.fairness` attacks for longer and prints all times. Here other tests use the same
cores, so an attack is repeated when a request waited too long: only a wait that each repetition has
is caused by the attack.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fairness.attacks import ATTACKS
from tests.fairness.victim import Ring, judged, ring

pytestmark = pytest.mark.slow

SECONDS, ROUNDS, REPETITIONS = 1.0, 14, 6
"""Of an attack: with 14 rounds, the slowest request of each kind is the one that is judged."""
ON_SQLITE_ALONE = {"bodies", "connections", "reads"}
"""Attacks that end before any SQL, and one of reads, which lock nothing on PostgreSQL."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def the_ring(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ring]:
    """One server for all attacks on a store."""
    data = tmp_path_factory.mktemp("fairness") / "data"
    on_postgres = request.param == "postgres"
    database = request.getfixturevalue("postgres").database() if on_postgres else ""
    with ring(data, database) as made:
        yield made


@pytest.mark.parametrize("name", ATTACKS)
def test_an_org_does_not_make_others_wait(
    the_ring: Ring, name: str, request: pytest.FixtureRequest
) -> None:
    """Its tokens are issued, its files received, its jobs created, its details read, as ever."""
    if name in ON_SQLITE_ALONE and request.node.callspec.params["the_ring"] == "postgres":
        pytest.skip(f"SQLite shows the same; `python -m tests.fairness --postgres {name}` runs it")
    calm = the_ring.calm(SECONDS, ROUNDS)
    for _ in range(REPETITIONS):
        times = the_ring.attacked(name, SECONDS, ROUNDS)
        assert not times.errors
        problems = judged(times, calm)
        if not problems:
            break
        calm = the_ring.calm(SECONDS, ROUNDS, again=True)  # the machine may be busier now
    assert not problems, f"{problems}\nattacked:\n{times}\nwithout an attack:\n{calm}"
