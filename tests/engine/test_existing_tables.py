"""Existing tables: jobs write to them by their own rules, and nothing alters them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.engine.existing import offer, offer_error, run
from tests.support.bench import Bench

from bulkwright.domain.errors import InvalidData, InvalidField
from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Module

CUSTOMERS = """CREATE TABLE customers (
    customer_no {id}, name VARCHAR(20) NOT NULL, email TEXT UNIQUE,
    age INTEGER CHECK (age >= 18), city TEXT DEFAULT 'Trier', balance NUMERIC(6,2)
)"""


@pytest.fixture
def customers(bench: Bench) -> Bench:
    """A bench with a table of two customers, offered as a module."""
    run(
        bench,
        CUSTOMERS,
        "INSERT INTO customers (name, email, age) VALUES ('Ann', 'a@x.example', 30)",
        "INSERT INTO customers (name, email, age) VALUES ('Bob', 'b@x.example', 40)",
    )
    offer(bench, "customers")
    return bench


# A table as a module


def test_columns_become_fields_with_their_traits(customers: Bench) -> None:
    """Lengths, precision, NOT NULL, UNIQUE and defaults are those of the table."""
    fields = {f.api_name: f for f in customers.module("customers").fields}
    assert list(fields) == ["id", "name", "email", "age", "city", "balance"]
    assert (fields["name"].length, fields["name"].system_mandatory) == (20, True)
    assert (fields["email"].unique, fields["city"].system_mandatory) == (True, False)
    assert (fields["balance"].length, fields["balance"].decimal_place) == (6, 2)


def test_names_may_hold_anything(bench: Bench) -> None:
    """API names have no quotes, blanks or other signs; the columns keep their names."""
    run(
        bench,
        'CREATE TABLE "Order ""x"" % ?" ("Key" {id}, "select" TEXT UNIQUE, "a b" TEXT, "a-b" TEXT, '
        '"50% ""net""?" INTEGER, "{0}" TEXT, "Id" TEXT)',
    )
    module = offer(bench, 'Order "x" % ?', name="Orders")
    names = [f.api_name for f in module.fields]
    assert names == ["id", "select", "a_b", "a_b_2", "x_50_net", "x_0", "Id_2"]
    done = bench.run("select,a_b,a_b_2,x_50_net,x_0,Id_2\none,1,2,3,4,5\ntwo,1,2,3,4,5\n", "Orders")
    assert done.outcome == ["ADDED", "ADDED"]
    again = bench.run("select,x_50_net\none,7\n", "Orders", "update", find_by="select")
    assert again.outcome == ["UPDATED"]
    one, _ = bench.records("Orders")
    assert (one["x_50_net"], one["a_b_2"], one["x_0"]) == (7, "2", "4")
    assert bench.shown(one["id"], "Orders")["select"] == "one"


def test_a_header_has_the_names_of_the_columns(bench: Bench) -> None:
    """Also in a request without mappings: blanks, dashes, umlauts, dots; API names work too."""
    run(
        bench,
        'CREATE TABLE people (no {id}, "First Name" TEXT, "e-mail" TEXT, "Größe" INTEGER, '
        '"unit.price" NUMERIC(6,2))',
    )
    offer(bench, "people")
    header = "First Name,e-mail,Größe,unit.price,other"
    assert bench.run(f"{header}\nAnn,a@x,170,1.50,x\n", "people").outcome == ["ADDED"]
    assert bench.run("First_Name,e_mail\nBob,b@x\n", "people").outcome == ["ADDED"]
    first, second = bench.records("people")
    assert [first[name] for name in ("First_Name", "e_mail", "Gr_e")] == ["Ann", "a@x", 170]
    assert float(first["unit_price"]) == 1.5
    assert (second["First_Name"], second["e_mail"]) == ("Bob", "b@x")


def test_a_column_has_its_own_name_before_others_get_it(bench: Bench) -> None:
    """`a b` stands before `a_b` and `a-b` in the table, and does not take the name a_b."""
    run(bench, 'CREATE TABLE y (no {id}, "a b" TEXT, "a-b" TEXT, a_b TEXT, id_2 TEXT, "Id" TEXT)')
    module = offer(bench, "y")
    names = ["id", "a_b_2", "a_b_3", "a_b", "id_2", "Id_3"]
    assert [f.api_name for f in module.fields] == names
    assert bench.run("a b,a-b,a_b\n1,2,3\n", "y").outcome == ["ADDED"]
    assert run(bench, 'SELECT "a b", "a-b", a_b FROM y') == [{"a b": "1", "a-b": "2", "a_b": "3"}]


def test_a_new_column_changes_no_name_of_a_field(bench: Bench) -> None:
    """A field has the name that it had, also if its column would get another one now."""
    run(bench, 'CREATE TABLE y (no {id}, "a b" TEXT, "a-b" TEXT)')
    before = offer(bench, "y")
    run(bench, "ALTER TABLE y ADD COLUMN a_b TEXT", 'ALTER TABLE y DROP COLUMN "a b"')
    after = offer(bench, "y")
    assert [f.api_name for f in before.fields] == ["id", "a_b", "a_b_2"]
    assert after.fields[1] == before.fields[2]
    assert [f.display_label for f in after.fields] == ["no", "a-b", "a_b"]
    assert bench.run("a-b,a_b\n1,2\n", "y").outcome == ["ADDED"]
    assert run(bench, 'SELECT "a-b", a_b FROM y') == [{"a-b": "1", "a_b": "2"}]


def test_names_of_system_fields_are_ordinary_columns(bench: Bench) -> None:
    """Only jobs write to the columns Owner and Modified_Time of an existing table."""
    run(bench, 'CREATE TABLE memos (id {id}, "Owner" TEXT, "Modified_Time" TEXT, "Tag" TEXT)')
    offer(bench, "memos")
    assert bench.run("Owner,Tag_2\nme,t\n,u\n", "memos").outcome == ["ADDED", "ADDED"]
    one, two = bench.records("memos")
    assert (one["Owner"], one["Modified_Time"], one["Tag_2"]) == ("me", None, "t")
    assert two["Owner"] is None


def test_columns_may_have_names_that_the_pipeline_uses(bench: Bench) -> None:
    """The pipeline's own columns beside a row's values never replace one of them."""
    names = ("new", "at", "row", "incomplete", "record", "key", "creator", "_new", "name__key")
    made = ", ".join(f'"{n}" INTEGER' for n in names)
    run(bench, f'CREATE TABLE n (id {{id}}, {made}, CHECK ("row" < 5))')
    offer(bench, "n")
    header = "new,at,row,incomplete,record,key,creator,new_2,name_key"
    done = bench.run(f"{header}\n1,2,3,4,5,6,7,8,9\n1,2,9,4,5,6,7,8,9\n", "n")
    assert done.outcome == ["ADDED", "INVALID_DATA-row"]
    assert list(bench.records("n")[0].values()) == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_table_in_another_schema(postgres_only: Bench) -> None:
    """--schema names the schema of a table."""
    bench = postgres_only
    run(bench, "CREATE SCHEMA shop", "CREATE TABLE shop.items (id {id}, sku TEXT UNIQUE)")
    assert "no table items" in offer_error(bench, "items")
    offer(bench, "items", schema="shop")
    assert bench.run("sku\nA1\nA1\n", "items").outcome == ["ADDED", "DUPLICATE_DATA-sku"]
    assert run(bench, "SELECT sku FROM shop.items") == [{"sku": "A1"}]


def test_offered_again_the_fields_follow_the_table(customers: Bench) -> None:
    """The next from-table adds the new column; names and ids do not change."""
    before = customers.module("customers")
    run(customers, "ALTER TABLE customers ADD COLUMN phone TEXT")
    after = offer(customers, "customers")
    assert after.id == before.id and after.fields[:6] == before.fields
    assert customers.module("customers").field("phone") is not None


def test_a_dry_run_adds_no_module(bench: Bench) -> None:
    """The module is only shown."""
    run(bench, CUSTOMERS)
    offer(bench, "customers", dry_run=True)
    assert bench.services.modules.module(bench.org.id, "customers") is None


# Tables that are rejected


def test_tables_that_cannot_be_offered(bench: Bench) -> None:
    """No key, no numbers, no such table, a table of the service, a name that is in use."""
    run(bench, "CREATE TABLE plain (a TEXT)", "CREATE TABLE leads (id {id}, a TEXT)")
    assert "need an id" in offer_error(bench, "plain")
    assert "no table nothing" in offer_error(bench, "nothing")
    assert "no table jobs" in offer_error(bench, "jobs")
    assert "no table org" in offer_error(bench, f"org{bench.org.id}_Leads")
    assert "--module" in offer_error(bench, "leads")
    assert offer(bench, "leads", name="Prospects").api_name == "Prospects"


@pytest.mark.parametrize(
    "table",
    [
        "(id BIGINT PRIMARY KEY, a TEXT)",
        "(id BIGINT PRIMARY KEY DEFAULT 7, a TEXT)",
        "(id BIGINT PRIMARY KEY, a TEXT) PARTITION BY RANGE (id)",
        "(a TEXT)",
        "(a TEXT, record_id TEXT, record_id_2 BIGINT)",
    ],
)
def test_a_table_without_an_id_is_rejected_with_the_statements_that_add_one(
    postgres_only: Bench, table: str
) -> None:
    """The statements can be run as they are; then the table is accepted."""
    bench = postgres_only
    run(bench, f'CREATE TABLE "T\'s" {table}')
    if "PARTITION" in table:
        run(bench, 'CREATE TABLE rest PARTITION OF "T\'s" DEFAULT')
    remedy = offer_error(bench, "T's").partition("run: ")[2]
    run(bench, *remedy.split("; "))
    offer(bench, "T's", name="T")
    assert bench.run("a\nx\n", "T").ids == [1]


def test_a_table_that_no_statement_can_give_an_id(bench: Bench) -> None:
    """The message names the reason and another way."""
    if bench.services.database.dialect == "postgres":
        run(bench, "CREATE TABLE t (id BIGINT, a TEXT) PARTITION BY HASH (a)")
        error = offer_error(bench, "t")
        assert "its partitions instead" in error and "run:" not in error
    else:
        run(bench, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID")
        assert "without WITHOUT ROWID" in offer_error(bench, "t")


def test_columns_of_unknown_types_are_left_out_if_they_can_be(postgres_only: Bench) -> None:
    """They can if they are nullable or have a default; otherwise the table is rejected."""
    run(
        postgres_only,
        "CREATE TABLE t (id {id}, a TEXT, raw BYTEA, at INTERVAL NOT NULL DEFAULT '1 day')",
        "CREATE TABLE u (id {id}, tags TEXT[] NOT NULL)",
    )
    (offered,) = postgres_only.services.existing_tables.offer(postgres_only.org.id, "t")
    assert offered.omitted == ("raw", "at")
    assert postgres_only.run("a\nx\n", "t").outcome == ["ADDED"]
    assert "tags (text[])" in offer_error(postgres_only, "u")


def test_modules_apply_never_alters_the_table(customers: Bench) -> None:
    """It is rejected with a message that says what to do instead."""
    fields = [{"api_name": "more", "data_type": "text"}]
    with pytest.raises(InvalidData, match="from-table"):
        customers.apply({"api_name": "customers", "fields": fields})


# Jobs


def test_insert_names_only_what_is_mapped(customers: Bench) -> None:
    """The table's defaults fill the other columns; the result has the ids of the table."""
    done = customers.run("name,balance\nCid,12.50\n", "customers")
    (id_,) = done.ids
    assert id_ == 3
    (row,) = run(customers, "SELECT * FROM customers WHERE customer_no = 3")
    assert (row["name"], row["city"], float(row["balance"])) == ("Cid", "Trier", 12.5)


