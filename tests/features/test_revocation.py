"""What is revoked, replaced or removed is dead at the next request, over HTTP, on both stores."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.support.deployment import Deployment, Tenant, make_tenant

from bulkwright.clock import ManualClock
from bulkwright.domain.account import AccountState, ClientKind
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.errors import OAuthError
from bulkwright.domain.limits import SCOPES_CHARACTERS
from bulkwright.domain.scope import EVERY
from bulkwright.service.administration import Administration, StillInUse
from bulkwright.store import accounts as account_store

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
_numbers = itertools.count()


@pytest.fixture
def tenant(server: Deployment) -> Tenant:
    """An org of its own."""
    return make_tenant(server.services, f"Org{next(_numbers)}")


@pytest.fixture
def stranger(server: Deployment) -> Tenant:
    """An org that no test of this file changes."""
    return make_tenant(server.services, f"Stranger{next(_numbers)}")


@pytest.fixture
def admin(server: Deployment) -> Administration:
    """The use cases of an administrator."""
    return server.services.administration


def alive(server: Deployment, token: str) -> bool:
    """Whether the API accepts an access token."""
    return server.get("/crm/v2/org", token).status_code == 200


def ask(server: Deployment, tenant: Tenant, **form: str) -> dict[str, Any]:
    """Asks the token endpoint as the tenant's client."""
    mine = {"client_id": tenant.client.client_id, "client_secret": tenant.secret}
    answer: dict[str, Any] = server.http.post("/oauth/v2/token", data={**mine, **form}).json()
    return answer


def refreshed(server: Deployment, tenant: Tenant, refresh: str) -> dict[str, Any]:
    """Asks for an access token by a refresh token."""
    return ask(server, tenant, grant_type="refresh_token", refresh_token=refresh)


def credentials(server: Deployment, tenant: Tenant) -> dict[str, Any]:
    """Asks for an access token by the client's own credentials."""
    soid = f"ZohoCRM.{tenant.org.id}"
    return ask(server, tenant, grant_type="client_credentials", scope=EVERY, soid=soid)


def every_token(server: Deployment, tenant: Tenant) -> tuple[str, str, str]:
    """A refresh token, an access token that it gave, and a code."""
    refresh = server.services.tokens.issue_refresh(tenant.client, EVERY)
    access = refreshed(server, tenant, refresh)["access_token"]
    return refresh, access, server.services.tokens.issue_code(tenant.client, EVERY)


def all_dead(server: Deployment, tenant: Tenant, tokens: tuple[str, str, str]) -> bool:
    """Whether none of these is accepted, nor the tenant's first access token."""
    refresh, access, code = tokens
    answers = (
        refreshed(server, tenant, refresh),
        ask(server, tenant, grant_type="authorization_code", code=code),
    )
    return not (
        alive(server, tenant.token)
        or alive(server, access)
        or any("access_token" in answer for answer in answers)
    )


def actions(server: Deployment, tenant: Tenant) -> list[Action]:
    """What the audit log says about the org, newest first."""
    return [e.action for e in server.services.audit.newest(50, org_id=tenant.org.id)]


def session(server: Deployment, tenant: Tenant) -> str:
    """A session of the tenant's user."""
    made = server.services.signin.sign_in_as(tenant.org.id, tenant.user.id)
    assert made is not None
    return made


# Tokens


def test_tokens_are_listed_and_revoked(
    server: Deployment, tenant: Tenant, admin: Administration
) -> None:
    """By ids that do not reveal them; what a revoked token gave is dead too."""
    refresh, access, _code = every_token(server, tenant)
    listed = admin.tokens(tenant.org)
    assert [t.kind for t in listed].count("refresh") == 1 and len(listed) == 4
    assert not any(t.id in secret for t in listed for secret in (refresh, access, tenant.token))
    (refresh_id,) = [t.id for t in listed if t.kind == "refresh"]
    assert not admin.revoke_token(server.other.org, refresh_id)
    assert alive(server, access)
    assert admin.revoke_token(tenant.org, refresh_id)
    assert not alive(server, access) and alive(server, tenant.token)
    assert refreshed(server, tenant, refresh) == {"error": "invalid_code"}
    assert not admin.revoke_token(tenant.org, refresh_id)
    for name in ("", "0", "%", "x" * 16, refresh_id[:15]):
        assert not admin.revoke_token(tenant.org, name)
    assert actions(server, tenant)[:2] == [Action.TOKEN_REJECTED, Action.TOKEN_REVOKED]


