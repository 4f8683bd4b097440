"""What names, e-mails, currencies and priorities of accounts may be."""

from __future__ import annotations

import re

import pytest

from bulkwright.domain.account_values import (
    check_currency,
    check_email,
    check_name,
    check_priority,
)
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.scope import EVERY, unformed


@pytest.mark.parametrize("text", ["Zylker", " ", "Ü & Söhne", "x" * 255])
def test_a_name_has_a_character(text: str) -> None:
    """Any of them, but not blanks alone."""
    if text.strip():
        check_name(text, "the name of the org")
    else:
        with pytest.raises(InvalidData, match="the name of the org is empty"):
            check_name(text, "the name of the org")


@pytest.mark.parametrize("text", ["", "\t", "a\nb", "a\x00b", "\x1b[31mred", "\x9b2J", "x" * 256])
def test_a_text_that_is_no_name(text: str) -> None:
    """The message says what to do."""
    with pytest.raises(InvalidData, match=r"give a text|leave it out|shorten it"):
        check_name(text, "the last name")


def test_a_first_name_may_be_missing() -> None:
    """But it is not made of blanks."""
    check_name("", "the first name", may_be_empty=True)
    with pytest.raises(InvalidData):
        check_name(" ", "the first name", may_be_empty=True)


@pytest.mark.parametrize("text", ["kay@zylker.example", "ümit.kay+x@büro.example", "A_1@x-y.co.uk"])
def test_an_email(text: str) -> None:
    """Of any script, as in the field of a record."""
    check_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "nope", "@x.example", "a@b", "a b@x.example", " a@x.example", "a@x.example\n",
        "a@x.example,b@x.example", "a\x00@x.example", "<a@x.example>", "a" * 90 + "@zylker.example",
    ],
)  # fmt: skip
def test_a_text_that_is_no_email(text: str) -> None:
    """The message shows one."""
    with pytest.raises(InvalidData, match=r"such as kay@zylker\.example"):
        check_email(text)


def test_a_currency_is_a_code() -> None:
    """Three capitals."""
    check_currency("EUR")
    for text in ("", "eur", "Euro", "€"):
        with pytest.raises(InvalidData, match="such as EUR"):
            check_currency(text)


def test_a_priority_is_small() -> None:
    """A negative one gives way to orgs that have none."""
    for number in (-1_000, 0, 1_000):
        check_priority(number)
    for number in (-1_001, 10**20):
        with pytest.raises(InvalidData, match=re.escape("from -1000 to 1000")):
            check_priority(number)


def test_a_scope_has_a_form() -> None:
    """Scopes of other products have it too."""
    assert unformed(f"{EVERY},Aaaserver.profile.Read,ZohoCRM.modules.my_module.READ") == []
    assert unformed("nope,ZohoCRM.bulk.ALL,ZohoCRM.bulk,.,a..b") == ["nope", "zohocrm.bulk", ".",
                                                                     "a..b"]  # fmt: skip
