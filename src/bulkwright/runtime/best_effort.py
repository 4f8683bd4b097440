"""Steps that may fail, because something else does their work later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger("bulkwright.worker")
_PROGRAMMING_ERRORS = (AssertionError, NameError, TypeError)


@contextmanager
def best_effort(step: str, *, otherwise: str) -> Iterator[None]:
    """Runs a step that may fail; `otherwise` says what happens then.

    A failure is logged at debug level. Errors of the program itself are raised.
    """
    try:
        yield
    except _PROGRAMMING_ERRORS:
        raise
    except Exception as error:
        _log.debug("could not %s: %s: %s; %s", step, type(error).__name__, error, otherwise)
