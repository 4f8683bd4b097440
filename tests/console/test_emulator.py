"""The page of the emulator, which exists under `serve --dev` only."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from tests.console.conftest import CONSOLE, Browser, text_of, token_of
from tests.support.deployment import Deployment

from bulkwright.testing import BulkwrightServer, temporary_server

PAGE = f"{CONSOLE}/emulator"


@pytest.fixture(scope="module")
def emulator() -> Iterator[BulkwrightServer]:
    """A server with the controls."""
    with temporary_server() as running:
        yield running


@pytest.fixture
def developer(emulator: BulkwrightServer) -> Iterator[Browser]:
    """A browser in which the development user is signed in, at the state of the start."""
    emulator.reset()
    with Browser(emulator.base_url) as made:
        sign_in(made, emulator)
        yield made


def sign_in(browser: Browser, emulator: BulkwrightServer) -> None:
    """The one click of `--dev`."""
    page = browser.get(f"{CONSOLE}/sign-in")
    answer = browser.press(page, f"{CONSOLE}/sign-in", user=emulator.credentials["user"]["id"])
    assert answer.status_code == 303, answer.text


def test_without_an_emulator_there_is_no_page(server: Deployment, browser: Browser) -> None:
    """And no link to it."""
    assert browser.get(PAGE).status_code == 404
    assert "Emulator" not in browser.page(f"{CONSOLE}/jobs")
    assert browser.post(f"{PAGE}/reset", data={}).status_code == 404


def test_the_clock_is_moved_and_frozen(emulator: BulkwrightServer, developer: Browser) -> None:
    """What is wrong with a length is said on the page."""
    before = emulator.clock.now
    page = developer.get(PAGE)
    assert "the time of the machine" in text_of(page)
    assert developer.press(page, f"{PAGE}/clock", step="move", by="1m").status_code == 303
    assert (emulator.clock.now - before).total_seconds() >= 60
    developer.press(page, f"{PAGE}/clock", step="freeze")
    assert "Frozen" in developer.page(PAGE)
    wrong = developer.press(page, f"{PAGE}/clock", step="move", by="soon")
    assert wrong.status_code == 400 and "90s, 15m, 2h" in text_of(wrong)
    developer.press(page, f"{PAGE}/clock", step="real")
    assert "the time of the machine" in developer.page(PAGE)


def test_the_pace_of_jobs_is_set(developer: Browser) -> None:
    """With the measure that the progression takes."""
    page = developer.get(PAGE)
    held = developer.press(page, f"{PAGE}/pace", progression="held", measure="ADDED")
    assert held.status_code == 303
    assert 'value="ADDED"' in developer.get(PAGE).text
    wrong = developer.press(page, f"{PAGE}/pace", progression="polls", measure="many")
    assert wrong.status_code == 400
    assert developer.press(page, f"{PAGE}/pace", progression="real").status_code == 303


def test_a_fault_rule_is_added_met_and_removed(
    emulator: BulkwrightServer, developer: Browser
) -> None:
    """The page counts the calls that have met it."""
    page = developer.get(PAGE)
    rule = {"effect": "unavailable", "path": "/crm/*/org", "times": "1", "csrf": token_of(page)}
    assert developer.post(f"{PAGE}/faults", data=rule).status_code == 303
    url = f"{emulator.base_url}/crm/v8/org"
    assert httpx2.get(url, headers=emulator.headers).status_code == 503
    assert httpx2.get(url, headers=emulator.headers).status_code == 200
    shown = developer.get(PAGE)
    assert "unavailable any /crm/*/org 1 1 2 1 Remove" in text_of(shown)
    assert developer.press(shown, f"{PAGE}/faults/remove").status_code == 303
    assert "There are no rules" in developer.page(PAGE)
    wrong = developer.press(page, f"{PAGE}/faults", effect="slow_body")
    assert wrong.status_code == 400 and "time" in text_of(wrong)


def test_a_rule_for_every_path_is_removed_by_a_new_visitor(emulator: BulkwrightServer) -> None:
    """The console meets no rule: neither its sign-in, nor its style sheet; nor is it counted."""
    emulator.reset()
    emulator.fault(effect="unavailable")
    with Browser(emulator.base_url) as visitor:
        assert visitor.get("/").is_redirect
        sign_in(visitor, emulator)
        jobs = visitor.get(f"{CONSOLE}/jobs")
        style = re.search(r'href="([^"]+\.css[^"]*)"', jobs.text)
        assert style and visitor.get(style[1]).status_code == 200
        assert visitor.get("/api/v1/jobs").status_code == 503
        page = visitor.get(PAGE)
        assert "unavailable any any 1 always 1 1 Remove" in text_of(page)
        assert visitor.press(page, f"{PAGE}/faults/remove").status_code == 303
        assert visitor.get("/api/v1/jobs").status_code == 401


def test_requests_are_listed_without_those_of_the_console(
    emulator: BulkwrightServer, developer: Browser
) -> None:
    """What the service does not have is marked, and can be shown alone."""
    httpx2.get(f"{emulator.base_url}/crm/v8/org", headers=emulator.headers)
    httpx2.get(f"{emulator.base_url}/crm/v8/Leads/1/Notes?a=<b>", headers=emulator.headers)
    faults = f"{PAGE}/faults"
    assert developer.press(developer.get(PAGE), faults, effect="unavailable").status_code == 303
    assert developer.get(f"{CONSOLE}/jobs").status_code == 200
    page = developer.page(PAGE)
    assert "GET /crm/v8/org" in page and "Not implemented" in page and "GET /console" not in page
    assert developer.press(developer.get(PAGE), f"{PAGE}/faults/remove").status_code == 303
    only = developer.page(f"{PAGE}?only=not_implemented")
    assert "GET /crm/v8/Leads/1/Notes" in only and "GET /crm/v8/org" not in only
    assert developer.press(developer.get(PAGE), f"{PAGE}/requests/clear").status_code == 303
    assert "No program has called the service" in developer.page(PAGE)


def test_a_reset_signs_out(emulator: BulkwrightServer, developer: Browser) -> None:
    """And the records are those of the start."""
    emulator.seed("Leads", [{"Last_Name": "Boyle"}])
    answer = developer.press(developer.get(PAGE), f"{PAGE}/reset")
    assert (answer.status_code, answer.headers["location"]) == (303, CONSOLE)
    assert developer.get(PAGE).status_code == 303
    assert emulator.records("Leads") == []
    sign_in(developer, emulator)
    assert developer.post(f"{PAGE}/reset", data={"csrf": "0" * 64}).status_code in (400, 403)
