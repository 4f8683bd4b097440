"""One hostile input: what is wrong with it, how it is sent, and what must come of it.

The modules beside this one hold the cases, one module a group; `corpus.py` has them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hostile.target import Target


@dataclass(frozen=True)
class Answered:
    """An answer with a body of the API: an error, or a job's details."""

    status: int
    code: str
    """`code` of the body; where the shape has none, its `error`, `x-error` or `x-info`."""
    path: str = ""
    """`details.json_path`."""


@dataclass(frozen=True)
class Refused:
    """The upload or the creation of a job was refused."""

    step: str
    """`upload` or `create`."""
    status: int
    code: str
    path: str = ""
    """`details.json_path`."""


@dataclass(frozen=True)
class Done:
    """The job has ended, and every row has its answer."""

    rows: tuple[str, ...]
    """STATUS of each row, or its ERRORS where there are some, in file order."""
    kept: tuple[object, ...] = ()
    """What a field of the added records holds, where a case asks for it."""
    name: str = ""
    """How the CSV's name is shown, where a case asks for it."""
    status: str = "COMPLETED"


@dataclass(frozen=True)
class Bare:
    """An answer of the HTTP layer itself, without a body; the connection is closed."""

    status: int


@dataclass(frozen=True)
class Closed:
    """The connection was closed without an answer."""


@dataclass(frozen=True)
class Told:
    """What became of a job's callback, in the words of the log."""

    words: str


Outcome = Answered | Refused | Done | Bare | Closed | Told | tuple[Answered | Bare, ...]
"""A tuple: the answers on one connection, in their order."""

Attempt = Callable[["Target"], Outcome]
"""Sends the input to a live service and says what came of it."""


@dataclass(frozen=True)
class Case:
    """One hostile input and the one outcome that is right."""

    group: str
    name: str
    wrong: str
    """What is wrong with it, in one sentence."""
    attempt: Attempt
    outcome: Outcome
    long: bool = False
    """Takes more than three seconds: not in the short form."""
    seconds: float = 20.0
    """How long it may take."""

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"
