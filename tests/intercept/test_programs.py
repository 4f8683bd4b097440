"""Programs with Zoho's hosts and credentials in their code, unchanged, behind the interceptor."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from tests.intercept.conftest import Intercept, intercept_line
from tests.support.live import Live

from bulkwright.intercept.authority import Authority
from bulkwright.intercept.gateways import Seen, emulator_gateway
from bulkwright.intercept.proxy import ZohoProxy

PYTHON = """
import sys
import {library} as http

client = http.{client}
token = client.post(
    "https://accounts.zoho.eu/oauth/v2/token",
    data=dict(grant_type="refresh_token", refresh_token="1000.a.b", client_id="1000.X",
              client_secret="s"),
).json()
assert token["api_domain"] == "https://www.zohoapis.eu", token
head = {{"Authorization": "Zoho-oauthtoken " + token["access_token"]}}
made = client.post(
    token["api_domain"] + "/crm/v8/Leads", headers=head, json={{"data": [{{"Last_Name": "Boyle"}}]}}
)
assert made.status_code == 201, made.text
stored = client.get("https://www.zohoapis.com/crm/v2/Leads", headers={{
    "Authorization": "Zoho-oauthtoken 1000.kept.from.yesterday"}})
print(len(stored.json()["data"]) > 0, stored.json()["data"][0]["Last_Name"])
upload = client.post(
    "https://content.zohoapis.com/crm/v2/upload",
    headers={{**head, "feature": "bulk-write", "X-CRM-ORG": "70000001"}},
    files={{"file": ("leads.zip", open(sys.argv[1], "rb").read())}},
)
print(upload.json()["code"])
"""
FETCH = """
const form = new URLSearchParams({
  grant_type: "authorization_code", code: "1000.c", client_id: "1000.X", client_secret: "s" });
const accounts = "https://accounts.zoho.com/oauth/v2/token";
const answer = await fetch(accounts, { method: "POST", body: form });
const token = await answer.json();
const headers = { Authorization: `Zoho-oauthtoken ${token.access_token}` };
const user = await fetch(`${token.api_domain}/crm/v8/users?type=CurrentUser`, { headers });
const { users } = await user.json();
console.log(answer.status, typeof token.refresh_token, user.status, users.length);
"""
HTTPS = """
const https = require("https");
const options = { host: "www.zohoapis.com.au", path: "/crm/v2/org",
                  headers: { Authorization: "Zoho-oauthtoken any" } };
https.get(options, (answer) => { console.log(answer.statusCode); answer.resume(); });
"""
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
PHP = """<?php
$head = ["Authorization: Zoho-oauthtoken 1000.kept", "Content-Type: application/json"];
$call = curl_init("https://www.zohoapis.eu/crm/v8/Leads");
curl_setopt_array($call, [
    CURLOPT_HTTPHEADER => $head, CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POSTFIELDS => '{"data": [{"Last_Name": "Boyle"}]}',
]);
$made = json_decode(curl_exec($call), true);
echo $made["data"][0]["code"], curl_getinfo($call, CURLINFO_HTTP_CODE);
"""
HOSTS = (
    "www.zohoapis.com", "zohoapis.eu", "sandbox.zohoapis.in", "developer.zohoapis.com.au",
    "content.zohoapis.jp", "accounts.zoho.ca", "accounts.zohocloud.ca", "content.zoho.com",
    "upload.zoho.eu", "download.zoho.com.cn", "download-accl.zoho.com", "crm.zoho.sa",
    "crmsandbox.zoho.uk", "plugin.zohoplatform.com",
)  # fmt: skip
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


@pytest.mark.parametrize(("library", "client"), [("requests", "Session()"), ("httpx2", "Client()")])
def test_python(intercept: Intercept, tmp_path: Path, library: str, client: str) -> None:
    """Tokens of any kind, records, and a multipart upload for an org that is another one."""
    import zipfile

    (tmp_path / "program.py").write_text(PYTHON.format(library=library, client=client))
    with zipfile.ZipFile(tmp_path / "leads.zip", "w") as archive:
        archive.writestr("leads.csv", "Last_Name\nKay\n")
    done = intercept(sys.executable, "program.py", "leads.zip")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "Boyle", "FILE_UPLOAD_SUCCESS"]
    assert "1 accounts.zoho.eu" in done.stderr and "1 content.zohoapis.com" in done.stderr


WITHOUT_PROXY = """
import asyncio, http.client, os, ssl, sys

