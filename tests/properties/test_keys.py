"""Keys: which texts are equal."""

from __future__ import annotations

import sys
import unicodedata

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.effort import tries

from bulkwright.pipeline.keys import normalised

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Letters of later Unicode versions than Python's are left out: it could not fold them.
KNOWN = st.characters(exclude_categories=("Cs", "Cn"))


def key(text: str) -> str | None:
    """The definition: stripped, composed and case-folded."""
    composed = unicodedata.normalize("NFC", text.strip(BLANKS))
    return unicodedata.normalize("NFC", composed.casefold()) or None


@tries(300)
@given(st.lists(st.text(KNOWN, max_size=12), min_size=1, max_size=20))
@example(["Straße", "ΣΑΣ", "σας", "İstanbul", "\u0345", "A\u0308", "ﬁ", "\u1e9e", " ", "", "ǅ"])
@example(["\u03aa\u0301", "\u0390", "\u1fd3", "\u0130\u0307", "K", "Å", "ſ", "\u13a0", "\uab70"])
def test_a_key_is_trimmed_composed_and_folded(texts: list[str]) -> None:
    """By the tables of Python, for any text, alone or among others."""
    assert normalised(pl.Series(texts)).to_list() == [key(text) for text in texts]


@tries(200)
@given(st.text(KNOWN, max_size=12))
def test_a_key_is_its_own_key(text: str) -> None:
    """To normalise a key again does not change it."""
    once = normalised(pl.Series([text]))
    assert normalised(once).to_list() == once.to_list()


@tries(200)
@given(st.text(KNOWN, max_size=12))
def test_case_and_composition_make_no_other_key(text: str) -> None:
    """A decomposed and a padded text mean the same record."""
    others = [text, f"  {text}\t", unicodedata.normalize("NFD", text)]
    assert len(set(normalised(pl.Series(others)).to_list())) == 1


def test_no_letter_is_folded_beyond_the_first_plane() -> None:
    """`normalised` does not look for letters there whose case folding is not their lower case."""
    beyond = map(chr, range(0x10000, sys.maxunicode + 1))
    assert [c for c in beyond if c.lower() == c and c.casefold() != c] == []
