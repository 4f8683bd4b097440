"""Signs users in, and records that they allow a client to use their account (facts 7.1 to 7.3).

There is no HTTP here: `zoho/oauth/authorize.py` shows the pages. A session is a random secret in a
cookie; its SHA-256 is stored, like that of every token. A consent ends with its session. Only
users of the client's org can sign in.

A browser in which a user has signed in before is a known device of that user: it has a second
cookie, which proves nothing but this. Wrong passwords are counted by known device, otherwise by
address. So a stranger's guesses do not lock out the user, not even from the same address.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from bulkwright.domain.account import ClientKind, Org, User, email_key
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.authorization import Authorization
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.domain.errors import OAuthError
from bulkwright.domain.limits import (
    ACCESS_TOKEN_SECONDS,
    GRANT_CODE_SECONDS,
    SESSION_SECONDS,
)
from bulkwright.domain.scope import granted, joined
from bulkwright.service.audit import AuditLog
from bulkwright.service.passwords import hashed_password, is_password, words_of
from bulkwright.service.throttle import Failures, TryLater, network_of
from bulkwright.service.tokens import UNKNOWN, TokenService, hashed
from bulkwright.store.accounts import AccountStore
from bulkwright.store.sessions import Session, SessionStore

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_EMAIL_LENGTH = 320


@dataclass(frozen=True, slots=True)
class Revoked:
    """How many tokens and sessions ended."""

    tokens: int
    sessions: int

    def __str__(self) -> str:
        tokens, sessions = _counted(self.tokens, "token"), _counted(self.sessions, "session")
        return f"revoked {tokens}, ended {sessions}"


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
    audit: AuditLog
    failures: Failures

    def check_request(self, query: Mapping[str, str]) -> Authorization:
        """Checks the query of an authorization request.

        Raises OAuthError, which is shown to the user and never sent to the redirect URI. The
        redirect URI must equal a registered one exactly. Only JavaScript clients get a token. All
        clients get codes; a client without a secret must send a PKCE challenge. The only method is
        S256.
        """
        client = self.accounts.client(query.get("client_id", ""))
        if client is None or not client.is_active:
            raise OAuthError("invalid_client")
        redirect_uri = query.get("redirect_uri", "")
        try:
            parse_endpoint(redirect_uri)
        except InvalidEndpoint:
            raise OAuthError("invalid_redirect_uri") from None
        if redirect_uri not in client.redirect_uris:
            raise OAuthError("invalid_redirect_uri")
        response_type = query.get("response_type", "")
        if response_type not in ("code", "token"):
            raise OAuthError("unsupported_response_type")
        implicit = response_type == "token"
        if implicit and client.kind is not ClientKind.JAVASCRIPT:
            raise OAuthError("unauthorized_client")
        challenge = _challenge(query)
        if client.is_public and not implicit and challenge is None:
            raise OAuthError("invalid_code_challenge")
        return Authorization(
            client=client,
            redirect_uri=redirect_uri,
            scopes=granted(query.get("scope", "")),
            implicit=implicit,
            state=query.get("state"),
            offline=query.get("access_type", "online").lower() == "offline",
            code_challenge=challenge,
        )

    def sign_in(
        self, org_id: int, email: str, password: str, address: str, device: str = ""
    ) -> str | None:
        """Returns the secret of a new session, or None if e-mail or password are wrong.

        `device` is the secret in the browser's device cookie; the browser becomes a known device
        of the user. Raises TryLater if this device or this address has failed too often for this
        user. The password is hashed even if there is no such user, so that the time does not
        reveal which users exist.
        """
        email = email[:_MAX_EMAIL_LENGTH]
        user = self.accounts.user_by_email(org_id, email)
        org = self.accounts.org(org_id)
        if user is not None and not (user.is_active and org is not None and org.is_active):
            user = None
        user_id = 0 if user is None else user.id
        known = bool(device) and self.sessions.is_device(hashed(device), user_id)
        origin = f"device {hashed(device)}" if known else f"address {network_of(address)}"
        key = hashed(f"{origin} {org_id} {email_key(email)}")
        seconds = self.failures.wait(key)
        actor = Actor(address)
        if seconds > 0:
            self.audit.record(
                Action.SIGN_IN_FAILED,
                actor,
                org_id=org_id,
                user_id=user_id or None,
                detail="too many attempts",
            )
            raise TryLater(seconds)
        stored = None if user is None else self.sessions.password(user.id)
        if not is_password(password, stored) or user is None:
            with self.accounts.transaction():
                self.failures.failed(key)
                self.audit.record(
                    Action.SIGN_IN_FAILED,
                    actor,
                    org_id=org_id,
                    user_id=user_id or None,
                    detail="" if user_id else "no such user",
                )
            return None
        with self.accounts.transaction():
            self.failures.succeeded(key)
            if device:
                self.sessions.use_device(hashed(device), user.id)
            return self._new_session(user, actor, "password")

    def sign_in_as(self, org_id: int, user_id: int, address: str = "") -> str | None:
        """Returns the secret of a new session without a password; for development alone."""
        user = self.accounts.user(org_id, user_id)
        if user is None or not user.is_active:
            return None
        with self.accounts.transaction():
            return self._new_session(user, Actor(address), "no password, with --dev")

    def is_device(self, device: str, org_id: int, email: str) -> bool:
        """Returns whether the browser with this device cookie is known as the user's."""
        user = self.accounts.user_by_email(org_id, email[:_MAX_EMAIL_LENGTH])
        return self.sessions.is_device(hashed(device), 0 if user is None else user.id)

    def org_of(self, name: str) -> int:
        """Returns the id of the org that a user names by its id or its company name.

        Without a name, that of the only org that is active. 0, which no org has, if none is meant.
        """
        active = [org for org in self.accounts.orgs() if org.is_active]
        wanted = name.strip().casefold()
        if wanted:
            active = [o for o in active if wanted in (str(o.id), o.company_name.strip().casefold())]
        return active[0].id if len(active) == 1 else 0

    def signed_in(self, secret: str, org_id: int | None = None) -> SignedIn | None:
        """Returns the user who is signed in with this secret, or None.

        With an org, only a user of that org.
        """
        session = self.sessions.session(hashed(secret))
        if session is None or org_id not in (None, session.org_id):
            return None
        user = self.accounts.user(session.org_id, session.user_id)
        org = self.accounts.org(session.org_id)
        if user is None or org is None or not (user.is_active and org.is_active):
            return None
        return SignedIn(session, user, org)

    def end_session(self, secret: str) -> None:
        """Ends the session with this secret, of any org: its browser has another one now."""
        self.sessions.end(hashed(secret))

    def sign_out(self, visitor: SignedIn, actor: Actor = UNKNOWN) -> None:
        """Ends the session of a visitor."""
        with self.accounts.transaction():
            self.sessions.end(visitor.session.hash)
            self._record(Action.SIGNED_OUT, visitor.user, actor)

    def set_password(self, user: User, password: str, actor: Actor | None = None) -> Revoked:
        """Sets the password of a user. Raises WeakPassword.

        Ends the user's sessions and revokes the user's tokens, of all clients: one of them may be
        why the password is changed.
        """
        org = self.accounts.org(user.org_id)
        names = user.email, user.first_name, user.last_name, org.company_name if org else ""
        password_hash = hashed_password(password, words_of(*names))
        with self.accounts.transaction():
            self.sessions.set_password(user.id, password_hash)
            revoked = Revoked(
                tokens=self.accounts.delete_tokens(user.org_id, user_id=user.id),
                sessions=self.sessions.delete(user.org_id, user.id),
            )
            self._record(Action.PASSWORD_SET, user, actor, detail=str(revoked))
        return revoked

    def has_password(self, user: User) -> bool:
        """Returns whether a user can sign in with a password."""
        return self.sessions.password(user.id) is not None

    def accept(
        self,
        authorization: Authorization,
        visitor: SignedIn,
        base_url: str,
        actor: Actor = UNKNOWN,
    ) -> str:
        """Records the consent; returns the URL with a code or a token to redirect to."""
        client = authorization.client
        with self.accounts.transaction():
            before = self.sessions.consent(visitor.session, client.client_id)
            agreed = joined(before, authorization.scopes)
            self.sessions.set_consent(visitor.session, client.client_id, agreed)
            self._record(
                Action.CONSENT_GIVEN, visitor.user, actor, client.client_id, authorization.scopes
            )
            return self._redirect_url(authorization, visitor, base_url, actor)

    def accept_again(
        self,
        authorization: Authorization,
        visitor: SignedIn,
        base_url: str,
        actor: Actor = UNKNOWN,
    ) -> str | None:
        """Returns the same URL without a new consent.

        Returns None unless the user allowed all of these scopes before in this session.
        """
        agreed = self.sessions.consent(visitor.session, authorization.client.client_id).split(",")
        if not set(authorization.scopes.split(",")) <= set(agreed):
            return None
        return self._redirect_url(authorization, visitor, base_url, actor)

    def reject(
        self, authorization: Authorization, visitor: SignedIn, actor: Actor = UNKNOWN
    ) -> str:
        """Records that the user does not agree; returns the URL to redirect to."""
        client_id = authorization.client.client_id
        self._record(Action.CONSENT_REJECTED, visitor.user, actor, client_id)
        return authorization.rejected()

    def _redirect_url(
        self, authorization: Authorization, visitor: SignedIn, base_url: str, actor: Actor
    ) -> str:
        if authorization.implicit:
            # One hour and no refresh token, because its holder cannot be verified (RFC 9700).
            token = self.tokens.issue_access(
                authorization.client, authorization.scopes, user_id=visitor.user.id, actor=actor
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
            actor=actor,
        )
        return authorization.with_code(code, base_url)

    def _new_session(self, user: User, actor: Actor, how: str) -> str:
        secret = secrets.token_urlsafe(32)
        session = Session(hashed(secret), user.org_id, user.id)
        self.sessions.add(session, seconds=SESSION_SECONDS)
        self._record(Action.SIGNED_IN, user, actor, detail=how)
        return secret

    def _record(
        self,
        action: Action,
        user: User,
        actor: Actor | None,
        client_id: str | None = None,
        detail: str = "",
    ) -> None:
        self.audit.record(
            action,
            actor,
            org_id=user.org_id,
            user_id=user.id,
            client_id=client_id,
            detail=detail,
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _challenge(query: Mapping[str, str]) -> str | None:
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256" or challenge is None or _CHALLENGE.fullmatch(challenge) is None:
        raise OAuthError("invalid_code_challenge")
    return challenge
