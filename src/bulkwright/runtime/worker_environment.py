"""The environment of a worker process that another process starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bulkwright.settings import Settings
from bulkwright.variables import variable


def worker_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of a worker process: this one, but with all of the settings."""
    variables = {variable(field.name) for field in fields(Settings)}
    inherited = {name: value for name, value in environ.items() if name not in variables}
    return inherited | settings.to_env()
