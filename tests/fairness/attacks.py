"""What one org can do to others within its limits: the worst inputs that are known.

    python -m tests.fairness.attacks NAME URL TOKEN ORG

Prepares an attack, prints `begun`, and repeats it until the process is ended. It is a process of
its own, so that it slows down nothing but the server.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import httpx2
from tests.support.uploads import zipped

from bulkwright.domain.limits import JSON_OBJECTS, JSON_VALUES

ROWS = 25_000
"""The most rows of a job in the limits profile zoho."""
AT_ONCE = 16
MODULE = "Attacks"
FIELDS = [
    {"api_name": "Name", "data_type": "text", "system_mandatory": True},
    *({"api_name": f"Unique{n}", "data_type": "text", "unique": True} for n in range(4)),
    *({"api_name": f"Pick{n}", "data_type": "picklist"} for n in range(4)),
    {"api_name": "Several", "data_type": "multiselectpicklist"},
]
"""The fields of a module with which attacks can do more than with a standard one."""


class Attacker:
    """A client of one org."""

    def __init__(self, url: str, token: str, org: str) -> None:
        self.url = url
        limits = httpx2.Limits(max_connections=AT_ONCE)
        self.http = httpx2.Client(base_url=url, timeout=120, limits=limits)
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        self.org = org

    def upload(self, text: str | bytes) -> str:
        """The id of an upload."""
        headers = {"feature": "bulk-write", "X-CRM-ORG": self.org}
        files = {"file": ("a.csv.zip", zipped(text))}
        answer = self.http.post("/crm/v2/upload", headers=headers, files=files)
        return str(answer.json()["details"]["file_id"])

    def create(self, file_id: str, module: str = "Leads", **more: object) -> httpx2.Response:
        """Ask for a job."""
        resource = {"type": "data", "module": module, "file_id": file_id}
        body = {"operation": "insert", "resource": [resource | more.pop("resource", {})]}  # type: ignore[operator]
        return self.http.post("/crm/bulk/v2/write", json=body | more)

    def work(self, text: str, module: str = "Leads", **more: object) -> str:
        """Run a job to its end; its id."""
        answer = self.create(self.upload(text), module, **more)
        job = str(answer.json()["details"].get("id", ""))
        while job and self.http.get(f"/crm/bulk/v2/write/{job}").json().get("status") not in (
            "COMPLETED", "FAILED",
        ):  # fmt: skip
            time.sleep(0.05)
        return job

    def at_once(self, act: Callable[[], object]) -> None:
        """The same request many times at once; a rejection is an answer too."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for done in [threads.submit(act) for _ in range(AT_ONCE)]:
                with suppress(httpx2.HTTPError):
                    done.result()


Step = Callable[[], object]


def picklists(a: Attacker) -> Step:
    """Each job has new values for every picklist, in every row."""
    seen = iter(range(1_000_000))

    def step() -> None:
        run = next(seen)
        header = "Name,Pick0,Pick1,Pick2,Pick3,Several\n"
        a.work(header + "".join(
            f"n,a{run}-{i},b{run}-{i},c{run}-{i},d{run}-{i},{run}-{i};x{run}-{i};y{run}-{i}\n"
            for i in range(ROWS)
        ), MODULE)  # fmt: skip

    return step


def metadata(a: Attacker) -> Step:
    """The module's picklists are full, and its description is read all the time."""
    picklists(a)()
    fill = iter(range(1_000_000))

    def step() -> None:
        with suppress(httpx2.HTTPError):
            a.at_once(lambda: a.http.get(f"/crm/v2/settings/fields?module={MODULE}&n={next(fill)}"))

    return step


def unique_fields(a: Attacker) -> Step:
    """Rows are connected by several unique fields, so that they are matched one by one."""
    seen = iter(range(1_000_000))

    def step() -> None:
        run = next(seen)
        header = "Name,Unique0,Unique1,Unique2,Unique3\n"
        a.work(header + "".join(
            f"n,{run}-{i // 2},{run}-{i // 3},{run}-{i // 5},{run}-{i}\n" for i in range(ROWS)
        ), MODULE)  # fmt: skip

    return step


def defaults(a: Attacker) -> Step:
    """A small file whose default values make a large table."""
    file_id = a.upload("Last_Name\n" + "x\n" * ROWS)
    text = {"api_name": "Description", "default_value": {"value": "x" * 2_000}}
    mappings = [{"api_name": "Last_Name", "index": 0}, text]

    def step() -> None:
        answer = a.create(file_id, resource={"field_mappings": mappings})
        job = answer.json()["details"].get("id", "")
        while job and a.http.get(f"/crm/bulk/v2/write/{job}").json()["status"] != "COMPLETED":
            time.sleep(0.05)

    return step


