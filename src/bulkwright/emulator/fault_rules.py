"""Fault rules: which calls meet which fault."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

_random = random.Random()  # noqa: S311 (a rate, no secret)
_SLASHES = re.compile("/{2,}")


class FaultEffect(StrEnum):
    """What becomes of a call."""

    TOO_MANY_REQUESTS = "too_many_requests"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 (a name)
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"
    SLOW_FIRST_BYTE = "slow_first_byte"
    SLOW_BODY = "slow_body"
    DROPPED_CONNECTION = "dropped_connection"
    LOST_RESPONSE = "lost_response"
    TRUNCATED_BODY = "truncated_body"
    EMPTY_ZIP = "empty_zip"
    JOB_STUCK = "job_stuck"
    JOB_FAILED = "job_failed"
    CALLBACK_LOST = "callback_lost"
    CALLBACK_DOUBLED = "callback_doubled"
    CALLBACK_LATE = "callback_late"

    @property
    def takes_time(self) -> bool:
        """Whether it needs a number of seconds."""
        return self in (self.SLOW_FIRST_BYTE, self.SLOW_BODY, self.CALLBACK_LATE)

    @property
    def is_of_job(self) -> bool:
        """Whether it concerns a job: its condition is that of the call that creates it."""
        return self in (self.JOB_STUCK, self.JOB_FAILED) or self.is_of_callback

    @property
    def is_of_callback(self) -> bool:
        """Whether it concerns the callback of a job."""
        return self in (self.CALLBACK_LOST, self.CALLBACK_DOUBLED, self.CALLBACK_LATE)


@dataclass(slots=True)
class FaultRule:
    """A condition and an effect. None means any."""

    id: int
    effect: FaultEffect
    method: str | None = None
    path: str | None = None
    """A pattern: `/crm/*/Leads`."""
    nth: int | None = None
    """The first call that meets the fault, counted from 1 among those that match."""
    org_id: int | None = None
    rate: float | None = None
    """How many of the calls meet it, from 0 to 1, at random."""
    times: int | None = None
    """How many calls meet it, at most."""
    delay: timedelta = timedelta()
    """How long the call waits before."""
    time: timedelta = timedelta()
    """How long an effect takes that takes time."""
    matched: int = 0
    """Calls that have matched."""
    fired: int = 0
    """Calls that have met the fault."""

    def matches(self, method: str, path: str, org_id: int | None) -> bool:
        """Returns whether a call is one of those of the rule."""
        return (
            (self.method is None or self.method == method)
            and (self.path is None or fnmatchcase(_SLASHES.sub("/", path), self.path))
            and (self.org_id is None or self.org_id == org_id)
        )

    def fires(self) -> bool:
        """Counts a call that matches; returns whether it meets the fault."""
        self.matched += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth is not None and self.matched < self.nth:
            return False
        if self.rate is not None and _random.random() >= self.rate:
            return False
        self.fired += 1
        return True


class FaultRules:
    """The rules of an emulator, oldest first. The first one that fires has its effect."""

    def __init__(self) -> None:
        self._rules: dict[int, FaultRule] = {}
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter(list(self._rules.values()))

    def __len__(self) -> int:
        return len(self._rules)

    @property
    def need_org(self) -> bool:
        """Whether a rule is for one org."""
        return any(rule.org_id is not None for rule in self)

    def new_id(self) -> int:
        """Returns an id that no rule has had."""
        return next(self._ids)

    def add(self, rule: FaultRule) -> None:
        """Adds a rule, as the last one."""
        self._rules[rule.id] = rule

    def remove(self, rule_id: int) -> bool:
        """Removes a rule; returns False if there is none with this id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Removes all rules."""
        self._rules.clear()

    def firing(self, method: str, path: str, org_id: int | None) -> FaultRule | None:
        """Returns the rule whose fault a call meets, or None."""
        for rule in self:
            if rule.matches(method, path, org_id) and rule.fires():
                return rule
        return None
