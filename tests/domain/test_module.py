"""Modules and fields: the facts that other parts derive from a field's type and column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkwright.domain.module import (
    API_NAME,
    DATA_TYPES,
    UNWRITABLE,
    Column,
    ExistingTable,
    Field,
    Module,
    StorageType,
)
from bulkwright.domain.table_kind import EXISTING_TABLE, SERVICE_TABLE

TEXT = Field(1, "Company", "Company", "text")
COLUMN = Column("company", "text")
NUMBER = Field(2, "Employees", "Employees", "integer")


def module(*fields: Field) -> Module:
    """Returns a module with these fields."""
    return Module(1, 2, "Leads", "Leads", "Lead", "Leads", "default", 3, True, fields)


@pytest.mark.parametrize("name", ["A", "Last_Name", "a1", "A" * 100])
def test_an_api_name_is_letters_digits_and_underscores(name: str) -> None:
    """It begins with a letter and has a hundred characters at most."""
    assert API_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "a-b", 'a"', "a\n", "é", "A" * 101])
def test_no_other_text_is_an_api_name(name: str) -> None:
    """Names become identifiers of the database."""
    assert not API_NAME.fullmatch(name)


@pytest.mark.parametrize(
    ("data_type", "storage_type"),
    [
        ("bigint", StorageType.INTEGER),
        ("percent", StorageType.DECIMAL),
        ("multiselectpicklist", StorageType.LIST),
        ("ownerlookup", StorageType.REFERENCE),
        ("picklist", StorageType.TEXT),
        ("website", StorageType.TEXT),
    ],
)
def test_a_type_without_a_storage_type_of_its_own_is_text(
    data_type: str, storage_type: StorageType
) -> None:
    """A picklist is one text, a multiselect picklist is a list."""
    assert replace(TEXT, data_type=data_type).storage_type is storage_type


@pytest.mark.parametrize("data_type", sorted(DATA_TYPES))
def test_a_field_is_writable_by_its_type_and_unless_read_only(data_type: str) -> None:
    """Facts 1.3 and 8.1."""
    field = replace(TEXT, data_type=data_type)
    assert field.writable == (data_type not in UNWRITABLE)
    assert not replace(field, read_only=True).writable


def test_text_keys_are_folded_unless_a_column_compares_them() -> None:
    """Only for fields that are keys, and only for text."""
    for key in (replace(TEXT, unique=True), replace(TEXT, duplicate_check=True)):
        assert key.is_key and key.has_folded_key
        assert not replace(key, column=COLUMN).has_folded_key
        assert not replace(key, data_type="integer").has_folded_key
    assert not TEXT.is_key and not TEXT.has_folded_key


def test_a_field_is_required_by_the_system_or_by_its_column() -> None:
    """A column that accepts NULL requires nothing, nor does the layout."""
    assert not TEXT.required
    assert replace(TEXT, system_mandatory=True).required
    assert replace(TEXT, column=replace(COLUMN, nullable=False)).required
    assert not replace(TEXT, column=COLUMN).required
    assert not replace(TEXT, layout_mandatory=True).required


@pytest.mark.parametrize("data_type", ["picklist", "multiselectpicklist"])
def test_a_picklist_grows_unless_it_is_the_enum_of_a_column(data_type: str) -> None:
    """A text never grows."""
    field = replace(TEXT, data_type=data_type)
    assert field.accepts_new_values
    assert not replace(field, column=COLUMN).accepts_new_values
    assert not TEXT.accepts_new_values


def test_owners_and_user_lookups_have_users() -> None:
    """A lookup has records."""
    have = {t for t in DATA_TYPES if replace(TEXT, data_type=t).has_users}
    assert have == {"ownerlookup", "userlookup"}


@pytest.mark.parametrize(
    ("type_", "least", "most"),
    [
        ("smallint", -32_768, 32_767),
        ("integer", -2_147_483_648, 2_147_483_647),
        ("bigint", -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
    ],
)
def test_a_column_stores_whole_numbers_within_its_bits(type_: str, least: int, most: int) -> None:
    """Those of PostgreSQL, on both databases."""
    assert Column("n", type_).bounds == (least, most)


def test_a_field_is_found_by_its_exact_name() -> None:
    """Case matters."""
    leads = module(TEXT, NUMBER)
    assert leads.field("Employees") is NUMBER
    assert leads.field("Company") is TEXT
    assert leads.field("employees") is None
    assert module().field("Company") is None


def test_mandatory_fields_are_those_that_a_job_can_fill() -> None:
    """An autonumber is mandatory, but no job fills it."""
    name = replace(TEXT, system_mandatory=True)
    number = replace(name, api_name="Number", data_type="autonumber")
    assert module(name, number, NUMBER).mandatory_fields == (name,)


def test_unique_fields_are_without_the_id() -> None:
    """The id is unique by itself."""
    unique = replace(TEXT, unique=True)
    identity = replace(unique, api_name="id")
    assert module(identity, unique, NUMBER).unique_fields == (unique,)


def test_the_name_of_a_record_is_its_text_key_or_its_first_mandatory_field() -> None:
    """A key of another type is no name; a module may have no name at all."""
    mandatory = replace(NUMBER, system_mandatory=True)
    email = replace(TEXT, api_name="Email", data_type="email", duplicate_check=True)
    name = replace(TEXT, duplicate_check=True)
    assert module(mandatory, email, name).display_field is name
    assert module(TEXT, mandatory, email).display_field is mandatory
    assert module(TEXT, NUMBER).display_field is None


def test_a_module_or_a_field_may_be_in_a_table_of_the_user() -> None:
    """The table of the module, the column of the field."""
    assert module(TEXT).table_kind is SERVICE_TABLE
    assert replace(module(TEXT), table=ExistingTable("leads")).table_kind is EXISTING_TABLE
    assert not TEXT.in_existing_table
    assert replace(TEXT, column=COLUMN).in_existing_table
