"""Finds columns whose cells were read in one of two forms that both fit.

Without a format, `03/04/2024` is the fourth of March and `1,234` a number of four digits. Others
write the third of April and a decimal comma so. A user has to see which form was assumed.
"""

from __future__ import annotations

import polars as pl

from bulkwright.domain.module import StorageType
from bulkwright.pipeline.cells import ReadOptions

_MONTH_FIRST = "MM/dd/yyyy"
_COMMA_GROUPS = "#,###.##"
_DAY_OR_MONTH = r"^\s*(?:0?[1-9]|1[0-2])/(?:0?[1-9]|1[0-2])/[0-9]{4}"
_GROUP_OR_DECIMALS = r"^\s*[+-]?[0-9]{1,3},[0-9]{3}\s*$"
_SAMPLE_ROWS = 1_000
"""Rows that are tried before all rows of a chunk: most columns show it there."""


def assumed_format(cells: pl.Series, options: ReadOptions) -> str | None:
    """Return the format (`FieldMapping.format`) that was assumed for a column.

    None if a format is given, or if no cell fits another one.
    """
    if options.format is not None:
        return None
    match options.field.storage_type:
        case StorageType.DATE | StorageType.DATETIME:
            sign, pattern, assumed = "/", _DAY_OR_MONTH, _MONTH_FIRST
        case StorageType.INTEGER | StorageType.DECIMAL:
            sign, pattern, assumed = ",", _GROUP_OR_DECIMALS, _COMMA_GROUPS
        case _:
            return None
    # Most columns do not have the sign at all, and one long text is searched faster than many.
    if sign not in (cells.str.join().item() or ""):
        return None
    samples = (cells.head(_SAMPLE_ROWS), cells)
    return assumed if any(s.str.contains(pattern).any() for s in samples) else None
