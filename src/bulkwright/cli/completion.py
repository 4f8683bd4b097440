"""`completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="bash, zsh or fish.")], /
) -> None:
    """Print the completion script of a shell, for its start-up file."""
    from bulkwright.cli import app

    print(app.generate_completion(shell=shell))
