"""Signals of commands that start a server for a while: it ends, and its folder is deleted."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ENDED_BY_SIGNAL = 128


@contextmanager
def unwinding_signals() -> Iterator[None]:
    """Lets a signal that ends this process raise SystemExit, as SIGINT raises KeyboardInterrupt.

    So what the blocks inside have started and made is gone at the end.
    """

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(_ENDED_BY_SIGNAL + number)

    # nohup has SIGHUP ignored, and that stays.
    before = {one: signal.getsignal(one) for one in _ENDING}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_until_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command until its end; returns its exit status, 128 + N if signal N has ended it.

    Signals pass to it. That of Ctrl-C comes from the terminal, so the command gets it by itself.
    Raises OSError if it cannot be started.
    """
    process = subprocess.Popen(command, env=environment)
    try:
        while True:
            with suppress(KeyboardInterrupt):
                try:
                    status = process.wait()
                except SystemExit as ended:
                    process.send_signal(_signal_of(ended))
                    continue
                return status if status >= 0 else _ENDED_BY_SIGNAL - status
    finally:
        if process.returncode is None:
            process.kill()


def _signal_of(ended: SystemExit) -> int:
    assert isinstance(ended.code, int)
    return ended.code - _ENDED_BY_SIGNAL
