"""What names and e-mails of accounts may be. Raises InvalidData with what to do about it."""

from __future__ import annotations

import re
import unicodedata

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.scalar import is_email

NAME_CHARACTERS = 255
"""Most characters of a name."""
EMAIL_CHARACTERS = 100
"""Most characters of an e-mail."""
PRIORITIES = range(-1_000, 1_001)
"""The priorities of orgs; an org with a negative one runs after those that have none."""


def check_name(text: str, what: str, *, may_be_empty: bool = False) -> None:
    """Checks the name of an org, a user or a client; `what` names it in the message."""
    if not text.strip() and not (may_be_empty and not text):
        raise InvalidData(f"{what} is empty; give a text")
    if len(text) > NAME_CHARACTERS:
        raise InvalidData(f"{what} has more than {NAME_CHARACTERS} characters; shorten it")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidData(f"{what} has a control character; leave it out")


def check_email(text: str) -> None:
    """Checks the e-mail of a user, by which the user signs in."""
    if not is_email(text) or len(text) > EMAIL_CHARACTERS:
        raise InvalidData(f"{text!r} is no e-mail; give one such as kay@zylker.example")


def check_currency(text: str) -> None:
    """Checks the currency of an org."""
    if not re.fullmatch("[A-Z]{3}", text):
        raise InvalidData(f"{text!r} is no currency; give a code of ISO 4217 such as EUR")


def check_priority(number: int) -> None:
    """Checks the priority of an org."""
    if number not in PRIORITIES:
        least, most = PRIORITIES[0], PRIORITIES[-1]
        raise InvalidData(f"a priority is a number from {least} to {most}, not {number}")
