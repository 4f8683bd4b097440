"""Prints the OpenAPI document: `python -m bulkwright.description > docs/openapi.json`."""

from __future__ import annotations

import sys

from bulkwright.description.endpoints import ENDPOINTS
from bulkwright.description.openapi import document_text

if __name__ == "__main__":
    sys.stdout.write(document_text(ENDPOINTS))
