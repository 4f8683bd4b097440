"""The shape of a JSON document, and how two documents differ in it.

A shape maps places (`$.data[].Owner.id`) to the types that stand there. All elements of a list
share one place. Texts that say what has happened (`code`, `status`, `action`) are compared too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

Shape = dict[str, set[str]]
_SAID = ("code", "status", "action", "error", "state")
_TYPES = {str: "text", bool: "true or false", int: "number", float: "number", type(None): "null"}
_ANY = {"null"}


def differences(recorded: object, found: object, *, said: bool = True) -> list[str]:
    """Returns every difference of shape, and with `said` of codes, as sentences.

    A null fits to any type, and an empty list to any list: they depend on data.
    """
    old, new = shape_of(recorded), shape_of(found)
    lines = [
        f"{place} is missing"
        for place in sorted(old)
        if place not in new and _is_comparable(place, new)
    ]
    lines += [
        f"{place} is new"
        for place in sorted(new)
        if place not in old and _is_comparable(place, old)
    ]
    for place in sorted(old.keys() & new.keys()):
        one, other = old[place] - _ANY, new[place] - _ANY
        if one and other and one.isdisjoint(other):
            lines.append(f"{place} is {_words(other)} instead of {_words(one)}")
    if said:
        before, now = _codes(recorded), _codes(found)
        lines += [
            f"{place}: {now[place]} instead of {before[place]}"
            for place in sorted(before.keys() & now.keys())
            if now[place] != before[place]
        ]
    return lines


def shape_of(document: object) -> Shape:
    """Returns the shape of a document."""
    shape: defaultdict[str, set[str]] = defaultdict(set)
    for place, value in _leaves(document, "$"):
        shape[place].add(_type(value))
    return dict(shape)


def _leaves(value: object, place: str) -> Iterator[tuple[str, object]]:
    yield place, value
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, f"{place}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, f"{place}[]")


def _type(value: object) -> str:
    if isinstance(value, Mapping):
        return "object"
    return "list" if isinstance(value, list) else _TYPES[type(value)]


def _is_comparable(place: str, shape: Shape) -> bool:
    """Returns whether a place could be there: its parent is, and is no null or empty list."""
    parent = place[:-2] if place.endswith("[]") else place.rpartition(".")[0]
    return not place.endswith("[]") and parent in shape and bool(shape[parent] - _ANY)


def _codes(value: object, place: str = "$") -> dict[str, str]:
    """Returns the codes of a document by place, with the number of each element of a list."""
    found: dict[str, str] = {}
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in _SAID and isinstance(each, str):
                found[f"{place}.{key}"] = each
            else:
                found |= _codes(each, f"{place}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            found |= _codes(each, f"{place}[{number}]")
    return found


def _words(texts: set[str]) -> str:
    return " or ".join(sorted(texts))