def test_update_by_a_unique_column(customers: Bench) -> None:
    """Equality is that of the index: no value is trimmed or folded."""
    rows = "email,age\na@x.example,31\nA@x.example,32\n"
    done = customers.run(rows, "customers", "update", find_by="email")
    assert done.outcome == ["UPDATED", "RESOURCE_NOT_FOUND-email"] and done.ids[0] == 1


def test_update_by_id(customers: Bench) -> None:
    """`id` is the table's key, whatever its name; numbers beyond its range are errors."""
    rows = "id,age\n2,41\n9,42\n99999999999999999999,43\n"
    done = customers.run(rows, "customers", "update", find_by="id")
    assert done.outcome == ["UPDATED", "RESOURCE_NOT_FOUND-id", "INVALID_DATA-id"]


def test_upsert_sees_the_rows_before(customers: Bench) -> None:
    """An existing record, a new one, and the one that the row before has created."""
    rows = "name,email\nAnna,a@x.example\nDora,d@x.example\nDoro,d@x.example\n"
    done = customers.run(rows, "customers", "upsert", find_by="email")
    assert done.outcome == ["UPDATED", "ADDED", "UPDATED"] and done.ids == [1, 3, 3]
    assert [r["name"] for r in customers.records("customers")] == ["Anna", "Bob", "Doro"]