connection = http.client.HTTPSConnection("www.zohoapis.jp")
connection.request("GET", "/crm/v2/org", headers={"Authorization": "Zoho-oauthtoken x"})
print(connection.getresponse().status)

async def by_asyncio():
    reader, writer = await asyncio.open_connection(
        "www.zohoapis.jp", 443, ssl=ssl.create_default_context())
    writer.write(b"GET /crm/v2/org HTTP/1.0\\r\\nHost: www.zohoapis.jp\\r\\n\\r\\n")
    print((await reader.readline()).split()[1].decode())

asyncio.run(by_asyncio())
try:
    http.client.HTTPSConnection("example.com", timeout=5).request("GET", "/")
except OSError as error:
    print(error.args[1])
print("other" in sys.modules)
"""


def test_python_without_a_proxy(intercept: Intercept, tmp_path: Path) -> None:
    """A `sitecustomize` of the machine runs too."""
    (tmp_path / "program.py").write_text(WITHOUT_PROXY)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import sys; sys.modules['other'] = sys")
    path = os.pathsep.join([str(tmp_path / "own"), os.environ.get("PYTHONPATH", "")])
    done = intercept(sys.executable, "program.py", options=("--only-zoho",), PYTHONPATH=path)
    assert done.stdout.splitlines() == [
        "200", "401", "bulkwright intercept: --only-zoho refuses example.com", "True",
    ], done.stderr  # fmt: skip


@needs_node
@pytest.mark.parametrize(
    ("name", "program", "output"),
    [("p.mjs", FETCH, "200 string 200 1"), ("p.cjs", HTTPS, "200")],
)
def test_node(intercept: Intercept, tmp_path: Path, name: str, program: str, output: str) -> None:
    """`fetch` and `https`, which use no proxy on Node 20, from both kinds of modules."""
    (tmp_path / name).write_text(program)
    done = intercept("node", name)
    assert (done.returncode, done.stdout.strip()) == (0, output), done.stderr


@needs_curl
def test_curl(intercept: Intercept, emulator: Live) -> None:
    """A call without a token is rejected by the emulator, one that it lacks is named."""
    url = "https://www.zohoapis.in/crm/v8/settings/territories"
    header = ("-H", "Authorization: Zoho-oauthtoken x")
    done = intercept("curl", "-s", url, *header)
    assert json.loads(done.stdout)["code"] == "NOT_IMPLEMENTED"
    assert "not implemented: GET /crm/v8/settings/territories (1)" in done.stderr
    without = intercept("curl", "-s", "https://www.zohoapis.in/crm/v2/org", options=("--quiet",))
    assert json.loads(without.stdout)["code"] == "AUTHENTICATION_FAILURE"
    assert without.stderr == ""
    kept = intercept("curl", "-s", url, *header, options=("--own-credentials",))
    assert json.loads(kept.stdout)["code"] == "INVALID_TOKEN"


@needs_curl
def test_every_kind_of_host(intercept: Intercept) -> None:
    """Of all data centres, with a certificate for its name."""
    urls = [f"https://{host}/crm/v2/org" for host in HOSTS]
    done = intercept("curl", "-sf", "-H", "Authorization: Zoho-oauthtoken x", *urls)
    assert done.returncode == 0, done.stderr
    assert all(f"1 {host}" in done.stderr for host in HOSTS)


@pytest.mark.skipif(shutil.which("php") is None, reason="there is no php")
def test_php(intercept: Intercept, tmp_path: Path) -> None:
    """Its curl functions."""
    (tmp_path / "program.php").write_text(PHP)
    done = intercept("php", "program.php")
    assert done.stdout == "SUCCESS201", done.stdout + done.stderr


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"another site")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other_site(*, tls: bool) -> Iterator[str]:
    """Runs a site that is none of Zoho's; yields its URL, which no variable excludes."""
    server = ThreadingHTTPServer(("127.0.0.2", 0), _Answers)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.2").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.2:{server.server_port}/x"
    finally:
        server.shutdown()
        server.server_close()


