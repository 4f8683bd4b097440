"""Bulkwright: a bulk write service that speaks the Zoho CRM Bulk Write API on the wire."""

__version__ = "0.1.0"
