"""One hostile input: its fault, the attempt that sends it, and its right outcome.

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
    """`code` of the body; if the shape has none, its `error`, `x-error` or `x-info`."""
    path: str = ""
    """`details.json_path`."""


@dataclass(frozen=True)
class Rejection:
    """The upload or the creation of a job was rejected."""

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
    """STATUS of each row, or its ERRORS if it has some, in file order."""
    kept: tuple[object, ...] = ()
    """The values of a field of the added records, if the case needs them."""
    name: str = ""
    """The shown name of the CSV, if the case needs it."""
    status: str = "COMPLETED"


@dataclass(frozen=True)
class Bare:
    """An answer of the HTTP layer itself, without a body; the connection is closed."""

    status: int


@dataclass(frozen=True)
class Closed:
    """The connection was closed without an answer."""


@dataclass(frozen=True)
class Logged:
    """The outcome of a job's callback, as the log reports it."""

    words: str


Outcome = Answered | Rejection | Done | Bare | Closed | Logged | tuple[Answered | Bare, ...]
"""A tuple: the answers on one connection, in their order."""

Attempt = Callable[["Target"], Outcome]
"""Sends the input to a live service and returns the outcome."""


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
    """The CPU time that the service may use, in seconds."""

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"
