"""Each test has its own data folder: a copy of one that is made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.finished_jobs import change, data, jobs, made

from bulkwright.settings import Settings

__all__ = ["change", "data", "jobs", "made"]


@pytest.fixture
def settings(data: Path) -> Settings:
    """Its settings: an hour for uploads and results, two for jobs."""
    return Settings(data, keep_uploads="1h", keep_results="1h", keep_jobs="2h")
