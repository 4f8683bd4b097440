"""The rights of each role, and the messages of the rights that are missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bulkwright.domain.account import Right, Role, User
from bulkwright.domain.errors import AuthorizationFailed, NoPermission

VERBS = [(Right.CREATE_JOBS, "create"), (Right.READ_JOBS, "read"), (Right.READ_RECORDS, "read")]


@pytest.mark.parametrize("right", Right)
def test_an_administrator_has_every_right(right: Right) -> None:
    """Nothing is raised."""
    Role.ADMINISTRATOR.require(right)


def test_a_standard_user_reads_records() -> None:
    """Nothing is raised."""
    Role.STANDARD.require(Right.READ_RECORDS)


@pytest.mark.parametrize(("right", "verb"), VERBS[:2])
def test_a_standard_user_does_not_write_in_bulk(right: Right, verb: str) -> None:
    """NO_PERMISSION, with the permission that Zoho names (founding page, possible errors)."""
    with pytest.raises(NoPermission) as caught:
        Role.STANDARD.require(right)
    assert caught.value.code == "NO_PERMISSION"
    assert caught.value.message == f"Permission denied to {verb}"
    assert caught.value.details == {"permissions": ["Crm_Implied_Bulk_Write"]}


@pytest.mark.parametrize(("right", "verb"), VERBS)
def test_a_guest_has_no_right(right: Right, verb: str) -> None:
    """AUTHORIZATION_FAILED without details."""
    with pytest.raises(AuthorizationFailed) as caught:
        Role.GUEST.require(right)
    assert caught.value.code == "AUTHORIZATION_FAILED"
    assert caught.value.message == f"User does not have sufficient privilege to {verb}."
    assert caught.value.details == {}


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Patricia", "Boyle", "Patricia Boyle"), ("", "Boyle", "Boyle"), ("Cher", "", "Cher")],
)
def test_the_name_of_a_user_has_no_blank_at_its_ends(first: str, last: str, name: str) -> None:
    """A user may lack one of the two names."""
    created = datetime(2026, 11, 27, tzinfo=UTC)
    assert User(1, 2, first, last, "p.boyle@zylker.example", "UTC", created).name == name