@pytest.mark.parametrize("of", ["user", "client"])
def test_all_tokens_of_a_user_or_client_are_revoked(
    server: Deployment, tenant: Tenant, stranger: Tenant, admin: Administration, of: str
) -> None:
    """And no others."""
    tokens, theirs = every_token(server, tenant), stranger.token
    if of == "user":
        secret = session(server, tenant)
        assert admin.revoke_user(tenant.user).sessions == 1
        assert server.services.signin.signed_in(secret, tenant.org.id) is None
    else:
        assert admin.revoke_client(tenant.client).tokens == 4
    assert all_dead(server, tenant, tokens)
    assert admin.tokens(tenant.org) == [] and alive(server, theirs)
    assert "access_token" in credentials(server, tenant)


def test_a_new_password_ends_what_the_old_one_gave(server: Deployment, tenant: Tenant) -> None:
    """Access tokens, refresh tokens, codes and sessions of the user; those of others stay."""
    kay = server.services.setup.create_user(tenant.org, "", "Kay", "kay@x.example")
    signin = server.services.signin
    signin.set_password(tenant.user, PASSWORD)
    tenant = make_token(server, tenant)
    tokens = every_token(server, tenant)
    theirs = server.services.tokens.issue_access(tenant.client, EVERY, user_id=kay.id)
    secret = signin.sign_in(tenant.org.id, tenant.user.email, PASSWORD, "")
    assert secret is not None
    signin.set_password(tenant.user, f"{PASSWORD} 2")
    assert signin.signed_in(secret, tenant.org.id) is None
    assert all_dead(server, tenant, tokens) and alive(server, theirs)
    assert signin.sign_in(tenant.org.id, tenant.user.email, PASSWORD, "") is None


def make_token(server: Deployment, tenant: Tenant) -> Tenant:
    """The tenant with a new access token."""
    token = server.services.tokens.issue_access(tenant.client, EVERY)
    return Tenant(tenant.org, tenant.user, tenant.client, tenant.secret, token)


