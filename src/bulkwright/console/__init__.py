"""`/console`: pages for people. It is a Starlette app that is imported on the first request.

A page shows what the own API returns: it calls the endpoints of `bulkwright.v1` with the caller of
its session, and services where the API has no endpoint.
"""

PREFIX = "/console"
"""Every path of the pages begins with it; the session cookie is sent to these paths only."""
