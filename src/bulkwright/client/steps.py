"""The steps of an operation: calls to make and pauses to wait.

Each operation is a generator: it yields the calls to make and is sent their responses, or the error
of a call is thrown into it; and it yields the pauses to wait. The sync and the async client
(client.py) differ only in how they call and wait, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")
Steps = Generator["Call | Pause", Any, T]
"""An operation: yields calls and pauses, is sent responses, returns its outcome."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to make."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    form: dict[str, str] | None = None
    file: tuple[str, IO[bytes]] | None = None
    """The name and the content of a file to upload."""
    save_to: IO[bytes] | None = None
    """Where to write the body of a successful response, instead of keeping it in memory."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait."""

    seconds: float


class Running(Generic[T]):
    """An operation that is being run: `advance` until it returns None, then `outcome` is there."""

    outcome: T

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps

    def advance(self, answer: object = None) -> Call | Pause | None:
        """Hands over the answer to the last call; returns the next step, None at the end."""
        return self._next(lambda: self._steps.send(answer))

    def fail(self, error: Exception) -> Call | Pause | None:
        """Hands over that the last call has failed; returns the next step, or raises the error."""
        return self._next(lambda: self._steps.throw(error))

    def _next(self, proceed: Callable[[], Call | Pause]) -> Call | Pause | None:
        try:
            return proceed()
        except StopIteration as end:
            self.outcome = end.value
            return None
