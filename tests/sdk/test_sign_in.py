"""OAuth as the SDKs do it: refresh token, grant code, renewal, errors (client contract 2)."""

from __future__ import annotations

import time

import pytest
from tests.sdk.conftest import Start
from tests.sdk.driver import Driver, Report
from tests.support.live import Live
from tests.support.uploads import zipped

_REFRESH = "POST /oauth/v2/token (refresh_token)"
_CODE = "POST /oauth/v2/token (authorization_code)"


def _first_call(driver: Driver, who: Report) -> Report:
    """Initialise an SDK and use it once, because 2.x requests its token only then."""
    return driver.initialise(who) or driver.upload(zipped())


@pytest.mark.endpoint(_REFRESH)
def test_a_refresh_token_gives_an_access_token(driver: Driver, live: Live) -> None:
    """By the SDK's own calculation it lives for an hour; the SDK keeps it in its own store."""
    driver.file_id(zipped())
    stored = driver.tokens()[-1]
    assert stored["refresh_token"] == live.credentials["refresh_token"]
    assert stored["access_token"].startswith("1000.")
    left = int(stored["expiry_time"]) / 1000 - time.time()
    assert 3300 < left <= 3600


@pytest.mark.endpoint(_REFRESH)
def test_an_expired_access_token_is_renewed(driver: Driver, fresh: Driver, live: Live) -> None:
    """The SDK compares the time in its store."""
    driver.file_id(zipped())
    before = driver.tokens()[-1]
    expired = driver.store.read_text("utf-8").replace(before["expiry_time"], "1000")
    assert fresh.initialise(live.who(), stored=expired) == {}
    fresh.file_id(zipped())
    renewed = fresh.tokens()[-1]
    assert renewed["access_token"] != before["access_token"]
    assert int(renewed["expiry_time"]) / 1000 > time.time()


@pytest.mark.endpoint(_CODE)
@pytest.mark.parametrize("uri", ["", "http://127.0.0.1:5500/redirect.html"], ids=["self", "uri"])
def test_a_grant_code_gives_both_tokens(fresh: Driver, live: Live, uri: str) -> None:
    """The code of a self client needs no redirect URI; a code sent to a URI needs that URI."""
    redirect = {"redirect_url": uri} if uri else {}
    report = _first_call(fresh, live.who(grant_token=live.code(uri), **redirect))
    assert report.get("class") == "SuccessResponse", report
    stored = fresh.tokens()[-1]
    assert stored["refresh_token"].startswith("1000.")
    assert stored["refresh_token"] != live.credentials["refresh_token"]


@pytest.mark.endpoint(_CODE)
def test_a_wrong_grant_code_is_rejected_by_name(failing: Driver, live: Live) -> None:
    """An unknown code; one that was sent to a redirect URI, without that URI."""
    bound = live.code("http://127.0.0.1:5500/redirect.html")
    for code, word in (("1000.0.0", "invalid_code"), (bound, "invalid_redirect_uri")):
        report = _first_call(failing, live.who(grant_token=code))
        assert report["raised"] == "SDKException"
        assert report["text"].split(" - ")[1] == word


@pytest.mark.endpoint(_REFRESH)
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"refresh_token": "1000.0.0"}, "invalid_code"),
        ({"client_secret": "0"}, "invalid_client_secret"),
        ({"client_id": "1000.NONE"}, "invalid_client"),
    ],
    ids=["refresh token", "client secret", "client id"],
)
def test_wrong_credentials_are_rejected_by_name(
    failing: Driver, live: Live, wrong: dict[str, str], word: str
) -> None:
    """The error of the token endpoint becomes the message of the SDK's exception."""
    who = live.who()
    who["token"] |= wrong
    report = _first_call(failing, who)
    assert report["raised"] == "SDKException"
    assert report["text"].split(" - ")[1] == word


@pytest.mark.only_8
@pytest.mark.endpoint("GET /crm/{version}/users?type=CurrentUser", "GET /crm/{version}/org")
def test_the_user_and_the_org_are_found(driver: Driver, live: Live) -> None:
    """8.0 names its user `email:zgid` in its store; it requests both from the service."""
    who = f"{live.credentials['user']['email']}:{live.credentials['org_id']}"
    assert driver.tokens()[-1]["user_name"] == who


@pytest.mark.only_8
@pytest.mark.endpoint(_REFRESH)
def test_the_api_domain_keeps_8_0_on_this_service(driver: Driver, live: Live) -> None:
    """8.0 takes `api_domain` from the token answer (client contract 1.6)."""
    assert driver.tokens()[-1]["api_domain"] == live.base_url


@pytest.fixture(scope="module")
def failing(start: Start) -> Driver:
    """The SDK in a process of its own, which no test initialises successfully."""
    return start()
