"""JSON: create bodies that are not JSON, are too large, or have invalid values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.hostile.case import Case, Done, Outcome, Rejection

if TYPE_CHECKING:
    from tests.hostile.target import Target

Json = dict[str, Any]
Change = Callable[[Json], object]

DONE = Done(("ADDED", "ADDED"), name="leads.csv")
ROOT = "$"
RESOURCE = "$.resource[0]"
MAPPING = "$.resource[0].field_mappings[1]"


def refused(code: str, path: str = "") -> Rejection:
    """A rejection of the creation of a job."""
    return Rejection("create", 400, code, path)


NO_JSON = refused("INVALID_DATA", ROOT)


@dataclass(frozen=True)
class Body:
    """Create a job with these bytes, or with a valid request that was changed or rewritten."""

    raw: bytes | Callable[[], bytes] = b""
    change: Change | None = None
    write: Callable[[str], bytes] = str.encode

    def __call__(self, target: Target) -> Outcome:
        """Send it."""
        from tests.hostile.target import insert

        if self.raw or (self.change is None and self.write is str.encode):
            return target.run(self.raw() if callable(self.raw) else self.raw)
        body = insert(target.ready)
        if self.change is not None:
            self.change(body)
        return target.run(self.write(json.dumps(body)))


def raw(
    name: str, wrong: str, body: bytes | Callable[[], bytes], outcome: Outcome = NO_JSON
) -> Case:
    """A body that is written by hand."""
    return Case("json", f"json_{name}", wrong, Body(body), outcome)


def written(name: str, wrong: str, write: Callable[[str], bytes], outcome: Outcome) -> Case:
    """A valid request in an unusual spelling."""
    return Case("json", f"json_{name}", wrong, Body(write=write), outcome)


def changed(name: str, wrong: str, change: Change, outcome: Outcome, group: str = "json") -> Case:
    """A valid request with one invalid part."""
    return Case(group, f"json_{name}", wrong, Body(change=change), outcome)


def root(**values: object) -> Change:
    """Change the request."""
    return lambda body: body.update(values)


def resource(**values: object) -> Change:
    """Change its resource."""
    return lambda body: body["resource"][0].update(values)


def mapping(**values: object) -> Change:
    """Change its second mapping, of two."""
    return lambda body: body["resource"][0]["field_mappings"][1].update(values)


def without(key: str, *path: str | int) -> Change:
    """Remove a key."""

    def change(body: Any) -> None:
        for step in path:
            body = body[step]
        del body[key]

    return change


def doubled(key: str) -> Callable[[str], bytes]:
    """The same request with a key that comes twice."""
    return lambda text: text.replace(f'"{key}":', f'"{key}": "1", "{key}":', 1).encode()


DOCUMENTS = [
    raw("empty", "There is no body.", b""),
    raw("null", "The body is null.", b"null"),
    raw("array", "The body is a list.", b"[]"),
    raw("string", "The body is a text.", b'"insert"'),
    raw("number", "The body is a number.", b"1"),
    raw("truncated", "The body ends in the middle.", b'{"operation":"insert"'),
    raw("trailing_document", "A second document follows.", b'{"operation":"insert"}{}'),
    raw("trailing_comma", "A comma follows the last key.", b'{"operation":"insert",}'),
    raw("single_quotes", "Texts are in single quotes.", b"{'operation':'insert'}"),
    raw("comments", "A comment follows.", b'{"operation":"insert"} // now'),
    raw("form", "The body is a form.", b"operation=insert&module=Leads"),
    raw("xml", "The body is XML with an entity.",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    raw("nan", "NaN, which Python reads.", b'{"a":NaN}'),
    raw("infinity", "Infinity, which Python reads.", b'{"a":-Infinity}'),
    raw("big_int", "An integer of 5,000 digits.", b'{"a":' + b"9" * 5000 + b"}"),
    raw("big_exp", "A number that no float holds.", b'{"a":1e999999999}'),
    raw("bad_utf8", "A byte that is no UTF-8.", b'{"a":"\xff"}'),
    raw("nul_escape", "NUL, escaped.", b'{"a":"\\u0000"}'),
    raw("lone_surrogate", "Half an emoji, escaped.", b'{"a":"\\ud800"}'),
    raw("raw_control", "A line end within a text.", b'{"a":"x\ny"}'),
    raw("deep_array", "Lists in lists, 100,000 deep.", lambda: b"[" * 100_000),
    raw("deep_object", "Objects in objects, 50,000 deep.", lambda: b'{"a":' * 50_000),
    raw("deep_closed", "Lists in lists, 100,000 deep and all of them closed.",
        lambda: b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    raw("1_5mb", "A body of 1.5 MB.", lambda: b'{"a":"' + b"x" * 1_500_000 + b'"}',
        refused("LIMIT_EXCEEDED")),
    raw("60k_keys", "Sixty thousand keys.",
        lambda: json.dumps({f"k{i}": 0 for i in range(60_000)}).encode()[:500_000],
        refused("LIMIT_EXCEEDED")),
    raw("objects", "Twenty thousand objects.", lambda: b'{"a":[' + b"{}," * 20_000 + b"{}]}",
        refused("LIMIT_EXCEEDED")),
    raw("20k_keys", "Twenty thousand keys.",
        lambda: json.dumps({f"k{i}": 0 for i in range(20_000)}).encode(),
        refused("MISSING_REQUIRED_KEY", "$.operation")),
    written("bom", "A byte order mark stands before it.",
            lambda text: b"\xef\xbb\xbf" + text.encode(), DONE),
    written("utf16", "It is UTF-16.", lambda text: text.encode("utf-16"), NO_JSON),
    written("utf32", "It is UTF-32.", lambda text: text.encode("utf-32"), NO_JSON),
    written("blanks", "A hundred thousand blanks stand before it.",
            lambda text: b" " * 100_000 + text.encode(), DONE),
    written("dup_keys", "A key comes twice.", doubled("operation"), NO_JSON),
    written("dup_file_id", "The file is named twice.", doubled("file_id"), NO_JSON),
    written("escaped_key", "A key is spelled in escapes, and is the same key.",
            lambda text: text.replace('"operation"', '"\\u006fperation"').encode(), DONE),
    written("unicode_key", "A key in full-width letters, which is another key.",
            lambda text: text.replace('"operation"', '"ｏperation"').encode(),
            refused("MISSING_REQUIRED_KEY", "$.operation")),
    changed("proto_keys", "Keys that change objects in JavaScript.",
            root(__proto__={"admin": True}, constructor={"prototype": {}}), DONE),
    changed("unknown_key", "Unknown keys, `org_id` and `id` among them.",
            root(org_id=1, id="1", created_by={"id": "1"}, status="COMPLETED"), DONE),
]  # fmt: skip

KEYS = [
    *(changed(f"missing_{key}", f"The key {key} is missing.", without(key, *path),
              refused("MISSING_REQUIRED_KEY", f"{place}.{key}"))
      for key, place, path in (
          ("operation", ROOT, ()), ("resource", ROOT, ()), ("type", RESOURCE, ("resource", 0)),
          ("module", RESOURCE, ("resource", 0)), ("file_id", RESOURCE, ("resource", 0)),
          ("api_name", MAPPING, ("resource", 0, "field_mappings", 1)),
          ("index", MAPPING, ("resource", 0, "field_mappings", 1)),
      )),
    *(changed(f"operation_{name}", f"The operation is {shown}.", root(operation=value), outcome)
      for name, shown, value, outcome in (
          ("delete", "one that there is not", "delete", refused("INVALID_DATA", "$.operation")),
          ("upper", "in capitals", "INSERT", refused("INVALID_DATA", "$.operation")),
          ("blank", "a blank", " ", refused("INVALID_DATA", "$.operation")),
          ("int", "a number", 1, refused("INVALID_DATA", "$.operation")),
          ("list", "a list", ["insert"], refused("INVALID_DATA", "$.operation")),
          ("null", "null", None, refused("MISSING_REQUIRED_KEY", "$.operation")),
          ("sql", "SQL", "insert'; --", refused("INVALID_DATA", "$.operation")),
      )),
    *(changed(f"resource_{name}", f"The resource is {shown}.", root(resource=value), outcome)
      for name, shown, value, outcome in (
          ("empty", "an empty list", [], refused("MISSING_REQUIRED_KEY", "$.resource")),
          ("object", "no list", {}, refused("INVALID_DATA", "$.resource")),
          ("text", "a list of texts", ["x"], refused("INVALID_DATA", RESOURCE)),
          ("null", "a list of null", [None], refused("INVALID_DATA", RESOURCE)),
          ("101", "a list of 101", [{}] * 101, refused("INVALID_DATA", "$.resource")),
      )),
    changed("resource_twice", "One module twice.",
            lambda body: body["resource"].append(body["resource"][0]),
            refused("INVALID_DATA", "$.resource[1].module")),
    changed("type_photo", "The resource is of another type.", resource(type="photo"),
            refused("INVALID_DATA", f"{RESOURCE}.type")),
    *(changed(f"index_{name}", f"A column's index is {shown}.", mapping(index=value),
              refused(code, f"{MAPPING}.index"))
      for name, shown, value, code in (
          ("neg", "-1", -1, "COLUMN_INDEX_NOT_FOUND"),
          ("past_end", "the number of columns", 3, "COLUMN_INDEX_NOT_FOUND"),
          ("2_31", "2**31", 2**31, "COLUMN_INDEX_NOT_FOUND"),
          ("2_63", "2**63", 2**63, "COLUMN_INDEX_NOT_FOUND"),
          ("float", "a fraction", 1.5, "INVALID_DATA"),
          ("whole_float", "1.0", 1.0, "INVALID_DATA"),
          ("string", "a digit in quotes", "1", "INVALID_DATA"),
          ("word", "a word", "Company", "INVALID_DATA"),
          ("bool", "true, which is an integer in Python", True, "INVALID_DATA"),
          ("object", "an object", {}, "INVALID_DATA"),
          ("null", "null", None, "MISSING_REQUIRED_KEY"),
      )),
    changed("map_duplicate_index", "One column fills two fields, as it may.", mapping(index=0),
            DONE),
    changed("map_duplicate_name", "One field is filled by two columns.",
            mapping(api_name="Last_Name"), refused("DUPLICATE_DATA", f"{MAPPING}.api_name")),
    changed("map_empty", "There are no mappings in the list.", resource(field_mappings=[]),
            refused("INVALID_DATA", f"{RESOURCE}.field_mappings")),
    changed("map_object", "The mappings are no list.", resource(field_mappings={"Last_Name": 0}),
            refused("INVALID_DATA", f"{RESOURCE}.field_mappings")),
    changed("map_null_entry", "A mapping is null.", resource(field_mappings=[None]),
            refused("INVALID_DATA", f"{RESOURCE}.field_mappings[0]")),
    changed("map_501", "More mappings than a job may have.",
            resource(field_mappings=[{"api_name": "Last_Name", "index": 0}] * 501),
            refused("LIMIT_EXCEEDED", f"{RESOURCE}.field_mappings")),
    changed("map_10001", "More mappings than a request may hold.",
            resource(field_mappings=[{"api_name": "Last_Name", "index": 0}] * 10_001),
            refused("INVALID_DATA", f"{RESOURCE}.field_mappings")),
    changed("map_no_mandatory", "The mandatory field is not mapped.",
            resource(field_mappings=[{"api_name": "Company", "index": 1}]),
            refused("MANDATORY_FIELDS_NOT_MAPPED")),
    *(changed(f"field_{name}", f"A field's name is {shown}.", mapping(api_name=value),
              refused(code, f"{MAPPING}.api_name"))
      for name, shown, value, code in (
          ("unknown", "an unknown one", "Nothing", "INVALID_FIELD"),
          ("case", "in the wrong case", "company", "INVALID_FIELD"),
          ("empty", "empty", "", "INVALID_FIELD"),
          ("sql", "SQL", 'Company"; DROP TABLE jobs; --', "INVALID_FIELD"),
          ("dunder", "one of Python's", "__class__", "INVALID_FIELD"),
          ("100k", "100,000 letters long", "x" * 100_000, "INVALID_FIELD"),
          ("int", "a number", 7, "INVALID_DATA"),
          ("list", "a list", ["Company"], "INVALID_DATA"),
      )),
    *(changed(f"module_{name}", f"The module is {shown}.", resource(module=value), outcome)
      for name, shown, value, outcome in (
          ("unknown", "an unknown one", "Nothing", refused("MODULE_NOT_AVAILABLE")),
          ("sql", "SQL", "Leads; DROP TABLE jobs", refused("MODULE_NOT_AVAILABLE")),
          ("path", "a path", "../../Leads", refused("MODULE_NOT_AVAILABLE")),
          ("case", "in the wrong case", "leads", refused("MODULE_NOT_AVAILABLE")),
          ("blank", "followed by a blank", "Leads ", refused("MODULE_NOT_AVAILABLE")),
          ("internal", "a table of ours", "jobs", refused("MODULE_NOT_AVAILABLE")),
          ("100k", "100,000 letters long", "L" * 100_000, refused("MODULE_NOT_AVAILABLE")),
          ("int", "a number", 5, refused("INVALID_DATA", f"{RESOURCE}.module")),
          ("null", "null", None, refused("MISSING_REQUIRED_KEY", f"{RESOURCE}.module")),
          ("object", "an object without a name", {"id": "1"},
           refused("MISSING_REQUIRED_KEY", f"{RESOURCE}.module.api_name")),
      )),
    *(changed(f"ignore_empty_{name}", f"Whether to ignore what is empty is {shown}.",
              resource(ignore_empty=value), refused("INVALID_DATA", f"{RESOURCE}.ignore_empty"))
      for name, shown, value in (
          ("text", "a word", "true"), ("int", "1", 1), ("list", "a list", []),
      )),
    *(changed(f"find_by_{name}", f"Records are found by {shown}.", resource(find_by=value),
              refused(code, f"{RESOURCE}.find_by"))
      for name, shown, value, code in (
          ("unknown", "an unknown field", "Nothing", "INVALID_FIELD"),
          ("no_key", "a field that is no key", "Company", "INVALID_FIELD"),
          ("unmapped", "a key that is not mapped", "Email", "INVALID_FIELD"),
          ("sql", "SQL", "Email\" OR 1=1 --", "INVALID_FIELD"),
          ("100k", "100,000 letters", "x" * 100_000, "INVALID_FIELD"),
          ("list", "a list", ["Email"], "INVALID_DATA"),
      )),
    changed("update_without_find_by", "An update that does not say by what records are found.",
            root(operation="update"), refused("MANDATORY_NOT_FOUND", f"{RESOURCE}.find_by")),
    changed("default_object", "A default value is a list.", mapping(default_value={"value": []}),
            refused("INVALID_DATA", f"{MAPPING}.default_value")),
    changed("default_bare", "A default value stands where its object should.",
            mapping(default_value="x"), refused("INVALID_DATA", f"{MAPPING}.default_value")),
    changed("default_too_long", "A default value of 60,000 letters.",
            mapping(default_value={"value": "x" * 60_000}),
            refused("INVALID_DATA", f"{MAPPING}.default_value")),
    changed("format_on_text", "A format for a field that has none.", mapping(format="yyyy"),
            refused("INVALID_FORMAT", f"{MAPPING}.format")),
    changed("format_regex", "A format that would keep a regular expression busy.",
            mapping(api_name="Annual_Revenue", format="(a+)+$" * 100),
            refused("INVALID_FORMAT", f"{MAPPING}.format")),
    changed("file_names_other", "A CSV that is not in the zip.", resource(file_names=["../x.csv"]),
            refused("FILE_NOT_FOUND", f"{RESOURCE}.file_names")),
    changed("file_names_int", "The name of a CSV is a number.", resource(file_names=[1]),
            refused("INVALID_DATA", f"{RESOURCE}.file_names")),
    changed("encoding_int", "The encoding is a number.", root(character_encoding=8),
            refused("INVALID_DATA", "$.character_encoding")),
]  # fmt: skip

FILE_IDS = [
    changed(f"file_id_{name}", f"The file's id is {shown}.", resource(file_id=value),
            refused("MISSING_REQUIRED_KEY" if value is None else "INVALID_FILE_ID",
                    f"{RESOURCE}.file_id"), group="ids")
    for name, shown, value in (
        ("word", "a word", "word"), ("empty", "empty", ""), ("zero", "0", "0"),
        ("neg", "negative", "-1"), ("plus", "with a sign", "+1"),
        ("2_63", "beyond 64 bits", str(2**63)), ("400_digits", "400 digits long", "9" * 400),
        ("float", "a fraction", "1.0"), ("exponent", "an exponent", "1e3"),
        ("unknown", "an unknown one", "111111000000000001"), ("int", "a number", 12),
        ("bool", "true", True), ("sql", "SQL", "1 OR 1=1"), ("path", "a path", "../../1"),
        ("null", "null", None), ("list", "a list", []), ("object", "an object", {}),
        ("arabic_digits", "in Arabic digits", "\u0661\u0662"), ("padded", "padded", " 1 "),
        ("leading_zeros", "padded with zeros", "0" * 18 + "1"), ("hex", "in base 16", "0x1"),
        ("underscores", "with an underscore", "1_0"),
    )
]  # fmt: skip

CASES = [*DOCUMENTS, *KEYS, *FILE_IDS]
