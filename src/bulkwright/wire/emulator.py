"""The bodies of `/api/v1/emulator`. Ids are strings of digits, times have offsets."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

EffectName = Literal[
    "too_many_requests", "expired_token", "internal_error", "unavailable", "slow_first_byte",
    "slow_body", "dropped_connection", "lost_response", "truncated_body", "empty_zip", "job_stuck",
    "job_failed", "callback_lost", "callback_doubled", "callback_late",
]  # fmt: skip
"""What becomes of a call that meets a fault."""
EditionName = Literal["free", "standard", "professional", "enterprise", "ultimate"]
ProgressionName = Literal["real", "immediate", "polls", "time", "held"]
StepName = Literal["ADDED", "INPROGRESS"]


class LoggedRequest(Struct, frozen=True, kw_only=True):
    """A request and its answer, without secrets."""

    number: int
    """Counts the requests since the start of the server."""
    time: str
    """When it was answered, on the emulated clock."""
    method: str
    path: str
    query: str
    operation: str
    """Method and path template; empty if no route has the path."""
    org_id: str | None
    """Of the caller; None without a valid token."""
    user_id: str | None
    scopes: list[str]
    """Of the token."""
    status: int
    code: str | None
    """The code in the answer; that of the first record, if each record has one."""
    milliseconds: float
    not_implemented: bool
    """Whether the service does not have what was called."""
    body: str | None
    """None if there was none, if it was a file, or if it was too long."""
    answer: str | None


class Requests(Struct, frozen=True, kw_only=True):
    """The log of requests, oldest first."""

    requests: list[LoggedRequest]


class ClockChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the clock. What is not given stays."""

    now: str | None = None
    """The time to show, with an offset."""
    move: float | str | None = None
    """How far to move it from there: seconds, or `90s`, `15m`, `2h`, `7d`, `1w`. It may go back."""
    frozen: bool | None = None
    """Whether it stands still."""


class ClockState(Struct, frozen=True, kw_only=True):
    """The clock as it is now."""

    now: str
    """The time that API and workers show, in UTC."""
    frozen: bool
    offset_seconds: float
    """How far it is ahead of the clock of the machine."""


class JobPace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How jobs progress, with the measure of that progression."""

    progression: ProgressionName
    polls: int | None = None
    """Of `polls`: how many polls are answered before the job has ended."""
    time: float | str | None = None
    """Of `time`: how long a job takes on the emulated clock; seconds, or `90s`, `15m`, `2h`."""
    at: StepName | None = None
    """Of `held`: the step at which jobs stay."""


class NewOrg(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An org to make."""

    company_name: str = "Zylker 2"


class Seeded(Struct, frozen=True, kw_only=True):
    """The records that were added."""

    module: str
    added: int
    ids: list[str]
    """In the order in which the records were given."""


class Seeds(Struct, frozen=True, kw_only=True):
    """What a seed has added."""

    modules: list[Seeded]


class NewFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault rule. A call that matches the condition meets the effect."""

    effect: EffectName
    method: str | None = None
    path: str | None = None
    """A pattern: `/crm/*/Leads`."""
    nth: int | None = None
    """The first call that meets the effect, counted from 1 among those that match."""
    org_id: str | None = None
    rate: float | None = None
    """How many of the calls meet it, from 0 to 1, at random."""
    times: int | None = None
    """How many calls meet it, at most. Default: with `nth` one, otherwise all."""
    delay: float | str | None = None
    """How long a call waits before: seconds, or `90s`, `15m`."""
    time: float | str | None = None
    """How long a slow or late effect takes."""


class ShownFault(Struct, frozen=True, kw_only=True):
    """A fault rule, and how often it was used."""

    id: str
    effect: str
    method: str | None
    path: str | None
    nth: int | None
    org_id: str | None
    rate: float | None
    times: int | None
    delay_seconds: float
    time_seconds: float | None
    matched: int
    """Calls that have matched the condition."""
    fired: int
    """Calls that have met the effect."""


class FaultList(Struct, frozen=True, kw_only=True):
    """All fault rules, oldest first."""

    faults: list[ShownFault]


class NewCreditPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How credits are counted: as an edition has them, or a number of them."""

    edition: EditionName | None = None
    users: int | None = None
    """Of an edition: its licences. Default: 1."""
    credits: int | None = None
    """In 24 hours."""
    at_once: int | None = None
    """Calls at the same time. Default: those of the edition, otherwise any number."""
    heavy_at_once: int | None = None
    """Heavy calls at the same time. Default: 10 of an edition, otherwise any number."""
    spent: int = 0
    """What each org has spent already."""
    day_headers: bool = False
    """Whether answers have `X-RATELIMIT-DAY-LIMIT` and `X-RATELIMIT-DAY-REMAINING`."""


class ShownCredits(Struct, frozen=True, kw_only=True):
    """How credits are counted, and what is left."""

    counted: bool
    credits: int | None = None
    at_once: int | None = None
    heavy_at_once: int | None = None
    remaining: dict[str, int] = {}
    """By the id of an org that has called."""
