"""Hashes and verifies passwords, with scrypt from the standard library.

A stored hash names its parameters, so that they can be raised later while older hashes stay valid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Collection

from bulkwright.domain.limits import (
    PASSWORD_BESIDE_WORDS,
    PASSWORD_LEAST,
    PASSWORD_MOST,
    PASSWORD_SCRYPT,
    MiB,
)

_SALT_BYTES = 16
_USUAL_WORDS = ("bulkwright", "password")
_WORD = re.compile(r"\w{4,}")
"""A shorter word is part of too many others."""
_MAX_MEMORY = 512 * MiB
"""The memory that a stored hash may require at most."""
_DUMMY_HASH = "scrypt$15$8$3$AAAAAAAAAAAAAAAAAAAAAA==$" + base64.b64encode(bytes(32)).decode()


class WeakPassword(ValueError):
    """A password is too short or too long; the message is for the user."""


def words_of(*names: str) -> frozenset[str]:
    """Returns the words of names, which a stranger would try first."""
    return frozenset(_WORD.findall(" ".join(names).casefold()))


def check_new(password: str, known: Collection[str] = ()) -> str:
    """Returns a new password in the form that is hashed. Raises WeakPassword.

    The password must have some characters beside `known` words and those of every deployment. Which
    kinds of characters it has does not matter.
    """
    text = unicodedata.normalize("NFC", password)
    if not PASSWORD_LEAST <= len(text) <= PASSWORD_MOST:
        raise WeakPassword(f"A password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters.")
    rest = text.casefold()
    for word in sorted({*known, *_USUAL_WORDS}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < PASSWORD_BESIDE_WORDS:
        raise WeakPassword(
            f"A password has at least {PASSWORD_BESIDE_WORDS} characters beside the names of the "
            f"user and the org and the words {', '.join(_USUAL_WORDS)}."
        )
    return text


def hashed_password(password: str, known: Collection[str] = ()) -> str:
    """Returns the hash of a new password, to be stored. Raises WeakPassword."""
    text = check_new(password, known)
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(text, salt, *PASSWORD_SCRYPT)
    encoded = [base64.b64encode(part).decode() for part in (salt, digest)]
    return "$".join(["scrypt", *map(str, PASSWORD_SCRYPT), *encoded])


def is_password(password: str, stored: str | None) -> bool:
    """Returns whether `stored` is the hash of this password.

    If `stored` is None, takes as long as otherwise: the time does not reveal which users exist.
    """
    text = unicodedata.normalize("NFC", password[: PASSWORD_MOST + 1])
    _, *numbers, salt, expected = (stored or _DUMMY_HASH).split("$")
    if len(text) > PASSWORD_MOST:
        return False
    log_n, r, p = map(int, numbers)
    digest = _scrypt(text, base64.b64decode(salt), log_n, r, p)
    return hmac.compare_digest(digest, base64.b64decode(expected)) and stored is not None


def _scrypt(text: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    # A form cannot send a lone surrogate, but a terminal can.
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=2**log_n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)