def test_values_are_checked_against_the_types_of_the_columns(bench: Bench) -> None:
    """Ranges, lengths and digits are checked before the database gets them."""
    postgres = bench.services.database.dialect == "postgres"
    run(bench, "CREATE TABLE v (id {id}, i SMALLINT, n NUMERIC(5,2), c VARCHAR(3), r REAL)")
    offer(bench, "v")
    rows = [
        ("32767,999.99,äöü,1.5e3", "ADDED"),
        (",1.500,,", "ADDED"),
        (",1000,,", "INVALID_DATA-n"),
        (",1.234,,", "INVALID_DATA-n"),
        (",,four,", "INVALID_DATA-c"),
        (",,,much", "INVALID_DATA-r"),
        ("99999999999999999999,,,", "INVALID_DATA-i"),
        ("32768,,,", "INVALID_DATA-i" if postgres else "ADDED"),
    ]
    text = "i,n,c,r\n" + "".join(f"{row}\n" for row, _ in rows)
    assert bench.run(text, "v").outcome == [outcome for _, outcome in rows]


def test_a_not_null_column_is_mandatory_if_it_is_mapped(bench: Bench) -> None:
    """It has a default, but an empty cell would be null."""
    run(bench, "CREATE TABLE d (id {id}, a TEXT, n INTEGER NOT NULL DEFAULT 7)")
    offer(bench, "d")
    assert bench.run("a\nx\n", "d").outcome == ["ADDED"]
    assert bench.run("a,n\nx,\n", "d").outcome == ["MANDATORY_NOT_FOUND-n"]


