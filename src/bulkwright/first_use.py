"""What a process needs late, or never, is imported and made on its first use.

So a server starts, and a command runs, without the modules that it does not use yet.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT", covariant=True)

_making = RLock()
"""Held while anything is imported and made on its first use. Two threads that import modules of
one package at the same time could each wait for what the other one holds."""


class on_first_use(Generic[ValueT]):  # noqa: N801 - used like functools.cached_property
    """A property that its first use makes, and that is kept. All threads get the same value."""

    def __init__(self, make: Callable[[Any], ValueT]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, owner: Any, _owner_class: type | None = None) -> ValueT:
        """Makes the value. From then on the attribute of the owner hides this property."""
        kept = vars(owner)
        with _making:
            if self._name not in kept:
                kept[self._name] = self._make(owner)
            value: ValueT = kept[self._name]
            return value
