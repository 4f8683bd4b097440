"""What decoding raises for bytes that are not the JSON that was expected."""

from __future__ import annotations

import msgspec

NO_JSON = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""No JSON, or of another type; too many levels; bytes that are no UTF-8."""