def test_types_of_postgresql(postgres_only: Bench) -> None:
    """An enum gets no new values; UUID, JSON, times and domains accept their values only."""
    bench = postgres_only
    run(
        bench,
        "CREATE TYPE \"My Mood\" AS ENUM ('glad', 'sad')",
        "CREATE DOMAIN short AS VARCHAR(3) CHECK (VALUE <> 'no')",
        'CREATE TABLE p (id {id}, mood "My Mood", u UUID UNIQUE, j JSONB, at TIMESTAMP, '
        "tz TIMESTAMPTZ, s short, ok BOOLEAN, day DATE, c CHAR(3) UNIQUE)",
    )
    offer(bench, "p")
    u = "0F0E0D0C-0000-4000-8000-000000000001"
    rows = [
        (f'glad,{u},"{{""a"": [1]}}",2026-01-01T00:00:00Z,,abc,true,2026-02-03,x', "ADDED"),
        ("angry,,,,,,,,", "INVALID_DATA-mood"),
        (",nonsense,,,,,,,", "INVALID_DATA-u"),
        (f",{u.lower()},,,,,,,", "DUPLICATE_DATA-u"),
        (",,{,,,,,,", "INVALID_DATA-j"),
        (",,,,,abcd,,,", "INVALID_DATA-s"),
        (",,,,,no,,,y", "INVALID_DATA-short_check"),
        (",,,,,,,,x  ", "DUPLICATE_DATA-c"),
    ]
    text = "mood,u,j,at,tz,s,ok,day,c\n" + "".join(f"{row}\n" for row, _ in rows)
    done = bench.run(text, "p")
    assert done.outcome == [outcome for _, outcome in rows]
    shown = bench.shown(done.ids[0] or 0, "p")
    assert (shown["mood"], shown["u"], shown["j"]) == ("glad", u.lower(), '{"a":[1]}')
    assert (shown["at"], shown["day"]) == ("2025-12-31T16:00:00-08:00", "2026-02-03")
    found = f"u,mood\n{u},sad\n"
    assert bench.run(found, "p", "update", find_by="u").outcome == ["UPDATED"]


# Constraints that only the database checks


def test_a_check_in_the_middle_of_a_chunk(customers: Bench) -> None:
    """Rows that violate it are skipped and name its column; all others are stored."""
    rows = "".join(f"c{i},{17 if i in (3, 57, 58) else 20 + i}\n" for i in range(100))
    done = customers.run(f"name,age\n{rows}", "customers")
    skipped = [i for i, status in enumerate(done.statuses) if status == "SKIPPED"]
    assert skipped == [3, 57, 58]
    assert {done.errors[i] for i in skipped} == {"INVALID_DATA-age"}
    assert run(customers, "SELECT count(*) AS n FROM customers") == [{"n": 99}]
    assert customers.done(done.job.id).job.counts.skipped == 3


