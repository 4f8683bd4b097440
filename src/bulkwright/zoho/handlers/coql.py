"""The endpoint of COQL queries (facts 10.11)."""

from __future__ import annotations

from bulkwright.domain.coql import CoqlQuery
from bulkwright.domain.limits import JSON_BODY_BYTES
from bulkwright.domain.record_write import NotStored
from bulkwright.service.coql import CoqlRows
from bulkwright.web.request import Request
from bulkwright.web.response import NO_CONTENT, Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.coql import coql_request, parse_coql
from bulkwright.zoho.present import coql as present


async def query(zoho: ZohoContext, request: Request) -> Response:
    """Returns the rows of a query, or no content."""
    version, body = zoho.version(request), await request.body(JSON_BODY_BYTES)

    def run() -> tuple[CoqlQuery, CoqlRows]:
        wanted = parse_coql(coql_request(body), version.coql)
        return wanted, zoho.services.coql.run(caller_of(request), wanted, version.coql)

    try:
        wanted, found = await request.run_heavy(run)
    except NotStored as gap:
        raise not_served(zoho, request, gap.api_name) from None
    if not found.rows:
        return NO_CONTENT
    return json_response(present.rows(wanted, found, version))
