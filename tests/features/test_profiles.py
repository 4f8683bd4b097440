"""What a user's profile permits, whatever the scopes of a token (domain/account.py)."""

from __future__ import annotations

import secrets

import pytest
from tests.conftest import Deployment, zipped

from bulkwright.domain.account import Profile, User


def a_user(server: Deployment, profile: Profile) -> User:
    """A new user of the tenant."""
    email = f"{secrets.token_hex(4)}@zylker.example"
    return server.services.setup.create_user(
        server.tenant.org, "", profile.value, email, profile=profile
    )


@pytest.mark.parametrize("profile", list(Profile))
def test_a_profile_says_what_a_user_may_do(server: Deployment, profile: Profile) -> None:
    """I14, founding page: 403 NO_PERMISSION, 400 AUTHORIZATION_FAILED, whatever the scopes."""
    job = server.job_id()
    user = a_user(server, profile)
    every = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoFiles.files.ALL,ZohoCRM.users.ALL"
    token = server.services.tokens.issue_access(server.tenant.client, every, user_id=user.id)
    body = server.insert()
    link = f"/v2/crm/org{server.tenant.org.id}/bulk-write/{job}/{job}.zip"
    asked = [
        (server.upload(zipped(), token=token), "create"),
        (server.create(body, token=token), "create"),
        (server.get(f"/crm/bulk/v2/write/{job}", token), "read"),
        (server.get("/crm/bulk/v2/write/1", token), "read"),
        (server.get(link, token), "read"),
    ]
    for answer, verb in asked:
        told = {
            Profile.STANDARD: {
                "code": "NO_PERMISSION",
                "details": {"permissions": ["Crm_Implied_Bulk_Write"]},
                "message": f"Permission denied to {verb}",
                "status": "error",
            },
            Profile.GUEST: {
                "code": "AUTHORIZATION_FAILED",
                "details": {},
                "message": f"User does not have sufficient privilege to {verb}.",
                "status": "error",
            },
        }
        if profile is Profile.ADMINISTRATOR:
            assert answer.json().get("code") not in ("NO_PERMISSION", "AUTHORIZATION_FAILED")
            continue
        assert answer.json() == told[profile]
        assert answer.status_code == (403 if profile is Profile.STANDARD else 400)
    looked = server.get("/crm/v2/Leads", token)
    assert (looked.status_code == 400) == (profile is Profile.GUEST)
    (me,) = server.get("/crm/v2/users?type=CurrentUser", token).json()["users"]
    assert me["profile"]["name"] == profile.value
    assert me["profile"]["id"].isdigit()


def test_scopes_come_before_profiles(server: Deployment) -> None:
    """A token that may not is told so, whoever holds it."""
    user = a_user(server, Profile.STANDARD)
    token = server.services.tokens.issue_access(
        server.tenant.client, "ZohoCRM.org.ALL", user_id=user.id
    )
    assert server.get("/crm/bulk/v2/write/1", token).json()["code"] == "OAUTH_SCOPE_MISMATCH"
