"""Which column fills which field (`service/columns.py`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkwright.domain.errors import BulkwrightError, InvalidField
from bulkwright.domain.job import Operation
from bulkwright.domain.module import Column, ExistingTable, Field, Module
from bulkwright.service.columns import (
    Omission,
    Stated,
    StatedColumn,
    find_by_name,
    match_columns,
    with_parent_fields,
)


def field(number: int, name: str, label: str = "", **more: object) -> Field:
    """A text field, unless `more` says otherwise."""
    made = Field(number, name, label or name.replace("_", " "), "text")
    return replace(made, **more)  # type: ignore[arg-type]  # attributes by name


LEADS = Module(
    1, 1, "Leads", "Leads", "Lead", "Leads", "default", 2, True,
    (
        field(3, "id", "Record Id", data_type="bigint", unique=True, read_only=True),
        field(4, "Last_Name", system_mandatory=True),
        field(5, "First_Name"),
        field(6, "Email", duplicate_check=True),
        field(7, "Account_Name", data_type="lookup", lookup_module="Accounts"),
        field(8, "Created_Time", data_type="datetime", read_only=True),
    ),
)  # fmt: skip


def column(number: int, name: str, own: str, **more: object) -> Field:
    """A field over a column of an existing table."""
    return field(number, name, own, column=Column(own, "text"), **more)


TABLE = replace(
    LEADS,
    api_name="people",
    table=ExistingTable("people"),
    fields=(
        column(3, "id", "no", data_type="bigint", unique=True),
        column(4, "First_Name", "First Name"),
        column(5, "x_50_net", '50 "net"'),
        column(6, "Gr_e", "Größe"),
        column(7, "unit_price", "unit.price"),
        column(8, "a_b", "a b"),
        column(9, "a_b_2", "a-b"),
        column(10, "id_2", "id"),
    ),
)


NOTHING = Stated()


def filled(
    header: str, module: Module = LEADS, stated: Stated = NOTHING, find_by: str | None = None,
    operation: Operation = Operation.INSERT,
) -> dict[str, str]:  # fmt: skip
    """Which column fills which field; left out columns have the name of their reason."""
    names = header.split(",")
    match = match_columns(names, module, operation, find_by, stated)
    found = {names[m.index].strip(): m.api_name for m in match.mappings if m.index is not None}
    return found | {omitted.name: omitted.why.name for omitted in match.omitted}


@pytest.mark.parametrize(
    ("header", "module", "expected"),
    [
        ("Last_Name,Email", LEADS, ["Last_Name", "Email"]),
        (" Last_Name ,EMAIL,first name", LEADS, ["Last_Name", "Email", "First_Name"]),
        ("Last Name,First-Name", LEADS, ["Last_Name", "First_Name"]),
        ("Account_Name.Account_Name,Account_Name", LEADS, ["Account_Name", "OTHER_COLUMN"]),
        ("Frist_Name,Email.x", LEADS, ["NO_FIELD", "NO_FIELD"]),
        ("email,Email", LEADS, ["OTHER_COLUMN", "Email"]),
        ("id,Created_Time", LEADS, ["NEW_IDS", "READ_ONLY"]),
        ("Last_Name,ERRORS", LEADS, ["Last_Name", "RESULT"]),
        ("Last_Name,ERRORS,MESSAGE", LEADS, ["Last_Name", "RESULT", "RESULT"]),
        ("ERRORS,Last_Name", LEADS, ["NO_FIELD", "Last_Name"]),
        ("Email,STATUS,RECORD_ID,ERRORS", LEADS, ["Email", "RESULT", "RESULT", "RESULT"]),
        ('no,First Name,50 "net"', TABLE, ["id", "First_Name", "x_50_net"]),
        ("Größe,größe,unit.price", TABLE, ["Gr_e", "OTHER_COLUMN", "unit_price"]),
        ("a b,a-b,A B", TABLE, ["a_b", "a_b_2", "SEVERAL_FIELDS"]),
        # A column of the table, and the name of its key field.
        ("id", TABLE, ["SEVERAL_FIELDS"]),
    ],
)
def test_names_of_columns(header: str, module: Module, expected: list[str]) -> None:
    """API names first, then own names, then spellings that only one field can mean."""
    found = filled(header, module)
    assert [found[name.strip()] for name in header.split(",")] == expected


def test_a_repeated_column_is_left_out() -> None:
    """By its reason, so that `write` refuses it."""
    match = match_columns(["Email", "Email"], LEADS, Operation.INSERT, None, Stated())
    assert [m.index for m in match.mappings] == [0]
    assert [(o.name, o.why) for o in match.lost] == [("Email", Omission.OTHER_COLUMN)]


def test_ids_find_records_or_are_kept_or_are_left_out() -> None:
    """As `find_by`; in an insert into an existing table that allows it; otherwise lost."""
    upsert = Operation.UPSERT
    assert filled("id,Email", find_by="id", operation=upsert)["id"] == "id"
    assert filled("id,Email", find_by="Email", operation=upsert)["id"] == "NEW_IDS"
    assert filled("no,a b", TABLE)["no"] == "id"
    assert filled("no,a b", TABLE, find_by="a_b", operation=upsert)["no"] == "NEW_IDS"
    fixed = replace(TABLE, fields=(replace(TABLE.fields[0], read_only=True), *TABLE.fields[1:]))
    assert filled("no,a b", fixed)["no"] == "NEW_IDS"


def test_what_is_stated_wins() -> None:
    """For a column, for its defaults and its format; other columns keep their names."""
    stated = Stated(
        columns=(StatedColumn("Mail", "email"), StatedColumn("Note", None)),
        defaults={"first name": "Pat"},
        formats={"Mail": "x"},
    )
    names = ["Last_Name", "Mail", "Note", "Email"]
    match = match_columns(names, LEADS, Operation.INSERT, None, stated)
    found = {m.api_name: m for m in match.mappings}
    assert (found["Email"].index, found["Email"].format) == (1, "x")
    assert (found["First_Name"].index, found["First_Name"].default) == (None, "Pat")
    assert {o.name: o.why for o in match.omitted} == {
        "Note": Omission.STATED,
        "Email": Omission.OTHER_COLUMN,
    }


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (Stated((StatedColumn("Mial", "Email"),)), "no column 'Mial'; did you mean Mail?"),
        (Stated((StatedColumn("Mail", "Emial"),)), "no field 'Emial'; did you mean Email?"),
        (Stated((StatedColumn("Twice", "Email"),)), "2 columns 'Twice'"),
        (Stated((StatedColumn("Mail", "Created_Time"),)), "Created_Time takes no column"),
        (Stated((StatedColumn("Mail", "id"),)), "new records get new ids"),
        (
            Stated((StatedColumn("Mail", "Email"), StatedColumn("Last_Name", "Email"))),
            "Email is mapped twice",
        ),
        (Stated(defaults={"Frist_Name": "x"}), "did you mean First_Name?"),
        (Stated(formats={"First_Name": "x"}), "no column fills First_Name"),
        (Stated(defaults={"Created_Time": "x"}), "Created_Time takes no default: it cannot be"),
        (Stated(defaults={"id": "5"}), "id takes no default: new records get new ids"),
    ],
)
def test_mistakes_name_what_is_near(stated: Stated, words: str) -> None:
    """One line for a person at the keyboard."""
    with pytest.raises(BulkwrightError) as raised:
        match_columns(
            ["Last_Name", "Mail", "Twice", "Twice"], LEADS, Operation.INSERT, None, stated
        )
    assert words in raised.value.message


ACCOUNTS = replace(
    LEADS,
    api_name="Accounts",
    fields=(LEADS.fields[0], field(4, "Account_Name", unique=True), field(5, "Phone")),
)
PARENTS = {"Accounts": ACCOUNTS}


@pytest.mark.parametrize("name", ["Account_Name", "account name", "id"])
def test_the_field_of_a_lookup_has_any_of_its_names(name: str) -> None:
    """Stated, and in the header."""
    lookup = StatedColumn("x", "Account_Name", name)
    for header, stated in (("x", Stated((lookup,))), (f"Account_Name.{name}", NOTHING)):
        found = match_columns([header], LEADS, Operation.INSERT, None, stated)
        (mapping,) = with_parent_fields(found, LEADS, PARENTS.get).mappings
        assert mapping.find_by == ("id" if name == "id" else "Account_Name")


@pytest.mark.parametrize(
    ("target", "name", "words"),
    [
        ("Account_Name", "Acount_Name", "Accounts has no field 'Acount_Name'; did you mean"),
        ("Owner", "Nope", "Owner finds its user by id or email, not by 'Nope'"),
    ],
)
def test_a_lookup_by_a_field_that_does_not_exist_is_refused(
    target: str, name: str, words: str
) -> None:
    """With the field that was perhaps meant."""
    module = replace(LEADS, fields=(*LEADS.fields, field(9, "Owner", data_type="ownerlookup")))
    stated = Stated((StatedColumn("x", target, name),))
    found = match_columns(["x"], module, Operation.INSERT, None, stated)
    with pytest.raises(BulkwrightError) as raised:
        with_parent_fields(found, module, PARENTS.get)
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("name", "names"),
    [("id", "'no' or 'id_2'"), ("A B", "'a b' or 'a-b'")],
)
def test_a_name_of_several_fields_is_refused_with_names_of_one(name: str, names: str) -> None:
    """In a header, where its values would be lost, and where a field is stated."""
    (lost,) = match_columns([name], TABLE, Operation.INSERT, None, Stated()).lost
    assert str(lost) == f"{name} (several fields have this name; write {names})"
    with pytest.raises(BulkwrightError) as raised:
        find_by_name(name, TABLE)
    assert raised.value.message == f"people has several fields {name!r}; write {names}"


def test_find_by_takes_what_identifies_records() -> None:
    """By any of its names."""
    assert find_by_name("email", LEADS) == "Email"
    assert find_by_name("Record Id", LEADS) == "id"
    for wrong, words in (("First_Name", "give one of id, Email"), ("Emial", "did you mean Email?")):
        with pytest.raises(BulkwrightError) as raised:
            find_by_name(wrong, LEADS)
        assert words in raised.value.message


def test_only_a_lookup_takes_how_it_is_found() -> None:
    """For another field it would be ignored."""
    stated = Stated(columns=(StatedColumn("Town", "First_Name", "id"),))
    with pytest.raises(
        InvalidField, match="First_Name is no lookup, so it takes no :id; give Town"
    ):
        filled("Last_Name,Town", stated=stated)


def test_every_column_has_a_name_by_its_place() -> None:
    """A header that is such a name has priority; a header of several columns names none of them."""
    header = "Name,,Name,column 1"
    stated = Stated(
        (
            StatedColumn("column 2", "Email"),
            StatedColumn("column 3", "Last_Name"),
            StatedColumn("column 1", "First_Name"),
        ),
        formats={"column 2": "x"},
    )
    match = match_columns(header.split(","), LEADS, Operation.INSERT, None, stated)
    assert {m.api_name: m.index for m in match.mappings} == {
        "Email": 1, "Last_Name": 2, "First_Name": 3,
    }  # fmt: skip
    assert [m.format for m in match.mappings] == ["x", None, None]
    for name, why in (
        ("Name", "the file has 2 columns 'Name'; write 'column 1' or 'column 3'"),
        ("column 5", "the file has no column 'column 5'"),
        ("column 0", "the file has no column 'column 0'"),
    ):
        with pytest.raises(InvalidField) as caught:
            stated = Stated((StatedColumn(name, "Email"),))
            match_columns(header.split(","), LEADS, Operation.INSERT, None, stated)
        assert why in str(caught.value.message)
