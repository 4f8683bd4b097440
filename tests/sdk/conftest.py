"""The official SDKs as published, each in a process of its own, against a live service.

Every test runs once for each SDK of `catalogue.py`. An SDK that cannot be had skips its tests and
is named in the summary; with CI=true a Python SDK that cannot be had is a failure.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.sdk.catalogue import SDKS, Sdk
from tests.sdk.driver import Driver
from tests.sdk.environments import NotToBeHad, command
from tests.sdk.live import Live
from tests.sdk.record import TRIED

Start = Callable[[], Driver]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service that all SDKs talk to."""
    with Live(tmp_path_factory.mktemp("live") / "data") as running:
        yield running


@pytest.fixture(scope="session", params=SDKS, ids=lambda sdk: sdk.name)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """One SDK after the other."""
    found: Sdk = request.param
    return found


@pytest.fixture(scope="session")
def start(
    sdk: Sdk, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Starts a driver of the SDK in a folder of its own, not yet initialised."""
    program, missing = _command(sdk)
    if missing:
        if sdk.is_python and os.environ.get("CI") == "true":
            pytest.fail(f"{sdk} is not to be had: {missing}", pytrace=False)
        pytest.skip(f"{sdk} was NOT TESTED: {missing}")
    with ExitStack() as stack:

        def started() -> Driver:
            return stack.enter_context(Driver(program, tmp_path_factory.mktemp("driver")))

        # One is always warming up: loading an SDK takes longer than most tests.
        spare = [started()]

        def next_one() -> Driver:
            spare.append(started())
            return spare.pop(0)

        yield next_one


def _command(sdk: Sdk) -> tuple[list[str], str]:
    """The command of its driver, or why there is none."""
    try:
        return command(sdk), ""
    except NotToBeHad as reason:
        return [], str(reason)


@pytest.fixture(scope="session")
def driver(start: Start, live: Live) -> Driver:
    """The SDK, initialised with the refresh token."""
    started = start()
    assert started.initialise(live.who()) == {}
    return started


@pytest.fixture
def fresh(start: Start) -> Driver:
    """The same SDK in a process of the test's own, not yet initialised."""
    return start()


@pytest.fixture
def mail() -> str:
    """An e-mail address that no record has yet."""
    return f"{uuid.uuid4().hex[:12]}@zylker.example"


# The record of what was tried, for docs/compatibility.md


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that fills the record."""
    config.addinivalue_line(
        "markers", "endpoint(name, ...): what of the wire a test with an SDK shows to work"
    )
    config.addinivalue_line("markers", "only_8: what only the SDKs of version 8.0 do")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an SDK has no call for; skipping is for SDKs that cannot be had."""
    marked = [item for item in items if item.get_closest_marker("only_8")]
    out = [item for item in marked if not item.callspec.params["sdk"].is_8]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A row for each endpoint that a test names; it goes along with the report."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    if report.when != "call" and report.passed:
        return
    callspec = getattr(item, "callspec", None)
    tested = callspec.params.get("sdk") if callspec else None
    if not isinstance(tested, Sdk):
        return
    known = hasattr(report, "wasxfail") and report.skipped
    for marker in item.iter_markers("endpoint"):
        for name in marker.args:
            row = {
                "endpoint": name,
                "version": tested.api,
                "sdk": tested.name,
                "sdk_version": tested.version,
                "test": item.name.split("[")[0],
                "outcome": "xfailed" if known else report.outcome,
                "reason": getattr(report, "wasxfail", "") if known else "",
            }
            report.user_properties.append((TRIED, row))
