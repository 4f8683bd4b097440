"""OAuth: tokens are issued, renewed, revoked and checked (facts 7).

Only the SHA-256 of a token, code or client secret is ever stored. All of them come from
`secrets` with 128 bits or more, so a plain hash is enough and a lookup by hash is a lookup by
the secret itself: there is nothing to compare, and nothing to time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from bulkwright.domain.account import Caller, ClientKind, OAuthClient
from bulkwright.domain.errors import InvalidToken, OAuthError
from bulkwright.domain.limits import (
    ACCESS_TOKEN_SECONDS,
    LIVE_ACCESS_TOKENS,
    SELF_CLIENT_CODE_SECONDS,
)
from bulkwright.domain.scope import normalise
from bulkwright.store.accounts import AccountStore, Token
from bulkwright.store.clock import now

_PREFIX = "1000."
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_NO_SECRET = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token endpoint gives."""

    access_token: str
    scopes: str
    expires_in: int = ACCESS_TOKEN_SECONDS
    refresh_token: str | None = None


class TokenService:
    """Everything about tokens; each method is one case of facts 7.2."""

    def __init__(self, accounts: AccountStore) -> None:
        self._accounts = accounts

    def check(self, access_token: str) -> Caller:
        """Who holds this access token. Raises InvalidToken, always the same."""
        token = self._accounts.token(hashed(access_token))
        if token is None or token.kind != "access" or token.expired:
            raise InvalidToken
        return Caller(token.org_id, token.user_id, token.scopes, token.profile)

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Grant:
        """A new access token for a refresh token, with the same scopes."""
        client = self._client(client_id, client_secret)
        kept = self._accounts.token(hashed(refresh_token))
        if kept is None or kept.kind != "refresh" or kept.client_id != client.client_id:
            raise OAuthError("invalid_code")
        access, row = _access(client, kept.user_id, kept.scopes, parent=kept.hash)
        self._accounts.add_tokens(row, keep=LIVE_ACCESS_TOKENS)
        return Grant(access, kept.scopes)

    def exchange(
        self,
        client_id: str,
        client_secret: str,
        code: str,
        redirect_uri: str | None,
        code_verifier: str | None = None,
    ) -> Grant:
        """Tokens for a grant code, once. A second try takes back what the first one got.

        A code that was asked for with a challenge is good with its verifier only, and one without
        a challenge is good without a verifier only (RFC 9700: no downgrade).
        """
        client = self._client(client_id, client_secret)
        kept = self._accounts.token(hashed(code))
        if kept is None or kept.kind != "code" or kept.client_id != client.client_id:
            raise OAuthError("invalid_code")
        if kept.redirect_uri is not None and kept.redirect_uri != redirect_uri:
            raise OAuthError("invalid_redirect_uri")
        if not _proven(kept.code_challenge, code_verifier):
            raise OAuthError("invalid_code")
        if not self._accounts.use_code(kept.hash):
            self._accounts.revoke(kept.hash)
            raise OAuthError("invalid_code")
        if kept.expired:
            raise OAuthError("invalid_code")
        if not kept.offline:
            access, row = _access(client, kept.user_id, kept.scopes, parent=kept.hash)
            self._accounts.add_tokens(row)
            return Grant(access, kept.scopes)
        refresh, refresh_row = _refresh(client, kept.user_id, kept.scopes, parent=kept.hash)
        access, row = _access(client, kept.user_id, kept.scopes, parent=refresh_row.hash)
        self._accounts.add_tokens(refresh_row, row)
        return Grant(access, kept.scopes, refresh_token=refresh)

    def client_credentials(
        self, client_id: str, client_secret: str, scopes: str, org_name: str
    ) -> Grant:
        """An access token for a self client, for the org named `ZohoCRM.{zgid}`."""
        client = self._client(client_id, client_secret)
        if client.kind is not ClientKind.SELF:
            raise OAuthError("unauthorized_client")
        if not org_name:
            raise OAuthError("missing_org_info")
        if org_name.lower() != f"zohocrm.{client.org_id}":
            raise OAuthError("invalid_org_info")
        granted = normalise(scopes)
        if not granted:
            raise OAuthError("invalid_scope")
        access, row = _access(client, client.user_id, granted)
        self._accounts.add_tokens(row)
        return Grant(access, granted)

    def revoke(self, token: str) -> None:
        """Forget a refresh or access token with all that came from it; unknown ones are fine."""
        kept = self._accounts.token(hashed(token))
        if kept is not None and kept.kind != "code":
            self._accounts.revoke(kept.hash)

    # For a person at the console or at the consent page; the client's secret is not needed

    def issue_access(
        self,
        client: OAuthClient,
        scopes: str,
        *,
        user_id: int | None = None,
        seconds: int = ACCESS_TOKEN_SECONDS,
    ) -> str:
        """A new access token of a client."""
        user = client.user_id if user_id is None else user_id
        access, row = _access(client, user, normalise(scopes), seconds=seconds)
        self._accounts.add_tokens(row)
        return access

    def issue_refresh(self, client: OAuthClient, scopes: str, *, user_id: int | None = None) -> str:
        """A new refresh token of a client; it never expires."""
        user = client.user_id if user_id is None else user_id
        refresh, row = _refresh(client, user, normalise(scopes))
        self._accounts.add_tokens(row)
        return refresh

    def issue_code(
        self,
        client: OAuthClient,
        scopes: str,
        *,
        user_id: int | None = None,
        redirect_uri: str | None = None,
        seconds: int = SELF_CLIENT_CODE_SECONDS,
        code_challenge: str | None = None,
        offline: bool = True,
    ) -> str:
        """A grant code, good for one exchange."""
        code = _secret()
        self._accounts.add_tokens(
            Token(
                hash=hashed(code),
                kind="code",
                org_id=client.org_id,
                user_id=client.user_id if user_id is None else user_id,
                client_id=client.client_id,
                scopes=normalise(scopes),
                expires_micros=now() + seconds * 1_000_000,
                redirect_uri=redirect_uri,
                code_challenge=code_challenge,
                offline=offline,
            )
        )
        return code

    def _client(self, client_id: str, secret: str) -> OAuthClient:
        client = self._accounts.client(client_id)
        kept = _NO_SECRET if client is None else client.secret_hash or _NO_SECRET
        right = hmac.compare_digest(hashed(secret), kept)
        if client is None or client.secret_hash is None:
            raise OAuthError("invalid_client")
        if not right:
            raise OAuthError("invalid_client_secret")
        return client


def hashed(secret: str) -> str:
    """What is stored of a token, a code or a client secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _proven(challenge: str | None, verifier: str | None) -> bool:
    """Whether a verifier is the one of a challenge (RFC 7636, S256), or both are absent."""
    if challenge is None or verifier is None:
        return challenge is None and not verifier
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(shown, challenge)


def _secret() -> str:
    # Nothing that needs escaping in a URL or a CSV (client contract 1.10).
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
        expires_micros=now() + seconds * 1_000_000,
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
