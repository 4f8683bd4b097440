"""`bulkwright.toml` of the current folder: options that every command may take from there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection
from cyclopts.argument import update_argument_collection
from cyclopts.config import Toml

NAME = "bulkwright.toml"


class SettingsFile(Toml):
    """The file, read for one command. Keys of other commands are left to these."""

    @property
    def config(self) -> dict[str, Any]:
        """The content of the file; empty if there is none. Raises UnusableSetting."""
        from bulkwright.variables import UnusableSetting

        try:
            return tomllib.loads(Path(self.path).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UnusableSetting(f"{NAME} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise UnusableSetting(f"{NAME} is not UTF-8 text.") from None
        except ValueError as error:
            raise UnusableSetting(f"{NAME} is not valid TOML: {error}.") from None

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Gives a command its options. Raises UnusableSetting for a key that no command knows."""
        keys = {key.replace("_", "-") for key in self.config}
        if keys - _names(arguments):
            # Only now, because this imports every command.
            from bulkwright.cli import app as root
            from bulkwright.domain.spelling import did_you_mean
            from bulkwright.variables import UnusableSetting

            known = every_option(root)
            for key in sorted(keys - known):
                meant = did_you_mean(key, known) or "."
                raise UnusableSetting(f"{NAME}: no command has the option {key}{meant}")
        # A key that is also the name of a command, such as `org`, is an option all the same.
        update_argument_collection(
            self.config, self.source, arguments, app.app_stack.stack[-1], root_keys=(),
            allow_unknown=True,
        )  # fmt: skip


def every_option(app: App) -> set[str]:
    """Returns the names of the options of all commands, without dashes at their start."""
    names = set()
    for name in app:
        if not name.startswith("-"):
            names |= every_option(app[name])
    if app.default_command is not None:
        names |= _names(app.assemble_argument_collection())
    return names


def _names(arguments: ArgumentCollection) -> set[str]:
    return {name.lstrip("-").replace("_", "-") for one in arguments for name in one.names}
