"""Fixtures of the console's tests: a browser without scripts, signed in or not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from html import unescape

import httpx2
import pytest
from tests.support.deployment import Deployment, Tenant

from bulkwright.domain.account import Role, User
from bulkwright.service import passwords

CONSOLE = "/console"
PASSWORD = "Füße im Wasser, 12"
_numbers = itertools.count()


class Browser(httpx2.Client):
    """A client that keeps cookies and follows no redirect."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url=base_url, timeout=30, verify=False)

    def csrf(self, path: str = f"{CONSOLE}/sign-in") -> str:
        """The form token of a page."""
        return token_of(self.get(path))

    def press(self, page: httpx2.Response, path: str, **fields: str) -> httpx2.Response:
        """Sends a form of a page."""
        return self.post(path, data={"csrf": token_of(page)} | fields)

    def sign_in_as(self, user: User) -> None:
        """Signs in without a password, as the pages of `serve --dev` offer it."""
        page = self.get(f"{CONSOLE}/sign-in")
        answer = self.press(page, f"{CONSOLE}/sign-in", user=str(user.id))
        assert answer.status_code == 303, answer.text

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page, without its tags."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return text_of(answer)


def token_of(page: httpx2.Response) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


def text_of(page: httpx2.Response) -> str:
    """What a reader sees of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Makes hashes of new passwords cheap. Each hash contains its cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PASSWORD_SCRYPT", (10, 8, 1))
        yield


@pytest.fixture
def stranger(server: Deployment) -> Iterator[Browser]:
    """A browser in which no user is signed in."""
    with Browser(server.base_url) as made:
        yield made


@pytest.fixture
def browser(server: Deployment, stranger: Browser) -> Browser:
    """A browser in which the tenant's user is signed in."""
    stranger.sign_in_as(server.tenant.user)
    return stranger


@pytest.fixture
def other(server: Deployment) -> Iterator[Browser]:
    """A browser in which a user of another org is signed in."""
    with Browser(server.base_url) as made:
        made.sign_in_as(server.other.user)
        yield made


@pytest.fixture
def new_user(server: Deployment) -> Callable[..., User]:
    """A function that makes a user with a role and a password."""

    def make(role: Role = Role.ADMINISTRATOR, tenant: Tenant | None = None) -> User:
        org = (tenant or server.tenant).org
        email = f"console{next(_numbers)}@zylker.example"
        user = server.services.setup.create_user(org, "Ümit", "O'Neil <i>", email, role=role)
        server.services.signin.set_password(user, PASSWORD)
        return user

    return make
