"""A new import over its pages: upload, columns, the first rows, dry run, start."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from dataclasses import replace
from html import unescape
from typing import Any

import httpx2
import pytest
from jinja2 import Environment
from tests.console.conftest import CONSOLE, Browser, text_of, token_of
from tests.support.deployment import Deployment

from bulkwright.console import render
from bulkwright.service.first_rows import first_rows

IMPORT = f"{CONSOLE}/import"
CSV = (
    "Last Name,E-Mail Adress,Company,Closing,Annual Revenue\n"
    "Boyle,p.boyle@zylker.example,Zylker,29.02.2024,1.5\n"
    "<b>Kay</b>,none,Zylker,31.12.2024,2\n"
    ",kay@zylker.example,Zylker,01.01.2025,x\n"
)


def send(
    browser: Browser, data: str | bytes = CSV, name: str = "leads.csv", **fields: str
) -> httpx2.Response:
    """Uploads a file by the form; returns the response."""
    form = {"csrf": browser.csrf(IMPORT), "module": "Leads", "operation": "insert"} | fields
    return browser.post(IMPORT, data=form, files={"file": (name, data)})


def columns(browser: Browser, data: str = CSV, **fields: str) -> httpx2.Response:
    """Uploads a file; returns the page of its columns."""
    answer = send(browser, data, **fields)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"])


def chosen(page: httpx2.Response) -> dict[str, str]:
    """The fields of the form of a page, as a browser would send them."""
    form = {"csrf": token_of(page)}
    for tag in re.findall(r"<input[^>]*>", page.text):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            form[name[1]] = unescape(value[1]) if value else ""
    for name_, options in re.findall(
        r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page.text, re.S
    ):
        found = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        form[name_] = (found[1] if found[1] is not None else found[2]) if found else ""
    return form


def press(browser: Browser, page: httpx2.Response, **changes: str) -> httpx2.Response:
    """Sends the form of a page with changes."""
    return browser.post(str(page.url).partition("?")[0], data=chosen(page) | changes)


def job_of(server: Deployment, answer: httpx2.Response) -> dict[str, Any]:
    """The job to which a response leads."""
    assert answer.status_code == 303, text_of(answer)
    number = answer.headers["location"].rpartition("/")[2]
    found: dict[str, Any] = server.get(f"/api/v1/jobs/{number}").json()
    return found


def test_a_form_that_is_sent_twice_makes_one_job(server: Deployment, browser: Browser) -> None:
    """A dry run of the page is made anew, and a page that was loaded anew makes another job."""
    page = columns(browser)
    first = job_of(server, press(browser, page, step="start"))
    assert job_of(server, press(browser, page, step="start"))["id"] == first["id"]
    tried = {job_of(server, press(browser, page, step="dry-run"))["id"] for _ in range(2)}
    assert len(tried) == 2 and first["id"] not in tried
    again = browser.get(str(page.url))
    assert job_of(server, press(browser, again, step="start"))["id"] != first["id"]


def test_a_file_becomes_a_job(server: Deployment, browser: Browser) -> None:
    """Headers find their fields by label and by similar spelling; the job has what was shown."""
    page = columns(browser)
    form = chosen(page)
    assert (form["field-0"], form["field-1"], form["field-2"]) == ("Last_Name", "Email", "Company")
    text = text_of(page)
    assert "by label" in text and "similar name, please check" in text
    job = job_of(server, press(browser, page, step="start"))
    assert (job["operation"], job["dry_run"]) == ("insert", False)
    (resource,) = job["resources"]
    assert {m["api_name"]: m["index"] for m in resource["mappings"]} == {
        "Last_Name": 0, "Email": 1, "Company": 2, "Annual_Revenue": 4,
    }  # fmt: skip
    assert resource["reading"]["columns_left_out"] == ["Closing"]


def test_the_first_rows_say_what_becomes_of_each_cell(browser: Browser) -> None:
    """By the rules of the engine: what is wrong stands beside the cell, and texts are text."""
    page = columns(browser)
    assert "<b>Kay" not in page.text
    text = text_of(page)
    assert "“none” is not an e-mail address." in text
    assert "The cell is empty, and the field must have a value." in text
    assert "“x” is not an amount" in text
    assert "2 of 3 rows would be skipped." in text


def test_a_format_is_suggested(server: Deployment, browser: Browser) -> None:
    """It holds for all of the first cells; others that fit are named."""
    csv = (
        'Deal_Name,Closing_Date,Stage,Amount\nA,29.02.2024,Won,"1.234,5"\nB,03.04.2024,Won,"7,0"\n'
    )
    page = columns(browser, csv, module="Deals")
    form = chosen(page)
    assert (form["format-1"], form["format-3"]) == ("dd.MM.yyyy", "#.##0,00")
    assert "Each of these rows can be read." in text_of(page)
    both = columns(browser, "Deal_Name,Closing_Date,Stage\nA,02-03-2024,Won\n", module="Deals")
    assert "fits too: MM-dd-yyyy" in text_of(both)
    wrong = press(browser, page, **{"format-1": "dd.QQ"})
    assert "dd.QQ is no format of this field." in text_of(wrong)
    job = job_of(server, press(browser, page, step="dry-run"))
    assert job["dry_run"] is True
    formats = {m["api_name"]: m.get("format") for m in job["resources"][0]["mappings"]}
    assert formats["Closing_Date"] == "dd.MM.yyyy"


def test_the_user_decides(server: Deployment, browser: Browser) -> None:
    """A column can be left out, another module chosen, a mandatory field filled in each row."""
    page = press(browser, columns(browser), **{"field-0": "", "default-Last_Name": ""})
    assert "Fields that every new record needs" in text_of(page)
    page = press(browser, page, **{"default-Last_Name": "Unknown", "field-3": "Description"})
    job = job_of(server, press(browser, page, step="start", stop_after="5"))
    mappings = {m["api_name"]: m for m in job["resources"][0]["mappings"]}
    assert mappings["Last_Name"] == {"api_name": "Last_Name", "default": "Unknown"}
    assert mappings["Description"]["index"] == 3
    assert job["on_error"] == {"stop_after": 5}
    contacts = chosen(press(browser, page, module="Contacts"))
    assert contacts["matched_module"] == "Contacts" and contacts["field-0"] == "Last_Name"


def test_the_rows_of_a_small_file_are_counted(browser: Browser) -> None:
    """Those that a job has: a quoted cell may have several lines."""
    text = text_of(columns(browser, 'Last Name,Company\nBoyle,"a\nb"\n\nKay,c\n'))
    assert "columns separated by a comma, 2 rows " in text
    assert ", 0 rows " in text_of(columns(browser, "Last Name\n"))


@pytest.mark.parametrize(("rows", "total"), [(0, 0), (7, 7), (30_000, 30_000), (50_000, None)])
def test_a_large_file_is_not_read_to_its_end(
    any_server: Deployment, rows: int, total: int | None
) -> None:
    """Its rows are those that were counted with the upload, if they were."""
    headers = {"Authorization": f"Bearer {any_server.tenant.token}"}
    files = {"file": ("x.csv", "Last Name\n" + "Boyle\n" * rows)}
    sent = any_server.http.post("/api/v1/files", headers=headers, files=files).json()
    services = any_server.services
    upload = services.upload_store.upload(any_server.tenant.org.id, int(sent["id"]))
    assert upload is not None
    found = first_rows(services.files, upload, replace(upload.csvs[0], rows=None), 10)
    assert (len(found.rows), found.total) == (min(rows, 10), total)


def test_a_wide_file_has_a_page_too(browser: Browser) -> None:
    """A list of all fields for each of its columns would be megabytes."""
    names = [f"Column {n}" for n in range(198)]
    page = columns(browser, ",".join([*names, "Last Name"]) + "\n" + "," * 198 + "Boyle\n")
    assert chosen(page)["field-198"] == "Last_Name" and len(page.content) < 1_000_000


def test_all_or_nothing_and_a_priority(server: Deployment, browser: Browser) -> None:
    """They are those of the API, are taken over, and stand in the commands."""
    page = press(browser, columns(browser), all_or_nothing="on", priority="high")
    assert "--all-or-nothing" in page.text and "--priority high" in page.text
    job = job_of(server, press(browser, page, step="dry-run", all_or_nothing="on"))
    assert (job["on_error"], job["priority"]) == ("all_or_nothing", "high")
    text = browser.page(f"{CONSOLE}/jobs/{job['id']}")
    assert "all or nothing" in text and "Priority high" in text
    again = browser.get(f"{str(page.url).partition('?')[0]}?from={job['id']}")
    assert 'name="all_or_nothing" checked' in again.text and chosen(again)["priority"] == "high"


def test_an_upsert_names_what_finds_records(server: Deployment, browser: Browser) -> None:
    page = press(browser, columns(browser), operation="upsert")
    assert "Records are found by" in text_of(page)
    form = chosen(page) | {"find_by": "Email", "ignore_empty": "on", "step": "start"}
    job = job_of(server, browser.post(str(page.url).partition("?")[0], data=form))
    (resource,) = job["resources"]
    assert (job["operation"], resource["find_by"], resource["ignore_empty"]) == (
        "upsert", "Email", True,
    )  # fmt: skip


def test_the_choices_of_a_job_are_taken_over(server: Deployment, browser: Browser) -> None:
    """After a dry run the same is imported, without choosing again."""
    page = columns(browser)
    changes = {"field-1": "", "stop_after": "2.5%"}
    dry = job_of(server, press(browser, page, step="dry-run", **changes))
    again = browser.get(f"{str(page.url).partition('?')[0]}?from={dry['id']}")
    assert chosen(again)["field-1"] == ""
    job = job_of(server, press(browser, again, step="start"))
    assert job["resources"][0]["mappings"] == dry["resources"][0]["mappings"]
    assert job["on_error"] == {"stop_after_percent": 2.5}


def test_the_choices_of_a_job_hold_for_another_file(server: Deployment, browser: Browser) -> None:
    """By the texts of its headers, in whatever order the columns are."""
    page = columns(browser)
    before = job_of(server, press(browser, page, step="dry-run", **{"field-3": "Description"}))
    other_file = columns(browser, "Closing,More,Last Name\n1,2,Boyle\n")
    assert f"?from={before['id']}" in other_file.text
    path = str(other_file.url).partition("?")[0]
    taken = chosen(browser.get(f"{path}?from={before['id']}"))
    assert (taken["field-0"], taken["field-1"], taken["field-2"]) == (
        "Description",
        "",
        "Last_Name",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"field-1": "Last_Name"}, "DUPLICATE_DATA"),
        ({"stop_after": "many"}, "whole number"),
        ({"stop_after": "2%%"}, "whole number"),
        ({"stop_after": "2", "all_or_nothing": "on"}, "leave the number out"),
        ({"stop_after": "-1"}, "stop_after"),
        ({"stop_after": "200%"}, "stop_after"),
        ({"callback_url": "ftp://x"}, "callback_url"),
        ({"field-0": "Nothing"}, "INVALID_FIELD"),
        ({"field-0": ""}, "mandatory"),
    ],
)
def test_a_job_that_cannot_be_created_is_explained(
    browser: Browser, changes: dict[str, str], code: str
) -> None:
    """On the same page, with the choices as they are."""
    answer = press(browser, columns(browser), step="start", **changes)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text and code in answer.text, text_of(answer)


def test_a_file_that_cannot_be_read_is_explained(browser: Browser) -> None:
    for data, name in (
        (b"\x00\x01\x02" * 100, "x.bin"),
        (b"", "empty.csv"),
        (b"PK\x03\x04x", "x.zip"),
    ):
        answer = send(browser, data, name)
        assert answer.status_code == 400, answer.text
        assert 'role="alert"' in answer.text
    answer = browser.post(IMPORT, data={"csrf": browser.csrf(IMPORT)})
    assert answer.status_code == 400


def test_a_file_of_another_org_does_not_exist(browser: Browser, other: Browser) -> None:
    page = columns(browser)
    path = str(page.url).partition("?")[0]
    assert other.get(path).status_code == 404
    sent = {"csrf": other.csrf(IMPORT), "operation": "insert", "module": "Leads", "step": "start"}
    assert other.post(path, data=sent).status_code == 404


def test_the_same_is_shown_for_other_tools(server: Deployment, browser: Browser) -> None:
    """The body for curl creates the job, the words of the command are one line of a shell."""
    page = columns(browser)
    curl, line, python = (
        unescape(text) for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page.text, re.S)
    )
    words = shlex.split(curl, comments=True)
    body = json.loads(words[words.index("--json") + 1])
    body["file_id"] = str(page.url).partition("?")[0].rpartition("/")[2]
    headers = {"Authorization": f"Bearer {server.tenant.token}"}
    made = server.http.post("/api/v1/jobs", headers=headers, json=body)
    assert made.status_code == 201, made.text
    assert len(made.json()["resources"][0]["mappings"]) == 4
    command = shlex.split(line)
    assert command[:3] == ["bulkwright", "write", "leads.csv"]
    assert "E-Mail Adress=Email" in command and "Closing=" in command
    compile(python, "example", "exec")


def test_a_limit_that_is_no_number_leaves_the_page_as_it_is(browser: Browser) -> None:
    """Only the start says so; before, the page has no commands."""
    page = columns(browser)
    for limit in ("ten", "1,000", 5000 * "9"):
        shown = press(browser, page, stop_after=limit)
        assert shown.status_code == 200 and "bulkwright write" not in shown.text
        assert press(browser, page, stop_after=limit, step="start").status_code == 400


def test_choices_are_not_taken_over_for_a_zip_without_a_csv(
    server: Deployment, browser: Browser
) -> None:
    """The page says what is wrong with the zip."""
    job = job_of(server, press(browser, columns(browser), step="start"))
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    sent = send(browser, empty.getvalue(), "empty.zip")
    url = sent.headers["location"].partition("?")[0]
    answer = browser.get(f"{url}?from={job['id']}")
    assert answer.status_code == 400 and "holds no CSV" in answer.text


def test_the_commands_run_nothing_of_the_address(browser: Browser) -> None:
    """A link that another person has made may name any field."""
    url = send(browser).headers["location"].partition("?")[0]
    query = {"module": "Leads", "operation": "update", "find_by": "$(reboot)"}
    page = unescape(browser.get(url, params=query).text)
    assert "--find-by '$(reboot)'" in page


def test_choices_are_kept_under_a_name(server: Deployment, browser: Browser) -> None:
    """They are chosen for the next file; what does not fit is named, and the rest holds."""
    page = columns(browser)
    changes = {"field-1": "", "field-3": "Description", "stop_after": "2%", "default-City": "Trier"}
    saved = press(browser, page, step="save", template="Fair <26>", **changes)
    assert saved.status_code == 200 and "The choices are saved as Fair <26>." in text_of(saved)
    assert chosen(saved)["field-3"] == "Description" and chosen(saved)["template"] == "Fair <26>"
    answer = send(browser, "Closing,Phone,Last Name\n1,2,Boyle\n", template="Fair <26>")
    assert answer.headers["location"].endswith("?template=Fair%20%3C26%3E")
    page = browser.get(answer.headers["location"])
    text = text_of(page)
    assert "The choices are those of the template Fair <26> ." in text
    assert (
        "The file lacks these columns of the template: E-Mail Adress, Company, Annual Revenue"
        in (text)
    )
    assert "The template does not know this column of the file: Phone." in text
    form = chosen(page)
    assert (form["field-0"], form["field-1"], form["field-2"]) == ("Description", "", "Last_Name")
    assert form["stop_after"] == "2%"
    job = job_of(server, press(browser, page, step="start"))
    assert job["on_error"] == {"stop_after_percent": 2.0}
    listed = browser.page(f"{CONSOLE}/templates")
    assert "Fair <26> insert Leads" in listed and server.tenant.user.name in listed
    mapping = browser.get(f"{CONSOLE}/templates/Fair%20%3C26%3E/mapping").json()
    assert mapping["map"]["Closing"] == "Description" and mapping["map"]["E-Mail Adress"] == ""
    deleted = browser.press(
        browser.get(f"{CONSOLE}/templates"), f"{CONSOLE}/templates/Fair%20%3C26%3E/delete"
    )
    assert deleted.status_code == 303
    assert "Fair <26>" not in browser.page(f"{CONSOLE}/templates")


def test_commands_say_only_what_is_needed(browser: Browser) -> None:
    """No option for a column that finds its field by itself, and no import without a use."""
    page = unescape(columns(browser, "Last_Name,Mail\nBoyle,p@x.example\n").text)
    assert "--map Last_Name" not in page
    program = page[page.index("import os") : page.index("print(job.wait())")]
    assert "import NewFieldMapping" in program and "DefaultValue" not in program
    compile(program, "program", "exec")


def test_a_template_names_columns_by_their_places(server: Deployment, browser: Browser) -> None:
    """All of them if the user says so; otherwise those that no header of their own names."""
    page = columns(browser, "Last Name,,City,City\nBoyle,1.5,Trier,Bonn\n")
    changes = {"field-1": "Annual_Revenue", "field-3": "City", "field-2": ""}
    page = press(browser, page, **changes)
    line = unescape(page.text)
    assert "--map 'column 2=Annual_Revenue'" in line and "--map 'column 3='" in line
    for name, more in (("some", {}), ("all", {"by_place": "on"})):
        saved = press(browser, page, step="save", template=name, **more)
        assert saved.status_code == 200, text_of(saved)
    found = {n: server.get(f"/api/v1/import-templates/{n}/mapping").json() for n in ("some", "all")}
    rest = {"column 2": "Annual_Revenue", "column 3": "", "column 4": "City"}
    assert found["some"]["map"] == {"Last Name": "Last_Name", **rest}
    assert found["all"]["map"] == {"column 1": "Last_Name", **rest}
    other = columns(browser, "Surname,Turnover,Town,Place\nKay,2,Trier,Bonn\n")
    taken = browser.get(f"{str(other.url).partition('?')[0]}?template=all")
    form = chosen(taken)
    assert [form[f"field-{n}"] for n in range(4)] == ["Last_Name", "Annual_Revenue", "", "City"]
    assert 'name="by_place" checked' in taken.text and "lacks" not in text_of(taken)
    job = job_of(server, press(browser, taken, step="start"))
    assert len(job["resources"][0]["mappings"]) == 3


def test_a_header_that_looks_like_values_is_named(browser: Browser) -> None:
    """The first row of a file is always its header, and the page says what that means."""
    for csv in ("Boyle,b@zylker.example\nKay,k@zylker.example\n", "Boyle,29.02.2024\nKay,x\n"):
        text = text_of(columns(browser, csv))
        assert "Here it looks like values: Boyle, " in text
        assert "write the names of the columns above its first row" in text
    assert "looks like values" not in text_of(columns(browser, CSV))


def test_a_template_says_what_the_module_lost(server: Deployment, browser: Browser) -> None:
    """A template outlives fields of its module; formats and lookups are taken over."""
    csv = "Deal_Name,Closing_Date,Stage,Account\nA,29.02.2024,Won,Zylker\n"
    page = columns(browser, csv, module="Deals")
    page = press(browser, page, **{"field-3": "Account_Name"})
    saved = press(browser, page, step="save", template="deals", **{"find_by-3": "Account_Name"})
    assert saved.status_code == 200, text_of(saved)
    path = str(page.url).partition("?")[0]
    form = chosen(browser.get(f"{path}?template=deals"))
    assert (form["format-1"], form["find_by-3"]) == ("dd.MM.yyyy", "Account_Name")
    store = server.services.import_templates.store
    found = store.template(server.tenant.org.id, "deals")
    assert found is not None
    gone = {"Deal_Name": "Deal_Name", "Stage": "Gone"}
    store.save(
        server.tenant.org.id, server.tenant.user.id, "deals", replace(found.choices, columns=gone)
    )
    text = browser.page(f"{path}?template=deals")
    assert "The module does not have this field of the template any more: Gone." in text
    assert browser.get(f"{path}?template=nothing").status_code == 404


@pytest.mark.parametrize(
    ("csv", "name", "text"),
    [
        ("Last Name\nx\n", "", "Give the template a name."),
        ("Last Name\nx\n", "a/b", "printable characters"),
    ],
)
def test_a_template_that_cannot_be_saved_is_explained(
    browser: Browser, csv: str, name: str, text: str
) -> None:
    page = columns(browser, csv)
    answer = press(browser, page, step="save", template=name)
    assert answer.status_code == 400 and text in text_of(answer), text_of(answer)


def test_templates_of_another_org_do_not_exist(browser: Browser, other: Browser) -> None:
    press(browser, columns(browser), step="save", template="ours")
    assert "No templates yet" in other.page(f"{CONSOLE}/templates")
    assert other.get(f"{CONSOLE}/templates/ours/mapping").status_code == 404
    page = other.get(IMPORT)
    assert other.press(page, f"{CONSOLE}/templates/ours/delete").status_code == 404
    assert "ours" in browser.page(IMPORT)
    browser.press(browser.get(IMPORT), f"{CONSOLE}/templates/ours/delete")


def test_no_visitor_waits_for_a_template_to_be_compiled(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are compiled in the background; the columns take 0.1 s of CPU, their page a tenth."""
    render.compile_templates()
    monkeypatch.setattr(Environment, "compile", None)
    assert "The first rows" in text_of(columns(browser))
