"""The official SDKs as published, each in a process of its own, against a live service.

Every test runs once for each SDK of `catalogue.py`. If an SDK cannot be installed, its tests are
skipped and the summary names it; with CI=true this is a failure for a Python SDK.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.sdk.catalogue import SDKS, Sdk
from tests.sdk.driver import Driver
from tests.sdk.environments import Unavailable, command
from tests.sdk.record import TRIED
from tests.support.live import Live

Start = Callable[[], Driver]


@pytest.fixture(scope="session")
def live(
    live_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """The service that all SDKs call."""
    with Live(tmp_path_factory.mktemp("live") / "data", database=live_database()) as running:
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
    program = command_of(sdk)
    with ExitStack() as stack:

        def started() -> Driver:
            return stack.enter_context(Driver(program, tmp_path_factory.mktemp("driver")))

        # One spare is always starting, because loading an SDK takes longer than most tests.
        spare = [started()]

        def next_one() -> Driver:
            spare.append(started())
            return spare.pop(0)

        yield next_one


def command_of(sdk: Sdk) -> list[str]:
    """The command of its driver; skips the test if it cannot be installed."""
    try:
        return command(sdk)
    except Unavailable as missing:
        if sdk.is_python and os.environ.get("CI") == "true":
            pytest.fail(f"{sdk} cannot be installed: {missing}", pytrace=False)
        pytest.skip(f"{sdk} was NOT TESTED: {missing}")


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


# The record of the tested endpoints, for docs/compatibility.md


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; `endpoint` fills the record."""
    config.addinivalue_line(
        "markers", "endpoint(name, ...): the endpoints that a test with an SDK covers"
    )
    config.addinivalue_line("markers", "only_8: only for the SDKs of version 8.0")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of calls that an SDK lacks; only tests of missing SDKs are skipped."""
    marked = [item for item in items if item.get_closest_marker("only_8")]
    out = [item for item in marked if not _sdk_of(item).is_8]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def _sdk_of(item: pytest.Item) -> Sdk:
    assert isinstance(item, pytest.Function)
    sdk = item.callspec.params["sdk"]
    assert isinstance(sdk, Sdk)
    return sdk


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Attach a row to the report for each endpoint that a test names."""
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
