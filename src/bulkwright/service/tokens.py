"""Issues, renews, revokes and checks OAuth tokens (facts 7).

Only the SHA-256 of a token, code or client secret is ever stored. All of them have at least 128
random bits from `secrets`, so a plain hash is enough. Tokens are looked up by their hash: no
secrets are compared, so that the time of a lookup reveals nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from bulkwright.domain.account import Caller, ClientKind, OAuthClient
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.errors import InvalidToken, OAuthError
from bulkwright.domain.limits import (
    ACCESS_TOKEN_SECONDS,
    LIVE_ACCESS_TOKENS,
    SELF_CLIENT_CODE_SECONDS,
)
from bulkwright.domain.scope import granted
from bulkwright.service.audit import AuditLog
from bulkwright.store.accounts import AccountStore, Token

_PREFIX = "1000."
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
UNKNOWN = Actor()
"""A caller that is not known."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens that the token endpoint grants."""

    access_token: str
    scopes: str
    expires_in: int = ACCESS_TOKEN_SECONDS
    refresh_token: str | None = None


class TokenService:
    """The grants of the token endpoint (facts 7.2), and tokens for the command line and the pages.

    The grants raise OAuthError. `actor` sends the request, for the audit log.
    """

    def __init__(
        self, accounts: AccountStore, audit: AuditLog, idle: timedelta | None = None
    ) -> None:
        """A refresh token that was not used for the time `idle` is not valid any more."""
        self._accounts = accounts
        self._audit = audit
        self._idle = idle

    def check(self, access_token: str) -> Caller:
        """Returns the caller with this access token. Raises InvalidToken, always the same."""
        token = self._accounts.token(hashed(access_token))
        if token is None or token.kind != "access" or token.expired:
            raise InvalidToken
        return Caller(token.org_id, token.user_id, token.scopes, token.role)

    def refresh(
        self, client_id: str, client_secret: str, refresh_token: str, actor: Actor = UNKNOWN
    ) -> Grant:
        """Grants an access token for a refresh token, with the same scopes."""
        client = self._client(client_id, client_secret, actor)
        stored = self._accounts.token(hashed(refresh_token))
        if stored is None or stored.kind != "refresh" or stored.client_id != client.client_id:
            raise self._rejected(client, actor, "invalid_code", "unknown refresh token")
        if self._idle is not None and stored.unused_for > self._idle:
            raise self._rejected(client, actor, "invalid_code", f"idle refresh token {stored.id}")
        access, row = _access(client, stored.user_id, stored.scopes, parent=stored.hash)
        with self._accounts.transaction():
            if not self._accounts.use_refresh_token(stored.hash):
                raise OAuthError("invalid_code")
            self._accounts.add_tokens(row, keep=LIVE_ACCESS_TOKENS)
            self._issued(row, actor, f"refresh_token {stored.id}")
        return Grant(access, stored.scopes)

    def exchange(
        self,
        client_id: str,
        client_secret: str,
        code: str,
        redirect_uri: str | None,
        code_verifier: str | None = None,
        actor: Actor = UNKNOWN,
    ) -> Grant:
        """Grants tokens for a grant code, once. A second try revokes the tokens of the first.

        A code that was issued with a challenge needs its verifier. A code without a challenge is
        rejected with any verifier (RFC 9700: no downgrade). A public client sends no secret; its
        codes have challenges, and it gets no refresh token.
        """
        client = self._client(client_id, client_secret, actor, public=True)
        stored = self._accounts.token(hashed(code))
        if stored is None or stored.kind != "code" or stored.client_id != client.client_id:
            raise self._rejected(client, actor, "invalid_code", "unknown code")
        if stored.redirect_uri is not None and stored.redirect_uri != redirect_uri:
            raise self._rejected(client, actor, "invalid_redirect_uri", f"code {stored.id}")
        if not _is_proven(stored.code_challenge, code_verifier) or (
            client.is_public and stored.code_challenge is None
        ):
            raise self._rejected(client, actor, "invalid_code", f"verifier of code {stored.id}")
        grant = self._use_code(client, stored, actor)
        if grant is None:
            raise OAuthError("invalid_code")
        return grant

    def _use_code(self, client: OAuthClient, stored: Token, actor: Actor) -> Grant | None:
        """Marks a code as used and adds its tokens, both or neither; None if it is not valid.

        If it was used before, revokes what it gave, also when the first exchange has just
        committed.
        """
        with self._accounts.transaction():
            if not self._accounts.use_code(stored.hash):
                if self._accounts.token(stored.hash) is None:
                    return None  # it was revoked at this moment
                self._accounts.revoke(stored.hash)
                self._record(Action.CODE_REPLAYED, stored, actor, f"code {stored.id}")
                return None
            if stored.expired:
                return None
            rows: list[Token] = []
            refresh, parent = None, stored.hash
            if stored.offline and not client.is_public:
                refresh, row = _refresh(client, stored.user_id, stored.scopes, parent=parent)
                rows.append(row)
                parent = row.hash
            access, row = _access(client, stored.user_id, stored.scopes, parent=parent)
            rows.append(row)
            self._accounts.add_tokens(*rows)
            for row in rows:
                self._issued(row, actor, f"code {stored.id}")
        return Grant(access, stored.scopes, refresh_token=refresh)

    def client_credentials(
        self,
        client_id: str,
        client_secret: str,
        scopes: str,
        org_name: str,
        actor: Actor = UNKNOWN,
    ) -> Grant:
        """Grants an access token to a self client, for the org named `ZohoCRM.{zgid}`."""
        client = self._client(client_id, client_secret, actor)
        if client.kind is not ClientKind.SELF:
            raise OAuthError("unauthorized_client")
        owner = self._accounts.user(client.org_id, client.user_id)
        if owner is None or not owner.is_active:
            raise self._rejected(client, actor, "invalid_client", "its owner is not active")
        if not org_name:
            raise OAuthError("missing_org_info")
        if org_name.lower() != f"zohocrm.{client.org_id}":
            raise OAuthError("invalid_org_info")
        access, row = _access(client, client.user_id, granted(scopes))
        self._add(row, actor, "client_credentials")
        return Grant(access, row.scopes)

    def revoke(self, token: str, actor: Actor = UNKNOWN) -> None:
        """Revokes a refresh or access token with all tokens derived from it.

        An unknown token is no error.
        """
        stored = self._accounts.token(hashed(token))
        if stored is not None and stored.kind != "code":
            with self._accounts.transaction():
                self._accounts.revoke(stored.hash)
                self._record(Action.TOKEN_REVOKED, stored, actor, f"{stored.kind} {stored.id}")

    # For an operator, and for the consent page and the console: no client secret is needed

    def issue_access(
        self,
        client: OAuthClient,
        scopes: str,
        *,
        user_id: int | None = None,
        seconds: int = ACCESS_TOKEN_SECONDS,
        actor: Actor | None = None,
    ) -> str:
        """Issues an access token of a client, valid for `seconds`."""
        user = client.user_id if user_id is None else user_id
        access, row = _access(client, user, granted(scopes), seconds=seconds)
        self._add(row, actor, "access token")
        return access

    def issue_refresh(self, client: OAuthClient, scopes: str, *, user_id: int | None = None) -> str:
        """Issues a refresh token of a client; it ends when it is not used for a long time."""
        user = client.user_id if user_id is None else user_id
        refresh, row = _refresh(client, user, granted(scopes))
        self._add(row, None, "refresh token")
        return refresh

    def issue_code(  # wide: everything that a code is bound to
        self,
        client: OAuthClient,
        scopes: str,
        *,
        user_id: int | None = None,
        redirect_uri: str | None = None,
        seconds: int = SELF_CLIENT_CODE_SECONDS,
        code_challenge: str | None = None,
        offline: bool = True,
        actor: Actor | None = None,
    ) -> str:
        """Issues a grant code for one exchange within `seconds`."""
        code = _secret()
        row = Token(
            hash=hashed(code),
            kind="code",
            org_id=client.org_id,
            user_id=client.user_id if user_id is None else user_id,
            client_id=client.client_id,
            scopes=granted(scopes),
            life_seconds=seconds,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            offline=offline,
        )
        with self._accounts.transaction():
            self._accounts.add_tokens(row)
            self._record(Action.CODE_ISSUED, row, actor, f"code {row.id}")
        return code

    def _client(
        self, client_id: str, secret: str, actor: Actor, *, public: bool = False
    ) -> OAuthClient:
        """Returns the client with this secret; with `public`, also one that has no secret."""
        client = self._accounts.client(client_id)
        expected = _EMPTY_HASH if client is None else client.secret_hash or _EMPTY_HASH
        is_right = hmac.compare_digest(hashed(secret), expected)
        if client is None:
            raise OAuthError("invalid_client")
        if not client.is_active:
            raise self._rejected(client, actor, "invalid_client", "it is not active")
        if client.is_public and not public:
            raise OAuthError("invalid_client")
        if not is_right:
            raise self._rejected(client, actor, "invalid_client_secret", "wrong secret")
        return client

    def _add(self, row: Token, actor: Actor | None, how: str) -> None:
        with self._accounts.transaction():
            self._accounts.add_tokens(row)
            self._issued(row, actor, how)

    def _issued(self, row: Token, actor: Actor | None, how: str) -> None:
        self._record(Action.TOKEN_ISSUED, row, actor, f"{row.kind} {row.id} by {how}")

    def _record(self, action: Action, row: Token, actor: Actor | None, detail: str) -> None:
        self._audit.record(
            action,
            actor,
            org_id=row.org_id,
            user_id=row.user_id,
            client_id=row.client_id,
            detail=detail,
        )

    def _rejected(self, client: OAuthClient, actor: Actor, error: str, why: str) -> OAuthError:
        """Records that a known client was rejected; returns the error to raise."""
        self._audit.record(
            Action.TOKEN_REJECTED,
            actor,
            org_id=client.org_id,
            client_id=client.client_id,
            detail=f"{error}: {why}",
        )
        return OAuthError(error)


