"""How long properties are tried: `BULKWRIGHT_EFFORT=50` tries fifty times as many examples as 1.

Without the variable it is 0.6, because a run of all tests has limited time; in CI the examples are
the same every time then.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

_STATED = os.environ.get("BULKWRIGHT_EFFORT")
EFFORT = 0.6 if _STATED is None else float(_STATED)

settings.register_profile("bulkwright", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", parent=settings.get_profile("bulkwright"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") and _STATED is None else "bulkwright")


def tries(examples: int, **more: Any) -> settings:
    """Settings for a test that tries `examples` examples by default."""
    return settings(max_examples=max(1, round(examples * EFFORT)), **more)
