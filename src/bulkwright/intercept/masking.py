"""Replaces secrets and personal data of recorded calls.

Secrets become `***`. Other texts of records, users and orgs are replaced word by word: a word
becomes another one of its length, the same one everywhere in the recording, by a key that is made
for it and forgotten. So equal values stay equal, addresses stay addresses, and too long values stay
too long.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec

from bulkwright.intercept.exchange import Pairs, RecordedCall
from bulkwright.wire.decoding import NO_JSON

MASKED = "***"
_SECRET_HEADERS = {
    "authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key", "x-zcsrf-token",
    "referer",
}  # fmt: skip
_SECRETS = {
    "access_token", "refresh_token", "client_secret", "client_id", "code", "code_verifier", "token",
    "id_token", "password", "authtoken", "zapikey", "z_token",
}  # fmt: skip
_TOKENS = "/oauth/"
"""In these paths `code` is a secret; elsewhere it is the code of an answer."""
_KEPT = {
    "code", "status", "message", "action", "duplicate_field", "api_name", "data_type",
    "json_type", "expected_data_type", "json_path", "param_name", "param", "resource", "module",
    "operation", "state", "type", "file_type", "download_url", "character_encoding", "find_by",
    "format", "comparator", "group_operator", "method", "supported_version", "trigger", "sort_by",
    "sort_order", "time_zone", "locale", "language", "currency", "iso_code", "api_domain",
    "token_type", "scope", "http_status", "x-error", "x-info", "info", "$approval_state",
    "$currency_symbol", "fields",
}  # fmt: skip
"""Keys whose texts are those of the API itself."""
_SEARCHED = {"word", "email", "phone"}
_CRITERION = re.compile(r"(\([^():]+:[a-z_]+:)((?:\\.|[^()\\])*)(?=\))")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_PLAIN = re.compile(
    r"[0-9]{10,20}|\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?|true|false|-?None-?|"
)
"""Ids, times, truth values and empty texts."""
_WORD = re.compile(r"[^\W_]+")
_DESCRIPTIONS = "/settings/"
"""Paths whose answers describe modules; they hold no records."""


class Masking:
    """The masks of one recording."""

    def __init__(self, *, personal: bool = True) -> None:
        """`personal` is whether personal data is replaced too; secrets always are."""
        self._personal = personal
        self._key = secrets.token_bytes(32)

    def call(self, call: RecordedCall) -> RecordedCall:
        """Returns a call without what must not be seen."""
        oauth = _TOKENS in call.path
        text = self._text if self._personal and _DESCRIPTIONS not in call.path else _same
        return replace(
            call,
            url=self._url(call.url, oauth=oauth),
            headers=_headers(call.headers),
            answer_headers=_headers(call.answer_headers),
            body=_body(call.body, text, oauth=oauth),
            answer=_body(call.answer, text, oauth=oauth),
        )

    def word(self, word: str) -> str:
        """Returns the word that stands for another one."""
        stream = hmac.new(self._key, word.casefold().encode(), hashlib.sha512).digest()
        stream *= len(word) // len(stream) + 1
        return "".join(_letter(old, new) for old, new in zip(word, stream, strict=False))

    def _text(self, text: str) -> str:
        if _PLAIN.fullmatch(text):
            return text
        return _WORD.sub(lambda found: self.word(found[0]), text)

    def _url(self, url: str, *, oauth: bool) -> str:
        parts = urlsplit(url)
        if not parts.query:
            return url
        pairs = []
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            if name in _SECRETS and (oauth or name != "code"):
                value = MASKED
            elif self._personal and name in _SEARCHED:
                value = self._text(value)
            elif self._personal and name == "criteria":
                value = _CRITERION.sub(lambda found: found[1] + self._text(found[2]), value)
            pairs.append((name, value))
        return urlunsplit(parts._replace(query=urlencode(pairs, quote_via=quote, safe="():,*")))


def _letter(old: str, new: int) -> str:
    if old.isdigit():
        return str(new % 10)
    letter = chr(ord("a") + new % 26)
    return letter.upper() if old.isupper() else letter


def _same(text: str) -> str:
    return text


def _headers(headers: Pairs) -> Pairs:
    return [(n, MASKED if n.lower() in _SECRET_HEADERS else v) for n, v in headers]


def _body(body: bytes | None, text: Callable[[str], str], *, oauth: bool) -> bytes | None:
    """Returns a body without secrets; texts of JSON are given to `text`."""
    if not body:
        return body
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        return MASKED.encode()
    except NO_JSON:
        return _form(body) if oauth else body
    return msgspec.json.encode(_value(value, text, "", oauth=oauth))


def _form(body: bytes) -> bytes:
    names = b"|".join(sorted(name.encode() for name in _SECRETS))
    escaped = names.replace(b"_", b"(?:_|%5[Ff])")
    masked = re.sub(rb"(^|&)(" + escaped + rb")=[^&]*", rb"\1\2=" + MASKED.encode(), body)
    if masked != body or b"\r\n" not in body:
        return masked
    # A multipart form, whose parts are the parameters: each client has its own headers of a part.
    part = rb'(?i)(\bname="?(?:' + names + rb')"?(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n)[^\r]*'
    return re.sub(part, rb"\1" + MASKED.encode(), body)


def _value(value: object, text: Callable[[str], str], key: str, *, oauth: bool) -> object:
    if isinstance(value, Mapping):
        return {k: _value(v, text, str(k), oauth=oauth) for k, v in value.items()}
    if isinstance(value, list):
        return [_value(each, text, key, oauth=oauth) for each in value]
    if not isinstance(value, str):
        return value
    if key in _SECRETS and (oauth or key != "code"):
        return MASKED
    if key == "select_query":
        return _LITERAL.sub(lambda found: f"'{text(found[1])}'", value)
    return value if key in _KEPT else text(value)
