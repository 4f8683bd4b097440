"""The founding page's second sample in a real browser: sign in, agree, read job details.

Only its hosts and its job id are replaced, and its client if port 5500 is in use.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from tests.browser.site import Site
from tests.support.caller import Caller
from tests.support.chromium import Chromium
from tests.support.live import Live

from bulkwright.service.setup import SAMPLE_CLIENT_ID, SAMPLE_REDIRECT

SAMPLE_HOST, SAMPLE_JOB = "https://zylkercorp.zohoplatform.com", "34770619080471"
SAMPLE_PORT = 5500
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Scene:
    """A live service, a web page on another origin, a job, and a browser."""

    browser: Chromium
    page: str
    job: str
    base_url: str
    page_port: int

    def popup(self, opener: str) -> str:
        """Switches to the window that the page has opened, and returns it."""
        others = self.browser.until(lambda: [w for w in self.browser.windows if w != opener])
        self.browser.switch(others[0])
        self.browser.until(lambda: self.browser.has("h1"))
        return others[0]

    def printed(self, opener: str) -> dict[str, object]:
        """Waits for the job details on the page, and returns them."""
        self.browser.until(lambda: self.browser.windows == [opener])
        self.browser.switch(opener)
        self.browser.until(lambda: self.browser.text("#printed").startswith("200"))
        found: dict[str, object] = json.loads(self.browser.text("#printed").partition("\n")[2])
        return found


def bulkwright(data: Path, *line: str, given: str = "") -> str:
    """Runs the command with `given` as its standard input; returns its output."""
    command = [sys.executable, "-m", "bulkwright", *line, "--data", str(data)]
    environment = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, input=given, env=environment
    )
    return done.stdout


def site() -> Site:
    """Returns the web page on the sample's own port if it is free, otherwise on another port."""
    try:
        return Site(SAMPLE_PORT)
    except OSError:
        return Site(0)


@pytest.fixture(scope="module")
def stage(
    browsers: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Site, str]]:
    """A live service with a finished job and a password, and the sample's page."""
    data = tmp_path_factory.mktemp("browser") / "data"
    with Live(data) as live, site() as page:
        caller = Caller(live)
        with caller.http:
            job = caller.create(caller.insert(caller.upload()))
            caller.ended(job)
        email = live.credentials["user"]["email"]
        bulkwright(data, "user", "password", email, given=f"{PASSWORD}\n")
        page.replaced |= {SAMPLE_HOST: live.base_url, SAMPLE_JOB: job}
        redirect = f"{page.origin}/redirect.html"
        if redirect != SAMPLE_REDIRECT:
            line = ("client", "add", "Sample", "--kind", "javascript", "--redirect-uri", redirect)
            made = bulkwright(data, *line).split()[1]
            page.replaced |= {SAMPLE_CLIENT_ID: made, SAMPLE_REDIRECT: redirect}
        yield live, page, job


@pytest.fixture
def scene(stage: tuple[Live, Site, str]) -> Iterator[Scene]:
    """The same with a new browser, which has loaded the page."""
    live, page, job = stage
    with Chromium() as browser:
        browser.visit(f"{page.origin}/index.html")
        port = int(page.origin.rpartition(":")[2])
        yield Scene(browser, browser.windows[0], job, live.base_url, port)


def _is_ours(details: dict[str, object], job: str) -> bool:
    wanted = {"id": job, "status": "COMPLETED", "operation": "insert"}
    return wanted.items() <= details.items() and "result" in details


