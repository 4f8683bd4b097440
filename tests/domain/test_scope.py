"""OAuth scopes: their spelling, and what a scope permits (facts 7.4)."""

from __future__ import annotations

import pytest

from bulkwright.domain import scope
from bulkwright.domain.errors import OAuthError


@pytest.mark.parametrize(
    ("sent", "normalised"),
    [
        ("ZohoCRM.bulk.ALL", "zohocrm.bulk.all"),
        ("ZohoCRM.bulk.ALL,ZohoCRM.org.READ", "zohocrm.bulk.all,zohocrm.org.read"),
        ("ZohoCRM.org.READ ZohoCRM.bulk.ALL", "zohocrm.org.read,zohocrm.bulk.all"),
        (" A.b.C , a.B.c,,x.y.Z ", "a.b.c,x.y.z"),
        ("Desk.tickets.ALL", "desk.tickets.all"),
        ("", ""),
    ],
)
def test_commas_and_blanks_separate_scopes(sent: str, normalised: str) -> None:
    """Case does not matter, doubles are dropped, the order and unknown scopes are kept."""
    assert scope.normalise(sent) == normalised
    assert scope.normalise(normalised) == normalised


@pytest.mark.parametrize(
    ("normalised", "shown"),
    [
        ("zohocrm.bulk.all", "ZohoCRM.bulk.ALL"),
        ("zohocrm.org.all,zohofiles.files.all", "ZohoCRM.org.ALL ZohoFiles.files.ALL"),
        ("zohocrm.modules.leads.create", "ZohoCRM.modules.leads.CREATE"),
        ("aaaserver.profile.read", "Aaaserver.profile.READ"),
        ("desk.tickets.all", "desk.tickets.ALL"),
        ("profile", "profile"),
    ],
)
def test_scopes_are_shown_as_zoho_writes_them(normalised: str, shown: str) -> None:
    """The product and the operation have capitals; blanks separate the scopes."""
    assert scope.shown(normalised) == shown


def test_a_scope_that_is_shown_is_read_again() -> None:
    """A client may send back the text that it received."""
    every = scope.normalise(scope.EVERY)
    assert scope.normalise(scope.shown(every)) == every


@pytest.mark.parametrize(
    ("granted", "needed"),
    [
        ("zohocrm.bulk.create", "zohocrm.bulk.create"),
        ("profile", "profile"),
        ("zohocrm.bulk.all", "zohocrm.bulk.create"),
        ("zohocrm.modules.all", "zohocrm.modules.leads.create"),
        ("zohocrm.modules.read", "zohocrm.modules.leads.read"),
        ("zohocrm.modules.leads.all", "zohocrm.modules.leads.read"),
        ("x.y.read,zohocrm.org.all", "zohocrm.org.read"),
    ],
)
def test_a_scope_permits_itself_and_what_is_below_it(granted: str, needed: str) -> None:
    """`ALL` is every operation; a group covers the things in it."""
    assert scope.permits(granted, (needed,))


@pytest.mark.parametrize(
    ("granted", "needed"),
    [
        ("", "zohocrm.bulk.create"),
        ("zohocrm.bulk.read", "zohocrm.bulk.create"),
        ("zohocrm.modules.leads.all", "zohocrm.modules.deals.read"),
        ("zohocrm.modules.leads.all", "zohocrm.modules.all"),
        ("zohocrm.modules.leads.read", "zohocrm.modules.read"),
        ("zohofiles.bulk.all", "zohocrm.bulk.create"),
        ("zohocrm.all", "zohocrm.bulk.create"),
        ("all", "zohocrm.bulk.create"),
        ("zohocrm.modules.leads.all", "zohocrm.modules.leadsx.read"),
        ("zohocrm.bulk.create", "zohocrm.bulk.all"),
    ],
)
def test_a_scope_permits_nothing_else(granted: str, needed: str) -> None:
    """No other operation, thing, group or product; a product alone is not a scope."""
    assert not scope.permits(granted, (needed,))


def test_one_of_the_needed_scopes_is_enough() -> None:
    """With nothing needed, nothing is permitted: a route without scopes has no such check."""
    assert scope.permits("a.b.read", ("x.y.all", "a.b.read"))
    assert scope.permits("x.y.all,a.b.read", ("a.b.read", "c.d.read"))
    assert not scope.permits("a.b.read", ("x.y.all", "a.b.write"))
    assert not scope.permits("a.b.all", ())


def test_records_of_a_module_have_scopes_of_their_own() -> None:
    """CREATE or WRITE to write, READ to read; in lower case, as granted scopes are."""
    assert scope.module_write("Leads") == (
        "zohocrm.modules.leads.create",
        "zohocrm.modules.leads.write",
    )
    assert scope.module_read("Leads") == ("zohocrm.modules.leads.read",)


@pytest.mark.parametrize("sent", ["", " ", ",", "x" * 4_097, "a.b.ALL " + "c" * 4_090])
def test_the_scopes_of_a_token_are_bounded(sent: str) -> None:
    """At least one, at most 4,096 characters; doubles count once."""
    with pytest.raises(OAuthError, match="invalid_scope"):
        scope.granted(sent)
    assert scope.granted(f"{scope.EVERY}," * 1_000) == scope.normalise(scope.EVERY)
    assert len(scope.granted("x" * 4_096)) == 4_096


def test_a_consent_does_not_grow_without_a_limit() -> None:
    """When all together are too many, the newest alone are agreed to."""
    assert scope.joined("", "a.all") == "a.all"
    assert scope.joined("a.all,b.all", "b.all,c.all") == "a.all,b.all,c.all"
    many = ",".join(f"a.m{n}.all" for n in range(400))
    assert scope.joined(many, "b.all,c.all") == "b.all,c.all"