def encodings(a: Attacker) -> Step:
    """A file that becomes large when it is read, in every encoding, for requests that fail."""
    names = [f"ISO-8859-{n}" for n in (1, 2, 3, 4, 5, 7, 9, 10, 13, 15)]
    names += [f"windows-125{n}" for n in range(9)]

    def step() -> None:
        file_id = a.upload("Last_Name," + ",".join(f"c{i}" for i in range(150)) + "\n"
                           + ("x" + "," * 150 + "\n") * ROWS)  # fmt: skip
        wrong = {"field_mappings": [{"api_name": "Nothing", "index": 0}]}
        right = {"field_mappings": [{"api_name": "Company", "index": 0}]}
        for name in names:
            a.at_once(lambda: a.create(file_id, character_encoding=name, resource=wrong))  # noqa: B023
            a.at_once(lambda: a.create(file_id, character_encoding=name, resource=right))  # noqa: B023

    return step


def bodies(a: Attacker) -> Step:
    """Bodies that are slow to parse, or to refuse: as many values as the limits allow, and more."""
    numbers = b'{"a":[' + b"1.5," * (JSON_VALUES - 1) + b"123456789012345678901]}"
    objects = b'{"a":[' + b'{"a":1},' * (JSON_OBJECTS - 2) + b"1]}"
    deep = b'{"data":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"
    mapping = {"api_name": "Last_Name", "index": 0, "default_value": {"value": "x"}}
    body = {"operation": "insert", "resource": [
        {"type": "data", "module": "Leads", "file_id": "1", "field_mappings": [mapping] * 500}
    ] * 5}  # fmt: skip
    create, own = "/crm/bulk/v2/write", "/api/v1/jobs"
    wide = b'{"Last_Name":"x",' + b",".join(b'"k%d":1.5' % n for n in range(900)) + b"}"
    columns = [{"header": f"c{n}", "field": "Last_Name"} for n in range(5_000)]
    job = {"operation": "insert", "module": "Leads", "file_id": a.upload("a\n1\n")}
    condition = "Last_Name = 'x'"
    sent = (
        *((create, data) for data in (numbers, objects, json.dumps(body).encode())),
        ("/crm/v8/Leads", b'{"data":[' + b",".join([wide] * 100) + b"]}"),
        ("/crm/v8/Leads", deep),
        (own, json.dumps(job | {"columns": columns}).encode()),
        (own, objects),
        ("/crm/v8/coql", json.dumps({
            "select_query": f"select id from Leads where {f'({condition} or ' * 4_000}{condition}"
        }).encode()),
    )  # fmt: skip

    def step() -> None:
        for path, data in sent:
            a.at_once(partial(a.http.post, path, content=data))

    return step


def uploads(a: Attacker) -> Step:
    """Small zips that become large when they are inspected."""
    data = zipped("Last_Name,Company\n" + ("x" * 4_000 + "," + "y" * 4_000 + "\n") * 5_000)
    headers = {"feature": "bulk-write", "X-CRM-ORG": a.org}

    def step() -> None:
        a.at_once(lambda: a.http.post(
            "/crm/v2/upload", headers=headers, files={"file": ("a.zip", data)}
        ))  # fmt: skip

    return step


def conversions(a: Attacker) -> Step:
    """Small files of JSON lines that take long to convert."""
    line = json.dumps({f"key{n}": "x" * 20 for n in range(40)}) + "\n"
    data = gzip.compress((line * 30_000).encode())

    def step() -> None:
        a.at_once(lambda: a.http.post("/api/v1/files", files={"file": ("a.jsonl.gz", data)}))

    return step


def downloads(a: Attacker) -> Step:
    """A large result is downloaded, and its size is asked for, all the time."""
    noise = "".join(f"{os.urandom(60).hex()},{os.urandom(60).hex()}\n" for _ in range(ROWS))
    job = a.work("Last_Name,Company\n" + noise)
    link = f"/v2/crm/org{a.org}/bulk-write/{job}/{job}.zip"

    def step() -> None:
        a.at_once(lambda: a.http.head(link))
        a.at_once(lambda: a.http.get(link))

    return step


