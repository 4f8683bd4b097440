"""Prints the API's description: `python -m bulkwright.api.describe > docs/openapi.json`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

from bulkwright.api import openapi
from bulkwright.api.app import create_app
from bulkwright.config import Settings


class _Nothing:
    """Stands for the services: only the table of routes is wanted."""

    def __getattr__(self, name: str) -> _Nothing:
        return self


def description() -> str:
    """The description of every route that an app has."""
    app = create_app(cast("Any", _Nothing()), Settings(Path()), "")
    return openapi.text(app.router.routes)


if __name__ == "__main__":
    sys.stdout.write(description())
