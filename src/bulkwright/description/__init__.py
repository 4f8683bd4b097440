"""The OpenAPI document and its page, derived from the routes and the wire structs."""
