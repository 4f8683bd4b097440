"""A headless Chromium, driven through the WebDriver protocol by an HTTP client."""

from __future__ import annotations

import base64
import json
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
_WAIT_SECONDS = 60.0
_DRIVER_STARTS = 5

T = TypeVar("T")


def missing() -> str:
    """Returns which programs are not installed; an empty text if none is missing."""
    names = ("chromium", "chromedriver")
    absent = [name for name in names if shutil.which(name) is None]
    if not absent:
        return ""
    return f"no {' and no '.join(absent)} (Debian's packages chromium and chromium-driver)"


class Chromium:
    """A browser with a fresh profile. It runs until the block ends."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            profile = stack.enter_context(folder)
            url = f"http://127.0.0.1:{_start_driver(stack)}"
            client = httpx2.Client(verify=False, base_url=url, timeout=60, trust_env=False)
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
        """Loads a page."""
        self._post("url", url=url)

    @property
    def url(self) -> str:
        """The URL of the page in the window."""
        return str(self._get("url"))

    def script(self, text: str) -> Any:
        """Runs a script in the page and returns its value."""
        return self._post("execute/sync", script=text, args=[])

    def click(self, css: str) -> None:
        """Clicks an element."""
        self._post(f"element/{self._element(css)}/click")

    def type(self, css: str, text: str) -> None:
        """Types into a field."""
        self._post(f"element/{self._element(css)}/value", text=text)

    def text(self, css: str = "body") -> str:
        """Returns the visible text of an element."""
        return str(self._get(f"element/{self._element(css)}/text"))

    def has(self, css: str) -> bool:
        """Returns whether the page has such an element."""
        return bool(self._post("elements", using="css selector", value=css))

    @property
    def windows(self) -> list[str]:
        """The open windows, oldest first."""
        return list(self._get("window/handles"))

    def switch(self, window: str) -> None:
        """Makes another window the current one."""
        self._post("window", handle=window)

    def resize(self, width: int, height: int) -> None:
        """Changes the size of the window, in pixels."""
        self._post("window/rect", width=width, height=height)

    def emulate(self, scheme: str = "light", width: int = 1200, height: int = 850) -> None:
        """Shows pages in a colour scheme, in a viewport of this size."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._devtools("Emulation.setDeviceMetricsOverride", **size)

    def choose(self, css: str, value: str) -> None:
        """Chooses an option of a list by its value, as a user does."""
        self.click(f"{css} option[value={json.dumps(value)}]")

    def press(self, key: str) -> None:
        """Presses a key, wherever the focus is."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": keys}])

    def screenshot(self, path: Path) -> None:
        """Saves a screenshot as a PNG file."""
        path.write_bytes(base64.b64decode(self._get("screenshot")))

    def log(self) -> list[str]:
        """Returns the new messages of the console, such as blocked styles, scripts and forms."""
        entries = self._post("se/log", type="browser")
        return [str(entry["message"]) for entry in entries]

    def until(self, condition: Callable[[], T]) -> T:
        """Waits until `condition` returns a true value; returns this value."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                if found := condition():
                    return found
            except LookupError:
                pass
            assert time.monotonic() < deadline, f"condition not met at {self.url}: {self.text()}"
            time.sleep(0.02)

    def _devtools(self, command: str, **params: Any) -> Any:
        return self._post("goog/cdp/execute", cmd=command, params=params)

    def _element(self, css: str) -> str:
        return str(self._post("element", using="css selector", value=css)[_ELEMENT])

    def _post(self, command: str, **body: Any) -> Any:
        return self._value(self._http.post(f"{self._session}/{command}", json=body))

    def _get(self, command: str) -> Any:
        return self._value(self._http.get(f"{self._session}/{command}"))

    @staticmethod
    def _value(answer: httpx2.Response) -> Any:
        value = answer.json()["value"]
        if answer.status_code != 200:
            raise LookupError(f"{value['error']}: {value['message']}")
        return value


def _start_driver(stack: ExitStack) -> int:
    """Starts chromedriver until `stack` is closed, and returns its port.

    Chromedriver chooses a port that is free on IPv4, and exits if another program has the same port
    on IPv6. Then it is started again.
    """
    for _ in range(_DRIVER_STARTS):
        driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        port = _port(driver)
        if port is not None:
            stack.callback(driver.communicate)
            stack.callback(driver.terminate)
            return port
        driver.communicate()
    raise AssertionError(f"chromedriver exited at each of {_DRIVER_STARTS} starts")


def _port(driver: subprocess.Popen[bytes]) -> int | None:
    """Returns the port in the driver's output; None if the driver exits before it names one.

    Lines before that repeat the requested port 0.
    """
    assert driver.stdout
    for line in driver.stdout:
        if found := re.search(rb"started successfully on port (\d+)", line):
            return int(found[1])
    return None
