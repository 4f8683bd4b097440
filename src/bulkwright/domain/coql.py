"""A COQL query as a tree: what is selected, of which records, in which order. Pure values.

`zoho/parse/coql.py` reads the text; `service/coql.py` runs the query (facts 10.11).
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.criteria import Criteria

AGGREGATES = ("SUM", "MAX", "MIN", "AVG", "COUNT")


@dataclass(frozen=True, slots=True)
class SelectedColumn:
    """What one column of the answer holds: a field, or an aggregate of a field."""

    path: str
    """An api_name, or a path through lookups: `Account_Name.Phone`."""
    aggregate: str | None = None
    """One of AGGREGATES."""
    alias: str | None = None

    @property
    def written(self) -> str:
        """The column as a query writes it: `Last_Name`, `SUM(Annual_Revenue)`."""
        return self.path if self.aggregate is None else f"{self.aggregate}({self.path})"

    @property
    def key(self) -> str:
        """The key of its values in the answer."""
        return self.alias or self.written


@dataclass(frozen=True, slots=True)
class Sort:
    """One term of ORDER BY: a column as it is written, or an alias."""

    column: str
    ascending: bool = True


@dataclass(frozen=True, slots=True)
class CoqlQuery:
    """One query."""

    module: str
    columns: tuple[SelectedColumn, ...]
    criteria: Criteria
    group_by: tuple[str, ...] = ()
    order_by: tuple[Sort, ...] = ()
    limit: int = 200
    offset: int = 0

    @property
    def is_grouped(self) -> bool:
        """Whether a row is of several records."""
        return bool(self.group_by) or any(column.aggregate for column in self.columns)

    def resolved(self, name: str) -> str:
        """Returns the column that an alias stands for; the name itself if it is none."""
        return next((c.written for c in self.columns if c.alias == name), name)