def test_a_refresh_token_ends_when_it_is_not_used(
    server: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each use starts the time again."""
    clock = ManualClock(server.services.database.clock.now())
    monkeypatch.setattr(server.services.database, "clock", clock)
    monkeypatch.setattr(server.services.tokens, "_idle", timedelta(days=30))
    refresh = server.services.tokens.issue_refresh(tenant.client, EVERY)
    for _ in range(3):
        clock.advance(29 * 24 * 3600)
        assert "access_token" in refreshed(server, tenant, refresh)
    clock.advance(31 * 24 * 3600)
    assert refreshed(server, tenant, refresh) == {"error": "invalid_code"}


# Clients


def test_a_rotated_secret_is_dead(
    server: Deployment, tenant: Tenant, admin: Administration
) -> None:
    """The tokens stay; the old secret gives no more."""
    refresh, access, _ = every_token(server, tenant)
    new = admin.rotate_secret(tenant.client)
    assert refreshed(server, tenant, refresh) == {"error": "invalid_client_secret"}
    assert credentials(server, tenant) == {"error": "invalid_client_secret"}
    renewed = Tenant(tenant.org, tenant.user, tenant.client, new, tenant.token)
    assert "access_token" in refreshed(server, renewed, refresh) and alive(server, access)
    assert new.encode() not in server.stored()
    assert Action.CLIENT_SECRET_ROTATED in actions(server, tenant)


def test_a_client_is_deactivated_and_removed(
    server: Deployment, tenant: Tenant, admin: Administration
) -> None:
    """Nothing of it is accepted; activated again, it starts anew with the same secret."""
    tokens = every_token(server, tenant)
    admin.deactivate_client(tenant.client)
    assert all_dead(server, tenant, tokens)
    assert credentials(server, tenant) == {"error": "invalid_client"}
    with pytest.raises(OAuthError, match="invalid_client"):
        server.services.signin.check_request({"client_id": tenant.client.client_id})
    late = server.services.tokens.issue_access(tenant.client, EVERY)
    assert not alive(server, late), "a token that was issued at the same moment"
    admin.activate_client(tenant.client)
    assert not alive(server, late)
    assert "access_token" in (given := credentials(server, tenant))
    admin.remove_client(tenant.client)
    assert not alive(server, given["access_token"])
    assert credentials(server, tenant) == {"error": "invalid_client"}
    assert server.services.accounts.client(tenant.client.client_id) is None


def test_the_pages_of_a_deactivated_client_are_closed(
    server: Deployment, tenant: Tenant, admin: Administration
) -> None:
    """The page shows an error, and the client's origin may not read responses any more."""
    uri = f"http://page{next(_numbers)}.example/back"
    made = server.services.setup.register_client(
        tenant.user, ClientKind.JAVASCRIPT, "Page", redirect_uris=(uri,)
    )
    query = {
        "client_id": made.client.client_id,
        "redirect_uri": uri,
        "response_type": "token",
        "scope": "ZohoCRM.org.READ",
    }
    assert server.http.get("/oauth/v2/auth", params=query).status_code == 200
    admin.deactivate_client(made.client)
    answer = server.http.get("/oauth/v2/auth", params=query)
    assert (answer.status_code, "invalid_client" in answer.text) == (400, True)
    with pytest.raises(StillInUse, match="no secret"):
        admin.rotate_secret(made.client)


# Users


def test_a_user_is_deactivated(server: Deployment, tenant: Tenant, admin: Administration) -> None:
    """No token, no session and no new sign-in; activated again, the password is the same."""
    signin = server.services.signin
    signin.set_password(tenant.user, PASSWORD)
    tenant = make_token(server, tenant)
    tokens, secret = every_token(server, tenant), session(server, tenant)
    admin.deactivate_user(tenant.user)
    assert all_dead(server, tenant, tokens)
    assert signin.signed_in(secret, tenant.org.id) is None
    assert signin.sign_in(tenant.org.id, tenant.user.email, PASSWORD, "") is None
    assert signin.sign_in_as(tenant.org.id, tenant.user.id) is None
    assert credentials(server, tenant) == {"error": "invalid_client"}
    admin.activate_user(tenant.user)
    assert all_dead(server, tenant, tokens)
    assert signin.sign_in(tenant.org.id, tenant.user.email, PASSWORD, "") is not None


def test_a_user_is_removed(server: Deployment, tenant: Tenant, admin: Administration) -> None:
    """Name, e-mail and password are gone; the e-mail is free for another user."""
    email = f"leaves{next(_numbers)}@x.example"
    kay = server.services.setup.create_user(tenant.org, "Kay", "Leaves-us", email)
    server.services.signin.set_password(kay, PASSWORD)
    token = server.services.tokens.issue_access(tenant.client, EVERY, user_id=kay.id)
    job = server.upload(tenant=tenant, token=token)
    assert job.status_code == 200
    with pytest.raises(StillInUse, match=tenant.client.client_id):
        admin.remove_user(tenant.user)
    admin.remove_user(kay)
    assert not alive(server, token)
    assert server.services.signin.sign_in(tenant.org.id, email, PASSWORD, "") is None
    users = server.get("/crm/v2/users", tenant.token).json()["users"]
    assert [user["id"] for user in users] == [str(tenant.user.id)]
    found = server.services.accounts.user(tenant.org.id, kay.id)
    assert found is not None and found.state is AccountState.REMOVED and found.email == ""
    assert server.services.setup.create_user(tenant.org, "", "New", email).id != kay.id


# Orgs


def test_an_org_is_deactivated(
    server: Deployment, tenant: Tenant, stranger: Tenant, admin: Administration
) -> None:
    """All its users and clients are out; other orgs are not concerned."""
    signin = server.services.signin
    signin.set_password(tenant.user, PASSWORD)
    tenant = make_token(server, tenant)
    tokens, secret = every_token(server, tenant), session(server, tenant)
    admin.deactivate_org(tenant.org)
    assert all_dead(server, tenant, tokens)
    assert credentials(server, tenant) == {"error": "invalid_client"}
    assert signin.signed_in(secret, tenant.org.id) is None
    assert signin.sign_in(tenant.org.id, tenant.user.email, PASSWORD, "") is None
    assert alive(server, stranger.token)
    admin.activate_org(tenant.org)
    assert all_dead(server, tenant, tokens)
    assert "access_token" in credentials(server, tenant)


def test_an_org_is_removed(
    server: Deployment, tenant: Tenant, stranger: Tenant, admin: Administration
) -> None:
    """Every row and table of it, and its files; the audit log remains."""
    answer = server.upload(tenant=tenant)
    upload = int(answer.json()["details"]["file_id"])
    with pytest.raises(StillInUse, match="deactivate it first"):
        admin.remove_org(tenant.org)
    session(server, tenant)
    server.services.signing.of(tenant.org.id)
    org = deactivated(server, tenant, admin)
    assert admin.remove_org(org) == 1
    assert leftovers(server, tenant.org.id) == []
    assert server.services.upload_store.upload(tenant.org.id, upload) is None
    assert actions(server, tenant)[0] is Action.ORG_REMOVED
    assert not alive(server, tenant.token) and alive(server, stranger.token)


def test_an_org_with_open_jobs_is_not_removed(
    server: Deployment, tenant: Tenant, admin: Administration
) -> None:
    """They were accepted: they run to their end first."""
    upload = server.file_id(tenant=tenant)
    answer = server.create(server.insert(file_id=upload), token=tenant.token)
    assert answer.status_code == 201
    org = deactivated(server, tenant, admin)
    with pytest.raises(StillInUse, match="jobs that have not ended"):
        admin.remove_org(org)
    assert server.services.accounts.org(org.id) is not None


def deactivated(server: Deployment, tenant: Tenant, admin: Administration) -> Any:
    """The tenant's org, deactivated."""
    admin.deactivate_org(tenant.org)
    return server.services.accounts.org(tenant.org.id)


def leftovers(server: Deployment, org_id: int) -> list[str]:
    """The tables that still have a row of the org, and the record tables that are still there."""
    database = server.services.database
    if server.settings.database:
        columns = database.sql(
            "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'org_id'"
        )
        tables = database.sql("SELECT relname AS name FROM pg_stat_user_tables")
    else:
        columns = database.sql(
            "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND c.name = 'org_id'"
        )
        tables = database.sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [row["name"] for row in columns if row["name"] != "audit"]
    found = [
        name
        for name in names
        if database.sql(f'SELECT 1 FROM "{name}" WHERE org_id = ? LIMIT 1', (org_id,))
    ]
    return found + [row["name"] for row in tables if row["name"].startswith(f"org{org_id}_")]


# Codes: their use and the issue of their tokens are one


def test_a_failed_issue_uses_up_no_code(
    server: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exchange that ends in the middle changes nothing: the client can try again."""
    code = server.services.tokens.issue_code(tenant.client, EVERY)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(server.services.accounts, "add_tokens", fail)
        with pytest.raises(OSError, match="full"):
            exchange(server, tenant, code)
    assert "access_token" in ask(server, tenant, grant_type="authorization_code", code=code)


def exchange(server: Deployment, tenant: Tenant, code: str) -> None:
    """Exchanges a code without HTTP."""
    server.services.tokens.exchange(tenant.client.client_id, tenant.secret, code, None)


@pytest.mark.parametrize("offline", [True, False])
def test_a_code_is_remembered_as_long_as_what_it_gave(
    server: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    """A replay after its own life, and after a sweep, revokes what the first use gave."""
    clock = ManualClock(server.services.database.clock.now())
    monkeypatch.setattr(server.services.database, "clock", clock)
    code = server.services.tokens.issue_code(tenant.client, EVERY, seconds=60, offline=offline)
    first = ask(server, tenant, grant_type="authorization_code", code=code)
    clock.advance(600)
    server.services.retention.sweep()
    assert alive(server, first["access_token"])
    replay = ask(server, tenant, grant_type="authorization_code", code=code)
    assert replay == {"error": "invalid_code"}
    assert not alive(server, first["access_token"])
    if offline:
        assert "error" in refreshed(server, tenant, first["refresh_token"])
    assert actions(server, tenant)[0] is Action.CODE_REPLAYED or offline


def test_a_code_is_forgotten_with_what_it_gave(
    server: Deployment, tenant: Tenant, admin: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep deletes used codes of which no token is left."""
    admin.revoke_client(tenant.client)
    code = server.services.tokens.issue_code(tenant.client, EVERY, offline=False)
    exchange(server, tenant, code)
    clock = ManualClock(server.services.database.clock.now() + timedelta(hours=2))
    monkeypatch.setattr(server.services.database, "clock", clock)
    server.services.retention.sweep()
    assert admin.tokens(tenant.org) == []
    found = server.services.database.sql("SELECT 1 FROM tokens WHERE org_id = ?", (tenant.org.id,))
    assert found == []


@pytest.mark.parametrize("what", ["refresh token", "user", "client"])
def test_no_token_survives_a_revocation_at_the_same_moment(
    server: Deployment, tenant: Tenant, admin: Administration, what: str
) -> None:
    """Whatever the order: a refresh that is answered with a token has it revoked as well."""
    for _ in range(5):
        refresh = server.services.tokens.issue_refresh(tenant.client, EVERY)
        given: list[dict[str, Any]] = []

        def renew(refresh: str = refresh, given: list[dict[str, Any]] = given) -> None:
            given.append(refreshed(server, tenant, refresh))

        revoke: dict[str, Callable[[], object]] = {
            "refresh token": partial(server.services.tokens.revoke, refresh),
            "user": partial(admin.revoke_user, tenant.user),
            "client": partial(admin.revoke_client, tenant.client),
        }
        threads = [threading.Thread(target=renew) for _ in range(4)]
        for thread in threads:
            thread.start()
        revoke[what]()
        for thread in threads:
            thread.join()
        assert not any(alive(server, g["access_token"]) for g in given if "access_token" in g)


# Caps


def test_scopes_are_bounded(server: Deployment, tenant: Tenant) -> None:
    """Of a token, of a consent, and of everything that issues tokens; doubles count once."""
    many = ",".join(f"ZohoCRM.modules.m{n}.READ" for n in range(1_500))
    assert ask(
        server, tenant, grant_type="client_credentials", scope=many, soid=f"ZohoCRM.{tenant.org.id}"
    ) == {"error": "invalid_scope"}
    tokens = server.services.tokens
    for issue in (tokens.issue_access, tokens.issue_refresh, tokens.issue_code):
        for scopes in (many, "", ","):
            with pytest.raises(OAuthError, match="invalid_scope"):
                issue(tenant.client, scopes)
    doubled = ask(
        server,
        tenant,
        grant_type="client_credentials",
        scope=",".join([EVERY] * 200),
        soid=f"ZohoCRM.{tenant.org.id}",
    )
    assert len(doubled["scope"]) <= len(EVERY) < SCOPES_CHARACTERS


def test_self_clients_have_so_many_tokens(
    server: Deployment, tenant: Tenant, admin: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer one ends the oldest. Codes and the tokens of refresh tokens count by themselves."""
    monkeypatch.setattr(account_store, "LIVE_CLIENT_TOKENS", 3)
    admin.revoke_client(tenant.client)
    refresh, access, code = every_token(server, tenant)
    given = [credentials(server, tenant)["access_token"] for _ in range(5)]
    assert [alive(server, token) for token in given] == [False, False, True, True, True]
    assert alive(server, access)
    for _ in range(3):
        server.services.tokens.issue_code(tenant.client, EVERY)
    kinds = [token.kind for token in admin.tokens(tenant.org)]
    assert {kind: kinds.count(kind) for kind in kinds} == {"access": 4, "refresh": 1, "code": 3}
    assert ask(server, tenant, grant_type="authorization_code", code=code) == {
        "error": "invalid_code"
    }
    assert "access_token" in refreshed(server, tenant, refresh)


def test_an_actor_is_recorded(server: Deployment, tenant: Tenant) -> None:
    """The operator of the process, or the actor that a caller of the service names."""
    audit = server.services.audit
    admin = server.services.administration
    admin.revoke_client(tenant.client)
    (entry,) = audit.newest(1, org_id=tenant.org.id)
    assert entry.actor.operator and not entry.actor.address
    named = Administration(
        admin.accounts, admin.sessions, admin.removal, admin.files, audit, Actor("192.0.2.1")
    )
    named.revoke_client(tenant.client)
    (entry,) = audit.newest(1, org_id=tenant.org.id)
    assert entry.actor == Actor("192.0.2.1") and isinstance(entry.client_id, str)
