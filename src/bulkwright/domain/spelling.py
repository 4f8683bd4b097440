"""Names as people type them: which known name a text means, and which one was probably meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_SIMILAR = 0.72
"""How similar a name must be to be offered, from 0 to 1."""


def folded(name: str) -> str:
    """Returns the letters and digits of a name, without case: `First Name` equals `first_name`."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", " ", text).strip()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns `; did you mean X?` with the known name that is most similar, or nothing."""
    names = {folded(other): other for other in known}
    found = get_close_matches(folded(name), names, n=1, cutoff=_SIMILAR)
    return f"; did you mean {names[found[0]]}?" if found else ""
