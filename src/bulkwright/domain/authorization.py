"""What a program asks a person for at the authorization page, and how it is told the answer.

Pure: the URLs that a browser is sent back with (facts 7.2, 7.3). Whatever the person decides goes
to the redirect URI; what is wrong with the question itself never does.
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
    """Whether an access token is asked for, in the fragment; otherwise a code in the query."""
    state: str | None
    offline: bool
    code_challenge: str | None

    def rejected(self) -> str:
        """Back with nothing, because the person would not."""
        return self._back([("error", "access_denied"), *self._state])

    def with_code(self, code: str, accounts_url: str) -> str:
        """Back with a grant code, in the documented order."""
        where = [("location", _LOCATION), ("accounts-server", accounts_url)]
        return self._back([*self._state, ("code", code), *where])

    def with_token(self, access_token: str, seconds: int, api_domain: str) -> str:
        """Back with an access token in the fragment; nothing in it is sent to any server.

        `granted_for_session` sends the next sign-in to `/oauth/v2/auth/refresh`.
        """
        return self._back(
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
        """Where the answer goes, without the path."""
        return parse_endpoint(self.redirect_uri).origin

    @property
    def _state(self) -> list[tuple[str, str]]:
        return [] if self.state is None else [("state", self.state)]

    def _back(self, pairs: list[tuple[str, str]]) -> str:
        joined = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        mark = "#" if self.implicit else "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{mark}{joined}"
