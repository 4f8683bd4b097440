"""Readings of uploads in other encodings: none twice, and one of an org at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import Splitting
from bulkwright.domain.upload import CsvFacts
from bulkwright.service import readings
from bulkwright.service.readings import Readings

FACTS = (CsvFacts("a.csv", "GBK", (Splitting(",", ("Name",)),), 1),)


def test_the_same_reading_happens_once() -> None:
    """Also when it fails with an error of the file."""
    kept, read = Readings(), []

    def facts() -> tuple[CsvFacts, ...]:
        read.append(1)
        return FACTS

    def fails() -> tuple[CsvFacts, ...]:
        read.append(2)
        raise FileNotSupported("no text", {"a": 1})

    assert not kept.known(1, "GBK")
    assert [kept.facts(1, 1, "GBK", facts) for _ in range(3)] == [FACTS] * 3
    assert kept.known(1, "GBK") and not kept.known(1, "Big5") and not kept.known(2, "GBK")
    for _ in range(3):
        with pytest.raises(FileNotSupported, match="no text") as caught:
            kept.facts(1, 1, "Big5", fails)
        assert caught.value.details == {"a": 1}
    assert read == [1, 2]


def test_an_error_of_the_machine_is_not_kept() -> None:
    """The next request reads again."""
    kept = Readings()

    def fails() -> tuple[CsvFacts, ...]:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        kept.facts(1, 1, "GBK", fails)
    assert kept.facts(1, 1, "GBK", lambda: FACTS) == FACTS


def test_one_of_an_org_at_a_time() -> None:
    """Another org does not wait."""
    kept, running, most = Readings(), [], []
    others_ended = threading.Event()

    def read() -> tuple[CsvFacts, ...]:
        running.append(1)
        most.append(len(running))
        assert others_ended.wait(30)
        running.pop()
        return FACTS

    with ThreadPoolExecutor(4) as threads:
        reading = [threads.submit(kept.facts, 1, upload, "GBK", read) for upload in range(4)]
        assert kept.facts(2, 9, "GBK", lambda: FACTS) == FACTS
        others_ended.set()
        assert [r.result(30) for r in reading] == [FACTS] * 4
    assert most == [1] * 4


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the characters of the headers; what was used last stays."""
    monkeypatch.setattr(readings, "_MOST_CHARACTERS", 10_000)
    kept = Readings()
    wide = (CsvFacts("a.csv", "GBK", (Splitting(",", ("x" * 3_000,)),), 1),)
    for upload in range(5):
        kept.facts(1, upload, "GBK", lambda: wide)
        kept.facts(1, 0, "GBK", lambda: wide)
    assert [kept.known(upload, "GBK") for upload in range(5)] == [True, False, False, False, True]