def test_rows_that_depend_on_a_rejected_row(customers: Bench) -> None:
    """The next row with its key creates the record; a row that cannot gets its own error."""
    rows = (
        "name,email,age\n"
        "Kid,k@x.example,5\nKay,k@x.example,50\n"
        "Lad,l@x.example,5\n,l@x.example,60\nLeo,l@x.example,70\n"
    )
    done = customers.run(rows, "customers", "upsert", find_by="email", ignore_empty=True)
    # A chunk stores the final state of a record only, so Kay corrects Kid.
    assert done.outcome == ["ADDED", "UPDATED", "ADDED", "UPDATED", "UPDATED"]
    bad = (
        "name,email,age\nMin,m@x.example,20\nMod,m@x.example,5\nNil,n@x.example,4\n,n@x.example,3\n"
    )
    done = customers.run(bad, "customers", "upsert", find_by="email", ignore_empty=True)
    assert done.outcome == [
        "ADDED", "INVALID_DATA-age", "INVALID_DATA-age", "MANDATORY_NOT_FOUND-name",
    ]  # fmt: skip
    assert customers.records("customers")[-1]["name"] == "Min"


def test_a_chunk_whose_rows_are_all_rejected(customers: Bench) -> None:
    """No row is stored, and the job is completed."""
    done = customers.run("name,age\n" + "x,1\n" * 40, "customers")
    assert done.outcome == ["INVALID_DATA-age"] * 40
    assert done.job.status.value == "COMPLETED"


def test_a_rejected_update(customers: Bench) -> None:
    """Its record does not change, others do."""
    rows = "email,age\na@x.example,3\nb@x.example,44\n"
    done = customers.run(rows, "customers", "update", find_by="email")
    assert done.outcome == ["INVALID_DATA-age", "UPDATED"]
    assert [r["age"] for r in customers.records("customers")] == [30, 44]


