"""Passwords: how they are kept, and whether one is right.

scrypt from the standard library. What is kept names its parameters, so they can be raised later
without anybody's password becoming void.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

from bulkwright.domain.limits import PASSWORD_LEAST, PASSWORD_MOST, PASSWORD_SCRYPT, MiB

_SALT_BYTES = 16
_MEMORY = 512 * MiB
"""Most that a stored hash may make us take."""
_NOBODY = "scrypt$15$8$3$AAAAAAAAAAAAAAAAAAAAAA==$" + base64.b64encode(bytes(32)).decode()


class WeakPassword(ValueError):
    """A password is too short or too long; the message says so to a person."""


def check_new(password: str) -> str:
    """A new password as it is hashed. Raises WeakPassword."""
    text = unicodedata.normalize("NFC", password)
    if not PASSWORD_LEAST <= len(text) <= PASSWORD_MOST:
        raise WeakPassword(f"A password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters.")
    return text


def hashed_password(password: str) -> str:
    """What is stored of a new password. Raises WeakPassword."""
    text = check_new(password)
    salt = secrets.token_bytes(_SALT_BYTES)
    made = _scrypt(text, salt, *PASSWORD_SCRYPT)
    told = [base64.b64encode(part).decode() for part in (salt, made)]
    return "$".join(["scrypt", *map(str, PASSWORD_SCRYPT), *told])


def is_password(password: str, kept: str | None) -> bool:
    """Whether this is the password of which `kept` is stored.

    Takes as long where there is none (`kept` is None), so that nobody can tell who exists.
    """
    text = unicodedata.normalize("NFC", password[: PASSWORD_MOST + 1])
    _, *numbers, salt, right = (kept or _NOBODY).split("$")
    if len(text) > PASSWORD_MOST:
        return False
    log_n, r, p = map(int, numbers)
    made = _scrypt(text, base64.b64decode(salt), log_n, r, p)
    return hmac.compare_digest(made, base64.b64decode(right)) and kept is not None


def _scrypt(text: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    # A lone surrogate cannot come from a form, but from a terminal it can.
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=2**log_n, r=r, p=p, maxmem=_MEMORY, dklen=32)
