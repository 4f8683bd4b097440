"""The throttles count each client behind a trusted proxy by its own address."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import httpx2
import pytest
from tests.support.clocks import stopped_clock

from bulkwright.asgi import create_app
from bulkwright.domain.limits import (
    SIGN_IN_AT_ONCE,
    SIGN_IN_FREE_FAILURES,
    SIGN_IN_QUEUE_OF_ONE,
)
from bulkwright.service import passwords, signin
from bulkwright.service.setup import SAMPLE_CLIENT_ID, SAMPLE_REDIRECT
from bulkwright.service.sign_in_queue import SignInQueue
from bulkwright.settings import Settings
from bulkwright.wiring import open_services

AUTH = "/oauth/v2/auth"
QUERY = {
    "scope": "ZohoCRM.bulk.ALL",
    "client_id": SAMPLE_CLIENT_ID,
    "response_type": "token",
    "redirect_uri": SAMPLE_REDIRECT,
}


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt for an unknown user costs a hash, which is made cheap."""
    monkeypatch.setattr(passwords, "PASSWORD_SCRYPT", (10, 8, 1))
    monkeypatch.setattr(passwords, "_DUMMY_HASH", passwords.hashed_password("no such password"))


async def sign_in(client: httpx2.AsyncClient, address: str) -> int:
    """The status of a sign-in with a wrong password, through a proxy that names `address`."""
    headers = {"X-Forwarded-For": address}
    page = await client.get(AUTH, params=QUERY, headers=headers)
    (csrf,) = set(re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text))
    form = {"csrf": csrf, "step": "sign-in", "email": "p@zylker.example", "password": "wrong"}
    return (await client.post(str(page.url), data=form, headers=headers)).status_code


async def failures(client: httpx2.AsyncClient, *addresses: str) -> list[int]:
    """The statuses of more sign-ins than are allowed at once."""
    return [await sign_in(client, a) for a in addresses for _ in range(SIGN_IN_FREE_FAILURES + 1)]


def attempts(data: Path, trusted: tuple[str, ...]) -> tuple[int, int]:
    """Let one client fail too often; the statuses of its and another client's next attempt."""
    settings = Settings(data, trusted_proxy=trusted)

    async def run() -> tuple[int, int]:
        with open_services(settings) as services:
            services.setup.dev_setup()
            app = create_app(services, settings, "http://crm.example")
            transport = httpx2.ASGITransport(app, client=("10.0.0.1", 50_000))
            url = "http://crm.example"
            async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
                # The client itself sends the header too, with an address that changes.
                with stopped_clock():
                    await failures(client, "192.0.2.1, 198.51.100.1", "192.0.2.2, 198.51.100.1")
                    first = await sign_in(client, "192.0.2.3, 198.51.100.1")
                    return first, await sign_in(client, "198.51.100.2")

    return asyncio.run(run())


def test_a_client_behind_a_trusted_proxy_is_throttled_alone(tmp_path: Path) -> None:
    """The wrong passwords of one client do not keep another one out."""
    assert attempts(tmp_path / "data", ("10.0.0.0/8",)) == (429, 401)


def test_an_unknown_proxy_counts_as_the_client(tmp_path: Path) -> None:
    """Otherwise each client could choose the address under which it is counted."""
    assert attempts(tmp_path / "data", ()) == (429, 429)


def test_a_flood_of_sign_ins_keeps_no_user_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """72 sign-ins from one address: a user of another address has the next turn but one.

    Meanwhile other requests are answered, because passwords are hashed on other threads.
    """
    settings = Settings(tmp_path / "data", trusted_proxy=("10.0.0.0/8",))
    begin = threading.Semaphore(0)

    def check(password: str, _stored: str | None) -> bool:
        begin.acquire()
        return password == "right"

    parties: list[str] = []
    turns: list[str] = []
    enter = SignInQueue._enter

    async def record(queue: SignInQueue, party: str) -> None:
        parties.append(party)
        await enter(queue, party)
        turns.append(party)

    monkeypatch.setattr(signin, "is_password", check)
    monkeypatch.setattr(SignInQueue, "_enter", record)

    async def walk() -> None:
        with open_services(settings) as services:
            user = services.setup.dev_setup().user
            app = create_app(services, settings, "http://crm.example")
            transport = httpx2.ASGITransport(app, client=("10.0.0.1", 50_000))
            url = "http://crm.example"
            async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
                page = await client.get(AUTH, params=QUERY)
                csrf = re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text)[0]

                async def post(address: str, password: str) -> int:
                    form = {"csrf": csrf, "step": "sign-in", "email": user.email}
                    form["password"] = password
                    headers = {"X-Forwarded-For": address}
                    return (
                        await client.post(str(page.url), headers=headers, data=form)
                    ).status_code

                flood = [asyncio.create_task(post("198.51.100.1", f"{n}")) for n in range(72)]
                rejected = 72 - SIGN_IN_AT_ONCE - SIGN_IN_QUEUE_OF_ONE
                while sum(task.done() for task in flood) < rejected:
                    await asyncio.sleep(0.01)
                mine = asyncio.create_task(post("198.51.100.2", "right"))
                assert (await client.get("/healthz")).status_code == 200
                while parties[-1] != "198.51.100.2":
                    await asyncio.sleep(0.01)
                for _ in range(72):
                    begin.release()
                assert await mine == 303
                statuses = [await task for task in flood]
                assert statuses.count(429) >= rejected

    asyncio.run(walk())
    assert turns.index("198.51.100.2") <= SIGN_IN_AT_ONCE + 1
