"""Signs users in, and records that they allow a client to use their account (facts 7.1 to 7.3).

There is no HTTP here: `zoho/oauth/authorize.py` shows the pages. A session is a random secret in a
cookie; its SHA-256 is stored, like that of every token. A consent ends with its session. Only
users of the client's org can sign in.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bulkwright.domain.account import ClientKind, Org, User, email_key
from bulkwright.domain.authorization import Authorization
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.domain.errors import OAuthError
from bulkwright.domain.limits import (
    ACCESS_TOKEN_SECONDS,
    GRANT_CODE_SECONDS,
    SESSION_SECONDS,
)
from bulkwright.domain.scope import normalise
from bulkwright.service.passwords import hashed_password, is_password
from bulkwright.service.throttle import Failures
from bulkwright.service.tokens import TokenService, hashed
from bulkwright.store.accounts import AccountStore
from bulkwright.store.sessions import Session, SessionStore

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_EMAIL_LENGTH = 320


class TryLater(Exception):
    """There were too many wrong passwords; the next try is allowed in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"try again in {seconds:.0f} s")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user who is signed in, with the session and the org."""

    session: Session
    user: User
    org: Org


@dataclass(frozen=True, slots=True)
class SignInService:
    """Sessions of users, and their consents."""

    accounts: AccountStore
    sessions: SessionStore
    tokens: TokenService
    failures: Failures = field(default_factory=Failures)

    def check_request(self, query: Mapping[str, str]) -> Authorization:
        """Checks the query of an authorization request.

        Raises OAuthError, which is shown to the user and never sent to the redirect URI. The
        redirect URI must equal a registered one exactly. Only JavaScript clients get a token, only
        other clients get a code. The only PKCE method is S256.
        """
        client = self.accounts.client(query.get("client_id", ""))
        if client is None:
            raise OAuthError("invalid_client")
        redirect_uri = query.get("redirect_uri", "")
        try:
            parse_endpoint(redirect_uri)
        except InvalidEndpoint:
            raise OAuthError("invalid_redirect_uri") from None
        if redirect_uri not in client.redirect_uris:
            raise OAuthError("invalid_redirect_uri")
        implicit = client.kind is ClientKind.JAVASCRIPT
        response_type = query.get("response_type", "")
        if response_type not in ("code", "token"):
            raise OAuthError("unsupported_response_type")
        if (response_type == "token") != implicit:
            raise OAuthError("unauthorized_client")
        scopes = normalise(query.get("scope", ""))
        if not scopes:
            raise OAuthError("invalid_scope")
        return Authorization(
            client=client,
            redirect_uri=redirect_uri,
            scopes=scopes,
            implicit=implicit,
            state=query.get("state"),
            offline=query.get("access_type", "online").lower() == "offline",
            code_challenge=_challenge(query),
        )

    def sign_in(self, org_id: int, email: str, password: str, address: str) -> str | None:
        """Returns the secret of a new session, or None if e-mail or password are wrong.

        Raises TryLater if this address has failed too often for this user. The password is hashed
        even if there is no such user, so that the time does not reveal which users exist.
        """
        email = email[:_MAX_EMAIL_LENGTH]
        key = f"{address} {org_id} {email_key(email)}"
        seconds = self.failures.wait(key)
        if seconds > 0:
            raise TryLater(seconds)
        user = self.accounts.user_by_email(org_id, email)
        stored = None if user is None else self.sessions.password(user.id)
        if not is_password(password, stored) or user is None:
            self.failures.failed(key)
            return None
        self.failures.succeeded(key)
        return self._new_session(user)

    def sign_in_as(self, org_id: int, user_id: int) -> str | None:
        """Returns the secret of a new session without a password; for development alone."""
        user = self.accounts.user(org_id, user_id)
        return None if user is None else self._new_session(user)

    def signed_in(self, secret: str, org_id: int) -> SignedIn | None:
        """Returns the user who is signed in to an org with this secret, or None."""
        session = self.sessions.session(hashed(secret))
        if session is None or session.org_id != org_id:
            return None
        user = self.accounts.user(org_id, session.user_id)
        org = self.accounts.org(org_id)
        return None if user is None or org is None else SignedIn(session, user, org)

    def sign_out(self, secret: str) -> None:
        """Ends a session; an unknown secret is no error."""
        self.sessions.end(hashed(secret))

    def set_password(self, user: User, password: str) -> None:
        """Sets the password of a user and ends the user's sessions. Raises WeakPassword."""
        self.sessions.set_password(user.id, hashed_password(password))

    def has_password(self, user: User) -> bool:
        """Returns whether a user can sign in with a password."""
        return self.sessions.password(user.id) is not None

    def accept(self, authorization: Authorization, visitor: SignedIn, base_url: str) -> str:
        """Records the consent; returns the URL with a code or a token to redirect to."""
        before = self.sessions.consent(visitor.session, authorization.client.client_id)
        agreed = normalise(f"{before},{authorization.scopes}")
        self.sessions.set_consent(visitor.session, authorization.client.client_id, agreed)
        return self._redirect_url(authorization, visitor, base_url)

    def accept_again(
        self, authorization: Authorization, visitor: SignedIn, base_url: str
    ) -> str | None:
        """Returns the same URL without a new consent.

        Returns None unless the user allowed all of these scopes before in this session.
        """
        agreed = self.sessions.consent(visitor.session, authorization.client.client_id).split(",")
        if not set(authorization.scopes.split(",")) <= set(agreed):
            return None
        return self._redirect_url(authorization, visitor, base_url)

    def _redirect_url(self, authorization: Authorization, visitor: SignedIn, base_url: str) -> str:
        if authorization.implicit:
            # One hour and no refresh token, because its holder cannot be verified (RFC 9700).
            token = self.tokens.issue_access(
                authorization.client, authorization.scopes, user_id=visitor.user.id
            )
            return authorization.with_token(token, ACCESS_TOKEN_SECONDS, base_url)
        code = self.tokens.issue_code(
            authorization.client,
            authorization.scopes,
            user_id=visitor.user.id,
            redirect_uri=authorization.redirect_uri,
            seconds=GRANT_CODE_SECONDS,
            code_challenge=authorization.code_challenge,
            offline=authorization.offline,
        )
        return authorization.with_code(code, base_url)

    def _new_session(self, user: User) -> str:
        secret = secrets.token_urlsafe(32)
        session = Session(hashed(secret), user.org_id, user.id)
        self.sessions.add(session, seconds=SESSION_SECONDS)
        return secret


def _challenge(query: Mapping[str, str]) -> str | None:
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256" or challenge is None or _CHALLENGE.fullmatch(challenge) is None:
        raise OAuthError("invalid_code_challenge")
    return challenge