def test_a_unique_value_that_is_written_between_match_and_write(
    customers: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is matched again: an insert is a duplicate, an upsert an update."""
    sink = customers.worker._ctx.records.existing
    take = sink.take_ids

    def write_before_the_ids_are_taken(email: str) -> None:
        def taken(module: Module, count: int) -> Any:
            monkeypatch.undo()
            run(customers, f"INSERT INTO customers (name, email) VALUES ('Eve', '{email}')")
            return take(module, count)

        monkeypatch.setattr(type(sink), "take_ids", lambda _, module, count: taken(module, count))

    write_before_the_ids_are_taken("e@x.example")
    rows = "name,email\nElla,e@x.example\nFay,f@x.example\n"
    assert customers.run(rows, "customers").outcome == ["DUPLICATE_DATA-email", "ADDED"]
    write_before_the_ids_are_taken("g@x.example")
    rows = "name,email\nGil,g@x.example\nHal,h@x.example\n"
    done = customers.run(rows, "customers", "upsert", find_by="email")
    assert done.outcome == ["UPDATED", "ADDED"]


def test_a_unique_rule_over_two_columns(bench: Bench) -> None:
    """It belongs to no field: the database rejects the row, and both columns are named."""
    run(bench, "CREATE TABLE w (id {id}, a TEXT, b TEXT, UNIQUE (a, b))")
    offer(bench, "w")
    done = bench.run("a,b\n1,1\n1,2\n1,1\n", "w")
    assert done.outcome == ["ADDED", "ADDED", "DUPLICATE_DATA-a,b"]


def test_records_that_exchange_unique_values(bench: Bench) -> None:
    """Row by row each is valid, even if no order of writing all at once is."""
    run(bench, "CREATE TABLE x (id {id}, a TEXT UNIQUE NOT NULL, b TEXT UNIQUE)")
    offer(bench, "x")
    bench.run("a,b\none,1\ntwo,2\n", "x")
    done = bench.run("id,a\n1,free\n2,one\n1,two\n", "x", "update", find_by="id")
    assert done.outcome == ["UPDATED"] * 3
    assert [r["a"] for r in bench.records("x")] == ["two", "one"]


def test_rows_that_a_trigger_rejects_or_leaves_out(bench: Bench) -> None:
    """Both are skipped, also if the trigger raises no error."""
    run(bench, "CREATE TABLE g (id {id}, a TEXT)")
    if bench.services.database.dialect == "postgres":
        run(
            bench,
            "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.a = 'bad' THEN RAISE 'never, ever'; END IF; "
            "IF NEW.a = 'none' THEN RETURN NULL; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER guard BEFORE INSERT ON g FOR EACH ROW EXECUTE FUNCTION guard()",
        )
    else:
        run(
            bench,
            "CREATE TRIGGER bad BEFORE INSERT ON g WHEN NEW.a = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'never, ever'); END",
            "CREATE TRIGGER gone BEFORE INSERT ON g WHEN NEW.a = 'none' "
            "BEGIN SELECT RAISE(IGNORE); END",
        )
    offer(bench, "g")
    done = bench.run("a\ngood\nbad\nnone\nfine\n", "g")
    assert done.outcome == ["ADDED", "INVALID_DATA-never ever", "INVALID_DATA-g", "ADDED"]


@pytest.mark.parametrize("log", ["refused", "rejected", "staged"])
def test_triggers_may_write_to_tables_with_any_name(postgres_only: Bench, log: str) -> None:
    """No temporary table of the service hides them, also if rows are written one by one."""
    bench = postgres_only
    run(
        bench,
        "CREATE TABLE g (id {id}, a TEXT CHECK (a <> 'bad'))",
        f"CREATE TABLE {log} (a TEXT)",
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN INSERT INTO {log} VALUES (NEW.a); RETURN NEW; END $$",
        "CREATE TRIGGER log AFTER INSERT ON g FOR EACH ROW EXECUTE FUNCTION log()",
    )
    offer(bench, "g")
    assert bench.run("a\ngood\nbad\n", "g").outcome == ["ADDED", "INVALID_DATA-a"]
    assert run(bench, f"SELECT a FROM {log}") == [{"a": "good"}]


# Foreign keys


@pytest.mark.parametrize("when", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_a_foreign_key_to_a_table_without_a_module(bench: Bench, when: str) -> None:
    """It is a number; one that refers to no row is an error, also if it is deferred."""
    run(
        bench,
        "CREATE TABLE elders (id {id}, name TEXT UNIQUE)",
        f"CREATE TABLE kids (id {{id}}, parent INTEGER REFERENCES elders (id) {when})",
        "INSERT INTO elders (name) VALUES ('P')",
    )
    module = offer(bench, "kids")
    assert [f.data_type for f in module.fields if f.api_name == "parent"] in (
        ["integer"], ["bigint"],
    )  # fmt: skip
    done = bench.run("parent\n1\n5\n\n1\n", "kids")
    assert done.outcome == ["ADDED", "INVALID_DATA-parent", "ADDED"]
    assert bench.run("id,parent\n1,6\n", "kids", "update", find_by="id").outcome == [
        "INVALID_DATA-parent"
    ]


def test_a_foreign_key_to_a_module_is_a_lookup(bench: Bench) -> None:
    """With references its table is offered too; rows name it by id or by a unique column."""
    run(
        bench,
        "CREATE TABLE elders (pk {id}, name TEXT UNIQUE)",
        "CREATE TABLE kids (id {id}, name TEXT, parent INTEGER REFERENCES elders (pk), "
        "twin INTEGER REFERENCES kids (id))",
        "INSERT INTO elders (name) VALUES ('P')",
        "INSERT INTO elders (name) VALUES ('Q')",
    )
    module = offer(bench, "kids", with_references=True)
    lookups = {f.api_name: f.lookup_module for f in module.fields if f.data_type == "lookup"}
    assert lookups == {"parent": "elders", "twin": "kids"}
    mappings = (FieldMapping("name", 0), FieldMapping("parent", 1, find_by="name"))
    done = bench.run("name,parent\nKay,Q\nLee,R\n", "kids", mappings=mappings)
    assert done.outcome == ["ADDED", "INVALID_DATA-parent"]
    assert bench.run("parent,twin\n1,1\n9,\n", "kids").outcome == ["ADDED", "INVALID_DATA-parent"]
    assert [r["parent"] for r in bench.records("kids")] == [2, 1]
    assert bench.shown(1, "kids")["parent"] == {"name": None, "id": "2"}


def test_a_unique_lookup_is_matched_by_the_record_that_it_means(bench: Bench) -> None:
    """Cells name an elder; its id is the key of the row."""
    run(
        bench,
        "CREATE TABLE elders (pk {id}, name TEXT UNIQUE)",
        "CREATE TABLE desks (id {id}, place TEXT, owner INTEGER UNIQUE REFERENCES elders (pk))",
        "INSERT INTO elders (name) VALUES ('P')",
        "INSERT INTO elders (name) VALUES ('Q')",
    )
    offer(bench, "desks", with_references=True)
    mappings = (FieldMapping("place", 0), FieldMapping("owner", 1, find_by="name"))
    done = bench.run("place,owner\na,Q\nb,Q\nc,\nd,\n", "desks", mappings=mappings)
    assert done.outcome == ["ADDED", "DUPLICATE_DATA-owner", "ADDED", "ADDED"]
    rows = "place,owner\ne,Q\nf,P\ng,R\n"
    done = bench.run(rows, "desks", "update", mappings=mappings, find_by="owner")
    assert done.outcome == ["UPDATED", "RESOURCE_NOT_FOUND-owner", "INVALID_DATA-owner"]
    assert [(r["place"], r["owner"]) for r in bench.records("desks")] == [
        ("e", 2), ("c", None), ("d", None),
    ]  # fmt: skip


def test_records_are_found_by_indexed_columns_only(bench: Bench) -> None:
    """No index is created in an existing table; its own indexes are used."""
    run(
        bench,
        "CREATE TABLE f (id {id}, a TEXT, b TEXT)",
        "CREATE INDEX f_by_b ON f (b)",
        "INSERT INTO f (a, b) VALUES ('1', 'x')",
        "INSERT INTO f (a, b) VALUES ('2', 'y')",
        "INSERT INTO f (a, b) VALUES ('3', 'y')",
    )
    offer(bench, "f")
    with pytest.raises(InvalidField):
        bench.run("a\n1\n", "f", "update", find_by="a")
    done = bench.run("a,b\n5,x\n6,y\n", "f", "update", find_by="b")
    assert done.outcome == ["UPDATED", "CANNOT_PROCESS-b"]


# Ids, speed, and other readers of the records


def test_ids_continue_after_those_of_the_user(customers: Bench) -> None:
    """The user inserts before, between and after the jobs: no id is used twice."""
    assert customers.run("name\nCid\nDan\n", "customers").ids == [3, 4]
    run(customers, "INSERT INTO customers (name) VALUES ('Eve')")
    assert customers.run("name\nFay\n", "customers").ids == [6]
    run(customers, "INSERT INTO customers (name) VALUES ('Gus')")
    names = [r["name"] for r in customers.records("customers")]
    assert names == ["Ann", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus"]


def test_a_sequence_that_is_behind_its_table(customers: Bench) -> None:
    """Ids that the user has set are left out."""
    run(customers, "INSERT INTO customers (customer_no, name) VALUES (4, 'Hand')")
    run(customers, "INSERT INTO customers (customer_no, name) VALUES (-5, 'Below')")
    done = customers.run("name\nCid\nDan\n", "customers")
    assert done.outcome == ["ADDED", "ADDED"] and 4 not in done.ids


@pytest.mark.parametrize(
    "key",
    [
        "BIGSERIAL PRIMARY KEY",
        "INTEGER GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 5) PRIMARY KEY",
        "SMALLINT NOT NULL UNIQUE DEFAULT nextval('numbers')",
    ],
)
def test_every_way_to_number_a_key(postgres_only: Bench, key: str) -> None:
    """Serial, identity, a separate sequence; also if rows are written one by one."""
    bench = postgres_only
    run(bench, "CREATE SEQUENCE numbers", f"CREATE TABLE k (no {key}, n INTEGER CHECK (n > 0))")
    offer(bench, "k")
    done = bench.run("n\n1\n-1\n2\n", "k")
    assert done.outcome == ["ADDED", "INVALID_DATA-n", "ADDED"]
    run(bench, "INSERT INTO k (n) VALUES (3)")
    rows = run(bench, "SELECT no, n FROM k ORDER BY no")
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert [row["no"] for row in rows[:2]] == [done.ids[0], done.ids[2]]


def test_empty_cells_that_keep_values(customers: Bench) -> None:
    """They do so too if another row is rejected and rows are written one by one."""
    rows = "email,name,age\na@x.example,,31\nb@x.example,Bill,\nb@x.example,,3\n"
    done = customers.run(rows, "customers", "update", find_by="email", ignore_empty=True)
    assert done.outcome == ["UPDATED", "UPDATED", "INVALID_DATA-age"]
    values = [(r["name"], r["age"]) for r in customers.records("customers")]
    assert values == [("Ann", 31), ("Bill", 40)]


def test_ids_of_the_file_are_kept(customers: Bench) -> None:
    """In an insert; a row without one gets the next free id, also of those in the file."""
    rows = "id,name\n500,A\n,B\n3,C\n700,D\n"
    done = customers.run(rows, "customers")
    assert done.outcome == ["ADDED"] * 4
    first, second, third, fourth = done.ids
    assert (first, third, fourth) == (500, 3, 700)
    assert second not in (None, 1, 2, 3, 500, 700)
    assert {r["id"]: r["name"] for r in customers.records("customers")} == {
        1: "Ann", 2: "Bob", 3: "C", 500: "A", 700: "D", second: "B",
    }  # fmt: skip
    # Other programs continue behind them.
    run(customers, "INSERT INTO customers (name) VALUES ('next')")
    assert customers.records("customers")[-1]["name"] == "next"


def test_an_id_that_a_record_has_is_a_duplicate(customers: Bench) -> None:
    """Of the table, or of an earlier row; beside other unique columns, and as `find_by` too."""
    rows = "customer_no,name,email\n1,A,x1\n9,B,x2\n9,C,x3\nten,D,x4\n10,E,b@x.example\n"
    expected = ["DUPLICATE_DATA", "ADDED", "DUPLICATE_DATA", "INVALID_DATA"]
    done = customers.run(rows, "customers")
    codes = [outcome.partition("-")[0] for outcome in done.outcome]
    assert codes == [*expected, "DUPLICATE_DATA"]
    again = customers.run("id,name\n1,A\n11,B\n11,C\n", "customers", find_by="id")
    assert again.outcome == ["DUPLICATE_DATA-id", "ADDED", "DUPLICATE_DATA-id"]


def test_rows_that_the_database_rejects_do_not_shift_kept_ids(customers: Bench) -> None:
    """Rows are tried one by one then."""
    done = customers.run("id,name,age\n20,A,30\n21,B,3\n22,C,40\n", "customers")
    assert done.outcome == ["ADDED", "INVALID_DATA-age", "ADDED"]
    assert done.ids == [20, None, 22]


def test_ids_that_the_table_always_gives_are_not_kept(postgres_only: Bench) -> None:
    """GENERATED ALWAYS: a mapping of the id is rejected."""
    run(
        postgres_only,
        "CREATE TABLE strict (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)",
    )
    offer(postgres_only, "strict")
    mappings = [FieldMapping("id", 0), FieldMapping("name", 1)]
    with pytest.raises(InvalidField):
        postgres_only.create("id,name\n500,A\n", "strict", mappings=mappings)


def test_ids_of_deleted_records_are_not_used_again(customers: Bench) -> None:
    """AUTOINCREMENT and identity remember the last id."""
    run(customers, "DELETE FROM customers WHERE customer_no = 2")
    assert customers.run("name\nCid\n", "customers").ids == [3]


@pytest.mark.slow
def test_twenty_thousand_rows(customers: Bench) -> None:
    """A load in chunks with some rejected rows takes seconds of this process."""
    rows = "".join(
        f"n{i},n{i}@x.example,{5 if i % 4000 == 17 else 20 + i % 60}\n" for i in range(20_000)
    )
    begun = time.process_time()
    done = customers.run(f"name,email,age\n{rows}", "customers", chunk_rows=8_000)
    assert time.process_time() - begun < 20
    assert done.job.counts.added == 19_995 and done.job.counts.skipped == 5
    assert run(customers, "SELECT count(*) AS n FROM customers") == [{"n": 19_997}]


def test_records_of_other_programs_are_shown(customers: Bench) -> None:
    """The record API reads the table."""
    record = customers.shown(1, "customers")
    assert (record["id"], record["name"], record["age"]) == ("1", "Ann", 30)
    page = customers.services.records.page(customers.caller, "customers")
    assert [r.values["name"] for r in page.records] == ["Bob", "Ann"]


def test_chunk_size_does_not_change_which_rows_are_rejected(customers: Bench) -> None:
    """Each row has the same outcome in small chunks and in large ones."""
    rows = "name,email,age\n" + "".join(
        f"n,{'same' if i % 5 == 2 else i}@x.example,{5 if i % 7 == 3 else 30}\n" for i in range(40)
    )
    small = customers.run(rows, "customers", chunk_rows=3).outcome
    run(customers, "DELETE FROM customers WHERE name = 'n'")
    assert customers.run(rows, "customers").outcome == small
