"""Every input is read, or rejected with an error of our own, within a time limit.

The short form: inputs near the seeds, by Hypothesis. The long form is `python -m tests.fuzz`.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.support.effort import tries

SECONDS = 2.0
"""Processor time for an input of a few kilobytes."""
PIECES = [
    b"\0", b"\n", b"\r", b'"', b",", b";", b"|", b"'", b"%", b"\\", b"\xff", b"\xff" * 4, b"PK",
    b"PK\x01\x02", b"9" * 30, b"-", b"e5", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80",
    b"null", b"[", b"]", b"{}", b"--", b"\r\n\r\n", b"yyyy", b"::", b"127.0.0.1", b"@", b"#", b"0x",
]  # fmt: skip


@st.composite
def near(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed in which some bytes were removed, doubled or added."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 8)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
@tries(150)
@given(st.data())
def test_every_input_is_read_or_rejected(name: str, data: st.DataObject) -> None:
    """No other error is raised, and the time limit holds."""
    given_ = data.draw(near(SEEDS[name]) | st.binary(max_size=200))
    start = time.process_time()
    TARGETS[name](given_)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read_or_rejected(name: str) -> None:
    """The seeds include the inputs that longer runs have found."""
    for seed in SEEDS[name]:
        TARGETS[name](seed)
