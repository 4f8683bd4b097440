"""Runs a program: signals pass to it, and its exit status is returned."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_PASSED = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1,
           signal.SIGUSR2}  # fmt: skip
_KERNEL = 0x80
"""Of a signal of the terminal, which the program gets itself."""
_LOOK_SECONDS = 0.5
_ENDED_BY_SIGNAL = 128


@contextmanager
def held_signals() -> Iterator[None]:
    """Holds signals for the program back, in this thread and in those that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED, signal.SIGCHLD})
    try:
        yield
    finally:
        # What arrived for the program alone must not end this process after it.
        while signal.sigtimedwait(_PASSED, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command until its end; returns its exit status, 128 + N if signal N has ended it.

    Belongs inside `held_signals`. Raises OSError if it cannot be started.
    """
    process = subprocess.Popen(
        command, env=environment, preexec_fn=_release_signals, close_fds=True
    )
    while (status := process.poll()) is None:
        received = signal.sigtimedwait({*_PASSED, signal.SIGCHLD}, _LOOK_SECONDS)
        if received is None or received.si_signo == signal.SIGCHLD:
            continue
        if received.si_code != _KERNEL:
            process.send_signal(received.si_signo)
    return status if status >= 0 else _ENDED_BY_SIGNAL - status


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_PASSED, signal.SIGCHLD})