def reports(a: Attacker) -> Step:
    """The full result of a large job, its failed rows and its errors, all the time."""
    job = a.work("Last_Name,Email\n" + f"x,none {os.urandom(30).hex()}\n" * ROWS)

    def step() -> None:
        for name in ("result?format=jsonl", "failed-rows?errors=true", "errors"):
            a.at_once(partial(a.http.get, f"/api/v1/jobs/{job}/{name}"))

    return step


def reads(a: Attacker) -> Step:
    """All records are read in bulk, with every field, many times at once."""
    for run in range(4):
        a.work("Last_Name,Company\n" + f"x{run},{'y' * 60}\n" * ROWS)
    path, query = "/crm/bulk/v2/read", {"query": {"module": "Leads"}}

    def step() -> None:
        a.at_once(lambda: a.http.post(path, json=query))
        last = a.http.post(path, json=query).json()["data"][0]["details"]["id"]
        while a.http.get(f"{path}/{last}").json()["data"][0]["state"] != "COMPLETED":
            time.sleep(0.05)

    return step


def connections(a: Attacker) -> Step:
    """Connections that send half a request, and others that send nothing."""
    host = urlsplit(a.url)
    assert host.hostname is not None and host.port is not None
    held: list[socket.socket] = []

    def step() -> None:
        while len(held) < 600:
            with suppress(OSError):
                made = socket.create_connection((host.hostname, host.port), 5)
                if len(held) % 2:
                    made.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
                held.append(made)
        time.sleep(1)
        for connection in list(held):
            connection.setblocking(False)
            with suppress(BlockingIOError):
                if not connection.recv(100):
                    held.remove(connection)

    return step


def undos(a: Attacker) -> Step:
    """Large jobs are undone, and what they have changed is read meanwhile."""
    rows = "".join(f"x{n},x{n}@none.example\n" for n in range(ROWS))

    def step() -> None:
        a.work("Last_Name,Email\n" + rows)
        job = a.work(
            "Last_Name,Email\n" + rows.replace("x", "y"), operation="upsert",
            resource={"find_by": "Email"},
        )  # fmt: skip
        undo = a.http.post(f"/api/v1/jobs/{job}/undo", json={}).json()["id"]
        while a.http.get(f"/api/v1/undos/{undo}").json()["status"] not in ("COMPLETED", "FAILED"):
            a.at_once(partial(a.http.get, f"/api/v1/jobs/{job}/diff"))

    return step


def searches(a: Attacker) -> Step:
    """A large module is searched and queried in ways that no index helps, many times at once."""
    a.work("Name,Several\n" + "".join(f"name {n},v{n % 7}\n" for n in range(ROWS // 3)), MODULE)
    queries = (
        f"select Name, COUNT(id) from {MODULE} where Name like '%9%' group by Name limit 2000",
        f"select Name from {MODULE} where Name like '%8%' or Unique0 like '%x%' order by Name",
    )

    def ask(query: str) -> object:
        return a.http.post("/crm/v8/coql", json={"select_query": query})

    def step() -> None:
        for query in queries:
            a.at_once(partial(ask, query))
        a.at_once(lambda: a.http.get(f"/crm/v8/{MODULE}/search?word=nothing"))

    return step


def single_records(a: Attacker) -> Step:
    """Records are written by themselves, a hundred in each call, many calls at once."""
    seen = iter(range(1_000_000))

    def step() -> None:
        def write() -> object:
            run = next(seen)
            data = [
                {"Name": f"n{run}-{n}", **{f"Unique{k}": f"{run}-{n}-{k}" for k in range(4)}}
                for n in range(100)
            ]
            return a.http.post(f"/crm/v8/{MODULE}", json={"data": data})

        a.at_once(write)

    return step


def busy(_: Attacker) -> Step:
    """No attack: other programs that keep all cores busy."""
    if any(os.fork() == 0 for _ in range((os.cpu_count() or 2) - 1)):
        parent = os.getppid()
        while os.getppid() == parent:
            sum(range(100_000))
        os._exit(0)
    return lambda: sum(range(1_000_000))


ATTACKS: dict[str, Callable[[Attacker], Step]] = {
    act.__name__: act
    for act in (
        picklists, metadata, unique_fields, defaults, encodings, bodies, uploads, conversions,
        downloads, connections, searches, single_records, reports, reads, undos,
    )
}  # fmt: skip


def main() -> None:
    """Attack until the end."""
    name, url, token, org = sys.argv[1:]
    step = {**ATTACKS, "busy": busy}[name](Attacker(url, token, org))
    print("begun", flush=True)
    while True:
        with suppress(httpx2.HTTPError, ValueError, KeyError):
            step()


if __name__ == "__main__":
    main()
