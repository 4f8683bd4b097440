"""Metadata and records: what clients look at beside bulk write (facts 9)."""

from __future__ import annotations

from bulkwright.api.http import NOTHING, Answer, Request, json_answer
from bulkwright.api.services import Services
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.limits import RECORDS_PER_PAGE

_MOST_PAGES = 1_000_000
_ID_DIGITS = 18


class ReadRoutes:
    """`/crm/{version}/...` but for bulk write."""

    def __init__(self, services: Services) -> None:
        self._metadata = services.metadata
        self._records = services.records

    async def modules(self, request: Request) -> Answer:
        """Every module; reading all their fields takes some milliseconds."""
        return json_answer(await request.run(self._metadata.all_modules, request.who))

    def module(self, request: Request) -> Answer:
        """One module with its fields."""
        return json_answer(self._metadata.one_module(request.who, request.params["module"]))

    def fields(self, request: Request) -> Answer:
        """The fields of a module."""
        return json_answer(self._metadata.fields(request.who, request.query().get("module")))

    def layouts(self, request: Request) -> Answer:
        """The layout of a module."""
        return json_answer(self._metadata.layouts(request.who, request.query().get("module")))

    def users(self, request: Request) -> Answer:
        """The current user, or everybody."""
        return json_answer(self._metadata.users(request.who, request.query().get("type")))

    def org(self, request: Request) -> Answer:
        """The org."""
        return json_answer(self._metadata.org(request.who))

    async def records(self, request: Request) -> Answer:
        """A page of records, newest first."""
        query = request.query()
        page = await request.run(
            self._records.page,
            request.who,
            request.params["module"],
            number=_number(query, "page", 1, _MOST_PAGES),
            per_page=_number(query, "per_page", RECORDS_PER_PAGE, RECORDS_PER_PAGE),
            fields=[f for f in query.get("fields", "").split(",") if f],
        )
        if not page.records:
            return NOTHING
        info = {
            "per_page": page.per_page,
            "count": len(page.records),
            "page": page.number,
            "more_records": page.more,
        }
        return json_answer({"data": page.records, "info": info})

    async def record(self, request: Request) -> Answer:
        """One record."""
        text = request.params["record_id"]
        number = int(text) if text.isdigit() and len(text) <= _ID_DIGITS else 0
        record = await request.run(
            self._records.record, request.who, request.params["module"], number
        )
        return NOTHING if record is None else json_answer({"data": [record]})


def _number(query: dict[str, str], name: str, usual: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise InvalidData(details={"param_name": name, "maximum": most})
    return int(text)
