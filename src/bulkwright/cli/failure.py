"""The end of a command that has failed.

What only a failure needs is imported when a command fails.
"""

from __future__ import annotations

import sys
from typing import NoReturn


def fail(message: str, *, status: int = 1) -> NoReturn:
    """Prints the reason of a failure on stderr and ends the process."""
    from rich.text import Text

    from bulkwright.cli.output import errors

    errors.print(Text(f"bulkwright: {message}"), soft_wrap=True)
    sys.exit(status)


def fail_with(error: Exception) -> NoReturn:
    """Ends the process with the reason that an error has; raises the error again if it has none."""
    from cyclopts import CycloptsError

    from bulkwright.domain.errors import BulkwrightError
    from bulkwright.outages import classify
    from bulkwright.store.migrate import CannotMigrate
    from bulkwright.variables import UnusableSetting

    match error:
        case CycloptsError():
            fail(f"{' '.join(str(error).split())} (--help shows the usage)", status=2)
        case BulkwrightError():
            fail(f"{error.message} ({error.code})")
        case UnusableSetting() | CannotMigrate():
            fail(str(error))
        case OSError() if error.filename is not None:
            fail(f"{error.filename}: {error.strerror}.")
    if outage := classify(error):
        fail(f"{outage}.")
    raise error
