"""What the controls do, without HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.domain import scope
from bulkwright.domain.errors import AccessError, BulkwrightError, JobHasEnded
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS, BASELINE_BYTES, CONTROL_WAIT_SECONDS, MiB
from bulkwright.emulator.baseline import Baseline, PortableCopies
from bulkwright.emulator.credentials import write_credentials
from bulkwright.emulator.credit_plan import CreditPlan
from bulkwright.emulator.credits import Credits
from bulkwright.emulator.emulation import Emulation
from bulkwright.emulator.faults import Faults
from bulkwright.emulator.gate import InterventionOrder, StillWriting
from bulkwright.emulator.paced_polls import PaceOfPolls
from bulkwright.emulator.snapshots import InvalidSnapshot, load, saved, unpacked
from bulkwright.emulator.steps import Progression
from bulkwright.service.bearer import bearer_token
from bulkwright.service.tokens import hashed
from bulkwright.settings import Settings
from bulkwright.store.wakeups import Topic
from bulkwright.web.request import Request

if TYPE_CHECKING:
    from bulkwright.service.job_control import JobControl
    from bulkwright.service.record_writes import RecordCalls
    from bulkwright.service.retention import Retention
    from bulkwright.service.setup import SetupService
    from bulkwright.service.tokens import TokenService
    from bulkwright.store.accounts import AccountStore
    from bulkwright.store.claims import ClaimStore
    from bulkwright.store.database import Database

_PAUSE_SECONDS = 0.001


class NoBaseline(BulkwrightError):
    """There is no state that could be restored."""

    code = "NO_BASELINE"
    default_message = (
        f"The database had more than {BASELINE_BYTES // MiB} MiB at the start of the server, so it "
        "cannot be reset. Start the server with a smaller data folder."
    )


class NoCopies(BulkwrightError):
    """The store has no whole copies."""

    code = "NOT_ON_THIS_STORE"
    default_message = (
        "Snapshots need a SQLite file: start the server without --database. Reset and baseline "
        "need a folder of files: start it without --files at an object store."
    )


class StillBusy(BulkwrightError):
    """Requests or jobs did not end in time."""

    code = "STILL_BUSY"
    default_message = (
        "A request that writes, or a chunk of a job, did not end within "
        f"{CONTROL_WAIT_SECONDS:.0f} seconds. Nothing was changed; call the control again."
    )


class EmulatedServices(Protocol):
    """The services that the controls call. `bulkwright.services` provides them."""

    @property
    def database(self) -> Database:
        """The database."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Orgs and users."""
        ...

    @property
    def record_calls(self) -> RecordCalls:
        """Writes single records."""
        ...

    @property
    def setup(self) -> SetupService:
        """Creates orgs, users and clients."""
        ...

    @property
    def tokens(self) -> TokenService:
        """Issues and checks tokens."""
        ...

    @property
    def claims(self) -> ClaimStore:
        """The steps of jobs."""
        ...

    @property
    def job_control(self) -> JobControl:
        """Aborts jobs."""
        ...

    @property
    def retention(self) -> Retention:
        """Deletes what has expired."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings of the server."""
        ...


