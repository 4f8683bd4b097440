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

from bulkwright.domain.account import Caller, ClientKind, OAuthClient
from bulkwright.domain.errors import InvalidToken, OAuthError
from bulkwright.domain.limits import (
    ACCESS_TOKEN_SECONDS,
    LIVE_ACCESS_TOKENS,
    SELF_CLIENT_CODE_SECONDS,
)
from bulkwright.domain.scope import normalise
from bulkwright.store.accounts import AccountStore, Token

_PREFIX = "1000."
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens that the token endpoint grants."""

    access_token: str
    scopes: str
    expires_in: int = ACCESS_TOKEN_SECONDS
    refresh_token: str | None = None


class TokenService:
    """The grants of the token endpoint (facts 7.2), and tokens for the console and the pages.

    The grants raise OAuthError.
    """

    def __init__(self, accounts: AccountStore) -> None:
        self._accounts = accounts

    def check(self, access_token: str) -> Caller:
        """Returns the caller with this access token. Raises InvalidToken, always the same."""
        token = self._accounts.token(hashed(access_token))
        if token is None or token.kind != "access" or token.expired:
            raise InvalidToken
        return Caller(token.org_id, token.user_id, token.scopes, token.role)

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Grant:
        """Grants an access token for a refresh token, with the same scopes."""
        client = self._client(client_id, client_secret)
        stored = self._accounts.token(hashed(refresh_token))
        if stored is None or stored.kind != "refresh" or stored.client_id != client.client_id:
            raise OAuthError("invalid_code")
        access, row = _access(client, stored.user_id, stored.scopes, parent=stored.hash)
        self._accounts.add_tokens(row, keep=LIVE_ACCESS_TOKENS)
        return Grant(access, stored.scopes)

    def exchange(
        self,
        client_id: str,
        client_secret: str,
        code: str,
        redirect_uri: str | None,
        code_verifier: str | None = None,
    ) -> Grant:
        """Grants tokens for a grant code, once. A second try revokes the tokens of the first.

        A code that was issued with a challenge needs its verifier. A code without a challenge is
        rejected with any verifier (RFC 9700: no downgrade).
        """
        client = self._client(client_id, client_secret)
        stored = self._accounts.token(hashed(code))
        if stored is None or stored.kind != "code" or stored.client_id != client.client_id:
            raise OAuthError("invalid_code")
        if stored.redirect_uri is not None and stored.redirect_uri != redirect_uri:
            raise OAuthError("invalid_redirect_uri")
        if not _is_proven(stored.code_challenge, code_verifier):
            raise OAuthError("invalid_code")
        if not self._accounts.use_code(stored.hash):
            self._accounts.revoke(stored.hash)
            raise OAuthError("invalid_code")
        if stored.expired:
            raise OAuthError("invalid_code")
        if not stored.offline:
            access, row = _access(client, stored.user_id, stored.scopes, parent=stored.hash)
            self._accounts.add_tokens(row)
            return Grant(access, stored.scopes)
        refresh, refresh_row = _refresh(client, stored.user_id, stored.scopes, parent=stored.hash)
        access, row = _access(client, stored.user_id, stored.scopes, parent=refresh_row.hash)
        self._accounts.add_tokens(refresh_row, row)
        return Grant(access, stored.scopes, refresh_token=refresh)

    def client_credentials(
        self, client_id: str, client_secret: str, scopes: str, org_name: str
    ) -> Grant:
        """Grants an access token to a self client, for the org named `ZohoCRM.{zgid}`."""
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
        """Revokes a refresh or access token with all tokens derived from it.

        An unknown token is no error.
        """
        stored = self._accounts.token(hashed(token))
        if stored is not None and stored.kind != "code":
            self._accounts.revoke(stored.hash)

    # For an operator at the console and for the consent page: no client secret is needed

    def issue_access(
        self,
        client: OAuthClient,
        scopes: str,
        *,
        user_id: int | None = None,
        seconds: int = ACCESS_TOKEN_SECONDS,
    ) -> str:
        """Issues an access token of a client, valid for `seconds`."""
        user = client.user_id if user_id is None else user_id
        access, row = _access(client, user, normalise(scopes), seconds=seconds)
        self._accounts.add_tokens(row)
        return access

    def issue_refresh(self, client: OAuthClient, scopes: str, *, user_id: int | None = None) -> str:
        """Issues a refresh token of a client; it never expires."""
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
        """Issues a grant code for one exchange within `seconds`."""
        code = _secret()
        self._accounts.add_tokens(
            Token(
                hash=hashed(code),
                kind="code",
                org_id=client.org_id,
                user_id=client.user_id if user_id is None else user_id,
                client_id=client.client_id,
                scopes=normalise(scopes),
                life_seconds=seconds,
                redirect_uri=redirect_uri,
                code_challenge=code_challenge,
                offline=offline,
            )
        )
        return code

    def _client(self, client_id: str, secret: str) -> OAuthClient:
        client = self._accounts.client(client_id)
        expected = _EMPTY_HASH if client is None else client.secret_hash or _EMPTY_HASH
        is_right = hmac.compare_digest(hashed(secret), expected)
        if client is None or client.secret_hash is None:
            raise OAuthError("invalid_client")
        if not is_right:
            raise OAuthError("invalid_client_secret")
        return client


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
