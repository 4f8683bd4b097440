"""The handlers of the routes. Each parses the request, calls a service and presents its result."""
