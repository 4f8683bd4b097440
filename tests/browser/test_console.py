"""The console in a real browser: a whole import, its undo, filters, sign-in, and barriers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.browser import axe
from tests.support.chromium import Chromium
from tests.support.live import Live
from tests.support.processes import until

PASSWORD = "correct horse battery staple"
HOSTILE = "<img src=x onerror=document.title=1>'\"&amp;.csv"
ROWS = (
    "Last Name;E-Mail Address;Company;Annual Revenue\n"
    'Boyle;p.boyle@fair.example;"<script>document.title=2</script>";1.234,50\n'
    "Kay;none;Zylker;7,00\n"
    "Nguyen;hong@fair.example;Songhan;12,5\n"
)
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
TAB, ENTER = "\ue004", "\ue007"


@pytest.fixture(scope="module")
def live(browsers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with a worker."""
    with Live(tmp_path_factory.mktemp("console") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def shared(browsers: None) -> Iterator[Chromium]:
    """A browser; its start takes longer than a test."""
    with Chromium() as made:
        yield made


@pytest.fixture
def browser(shared: Chromium, live: Live) -> Chromium:
    """The browser, with the development user signed in."""
    shared.emulate()
    shared.visit(f"{live.base_url}/console")
    if shared.has("button[name=user]"):
        shared.click("button[name=user]")
        shared.until(lambda: shared.has(".top"))
    shared.log()
    return shared


def api(live: Live, path: str) -> Any:
    """What the own API returns."""
    headers = {"Authorization": f"Bearer {live.access_token}"}
    answer = httpx2.get(f"{live.base_url}/api/v1/{path}", headers=headers, verify=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def add_job(live: Live, rows: str, module: str = "Leads", **more: object) -> str:
    """A new job without the console; returns its id."""
    headers = {"Authorization": f"Bearer {live.access_token}"}
    with httpx2.Client(base_url=f"{live.base_url}/api/v1", headers=headers, verify=False) as http:
        file = http.post("/files", files={"file": ("rows.csv", rows)}).json()["id"]
        body = {"operation": "insert", "module": module, "file_id": file, **more}
        return str(http.post("/jobs", json=body).json()["id"])


def state(browser: Chromium) -> str:
    """The state of the job, or of the undo, on the page."""
    return browser.text("main .pill")


def test_a_whole_import_and_its_undo(browser: Chromium, live: Live, tmp_path: Path) -> None:
    """From a file with a hostile name and a hostile cell to its records, and back.

    No script of the file runs, and nothing of a page breaks the policy of its content.
    """
    file = tmp_path / HOSTILE
    file.write_text(ROWS)
    browser.visit(f"{live.base_url}/console/jobs")
    browser.click("main a[href$='/console/import']")
    browser.type("#file", str(file))
    browser.click("button.main")
    browser.until(lambda: browser.has("#import"))
    assert browser.text("h1") == HOSTILE
    assert browser.script("return document.querySelector('#field-1').value") == "Email"
    assert browser.script("return document.querySelector('#format-3').value") == "#.##0,00"
    assert "1 of 3 rows would be skipped." in browser.text()
    assert "<script>document.title=2</script>" in browser.text(".cells")
    browser.choose("#field-2", "")
    browser.until(lambda: "Company" not in browser.text(".cells thead"))
    browser.choose("#field-2", "Company")
    browser.until(lambda: "Company" in browser.text(".cells thead"))
    browser.click("button[value=dry-run]")
    browser.until(lambda: browser.has("#job") and state(browser) == "Completed")
    browser.until(lambda: "Dry run" in browser.text(".state"))
    browser.until(lambda: "Nothing is stored" in browser.text(".progress .note"))
    browser.until(lambda: browser.has(".head a.main"))
    browser.click(".head a.main")
    browser.until(lambda: browser.has("button[value=start]"))
    browser.click("button[value=start]")
    browser.until(lambda: browser.has("#job") and state(browser) == "Completed")
    browser.until(lambda: browser.has("details.group"))
    browser.until(lambda: "The failed rows are not stored." in browser.text(".progress .note"))
    assert "“none” is not an e-mail address" in browser.text("#error-groups")
    assert browser.script("return document.title").startswith("insert Leads")
    job = browser.url.rpartition("/")[2]
    assert api(live, f"jobs/{job}")["rows"] == {
        "processed": 3, "added": 2, "updated": 0, "unchanged": 0, "skipped": 1,
    }  # fmt: skip
    browser.visit(f"{live.base_url}/console/modules/Leads/records")
    assert "hong@fair.example" in browser.text()
    browser.click("main tbody a")
    browser.until(lambda: browser.has("ol.history"))
    assert f"created by job {job}" in browser.text("#history")
    assert browser.script("return document.title").startswith("Lead ")
    browser.visit(f"{live.base_url}/console/modules/Leads/records")
    assert "<script>document.title=2</script>" in browser.text()

    browser.visit(f"{live.base_url}/console/jobs/{job}")
    browser.click(".confirm:has(button[name=preview]) summary")
    browser.click("button[name=preview]")
    browser.until(lambda: browser.has("#undo") and state(browser) == "Completed")
    assert "Records would be removed\n2" in browser.text(".tiles")
    assert "hong@fair.example" in records(live)
    browser.click("button.danger")
    browser.until(lambda: "Undo of" in browser.text("h1") and state(browser) == "Completed")
    assert "hong@fair.example" not in records(live)
    assert browser.script("return document.title").startswith("Undo of")
    browser.visit(f"{live.base_url}/console/jobs/{job}")
    assert "was undone" in browser.text(".note") and not browser.has("button[name=preview]")
    assert [line for line in browser.log() if "404" not in line] == []


def test_enter_in_a_field_of_an_import_updates_the_preview(
    browser: Chromium, live: Live, tmp_path: Path
) -> None:
    """It starts no job. The field keeps the focus, so that the user can continue to type."""
    file = tmp_path / "deals.csv"
    file.write_text("Deal_Name,Closing_Date,Stage\nFair,29.02.2024,Won\n")
    browser.visit(f"{live.base_url}/console/import?module=Deals")
    browser.type("#file", str(file))
    browser.click("button.main")
    browser.until(lambda: browser.has("#import"))
    before = api(live, "jobs")["jobs"]
    for field, text, shown in (
        ("#format-1", "x", "dd.MM.yyyyx is no format of this field."),
        ("#stop_after", "7", "--max-errors 7"),
    ):
        browser.type(field, text + ENTER)
        browser.until(lambda: shown in browser.script("return document.body.textContent"))  # noqa: B023
        assert browser.script("return '#' + document.activeElement.id") == field
        assert browser.has("#import") and browser.url.endswith("operation=insert")
    assert api(live, "jobs")["jobs"] == before


def records(live: Live) -> str:
    """The leads, as the Zoho API returns them."""
    url = f"{live.base_url}/crm/v8/Leads?fields=Email"
    return httpx2.get(url, headers=live.headers, verify=False).text


def test_the_end_of_a_job_is_explained(browser: Chromium, live: Live) -> None:
    """What became of its rows, and what to do next. A short job has no time of `0.0 s`."""
    bad = "Last_Name,Email\nBoyle,b@end.example\nKay,none\n"
    for limit, text in (
        ({"stop_after": 0}, "More rows were skipped than the job allows. What was stored stays."),
        ("all_or_nothing", "Nothing of the file is stored."),
    ):
        job = add_job(live, bad, on_error=limit)
        until(lambda: api(live, f"jobs/{job}")["status"] == "FAILED")  # noqa: B023
        browser.visit(f"{live.base_url}/console/jobs/{job}")
        note = browser.text(".progress .note")
        assert text in note and "correct them, and import that file" in note
        assert "0.0 s" not in browser.text(".state")


def test_filters_change_the_list_without_a_new_page(browser: Chromium, live: Live) -> None:
    """The address has them, so that a link shows the same list."""
    account = add_job(live, "Account Name\nZylker\n", "Accounts")
    lead = add_job(live, "Last Name\nBoyle\n")
    browser.visit(f"{live.base_url}/console/jobs")
    browser.script("window.kept = true")
    browser.choose("select[name=module]", "Accounts")
    browser.until(lambda: not browser.has(f"#job-{lead}"))
    assert browser.has(f"#job-{account}")
    assert browser.script("return window.kept") is True
    assert "module=Accounts" in browser.url
    browser.visit(browser.url)
    assert browser.has(f"#job-{account}") and not browser.has(f"#job-{lead}")


def test_progress_moves(browser: Chromium, live: Live) -> None:
    """A list and a page show the end of a job without a click."""
    job = add_job(
        live, "Last Name,Email\n" + "".join(f"N{n},m{n}@x.example\n" for n in range(9000))
    )
    browser.visit(f"{live.base_url}/console/jobs")
    row = f"tr:has(#job-{job})"
    browser.until(lambda: "Completed" in browser.text(row) and "9,000" in browser.text(row))
    again = add_job(live, "Last Name\n" + "Boyle\n" * 9000)
    browser.visit(f"{live.base_url}/console/jobs/{again}")
    browser.until(lambda: state(browser) == "Completed")
    browser.until(lambda: browser.has("#files"))
    assert "9,000" in browser.text(".tiles")


def test_a_user_signs_in_with_a_password(live: Live) -> None:
    """And comes back to the page that was wanted. Scripts cannot read the cookies."""
    email = "kay@zylker.example"
    for act, more, given in (("add", ("--last-name", "Kay"), ""), ("password", (), PASSWORD)):
        line = [sys.executable, "-m", "bulkwright", "user", act, email, *more]
        command = [*line, "--data", str(live.data)]
        subprocess.run(command, input=f"{given}\n", text=True, check=True, capture_output=True)
    with Chromium() as browser:
        browser.visit(f"{live.base_url}/console/org")
        browser.click("summary")
        browser.type("#email", email)
        browser.type("#password", "not the password")
        browser.click("button.main")
        browser.until(lambda: browser.has("[role=alert]"))
        assert browser.text("[role=alert]") == "The e-mail or the password is wrong."
        browser.type("#password", PASSWORD)
        browser.click("button.main")
        browser.until(lambda: browser.has("#users"))
        assert browser.script("return document.cookie") == ""
        browser.click(".who button")
        browser.until(lambda: browser.text("h1") == "Sign in")
        browser.visit(f"{live.base_url}/console/org")
        assert browser.text("h1") == "Sign in"


def test_the_keyboard_alone_is_enough(browser: Chromium, live: Live) -> None:
    """The first tab offers to skip the navigation; a job is opened and its menu used by keys."""
    job = add_job(live, "Last Name\nBoyle\n")
    until(lambda: api(live, f"jobs/{job}")["status"] == "COMPLETED")
    browser.visit(f"{live.base_url}/console/jobs")
    browser.press(TAB)
    assert browser.script("return document.activeElement.textContent") == "Skip to the content"
    browser.press(ENTER)
    assert browser.script("return document.activeElement.id") == "main"
    browser.script(f"document.querySelector('#job-{job}').focus()")
    browser.press(ENTER)
    browser.until(lambda: browser.has("#job"))
    browser.script("document.querySelector('.confirm:last-of-type summary').focus()")
    browser.press(ENTER)
    browser.press(TAB)
    assert browser.script("return document.activeElement.textContent") == "Delete this job"


def test_what_ends_access_asks_first(browser: Chromium, live: Live) -> None:
    """A click on Revoke shows a question; the button below it revokes the token."""
    browser.visit(f"{live.base_url}/console/access")
    browser.click("main section:last-of-type > details summary")
    browser.click("main section:last-of-type .form button")
    browser.until(lambda: browser.has(".once"))
    row = "main section:last-of-type tbody tr:first-child"
    token = browser.text(f"{row} .id")
    browser.click(f"{row} summary")
    assert "are rejected from now on" in browser.text(row)
    assert browser.text(f"{row} .id") == token
    browser.click(f"{row} button")
    browser.until(lambda: token not in browser.text("main"))


@pytest.fixture(scope="module")
def pages(live: Live) -> list[str]:
    """The address of each page, with something to show."""
    bad = "Last Name,Email\nBoyle,none\nKay,kay@pages.example\n"
    job = add_job(live, bad)
    until(lambda: api(live, f"jobs/{job}")["status"] == "COMPLETED")
    file = api(live, f"jobs/{job}")["resources"][0]["file_id"]
    url = f"{live.base_url}/crm/v8/Leads?fields=Email&per_page=1"
    record = httpx2.get(url, headers=live.headers, verify=False).json()["data"][0]["id"]
    headers = {"Authorization": f"Bearer {live.access_token}"}
    undo = httpx2.post(
        f"{live.base_url}/api/v1/jobs/{job}/undo", headers=headers, json={"dry_run": True},
        verify=False,
    ).json()["id"]  # fmt: skip
    with httpx2.Client(base_url=live.base_url, headers=headers, verify=False) as http:
        mapping = {"map": {"Last Name": "Last_Name", "Gone": "City"}}
        template = {"module": "Leads", "operation": "insert", "mapping": mapping}
        assert http.put("/api/v1/import-templates/Fair", json=template).is_success
        query = {"query": {"module": {"api_name": "Leads"}}}
        made = http.post("/crm/bulk/v8/read", json=query, headers=live.headers).json()
    read = made["data"][0]["details"]["id"]
    paths = (
        "jobs", f"jobs/{job}", f"jobs/{job}/errors", f"undos/{undo}", "import",
        f"import/{file}?module=Leads", f"import/{file}?template=Fair", "templates", "reads",
        f"reads/{read}", "modules", "modules/Leads", "modules/Leads/records",
        f"modules/Leads/records/{record}",
        f"modules/Leads/records/{record}/history", "org", "access", "audit", "emulator",
        "nothing", "sign-in",
    )  # fmt: skip
    return [f"{live.base_url}/console/{path}" for path in paths]


def test_no_page_has_a_serious_barrier(browser: Chromium, pages: list[str]) -> None:
    """In light and dark, with everything opened that can be opened."""
    text = axe.script()
    found = {}
    for scheme in ("light", "dark"):
        browser.emulate(scheme)
        for url in pages:
            browser.visit(url)
            browser.script(
                "for (const one of document.querySelectorAll('details')) one.open = true"
            )
            if barriers := axe.barriers(browser, text):
                found[f"{scheme} {url}"] = barriers
    assert found == {}


def test_no_page_is_wider_than_a_phone(browser: Chromium, pages: list[str]) -> None:
    """Also with each of its questions open."""
    browser.emulate(width=390, height=844)
    wide = {}
    for url in pages:
        browser.visit(url)
        number = browser.script("return document.querySelectorAll('.confirm').length")
        for at in range(-1, number):
            browser.script(
                f"document.querySelectorAll('.confirm').forEach((d, n) => d.open = n == {at})"
            )
            if browser.script(OVERFLOW) > 0:
                wide[url, at] = browser.script(OVERFLOW)
    assert wide == {}