@needs_curl
@pytest.mark.parametrize("tls", [True, False])
def test_other_hosts_pass_or_are_refused(intercept: Intercept, *, tls: bool) -> None:
    """Their TLS is not touched: curl meets the certificate of the site itself."""
    with other_site(tls=tls) as url:
        assert intercept("curl", "-sk", url).stdout == "another site"
        if tls:
            assert intercept("curl", "-s", url).returncode == 60
        refused = intercept("curl", "-skf", url, options=("--only-zoho",))
    assert refused.returncode in (22, 56) and refused.stdout == ""
    assert "refused: 127.0.0.2" in refused.stderr


@needs_curl
def test_the_proxy_of_the_machine_is_used(intercept: Intercept) -> None:
    """For other hosts. The one of this test refuses them, and notes that it was called."""
    authority = Authority()
    unused = emulator_gateway  # nothing calls Zoho
    with (
        other_site(tls=True) as url,
        ZohoProxy(authority, lambda: unused("http://127.0.0.1:9", None, Seen()), True) as proxy,
    ):
        named = f"http://user:pass@127.0.0.1:{proxy.ports.proxy}"
        done = intercept("curl", "-sk", url, HTTPS_PROXY=named, https_proxy=named)
        assert done.returncode == 56 and proxy.refused == {"127.0.0.2"}


@needs_node
def test_node_is_refused_other_hosts(intercept: Intercept, tmp_path: Path) -> None:
    """Without a proxy as well."""
    (tmp_path / "p.mjs").write_text(
        "await fetch('https://example.com').catch((e) => console.log(e.cause.code));"
    )
    assert intercept("node", "p.mjs", options=("--only-zoho",)).stdout == "ECONNREFUSED\n"


def test_the_authority_is_gone_afterwards(intercept: Intercept) -> None:
    """Its key was never written."""
    code = (
        "import os, pathlib; p = pathlib.Path(os.environ['SSL_CERT_FILE']); "
        "files = sorted(x.name for x in p.parent.iterdir()); "
        "print(p.parent, files, 'PRIVATE KEY' in p.read_text())"
    )
    done = intercept(sys.executable, "-c", code)
    folder, _, rest = done.stdout.strip().partition(" ")
    assert rest == "['bundle.ini', 'bundle.pem', 'ca.pem'] False"
    assert not Path(folder).exists()


def test_an_emulator_is_started(tmp_path: Path) -> None:
    """For this run, unless one is named; with records of a folder."""
    code = (
        "import requests; print(requests.get('https://www.zohoapis.com/crm/v2/Leads', "
        "headers={'Authorization': 'Zoho-oauthtoken x'}).json()['data'][0]['Last_Name'])"
    )
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "Leads.csv").write_text("Last_Name\nKay\n")
    line = intercept_line("--seed", "seed", "--", sys.executable, "-c", code)
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, "Kay\n"), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["seed"]


RESET = """
import sys, requests
head = {"Authorization": "Zoho-oauthtoken 1000.kept"}
org = lambda: requests.get("https://www.zohoapis.com/crm/v2/org", headers=head).status_code
print(org())
key = {"Authorization": "Bearer " + sys.argv[2]}
requests.post(sys.argv[1] + "/api/v1/emulator/reset", headers=key).raise_for_status()
print(org())
"""


def test_a_reset_of_the_emulator_is_not_seen(intercept: Intercept, emulator: Live) -> None:
    """It ends all tokens; the program's own one stands for the next."""
    done = intercept(sys.executable, "-c", RESET, emulator.base_url, emulator.access_token)
    assert done.stdout.split() == ["200", "200"], done.stderr
