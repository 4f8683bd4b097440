"""Documents that a user gives to a command: TOML if the name ends in `.toml`, otherwise JSON."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from bulkwright.cli.failure import fail


def read_document(path: Path, name: str) -> Any:
    """Returns the content of a file; `name` is what messages call it.

    Ends the command if the file cannot be read, is no text, or gives one key twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=_distinct)
    except OSError as error:
        fail(f"{name}: {error.strerror}.")
    except UnicodeDecodeError:
        fail(f"{name} is not a text in UTF-8; give a file of JSON or TOML.")
    except RecursionError:
        fail(f"{name} has too many brackets inside each other; give a file with fewer levels.")
    except ValueError as error:
        fail(f"{name} cannot be read: {error}.")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object; a key that is given twice would hide one of its values."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice; keep one of them")
        found[key] = value
    return found
