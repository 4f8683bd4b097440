"""The document of `modules apply`: numbers that a field can have."""

from __future__ import annotations

import pytest

from bulkwright.domain.errors import InvalidData
from bulkwright.service.schema_document import module_entries


def read(**more: object) -> tuple[int | None, int | None]:
    """The length and the decimal places of a field of the document."""
    field = {"api_name": "Price", "data_type": "double", **more}
    (entry,) = module_entries({"modules": [{"api_name": "Trees", "fields": [field]}]})
    ((_, found),) = entry.fields(set())
    return found.length, found.decimal_place


def test_numbers_of_a_field() -> None:
    """Each type has a length of its own; no place behind the point is a number too."""
    assert read() == (16, None)
    assert read(length=100_000, decimal_place=0) == (100_000, 0)
    assert read(decimal_place=9) == (16, 9)


@pytest.mark.parametrize(
    "more",
    [
        {"decimal_place": 500}, {"decimal_place": -1}, {"decimal_place": 1.0}, {"length": 0},
        {"length": 10**9}, {"length": True}, {"length": "16"},
    ],
)  # fmt: skip
def test_a_number_that_no_field_has(more: dict[str, object]) -> None:
    """The message says what is expected, and where."""
    with pytest.raises(
        InvalidData, match=r"a whole number from [01] to [0-9]+ is expected"
    ) as found:
        read(**more)
    (key,) = more
    assert found.value.details["json_path"] == f"$.modules[0].fields[0].{key}"