def test_the_sample_signs_in_and_prints_job_details(scene: Scene, tmp_path: Path) -> None:
    """Its first call gets a 401. After one click and the consent it prints the details."""
    browser = scene.browser
    browser.until(lambda: browser.text("#printed").startswith("401"))
    assert '"INVALID_TOKEN"' in browser.text("#printed")
    scene.popup(scene.page)
    assert browser.text("h1") == "Sign in"
    browser.screenshot(tmp_path / "sign-in.png")
    browser.click("button[name=user]")
    browser.until(lambda: browser.text("h1") == "Allow access?")
    assert "Sample of the documentation" in browser.text() or scene.page_port != SAMPLE_PORT
    assert browser.text("ul").splitlines() == [
        *("See the users", "See and change records of every module", "See modules and fields"),
        *("See the organization", "Upload files", "Write records in bulk, and see the results"),
    ]
    browser.screenshot(tmp_path / "consent.png")
    assert [line for line in browser.log() if "Content Security Policy" in line] == []
    browser.click("button[value=accept]")
    assert _is_ours(scene.printed(scene.page), scene.job)
    kept = browser.script("return {...sessionStorage}")
    assert kept["expires_in"] == "3600"
    assert (kept["api_domain"], kept["state"]) == (scene.base_url, "zohocrmclient")
    assert "refresh_token" not in kept


def test_the_next_sign_in_shows_no_page(scene: Scene) -> None:
    """After 59 minutes the sample loads the renewal, which redirects at once."""
    browser = scene.browser
    scene.popup(scene.page)
    browser.click("button[name=user]")
    browser.until(lambda: browser.has("button[value=accept]"))
    browser.click("button[value=accept]")
    scene.printed(scene.page)
    first = browser.script("return sessionStorage.access_token")
    browser.script("sessionStorage.__token_init = Date.now() - 3600000; location.reload()")
    browser.until(lambda: browser.script("return sessionStorage.access_token") not in (None, first))
    assert _is_ours(scene.printed(scene.page), scene.job)


def test_a_password_on_a_phone(scene: Scene, tmp_path: Path) -> None:
    """The page reports a wrong password, and nothing is wider than the screen."""
    browser = scene.browser
    scene.popup(scene.page)
    browser.resize(390, 844)
    browser.click("summary")
    browser.type("#email", "Patricia.Boyle@zylker.example")
    browser.type("#password", "not the password")
    browser.click("button[value=sign-in]")
    browser.until(lambda: browser.has("[role=alert]"))
    assert browser.text("[role=alert]") == "The e-mail or the password is wrong."
    browser.screenshot(tmp_path / "wrong.png")
    browser.type("#password", PASSWORD)
    browser.click("button[value=sign-in]")
    browser.until(lambda: browser.text("h1") == "Allow access?")
    browser.screenshot(tmp_path / "consent-phone.png")
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.script(overflow) == 0
    cookies = browser.script("return document.cookie")
    assert cookies == ""
    browser.click("button[value=accept]")
    assert _is_ours(scene.printed(scene.page), scene.job)


def test_a_rejection_gives_no_token(scene: Scene) -> None:
    """The page gets `access_denied` and no token."""
    browser = scene.browser
    scene.popup(scene.page)
    browser.click("button[name=user]")
    browser.until(lambda: browser.has("button[value=reject]"))
    browser.click("button[value=reject]")
    browser.until(lambda: browser.windows == [scene.page])
    browser.switch(scene.page)
    browser.until(lambda: browser.script("return localStorage.error") == "access_denied")
    assert browser.script("return localStorage.access_token || null") is None


def test_other_origins_can_neither_frame_nor_read_the_pages(scene: Scene) -> None:
    """A page of a registered origin could press Accept, even while the user is signed in."""
    browser = scene.browser
    scene.popup(scene.page)
    sign_in_url = browser.url
    browser.click("button[name=user]")
    browser.until(lambda: browser.has("button[value=accept]"))
    browser.switch(scene.page)
    browser.script(
        "const frame = document.createElement('iframe');"
        f"frame.src = {json.dumps(sign_in_url)}; document.body.append(frame);"
    )
    browser.until(lambda: any("frame-ancestors" in line for line in browser.log()))
    read = f"return fetch({json.dumps(sign_in_url)}, {{credentials: 'include'}})"
    error = browser.script(f"{read}.then((a) => a.text(), (e) => String(e))")
    assert error == "TypeError: Failed to fetch"
    assert httpx2.get(sign_in_url, verify=False).status_code == 200
