"""The source keeps the shape that CONTRIBUTING.md asks for: names, sizes, one clock, one target.

A function that is longer, or takes more, than the rule allows says why in a comment between its
`def` and its body: `# long: REASON` or `# wide: REASON`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict

from tests.structure.tree import Module, modules

LONGEST_FUNCTION = 60
WIDEST_FUNCTION = 7
LONGEST_MODULE = 400
TABLE_TESTS = {"service/existing_tables.py": 1, "store/tables.py": 1}
"""Where code may test whether a module has an existing table: the search for all of them, and the
choice of the table's SQL."""

CLOCKS = {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns",
          "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}  # fmt: skip
OWN_CLOCK = {
    "clock.py": "it is the clock",
    "testing/server.py": "it waits for another process, for the tests of other programs",
}
"""Modules that may call the system's clock, with the reason; `time.perf_counter` measures."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> list[Function]:
    """Every function and method of a module."""
    return [
        n for n in module.find(ast.FunctionDef, ast.AsyncFunctionDef) if isinstance(n, Function)
    ]


def parameters(function: Function) -> int:
    """How many parameters a caller can give: without self and cls."""
    given = function.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [a.arg for a in (given.vararg, given.kwarg) if a is not None]
    return len([name for name in names if name not in ("self", "cls")])


def reason(module: Module, function: Function, word: str) -> bool:
    """Whether the head of a function has the comment `# word: REASON`."""
    head = module.lines[function.lineno - 1 : function.body[0].lineno]
    return any(re.search(rf"# {word}: \w", line) for line in head)


def called(node: ast.Call) -> str:
    """`time.time` of a call `time.time()`, whatever stands before it."""
    match node.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Attribute(value=ast.Attribute(attr=owner), attr=name):
            return f"{owner}.{name}"
    return ""


def test_no_two_classes_have_one_name() -> None:
    """One word, one meaning: private classes and nested ones too."""
    places = defaultdict(list)
    for module in modules():
        for node in module.find(ast.ClassDef):
            assert isinstance(node, ast.ClassDef)
            places[node.name.lstrip("_")].append(f"{module.path}:{node.lineno}")
    assert {name: at for name, at in places.items() if len(at) > 1} == {}


def test_functions_are_short_or_say_why() -> None:
    """At most 60 lines from `def` to the last line."""
    found = [
        f"{module.path}:{f.lineno} {f.name} has {f.end_lineno - f.lineno + 1} lines"
        for module in modules()
        for f in functions(module)
        if f.end_lineno is not None
        and f.end_lineno - f.lineno + 1 > LONGEST_FUNCTION
        and not reason(module, f, "long")
    ]
    assert found == []


def test_functions_take_few_parameters_or_say_why() -> None:
    """At most seven."""
    found = [
        f"{module.path}:{f.lineno} {f.name} takes {parameters(f)}"
        for module in modules()
        for f in functions(module)
        if parameters(f) > WIDEST_FUNCTION and not reason(module, f, "wide")
    ]
    assert found == []


def test_modules_are_short() -> None:
    """At most 400 lines: a longer one has two subjects."""
    sizes = {module.path: len(module.lines) for module in modules()}
    assert {path: size for path, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_every_module_has_a_docstring() -> None:
    """A sentence that says what it is for."""
    empty = [m.path for m in modules() if m.lines and not ast.get_docstring(m.tree)]
    assert empty == []


def test_the_kind_of_a_table_is_tested_in_few_places() -> None:
    """`if module.table` and its like: everything else reads what `Module.table_kind` allows."""
    test = re.compile(
        r"\.table is\b|\b(?:if|and|or|not|bool\() ?\w+(?:\.\w+)*\.table\b(?!\.)|"
        r"isinstance\([\w.]+, \(?(?:Existing|Service)Table\b"
    )
    found = Counter(
        module.path for module in modules() for line in module.lines if test.search(line)
    )
    assert found == TABLE_TESTS
    chosen = [module.path for module in modules() if "is EXISTING_TABLE" in "".join(module.lines)]
    assert chosen == ["pipeline/targets/__init__.py"]


def test_the_time_comes_from_the_clock() -> None:
    """Only clock.py asks the system, so that tests and emulators can set the time."""
    found = [
        f"{module.path}:{node.lineno} {called(node)}"
        for module in modules()
        for node in module.find(ast.Call)
        if isinstance(node, ast.Call) and called(node) in CLOCKS and module.path not in OWN_CLOCK
        and not re.search(r"# clock: \w", module.lines[node.lineno - 1])
    ]  # fmt: skip
    assert found == []
