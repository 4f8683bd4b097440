"""A headless Chromium, driven through the WebDriver protocol by nothing but an HTTP client."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1000,900"),
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PATIENCE = 60.0

T = TypeVar("T")


def missing() -> str:
    """What keeps a browser from being had; empty when it is there."""
    names = ("chromium", "chromedriver")
    absent = [name for name in names if shutil.which(name) is None]
    if not absent:
        return ""
    return f"no {' and no '.join(absent)} (Debian's packages chromium and chromium-driver)"


class Chromium:
    """One browser with a fresh profile, until the block ends."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            profile = stack.enter_context(folder)
            driver = subprocess.Popen(
                ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            stack.callback(driver.communicate)
            stack.callback(driver.terminate)
            url = f"http://127.0.0.1:{_port(driver)}"
            client = httpx2.Client(base_url=url, timeout=60, trust_env=False)
            self._http = stack.enter_context(client)
            options = {
                "binary": shutil.which("chromium"),
                "args": [*_FLAGS, f"--user-data-dir={profile}"],
            }
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            made = self._http.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{self._value(made)['sessionId']}"
            stack.callback(self._http.delete, self._session)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def visit(self, url: str) -> None:
        """Go to a page."""
        self._tell("url", url=url)

    @property
    def url(self) -> str:
        """Where the window is."""
        return str(self._ask("url"))

    def script(self, text: str) -> Any:
        """What a script returns that is run in the page."""
        return self._tell("execute/sync", script=text, args=[])

    def click(self, css: str) -> None:
        """Press something."""
        self._tell(f"element/{self._element(css)}/click")

    def type(self, css: str, text: str) -> None:
        """Fill a field."""
        self._tell(f"element/{self._element(css)}/value", text=text)

    def text(self, css: str = "body") -> str:
        """What is to be read there."""
        return str(self._ask(f"element/{self._element(css)}/text"))

    def has(self, css: str) -> bool:
        """Whether such an element is on the page."""
        return bool(self._tell("elements", using="css selector", value=css))

    @property
    def windows(self) -> list[str]:
        """Every open window, oldest first."""
        return list(self._ask("window/handles"))

    def switch(self, window: str) -> None:
        """Look into another window."""
        self._tell("window", handle=window)

    def resize(self, width: int, height: int) -> None:
        """Make the window as large as a phone, for example."""
        self._tell("window/rect", width=width, height=height)

    def screenshot(self, path: Path) -> None:
        """Keep a picture of what is to be seen."""
        path.write_bytes(base64.b64decode(self._ask("screenshot")))

    def log(self) -> list[str]:
        """What the browser complained about since the last time: blocked styles, scripts, forms."""
        entries = self._tell("se/log", type="browser")
        return [str(entry["message"]) for entry in entries]

    def until(self, what: Callable[[], T]) -> T:
        """Wait for something to become true, and return it."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if found := what():
                    return found
            except LookupError:
                pass
            assert time.monotonic() < deadline, f"still not so at {self.url}: {self.text()}"
            time.sleep(0.02)

    def _element(self, css: str) -> str:
        return str(self._tell("element", using="css selector", value=css)[_ELEMENT])

    def _tell(self, what: str, **body: Any) -> Any:
        return self._value(self._http.post(f"{self._session}/{what}", json=body))

    def _ask(self, what: str) -> Any:
        return self._value(self._http.get(f"{self._session}/{what}"))

    @staticmethod
    def _value(answer: httpx2.Response) -> Any:
        value = answer.json()["value"]
        if answer.status_code != 200:
            raise LookupError(f"{value['error']}: {value['message']}")
        return value


def _port(driver: subprocess.Popen[bytes]) -> int:
    """Where a driver listens, as it says itself; before that it repeats what it was asked for."""
    assert driver.stdout
    for line in driver.stdout:
        if found := re.search(rb"started successfully on port (\d+)", line):
            return int(found[1])
    raise AssertionError("chromedriver has ended")
