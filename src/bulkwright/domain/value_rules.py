"""The rules of the values of fields (facts 8.1): patterns and limits.

Two readers apply them: `pipeline/values.py` to the cells of a chunk at once, `domain/scalar.py` to
the single values of record calls. The patterns are those of Rust's regex engine: `$` is the end of
the text alone, `\\p{L}`, `\\p{M}` and `\\p{N}` are letters, marks and numbers of any script.
"""

from __future__ import annotations

INTEGER_DIGITS = {"integer": 9}
"""Most digits of an integer type; `LONG_DIGITS` for the others."""
LONG_DIGITS = 18
GROUPED = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$"
DECIMAL = r"^(?:0|-?[1-9][0-9]{0,15})(?:\.[0-9]{1,9})?$"
PERCENT = r"^(?:0|-?[1-9][0-9]{0,4})(?:\.[0-9]{1,9})?$"
FRACTION = r"^-0\.[0-9]{1,9}$"
"""A number between -1 and 0; apart from the others, because -0.00 is another text for 0.00."""
_EMAIL = (
    r"^[A-Za-z0-9+_-][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,22}$"
)
_ANY_EMAIL = (
    r"^[\p{L}\p{M}\p{N}+_-][\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]*"
    r"@(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}]{2,22}$"
)
_DIGITS = r"[0-9A-Za-z]+"
"""The digits of a phone, or the letters on its keys."""
_RUN = rf"{_DIGITS}(?:(?:[.-] ?| ){_DIGITS})*"
_BRACKETS = rf" ?\( ?{_DIGITS}(?:[ .-]?{_DIGITS})*\)(?:-? ?{_RUN})?"
_PHONE = (
    rf"^\+?(?: ?{_RUN}(?:{_BRACKETS})*|(?:{_BRACKETS})+)"
    rf"(?:(?:(?:,+;?|;){_DIGITS})+(?:#{_DIGITS})*)?[#;]?$"
)
"""The documented pattern (facts 8.1), without what this engine lacks. After `,`, `;` and `#` stand
pauses, extensions and further numbers."""
_SCHEME = r"(?:[hH][tT][tT][pP][sS]?://|[fF][tT][pP]://)"
_WEBSITE = (
    rf"^{_SCHEME}?[\p{{L}}\p{{N}}][\p{{L}}\p{{M}}\p{{N}}_-]*(?:\.[\p{{L}}\p{{M}}\p{{N}}_-]+)+"
    r"(?::[0-9]{1,5})?(?:[/?#]\S*)?$"
)
PATTERNS = {"email": (_EMAIL, _ANY_EMAIL), "phone": (_PHONE,), "website": (_WEBSITE,)}
"""A value must match one of these patterns. The fastest pattern is the first, and the last one
matches whatever the others do."""

BOOLEANS = {"true": True, "false": False, "t": True, "f": False}
"""The words in lower case; PostgreSQL writes `t` and `f`."""
LIST_VALUE_CHARS = 120
"""Characters of one value of a list, if its field has no length."""
JSON_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    **{chr(c): f"\\u{c:04x}" for c in range(0x20)},
}
"""How the values of a list are written in its JSON array."""

DATES = (
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
    (r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$", "%m/%d/%Y"),
    (r"^[0-9]{8}$", "%Y%m%d"),
    (r"^[0-9]{4}-[0-9]{3}$", "%Y-%j"),
    (r"^[0-9]{4}-W[0-9]{2}-[1-7]$", "%G-W%V-%u"),
)
"""The spellings of a date, the most frequent first, with the parser's directives."""
_MOMENT = (
    r"^(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})[Tt ]"
    r"(?P<time>[0-9]{2}:[0-5][0-9](?::[0-5][0-9])?)FRACTION"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2}){0,2})?$"
)
WHOLE_SECONDS = _MOMENT.replace("FRACTION", r"(?:[.,][0-9]{1,9})?")
"""For fields that hold whole seconds."""
MICROSECONDS = _MOMENT.replace("FRACTION", r"(?:[.,](?P<fraction>[0-9]{1,6})0{0,3})?")
"""For columns that hold parts of a second; more digits than a column has are no value."""
BASIC = (
    (
        r"^([0-9]{4})([0-9]{2})([0-9]{2})[Tt]([0-9]{2})([0-9]{2})([0-9]{2})([.,Zz+-].*)?$",
        "${1}-${2}-${3}T${4}:${5}:${6}${7}",
    ),
    (
        r"^([0-9]{4})([0-9]{2})([0-9]{2})[Tt]([0-9]{2})([0-9]{2})([Zz+-].*)?$",
        "${1}-${2}-${3}T${4}:${5}${6}",
    ),
)
"""ISO 8601 without separators, and the same with them."""
MOST_OFFSET_HOURS = 14

BAD_BYTE = "\ufdd0"
"""Replaces bytes of a file that its encoding does not allow.

It is a noncharacter of Unicode, so that ordinary text never holds it. If a text holds it all the
same, it means the same.
"""
BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""The blanks around a value: the characters that Unicode calls white space."""
