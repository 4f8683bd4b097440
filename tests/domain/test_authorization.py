"""The URLs to which a browser is redirected after a request for authorization (facts 7.2, 7.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkwright.domain.account import ClientKind, OAuthClient
from bulkwright.domain.authorization import Authorization

URI = "https://app.example/callback"
PLAIN = Authorization(
    client=OAuthClient("1000.A", 1, 2, ClientKind.SERVER, "App", None, (URI,)),
    redirect_uri=URI,
    scopes="zohocrm.bulk.all",
    implicit=False,
    state=None,
    offline=False,
    code_challenge=None,
)
IMPLICIT = replace(PLAIN, implicit=True)


def test_a_code_is_sent_in_the_query() -> None:
    """In the documented order; the URL of the accounts server is escaped as a whole."""
    assert PLAIN.with_code("1000.abc", "http://127.0.0.1:8080") == (
        f"{URI}?code=1000.abc&location=us&accounts-server=http%3A%2F%2F127.0.0.1%3A8080"
    )


def test_a_token_is_sent_in_the_fragment() -> None:
    """No server receives a fragment."""
    assert IMPLICIT.with_token("1000.t", 3600, "https://api.example") == (
        f"{URI}#access_token=1000.t&expires_in=3600&location=us"
        "&api_domain=https%3A%2F%2Fapi.example&granted_for_session=true"
    )


@pytest.mark.parametrize(("request_", "mark"), [(PLAIN, "?"), (IMPLICIT, "#")])
def test_a_rejection_is_sent_where_the_response_would_be(
    request_: Authorization, mark: str
) -> None:
    """`access_denied`, in the query or in the fragment."""
    assert request_.rejected() == f"{URI}{mark}error=access_denied"


def test_the_state_returns_as_it_was_sent() -> None:
    """First beside a code, before the last parameter beside a token; with every mark escaped."""
    state = "a b&c=/é"
    sent = "state=a%20b%26c%3D%2F%C3%A9"
    assert replace(PLAIN, state=state).rejected() == f"{URI}?error=access_denied&{sent}"
    assert replace(PLAIN, state=state).with_code("c", "x").startswith(f"{URI}?{sent}&code=c&")
    shown = replace(IMPLICIT, state=state).with_token("t", 1, "x")
    assert shown.endswith(f"&api_domain=x&{sent}&granted_for_session=true")


def test_an_empty_state_returns_too() -> None:
    """Only a missing state is left out."""
    assert replace(PLAIN, state="").rejected() == f"{URI}?error=access_denied&state="


def test_a_query_of_the_redirect_uri_is_kept() -> None:
    """The parameters are appended to it; a fragment comes after it."""
    uri = f"{URI}?tenant=1"
    assert replace(PLAIN, redirect_uri=uri).rejected() == f"{uri}&error=access_denied"
    assert replace(IMPLICIT, redirect_uri=uri).rejected() == f"{uri}#error=access_denied"


def test_the_origin_is_that_of_the_redirect_uri() -> None:
    """Without path, and without the port of the scheme."""
    assert PLAIN.origin == "https://app.example"
    other = replace(PLAIN, redirect_uri="http://LOCALHOST:8080/x")
    assert other.origin == "http://localhost:8080"
