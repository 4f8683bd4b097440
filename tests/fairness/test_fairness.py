"""No org keeps another one waiting, whatever it does within its limits. Time is the subject here.

`python -m tests.fairness` attacks for longer and prints all times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fairness.attacks import ATTACKS
from tests.fairness.victim import Ring, judged, ring
from tests.support.stores import Store

pytestmark = pytest.mark.slow

SECONDS, ROUNDS = 4.0, 25


@pytest.fixture(scope="module")
def the_ring(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    """One server for all attacks on a store."""
    data = tmp_path_factory.mktemp("fairness") / "data"
    if type(store).__name__ == "SqliteStore":
        with ring(data) as made:
            yield made
        return
    with store.copy(data) as database, ring(data, database) as made:
        yield made


@pytest.mark.parametrize("name", list(ATTACKS))
def test_an_org_does_not_make_others_wait(the_ring: Ring, name: str) -> None:
    """Its tokens are issued, its files received, its jobs created, its details read, as ever."""
    calm = the_ring.calm(SECONDS, ROUNDS)
    times = the_ring.attacked(name, SECONDS, ROUNDS)
    problems = judged(times, calm)
    assert not problems, f"{problems}\nattacked:\n{times}\nwithout an attack:\n{calm}"
