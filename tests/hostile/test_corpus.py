"""Every hostile input against a live service: the right answer, within bounds, no leftovers."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from tests.hostile import bounds
from tests.hostile.case import Case
from tests.hostile.corpus import CASES, GROUPS, SHORT
from tests.hostile.target import Target


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, id=str(c), marks=[] if c in SHORT else [pytest.mark.long]) for c in CASES],
)
def test_a_hostile_input_has_its_one_outcome(target: Target, case: Case) -> None:
    """It stays within the bounds, leaves nothing, and a valid job completes right after it."""
    target.begin()
    with bounds.held(target.pid, target.data, case.seconds):
        outcome = case.attempt(target)
    assert outcome == case.outcome
    target.check_good_job()
    target.check_leftovers()


def test_the_corpus_is_as_large_as_it_claims() -> None:
    """Seven hundred cases, three hundred of them in the short form, in every group; each named."""
    assert len(CASES) >= 700
    assert len(SHORT) >= 300
    assert {case.group for case in CASES} == {case.group for case in SHORT} == set(GROUPS)
    twice = [name for name, times in Counter(map(str, CASES)).items() if times > 1]
    assert twice == []
    for case in CASES:
        assert re.fullmatch(r"[a-z0-9_]+", case.name), case.name
        assert case.wrong[0].isupper() and case.wrong.endswith("."), case
