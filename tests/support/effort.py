"""How long properties are tried: `BULKWRIGHT_EFFORT=50` tries fifty times as many examples.

In CI the examples are the same every time, but for such a long run.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

EFFORT = float(os.environ.get("BULKWRIGHT_EFFORT", "1"))

settings.register_profile("bulkwright", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", parent=settings.get_profile("bulkwright"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") and EFFORT == 1 else "bulkwright")


def tries(examples: int, **more: Any) -> settings:
    """Settings for a test that tries `examples` examples by default."""
    return settings(max_examples=max(1, round(examples * EFFORT)), **more)
