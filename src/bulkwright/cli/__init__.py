"""The command `bulkwright`. Each command is imported only when it is called."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING

from cyclopts import App
from cyclopts.config import Env

from bulkwright import __version__
from bulkwright.cli.examples import EXAMPLES
from bulkwright.cli.given_values import check_given
from bulkwright.cli.help import HelpFormatter
from bulkwright.cli.settings_file import NAME, SettingsFile
from bulkwright.cores import limit_polars_threads

if TYPE_CHECKING:
    from rich.console import Console

app = App(
    name="bulkwright",
    help="A bulk write service that speaks the Zoho CRM Bulk Write API.",
    version=__version__,
    config=[
        Env("BULKWRIGHT_", command=False),
        SettingsFile(NAME, allow_unknown=True, use_commands_as_keys=False),
        check_given,
    ],
    help_formatter=HelpFormatter(),
    help_format="plaintext",
    help_epilogue=(
        "Every option is also an environment variable (--find-by: BULKWRIGHT_FIND_BY) and a key of "
        "bulkwright.toml. docs/commands.md has defaults and whole sentences."
    ),
)


def _example(words: str) -> str:
    return f"Example:\n  {EXAMPLES[words]}"


app.command(
    "bulkwright.cli.demo:demo",
    help="Run one example job, from a CSV to its result.",
    help_epilogue=_example("demo"),
)
app.command(
    "bulkwright.cli.serving:serve",
    help="Serve the API and run workers.",
    help_epilogue=_example("serve"),
)
app.command(
    "bulkwright.cli.serving:worker",
    help="Run the jobs of a data folder, without an API.",
    help_epilogue=_example("worker"),
)
app.command(
    "bulkwright.cli.write:write",
    help="Write a file into a module.",
    help_epilogue=_example("write"),
)
app.command(
    "bulkwright.cli.intercept:intercept",
    help="Run a program whose calls to Zoho reach an emulator.",
    help_epilogue=_example("intercept"),
)
app.command(
    "bulkwright.cli.recording:record",
    help="Run a program and record its calls to Zoho.",
    help_epilogue=_example("record"),
)
app.command(
    "bulkwright.cli.recording:compare",
    help="Replay recorded calls and show how the answers differ.",
    help_epilogue=_example("compare"),
)
app.command(
    "bulkwright.cli.check:check",
    help="Check a data folder against its job results.",
    help_epilogue=_example("check"),
)
app.command(
    "bulkwright.cli.sweep:sweep", help="Delete expired data.", help_epilogue=_example("sweep")
)
app.command(
    "bulkwright.cli.orgs:init",
    help="Create the first org with modules, a user and a client; print secrets.",
    help_epilogue=_example("init"),
)
app.command(
    "bulkwright.cli.completion:completion",
    help="Print the completion script of a shell.",
    help_epilogue=_example("completion"),
)

jobs = App(name="jobs", help="Show, abort, undo and delete jobs, and save their results.")
jobs.command(
    "bulkwright.cli.jobs:list_",
    name="list",
    help="List the newest jobs.",
    help_epilogue=_example("jobs list"),
)
jobs.command("bulkwright.cli.jobs:show", help="Show one job.", help_epilogue=_example("jobs show"))
jobs.command(
    "bulkwright.cli.jobs:result",
    help="Save a job's result, or its failed rows.",
    help_epilogue=_example("jobs result"),
)
jobs.command(
    "bulkwright.cli.jobs:job_errors",
    name="errors",
    help="Show which errors the rows of a job have.",
    help_epilogue=_example("jobs errors"),
)
jobs.command(
    "bulkwright.cli.jobs:diff",
    help="Save what a job has changed, before and after.",
    help_epilogue=_example("jobs diff"),
)
jobs.command(
    "bulkwright.cli.job_control:abort",
    help="End a job before its last row.",
    help_epilogue=_example("jobs abort"),
)
jobs.command(
    "bulkwright.cli.undo:undo",
    help="Undo what a job has written.",
    help_epilogue=_example("jobs undo"),
)
jobs.command(
    "bulkwright.cli.job_control:delete",
    help="Delete an ended job and its result.",
    help_epilogue=_example("jobs delete"),
)
app.command(jobs)

callbacks = App(name="callbacks", help="Show callbacks and the secret that signs them.")
callbacks.command(
    "bulkwright.cli.callbacks:list_",
    name="list",
    help="List the newest callbacks.",
    help_epilogue=_example("callbacks list"),
)
callbacks.command(
    "bulkwright.cli.callbacks:secret",
    help="Print the secret that signs callbacks.",
    help_epilogue=_example("callbacks secret"),
)
callbacks.command(
    "bulkwright.cli.callbacks:replay",
    help="Send a callback again.",
    help_epilogue=_example("callbacks replay"),
)
app.command(callbacks)

modules = App(name="modules", help="Show and change the CRM schema.")
modules.command(
    "bulkwright.cli.schema:list_",
    name="list",
    help="List the modules.",
    help_epilogue=_example("modules list"),
)
modules.command(
    "bulkwright.cli.schema:show",
    help="Show the fields of a module.",
    help_epilogue=_example("modules show"),
)
modules.command(
    "bulkwright.cli.schema:apply",
    help="Add the modules and fields of a JSON file.",
    help_epilogue=_example("modules apply"),
)
modules.command(
    "bulkwright.cli.org_import:import_zoho",
    name="import-zoho",
    help="Import the modules of an org of Zoho.",
    help_epilogue=_example("modules import-zoho"),
)
modules.command(
    "bulkwright.cli.schema:from_table",
    name="from-table",
    help="Make a module of an existing table.",
    help_epilogue=_example("modules from-table"),
)
app.command(modules)

emulator = App(name="emulator", help="Control a server of `serve --dev` in tests.")
emulator.command(
    "bulkwright.cli.emulator:reset",
    help="Restore the state at the start of the server.",
    help_epilogue=_example("emulator reset"),
)
emulator.command(
    "bulkwright.cli.emulator:baseline",
    help="Make the state as it is now the one that a reset restores.",
    help_epilogue=_example("emulator baseline"),
)
emulator.command(
    "bulkwright.cli.emulator:seed",
    help="Add the records of a file.",
    help_epilogue=_example("emulator seed"),
)
emulator.command(
    "bulkwright.cli.emulator:snapshot",
    help="Save the whole state to a file.",
    help_epilogue=_example("emulator snapshot"),
)
emulator.command(
    "bulkwright.cli.emulator:restore",
    help="Replace the whole state by that of a file.",
    help_epilogue=_example("emulator restore"),
)
emulator.command(
    "bulkwright.cli.emulator:clock",
    help="Show or change the clock of the server.",
    help_epilogue=_example("emulator clock"),
)
emulator.command(
    "bulkwright.cli.emulator:pace",
    help="Show or set how jobs progress.",
    help_epilogue=_example("emulator pace"),
)
emulator.command(
    "bulkwright.cli.emulator:requests",
    help="List the requests that were answered.",
    help_epilogue=_example("emulator requests"),
)
emulator.command(
    "bulkwright.cli.emulator:org",
    help="Make another org and print its credentials.",
    help_epilogue=_example("emulator org"),
)
emulator.command(
    "bulkwright.cli.emulator:run",
    help="Run a command with a server that ends with it.",
    help_epilogue=_example("emulator run"),
)
emulator.command(
    "bulkwright.cli.emulator_limits:count_credits",
    name="credits",
    help="Show or count API credits.",
    help_epilogue=_example("emulator credits"),
)
faults = App(name="faults", help="Let calls meet faults: errors, broken connections, stuck jobs.")
faults.command(
    "bulkwright.cli.emulator_limits:add_fault",
    name="add",
    help="Add a fault rule.",
    help_epilogue=_example("emulator faults add"),
)
faults.command(
    "bulkwright.cli.emulator_limits:list_faults",
    name="list",
    help="List the fault rules.",
    help_epilogue=_example("emulator faults list"),
)
faults.command(
    "bulkwright.cli.emulator_limits:clear_faults",
    name="clear",
    help="Remove fault rules.",
    help_epilogue=_example("emulator faults clear"),
)
emulator.command(faults)
app.command(emulator)

records = App(name="records", help="Read stored records.")
records.command(
    "bulkwright.cli.schema:export",
    help="Export all records of a module as CSV.",
    help_epilogue=_example("records export"),
)
app.command(records)

app.command(
    "bulkwright.cli.orgs:org",
    help="Show, add, deactivate and remove orgs.\n\nExample: bulkwright org --priority 3",
)
app.command(
    "bulkwright.cli.users:user", help="Show, add, deactivate and remove users; set passwords."
)
app.command(
    "bulkwright.cli.clients:client", help="Show, register, deactivate and remove OAuth clients."
)
app.command("bulkwright.cli.tokens:token", help="Create, list and revoke OAuth tokens.")
app.command(
    "bulkwright.cli.audit:audit",
    help="List every call that has changed something, and rejected attempts to sign in.",
    help_epilogue=_example("audit"),
)


def main() -> None:
    """Runs the command line. A failure is one line on stderr and exit status 1, or 2 for usage."""
    from bulkwright.cli.failure import fail_with

    limit_polars_threads()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal cannot show is shown as an escape, as on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Its lines say what our own line says when an outage ends the command.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        status = app(
            console=_help_console(),
            result_action="return_value",
            exit_on_error=False,
            print_error=False,
        )
        print(end="", flush=True)  # here, where a closed pipe is no failure
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of the output has closed it. Discard what is not flushed yet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        fail_with(error)
    sys.exit(status if isinstance(status, int) else 0)


def _help_console() -> Console | None:
    """Returns what the pages of `--help` are printed on; None if none is printed.

    A group of commands without an option, such as `bulkwright jobs`, prints one too.
    """
    words = sys.argv[1:]
    if any(word.startswith("-") for word in words) and not {"--help", "-h"} & set(words):
        return None
    from bulkwright.cli.output import console

    return console
