"""What is made on its first use is made once, and not before."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from bulkwright.first_use import on_first_use


class Owner:
    """It counts what is made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    @on_first_use
    def part(self) -> object:
        """A part."""
        time.sleep(0.01)
        self.made.append("part")
        return object()

    @on_first_use
    def whole(self) -> tuple[object]:
        """What needs the part."""
        self.made.append("whole")
        return (self.part,)


def test_all_threads_get_the_same_value() -> None:
    """Each owner has its own. One property may use another one."""
    one, other = Owner(), Owner()
    assert one.made == []
    with ThreadPoolExecutor(8) as threads:
        wholes = list(threads.map(lambda _: one.whole, range(8)))
    assert all(whole is one.whole and whole[0] is one.part for whole in wholes)
    assert (one.made, other.made) == (["whole", "part"], [])
    assert other.part is not one.part


def test_a_failure_is_not_kept() -> None:
    """The next use tries again."""

    class Late(Exception):
        pass

    class Failing:
        tries = 0

        @on_first_use
        def part(self) -> int:
            self.tries += 1
            if self.tries == 1:
                raise Late
            return self.tries

    owner = Failing()
    try:
        _ = owner.part
    except Late:
        assert owner.part == 2
