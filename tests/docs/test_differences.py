"""docs/differences.md states the values that the program has."""

from __future__ import annotations

from pathlib import Path

from bulkwright.runtime import supervisor

TEXT = (Path(__file__).parents[2] / "docs" / "differences.md").read_text("utf-8")


def test_connections_and_the_deadline_of_a_head_are_those_of_the_server() -> None:
    """As the supervisor gives them to the HTTP server."""
    assert f"| a silent or slow client | {supervisor._HEAD_SECONDS} s for the head; " in TEXT
    assert f"| connections | {supervisor._CONNECTIONS:,} at the same time, or half " in TEXT
    assert f"within {supervisor._HEAD_SECONDS} seconds is closed" in TEXT
