"""The forms in which columns of existing SQLite tables hold date-times and booleans.

SQLite has no types for them, and compares texts by their letters. So what is written into a column
has the form of what the column holds already: only then the column sorts, and only then other
programs find what was written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from bulkwright.store.times import units_of

_TEXT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<separator>[T ])[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9:]+)?"
)


@dataclass(frozen=True, slots=True)
class MomentForm:
    """How a column holds date-times; the default is that of CURRENT_TIMESTAMP."""

    separator: str = " "
    """Between the date and the time."""
    zone: str = ""
    """What follows the time; the time is in UTC."""
    whole_digits: int = 0
    """Digits after the point of a whole second."""
    part_digits: int = 0
    """Digits at least after the point of any other second."""
    units: int | None = None
    """The column holds numbers instead: this many units a second, counted since 1970."""

    def texts(self, moments: pl.Series) -> pl.Series:
        """Return texts of the form tables.MOMENT_TEXT in this form.

        A number becomes its digits: SQLite stores them as a number, because no column that is
        declared as a date-time has the affinity of texts.
        """
        if self.units is not None:
            micros = moments.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").to_physical()
            return (micros // (1_000_000 // self.units)).cast(pl.String)
        fraction = pl.col("moment").str.slice(20, 6)
        parts = fraction.str.strip_chars_end("0").str.pad_end(self.part_digits, "0")
        whole = "." + "0" * self.whole_digits if self.whole_digits else ""
        text = pl.concat_str(
            pl.col("moment").str.slice(0, 10),
            pl.lit(self.separator),
            pl.col("moment").str.slice(11, 8),
            pl.when(fraction == "000000").then(pl.lit(whole)).otherwise("." + parts),
            pl.lit(self.zone),
        )
        return moments.to_frame("moment").select(text).to_series()


def moment_form(samples: Iterable[str]) -> MomentForm:
    """Return the form of most of the samples, which are texts or digits; else the default form."""
    samples = list(samples)
    units = Counter(units_of(int(s)) for s in samples if re.fullmatch("-?[0-9]{1,18}", s))
    texts = [found for found in map(_TEXT.fullmatch, samples) if found]
    if units.total() > len(texts):
        return MomentForm(units=units.most_common(1)[0][0])
    if not texts:
        return MomentForm()
    written = Counter((t["separator"], _zone(t["zone"])) for t in texts)
    ((separator, zone), _), *_ = written.most_common(1)
    return MomentForm(separator, zone, *_digits([t["fraction"] or "" for t in texts]))


def _digits(fractions: Sequence[str]) -> tuple[int, int]:
    """The `whole_digits` and the `part_digits` of a column that holds these fractions of seconds.

    If a fraction ends in 0, the column always holds its number of digits. Otherwise it holds as
    many as a value needs, unless all have the same number.
    """
    lengths = {len(f) for f in fractions if f.strip("0")}
    padded = [len(f) for f in fractions if f.endswith("0")]
    parts = max(padded, default=lengths.pop() if len(lengths) == 1 else 0)
    whole = Counter(len(f) for f in fractions if not f.strip("0"))
    return min(6, whole.most_common(1)[0][0] if whole else parts), min(6, parts)


def boolean_texts(values: pl.Series, samples: Iterable[str]) -> pl.Series:
    """Return booleans as the words of most samples, or as 1 and 0."""
    found = Counter(words for s in samples for words in _WORDS if s in words)
    ((true, false), _), *_ = found.most_common(1) or [(("1", "0"), 0)]
    return values.replace_strict({True: true, False: false}, return_dtype=pl.String)


_WORDS = (("1", "0"), ("t", "f"), ("true", "false"), ("TRUE", "FALSE"), ("True", "False"))


def _zone(written: str | None) -> str:
    """What stands for UTC where the column has this."""
    return "Z" if written == "Z" else "+00:00" if written else ""
