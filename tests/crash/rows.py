"""What the client of a stand uploads."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.support.model import COLUMNS


@dataclass
class Rows:
    """CSVs of leads whose keys are new, known, repeated, and now and then invalid."""

    random: random.Random
    keys: list[str] = field(default_factory=list)
    made: int = 0

    def csv(self, count: int) -> str:
        """The next CSV; each row has a Last_Name of its own."""
        self.made += 1
        lines = [",".join(COLUMNS)]
        for n in range(count):
            lines.append(f"j{self.made}r{n},{self._key()},{self._number()},City {n % 7}")
        return "\n".join(lines) + "\n"

    def _key(self) -> str:
        chance = self.random.random()
        if chance < 0.04:
            return "no address"
        if chance < 0.45 and self.keys:
            key = self.random.choice(self.keys)
            return key.upper() if chance < 0.1 else key
        self.keys.append(f"k{len(self.keys)}@x.example")
        return self.keys[-1]

    def _number(self) -> str:
        return "many" if self.random.random() < 0.04 else str(self.random.randrange(10**6))
