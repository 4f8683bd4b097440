"""A person signs in, and agrees that a program may use their account (facts 7.1 to 7.3).

No HTTP here: `api/signin.py` shows the pages. A session is a random secret in a cookie, kept as
its SHA-256 like every token; what was agreed to ends with it. People sign in to the org of the
client that sent them, and only its users can.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bulkwright.domain.account import ClientKind, Org, User
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
_LONGEST_EMAIL = 320


class TryLater(Exception):
    """Too many wrong passwords; `seconds` until the next try is looked at."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"try again in {seconds:.0f} s")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits before the page."""

    session: Session
    user: User
    org: Org


@dataclass(frozen=True, slots=True)
class SignInService:
    """Signing in, and agreeing."""

    accounts: AccountStore
    sessions: SessionStore
    tokens: TokenService
    failures: Failures = field(default_factory=Failures)

    def asked(self, query: Mapping[str, str]) -> Authorization:
        """What a program asks for. Raises OAuthError, which no redirect may carry away.

        The redirect URI must be, letter for letter, one that was registered. A token is given to
        JavaScript clients only, a code to the others only. PKCE is S256 or nothing.
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
        """The secret of a new session, or None where e-mail and password do not belong together.

        Raises TryLater when this address has failed too often for this user. A password is hashed
        also where there is nobody to compare it with.
        """
        email = email[:_LONGEST_EMAIL]
        key = f"{address} {org_id} {email.strip().casefold()}"
        seconds = self.failures.wait(key)
        if seconds > 0:
            raise TryLater(seconds)
        user = self.accounts.user_by_email(org_id, email)
        kept = None if user is None else self.sessions.password(user.id)
        if not is_password(password, kept) or user is None:
            self.failures.failed(key)
            return None
        self.failures.succeeded(key)
        return self._new_session(user)

    def sign_in_as(self, org_id: int, user_id: int) -> str | None:
        """The secret of a new session without a password; for development alone."""
        user = self.accounts.user(org_id, user_id)
        return None if user is None else self._new_session(user)

    def signed_in(self, secret: str, org_id: int) -> SignedIn | None:
        """Who is signed in to an org with this secret, if anybody."""
        session = self.sessions.session(hashed(secret))
        if session is None or session.org_id != org_id:
            return None
        user = self.accounts.user(org_id, session.user_id)
        org = self.accounts.org(org_id)
        return None if user is None or org is None else SignedIn(session, user, org)

    def sign_out(self, secret: str) -> None:
        """End a session, if it is one."""
        self.sessions.end(hashed(secret))

    def set_password(self, user: User, password: str) -> None:
        """Give a user a password and end their sessions. Raises WeakPassword."""
        self.sessions.set_password(user.id, hashed_password(password))

    def has_password(self, user: User) -> bool:
        """Whether a user can sign in with a password."""
        return self.sessions.password(user.id) is not None

    def accept(self, asked: Authorization, who: SignedIn, base_url: str) -> str:
        """The person agrees: where the browser goes, with a code or a token."""
        before = self.sessions.consent(who.session, asked.client.client_id)
        agreed = normalise(f"{before},{asked.scopes}")
        self.sessions.set_consent(who.session, asked.client.client_id, agreed)
        return self._given(asked, who, base_url)

    def renew(self, asked: Authorization, who: SignedIn, base_url: str) -> str | None:
        """The same without asking; None unless all of it was agreed to in this session."""
        agreed = self.sessions.consent(who.session, asked.client.client_id).split(",")
        if not set(asked.scopes.split(",")) <= set(agreed):
            return None
        return self._given(asked, who, base_url)

    def _given(self, asked: Authorization, who: SignedIn, base_url: str) -> str:
        if asked.implicit:
            # An hour and no refresh token: nobody can tell who holds it (RFC 9700).
            token = self.tokens.issue_access(asked.client, asked.scopes, user_id=who.user.id)
            return asked.with_token(token, ACCESS_TOKEN_SECONDS, base_url)
        code = self.tokens.issue_code(
            asked.client,
            asked.scopes,
            user_id=who.user.id,
            redirect_uri=asked.redirect_uri,
            seconds=GRANT_CODE_SECONDS,
            code_challenge=asked.code_challenge,
            offline=asked.offline,
        )
        return asked.with_code(code, base_url)

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