def hashed(secret: str) -> str:
    """Returns the hash by which a token, a code or a client secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _is_proven(challenge: str | None, verifier: str | None) -> bool:
    """Whether a verifier belongs to a challenge (RFC 7636, S256), or both are absent."""
    if challenge is None or verifier is None:
        return challenge is None and not verifier
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(expected, challenge)


def _secret() -> str:
    # No character needs escaping in a URL or a CSV (client contract 1.10).
    return f"{_PREFIX}{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def _access(
    client: OAuthClient,
    user_id: int,
    scopes: str,
    *,
    parent: str | None = None,
    seconds: int = ACCESS_TOKEN_SECONDS,
) -> tuple[str, Token]:
    token = _secret()
    return token, Token(
        hash=hashed(token),
        kind="access",
        org_id=client.org_id,
        user_id=user_id,
        client_id=client.client_id,
        scopes=scopes,
        life_seconds=seconds,
        parent=parent,
    )


def _refresh(
    client: OAuthClient, user_id: int, scopes: str, *, parent: str | None = None
) -> tuple[str, Token]:
    token = _secret()
    return token, Token(
        hash=hashed(token),
        kind="refresh",
        org_id=client.org_id,
        user_id=user_id,
        client_id=client.client_id,
        scopes=scopes,
        parent=parent,
    )