class Controls:
    """The controls of one server."""

    def __init__(self, emulation: Emulation, services: EmulatedServices, base_url: str) -> None:
        """`base_url` is the URL by which clients reach the server."""
        self.emulation = emulation
        self.services = services
        self.base_url = base_url
        self._at_baseline = services.settings.credentials_path.read_text("utf-8")
        """The credentials file that belongs to the baseline."""
        self.key = _key_of(self._at_baseline)
        """The token that opens the controls: that of the credentials file."""
        self._view_token = ""
        """A token of the development user that no client has."""
        self.faults = Faults(
            emulation.steps, self._org_of, self._end_job, self.wake_all, emulation.callback_faults
        )
        self.credits = Credits(emulation.clock, self._org_of)
        self._pace = PaceOfPolls(emulation.steps, services.claims, self.wake_all)

    # Time and pace

    def time_changed(self, *, forward: bool) -> None:
        """Makes all processes look at the clock; deletes what has expired if it moved forward."""
        self.wake_all()
        if forward:
            self.services.retention.sweep()

    def progress(self, progression: Progression, measure: int) -> None:
        """Sets how jobs progress from now on."""
        emulation = self.emulation
        emulation.steps.progress(progression, measure)
        is_real = progression is Progression.REAL
        emulation.gate.place(InterventionOrder.PACE, None if is_real else self._pace)

    def view_token(self) -> str:
        """Returns a token of the development user that is valid now, whatever the clock shows."""
        for token in (self.key, self._view_token):
            with suppress(AccessError):
                self.services.tokens.check(token)
                return token
        known = json.loads(self.services.settings.credentials_path.read_text("utf-8"))
        client = self.services.accounts.client(str(known["client_id"]))
        assert client is not None, "the development client exists"
        self._view_token = self.services.tokens.issue_access(client, scope.EVERY)
        return self._view_token

    def wake_all(self) -> None:
        """Makes all processes look for work."""
        database = self.services.database
        with database.transaction():
            for topic in Topic:
                database.wake(topic)

    # Faults and credits

    def faults_changed(self) -> None:
        """Puts the fault rules before the service, or takes them away if there are none."""
        is_active = len(self.faults.rules) > 0 or self.faults.has_expired
        gate = self.emulation.gate
        gate.place(InterventionOrder.FAULTS, self.faults if is_active else None)

    def count_credits(self, plan: CreditPlan | None) -> None:
        """Counts credits by a plan from now on; None counts nothing."""
        self.credits.begin(plan)
        gate = self.emulation.gate
        gate.place(InterventionOrder.CREDITS, None if plan is None else self.credits)

    def _org_of(self, header: bytes) -> int | None:
        try:
            return self.services.tokens.check(bearer_token([header.decode("latin-1")])).org_id
        except AccessError:
            return None

    def _end_job(self, org_id: int, job_id: int) -> None:
        with suppress(JobHasEnded):
            self.services.job_control.abort(org_id, job_id)

    # State

    @property
    def folder(self) -> Path:
        """Where the emulator may put files."""
        return self.services.settings.emulator_path

    async def reset(self, request: Request) -> None:
        """Restores the baseline. Raises NoBaseline, NoCopies and StillBusy."""
        baseline = self._baseline()
        if not baseline.is_taken:
            raise NoBaseline

        def restore() -> None:
            baseline.restore()
            # A long run of tests would find it expired.
            token = hashed(_key_of(self._at_baseline))
            self.services.accounts.renew_token(token, ACCESS_TOKEN_SECONDS)

        await self._replace_state(request, restore)
        path = self.services.settings.credentials_path
        if self.key != (key := _key_of(self._at_baseline)):  # a snapshot was loaded
            write_credentials(path, json.loads(self._at_baseline))
            self.key = key

    async def take_baseline(self, request: Request) -> None:
        """Makes the state as it is now the baseline. Raises NoBaseline, NoCopies and StillBusy."""
        baseline = self._baseline()
        async with self._quiet(request):
            await request.run_heavy(baseline.take)
            self._at_baseline = self.services.settings.credentials_path.read_text("utf-8")
        if not baseline.is_taken:
            raise NoBaseline

    async def save(self, request: Request) -> BinaryIO:
        """Returns a new snapshot, an open file without a name. Raises NoCopies and StillBusy."""
        baseline, copies = self._portable()
        async with self._quiet(request):
            credentials = self.services.settings.credentials_path
            return await request.run_heavy(saved, baseline, copies, credentials)

    async def load(self, request: Request, zipped: IO[bytes]) -> dict[str, object]:
        """Replaces the state by that of a snapshot; returns its credentials.

        Raises InvalidSnapshot, NoCopies and StillBusy.
        """
        baseline, copies = self._portable()
        with unpacked(baseline, copies, zipped) as (place, stored):

            def replace() -> None:
                load(baseline, copies, place)

            await self._replace_state(request, replace)
            return await request.run(self._renew_credentials, stored)

    def _renew_credentials(self, stored: dict[str, Any]) -> dict[str, object]:
        """Writes the credentials of a loaded state, with a new access token."""
        client = self.services.accounts.client(str(stored["client_id"]))
        if client is None:
            raise InvalidSnapshot("The credentials of the snapshot are not those of its database.")
        urls = dict.fromkeys(("base_url", "accounts_url", "upload_url"), self.base_url)
        token = self.services.tokens.issue_access(client, scope.EVERY)
        made = {**stored, **urls, "access_token": token}
        write_credentials(self.services.settings.credentials_path, made)
        self.key = token
        return made

    def _baseline(self) -> Baseline:
        if self.emulation.baseline is None:
            raise NoCopies
        return self.emulation.baseline

    def _portable(self) -> tuple[Baseline, PortableCopies]:
        baseline = self._baseline()
        if not isinstance(baseline.copies, PortableCopies):
            raise NoCopies
        return baseline, baseline.copies

    @asynccontextmanager
    async def _closed(self) -> AsyncIterator[None]:
        """Lets no request run inside the block. Raises StillWriting."""
        with self.faults.without_pauses():
            async with self.emulation.gate.closed(CONTROL_WAIT_SECONDS):
                yield

    @asynccontextmanager
    async def _quiet(self, request: Request) -> AsyncIterator[None]:
        """Lets no request and no job run inside the block. Raises StillBusy."""
        try:
            async with self._closed():
                self.emulation.steps.close()
                try:
                    await request.run_heavy(self._wait_for_workers)
                    yield
                finally:
                    self.emulation.steps.open()
                    await request.run(self.wake_all)
        except StillWriting:
            raise StillBusy from None

    async def _replace_state(self, request: Request, replace: Callable[[], None]) -> None:
        """Ends jobs and callbacks, calls `replace`, and forgets the former state."""
        emulation = self.emulation

        def work() -> None:
            emulation.steps.close()
            try:
                if not emulation.steps.is_idle():
                    self.services.claims.fence_all()
                    self._wait_for_workers()
                emulation.clock.run_real()
                replace()
                emulation.steps.forget()
            finally:
                # No process is woken: none has work now, and each looks for some soon anyway.
                emulation.steps.open()

        try:
            async with self._closed():
                for drop in emulation.before_reset:
                    await drop()
                await request.run_heavy(work)
                emulation.exchanges.clear()
                emulation.gate.place(InterventionOrder.PACE, None)
                self.faults.clear()
                self.faults_changed()
                self.count_credits(None)
                for forget in emulation.on_reset:
                    forget()
        except StillWriting:
            raise StillBusy from None

    def _wait_for_workers(self) -> None:
        """Waits until no worker runs a job. Raises StillBusy."""
        deadline = SYSTEM_CLOCK.monotonic() + CONTROL_WAIT_SECONDS
        while not self.emulation.steps.is_idle():
            if SYSTEM_CLOCK.monotonic() > deadline:
                raise StillBusy
            time.sleep(_PAUSE_SECONDS)


def _key_of(credentials: str) -> str:
    return str(json.loads(credentials)["access_token"])
