"""API credits and calls at the same time, as Zoho counts them (facts 6; neighbour facts 6)."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from bulkwright.wire.decoding import NO_JSON

_WINDOW = timedelta(hours=24)
_BUCKET = timedelta(minutes=1)
_HEAVY_AT_ONCE = 10
_BULK_WRITE, _BULK_READ = 500, 50
"""Credits of the creation of a job. For bulk read nothing is documented; the number is ours."""
_RECORDS_A_CREDIT = 10
_COQL_ROWS = 200
"""Rows of a query without a limit."""

_COUNTED = re.compile(r"/+(?:crm/(?:bulk/)?v[0-9.]+/|v[0-9.]+/crm/)(.*)")
_JOBS = re.compile(r"(write|read)")
_SEARCH = re.compile(r"[^/]+/search")
_RECORDS = re.compile(
    r"(?!settings|org|users|coql|upload)[A-Za-z][A-Za-z0-9_]*(?:/upsert|/[0-9]+)?"
)
_LIMIT = re.compile(r"\blimit\s+(?:\d+\s*,\s*)?(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edition:
    """What an edition of Zoho CRM includes."""

    base: int
    """Credits of a day."""
    of_user: int
    """Further ones for each user."""
    most: int | None
    """Credits of a day, at most."""
    at_once: int
    """Calls at the same time."""


EDITIONS: Mapping[str, Edition] = {
    "free": Edition(5_000, 0, 5_000, 5),
    "standard": Edition(50_000, 250, 100_000, 10),
    "professional": Edition(50_000, 500, 3_000_000, 15),
    "enterprise": Edition(50_000, 1_000, 5_000_000, 20),
    "ultimate": Edition(50_000, 2_000, None, 25),
}


@dataclass(frozen=True, slots=True)
class CreditPlan:
    """How many credits and calls at the same time an org has."""

    credits: int
    """In 24 hours."""
    at_once: int
    """Calls at the same time."""
    heavy_at_once: int = _HEAVY_AT_ONCE
    """Heavy calls at the same time: searches, COQL, writes of more than ten records."""
    day_headers: bool = False
    """Whether answers have `X-RATELIMIT-DAY-*`, as old clients of version 2 read them."""

    @classmethod
    def documented(cls, edition: str, users: int) -> CreditPlan:
        """Returns the plan of an edition. Raises KeyError."""
        found = EDITIONS[edition]
        total = found.base + found.of_user * users
        return cls(total if found.most is None else min(total, found.most), found.at_once)


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs."""

    credits: int
    is_heavy: bool = False


def price_of(method: str, path: str, query: str, body: bytes) -> Price | None:
    """Returns the price of a call; None for a path that is not counted."""
    found = _COUNTED.fullmatch(path)
    if found is None:
        return None
    rest = found[1]
    if method == "POST" and "/bulk/" in path and (job := _JOBS.fullmatch(rest)):
        return Price(_BULK_WRITE if job[1] == "write" else _BULK_READ)
    if rest == "coql":
        return Price(_price_of_query(body), is_heavy=True)
    if _SEARCH.fullmatch(rest):
        return Price(1, is_heavy=True)
    if method != "GET" and _RECORDS.fullmatch(rest):
        count = _deleted(query) if method == "DELETE" else _written(body)
        price = max(1, -(-count // _RECORDS_A_CREDIT))
        return Price(price, is_heavy=method != "DELETE" and count > _RECORDS_A_CREDIT)
    return Price(1)


def _price_of_query(body: bytes) -> int:
    """Returns 1 to 3, by the rows that a query returns at most."""
    found = _LIMIT.search(body.decode("utf-8", "replace"))
    rows = int(found[1]) if found else _COQL_ROWS
    return 1 if rows <= 200 else 2 if rows <= 1_000 else 3


def _written(body: bytes) -> int:
    try:
        found = msgspec.json.decode(body)
    except NO_JSON:
        return 1
    records = found.get("data") if isinstance(found, dict) else None
    return len(records) if isinstance(records, list) else 1


def _deleted(query: str) -> int:
    ids = re.search(r"(?:^|&)ids=([^&]*)", query)
    return len(re.split(",|%2C", ids[1])) if ids else 1


class Spending:
    """The credits that each org has spent in the last 24 hours."""

    def __init__(self) -> None:
        self._spent: defaultdict[int, deque[tuple[datetime, int]]] = defaultdict(deque)
        self._sums: defaultdict[int, int] = defaultdict(int)

    def spend(self, org_id: int, credits: int, now: datetime) -> None:
        """Adds credits to what an org has spent."""
        spent = self._spent[org_id]
        if spent and now - spent[-1][0] < _BUCKET:
            spent[-1] = (spent[-1][0], spent[-1][1] + credits)
        else:
            spent.append((now, credits))
        self._sums[org_id] += credits

    def of(self, org_id: int, now: datetime) -> int:
        """Returns what an org has spent."""
        spent = self._spent[org_id]
        while spent and now - spent[0][0] >= _WINDOW:
            self._sums[org_id] -= spent.popleft()[1]
        return self._sums[org_id]

    def orgs(self) -> list[int]:
        """Returns the orgs that have spent something."""
        return sorted(self._spent)
