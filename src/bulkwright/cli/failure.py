"""The end of a command that has failed.

What only a failure needs is imported when a command fails.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NoReturn

_LACKING = re.compile('Command "(.+?)" parameter (.+?) requires an argument.')
TRACEBACK = "BULKWRIGHT_TRACEBACK"
"""The environment variable with which an error that no command expects shows its traceback."""


def fail(message: str, *, status: int = 1) -> NoReturn:
    """Prints the reason of a failure on stderr and ends the process."""
    from rich.text import Text

    from bulkwright.cli.output import errors

    errors.print(Text(f"bulkwright: {message}"), soft_wrap=True)
    sys.exit(status)


def fail_with(error: Exception) -> NoReturn:
    """Ends the process with the reason of an error.

    Of an error that no command expects, its own text is left out, because it may hold a secret.
    """
    from cyclopts import CycloptsError, UnusedCliTokensError

    from bulkwright.domain.errors import BulkwrightError
    from bulkwright.outages import classify
    from bulkwright.store.migrate import CannotMigrate
    from bulkwright.variables import UnusableSetting

    match error:
        case UnusedCliTokensError(unused_tokens=[*words], command_chain=[*commands]):
            named = f"`{' '.join(commands)}`" if commands else "bulkwright"
            fail(f"{named} does not take {' '.join(words)} (--help shows the usage)", status=2)
        case CycloptsError():
            text = _LACKING.sub(r"`\1` needs \2.", " ".join(str(error).split()))
            fail(f"{text} (--help shows the usage)", status=2)
        case BulkwrightError():
            fail(f"{error.message} ({error.code})")
        case UnusableSetting() | CannotMigrate():
            fail(str(error))
        case OSError() if error.filename is not None:
            fail(f"{error.filename}: {error.strerror}.")
    if outage := classify(error):
        fail(f"{outage}.")
    if TRACEBACK in os.environ:
        raise error
    fail(_unexpected(error))


def _unexpected(error: Exception) -> str:
    import traceback

    match error:
        case UnicodeEncodeError(encoding="utf-8"):
            return f"{error.object!a} is not text in {sys.getfilesystemencoding()}."
        case UnicodeError():
            return "an argument has a character that is not possible there."
        case OverflowError():
            return "a number is out of its range; give another one."
        case RecursionError():
            return "a file has too many brackets inside each other; give one with fewer levels."
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    return (
        f"an error of the program itself ({place}). Run the command again with {TRACEBACK}=1, and "
        "report what it prints; remove passwords from it first."
    )
