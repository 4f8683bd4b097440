"""`/api/v1`: the service's own API. It is a Starlette app that is imported on the first request."""
