"""The parameters of pages of records, and their tokens (facts 10.8).

A token says where the next page begins, until when it may be used, and which parameters it belongs
to. It names nothing that its bearer may not read anyway, so it needs no signature.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.ids import ID_DIGITS, parse_id
from bulkwright.domain.limits import (
    LISTED_IDS,
    PAGE_TOKEN_SECONDS,
    RECORD_PAGES,
    RECORDS_PER_PAGE,
    TOKEN_PAGED_RECORDS,
)
from bulkwright.domain.record_errors import (
    AmbiguousRequest,
    ExpiredToken,
    PageLimitExceeded,
    TokenLimitExceeded,
    TokenMismatch,
)
from bulkwright.service.records import PageQuery
from bulkwright.zoho.parse.query import listed_names, whole_number
from bulkwright.zoho.versions import Version

_SORTS = ("id", "Created_Time", "Modified_Time")
_ORDERS = ("asc", "desc")
_ANSWERS = ("true", "false", "both")
_INVALID_TOKEN = "the token given seems to be invalid"  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that a caller asks for."""

    query: PageQuery
    number: int
    sort_by: str
    sort_order: str
    bound_to: str
    """What tokens of these parameters have in common."""


def paging(
    query: Mapping[str, str],
    version: Version,
    bound_to: str,
    now: datetime,
    modified_since: datetime | None = None,
) -> Paging:
    """Returns the page of a query. Raises InvalidData, and the errors of tokens.

    `bound_to` names the caller and the path.
    """
    per_page = whole_number(query, "per_page", RECORDS_PER_PAGE, RECORDS_PER_PAGE)
    number = whole_number(query, "page", 1, RECORD_PAGES)
    sort_by, order = query.get("sort_by") or "id", (query.get("sort_order") or "desc").lower()
    if not version.sorts_by_any_field and sort_by not in _SORTS:
        raise InvalidData(details={"param_name": "sort_by", "supported_values": _SORTS})
    if order not in _ORDERS:
        raise InvalidData(details={"param_name": "sort_order", "supported_values": _ORDERS})
    digest = _digest(query, bound_to)
    skipped, before = (number - 1) * per_page, None
    token = query.get("page_token") if version.page_tokens else None
    if token is not None:
        if "page" in query:
            both = [{"param_name": "page"}, {"param_name": "page_token"}]
            raise AmbiguousRequest(details={"ambiguity_due_to": both})
        skipped, before = _position(token, digest, now)
        number = skipped // per_page + 1
    elif version.paged_records is not None and number * per_page > version.paged_records:
        raise PageLimitExceeded(details={"limit": version.paged_records})
    return Paging(
        PageQuery(
            per_page=per_page,
            skipped=skipped if before is None else 0,
            before=before,
            ids=_ids(query),
            modified_since=modified_since,
            sort_by=sort_by,
            ascending=order == "asc",
            none=_asks_for_none(query),
        ),
        number,
        sort_by,
        order,
        digest,
    )


def next_token(page: Paging, last_id: int, now: datetime) -> str:
    """Returns the token of the page behind this one; `last_id` is its last record."""
    by_id = page.sort_by == "id" and page.sort_order == "desc"
    skipped = page.number * page.query.per_page
    return _token(skipped, last_id if by_id else 0, page.bound_to, now)


def previous_token(page: Paging, now: datetime) -> str | None:
    """Returns the token of the page before this one; None for the first."""
    if page.number <= 1:
        return None
    return _token((page.number - 2) * page.query.per_page, 0, page.bound_to, now)


def _token(skipped: int, before: int, digest: str, now: datetime) -> str:
    ends = int(now.timestamp()) + PAGE_TOKEN_SECONDS
    data = json.dumps([skipped, before, ends, digest], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _position(token: str, digest: str, now: datetime) -> tuple[int, int | None]:
    """The records before the page of a token, and the id that its records are under."""
    try:
        padded = token + "=" * (-len(token) % 4)
        skipped, before, ends, bound_to = json.loads(base64.urlsafe_b64decode(padded))
        numbers = (skipped, before, ends)
        sound = all(type(n) is int and 0 <= n < 10**ID_DIGITS for n in numbers)
        if not (sound and isinstance(bound_to, str)):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise InvalidData(_INVALID_TOKEN, {"param_name": "page_token"}) from None
    if bound_to != digest:
        raise TokenMismatch(details={"param_name": "page_token"})
    if ends < now.timestamp():
        raise ExpiredToken(details={"param_name": "page_token"})
    if skipped >= TOKEN_PAGED_RECORDS:
        raise TokenLimitExceeded(details={"limit": TOKEN_PAGED_RECORDS})
    return skipped, before or None


def _digest(query: Mapping[str, str], bound_to: str) -> str:
    named = sorted((k, v) for k, v in query.items() if k not in ("page", "page_token"))
    return hashlib.sha256(repr((bound_to, named)).encode()).hexdigest()[:16]


def _ids(query: Mapping[str, str]) -> tuple[int, ...] | None:
    if "ids" not in query:
        return None
    names = listed_names(query, "ids")
    numbers = [parse_id(name.strip(), leading_zeros=True) for name in names]
    if len(numbers) > LISTED_IDS or None in numbers:
        raise InvalidData(details={"param_name": "ids", "maximum_length": LISTED_IDS})
    return tuple(number for number in numbers if number is not None)


def _asks_for_none(query: Mapping[str, str]) -> bool:
    """Whether a caller asks for converted or unapproved records only: there are none here."""
    for name, here in (("converted", "false"), ("approved", "true")):
        asked = query.get(name, here).lower()
        if asked not in _ANSWERS:
            raise InvalidData(details={"param_name": name, "supported_values": _ANSWERS})
        if asked not in (here, "both"):
            return True
    return False
