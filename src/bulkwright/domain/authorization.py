"""A request of an OAuth client for authorization, and the URLs of its responses.

Pure: the URLs to which a browser is redirected (facts 7.2, 7.3). Every decision of the user is sent
to the redirect URI. An error in the request itself is never sent there.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from bulkwright.domain.account import OAuthClient
from bulkwright.domain.endpoint import parse_endpoint

_LOCATION = "us"


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parameters of `/oauth/v2/auth`, checked against the registered client."""

    client: OAuthClient
    redirect_uri: str
    scopes: str
    """Normalised (domain/scope.py)."""
    implicit: bool
    """Whether an access token is requested, in the fragment; otherwise a code in the query."""
    state: str | None
    offline: bool
    code_challenge: str | None

    def rejected(self) -> str:
        """Returns the redirect of a user who has not consented."""
        return self._redirect([("error", "access_denied"), *self._state])

    def with_code(self, code: str, accounts_url: str) -> str:
        """Returns the redirect with a grant code; its parameters are in the documented order."""
        endpoints = [("location", _LOCATION), ("accounts-server", accounts_url)]
        return self._redirect([*self._state, ("code", code), *endpoints])

    def with_token(self, access_token: str, seconds: int, api_domain: str) -> str:
        """Returns the redirect with an access token in the fragment, which no server receives.

        `granted_for_session` sends the next sign-in to `/oauth/v2/auth/refresh`.
        """
        return self._redirect(
            [
                ("access_token", access_token),
                ("expires_in", str(seconds)),
                ("location", _LOCATION),
                ("api_domain", api_domain),
                *self._state,
                ("granted_for_session", "true"),
            ]
        )

    @property
    def origin(self) -> str:
        """The origin of the redirect URI."""
        return parse_endpoint(self.redirect_uri).origin

    @property
    def _state(self) -> list[tuple[str, str]]:
        return [] if self.state is None else [("state", self.state)]

    def _redirect(self, pairs: list[tuple[str, str]]) -> str:
        joined = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        mark = "#" if self.implicit else "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{mark}{joined}"
