"""Hashes and verifies passwords, with scrypt from the standard library.

A stored hash names its parameters, so that they can be raised later while older hashes stay valid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

from bulkwright.domain.limits import PASSWORD_LEAST, PASSWORD_MOST, PASSWORD_SCRYPT, MiB

_SALT_BYTES = 16
_MAX_MEMORY = 512 * MiB
"""The memory that a stored hash may require at most."""
_DUMMY_HASH = "scrypt$15$8$3$AAAAAAAAAAAAAAAAAAAAAA==$" + base64.b64encode(bytes(32)).decode()


class WeakPassword(ValueError):
    """A password is too short or too long; the message is for the user."""


def check_new(password: str) -> str:
    """Returns a new password in the form that is hashed. Raises WeakPassword."""
    text = unicodedata.normalize("NFC", password)
    if not PASSWORD_LEAST <= len(text) <= PASSWORD_MOST:
        raise WeakPassword(f"A password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters.")
    return text


def hashed_password(password: str) -> str:
    """Returns the hash of a new password, to be stored. Raises WeakPassword."""
    text = check_new(password)
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
