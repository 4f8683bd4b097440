"""`completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

_OF_ZSH = """
if [[ ${funcstack[1]} == _bulkwright ]]; then
  _cyclopts_bulkwright "$@"
else
  (( ${+functions[compdef]} )) || { autoload -Uz compinit; compinit; }
  compdef _cyclopts_bulkwright bulkwright
fi"""
"""Makes zsh use the function: as a file `_bulkwright` of its path, or read by ~/.zshrc."""


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="bash, zsh or fish.")], /
) -> None:
    """Print the completion script of a shell, for its start-up file."""
    from bulkwright.cli import app

    print(app.generate_completion(shell=shell))
    if shell == "zsh":
        print(_OF_ZSH)
