"""Paths of the files behind a service."""

from __future__ import annotations

from pathlib import Path

from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.services import Services


def path_of(services: Services, area: Area, number: int) -> Path:
    """The path of an upload or a result on the disk."""
    assert isinstance(services.files, LocalFiles)
    return services.files.path(area, number)
