"""The command `bulkwright`. Each command is imported only when it is called."""

from __future__ import annotations

import os
import sys

from cyclopts import App
from cyclopts.config import Env, Toml

from bulkwright import __version__

app = App(
    name="bulkwright",
    help="A bulk write service that speaks the Zoho CRM Bulk Write API.",
    version=__version__,
    config=[
        Env("BULKWRIGHT_", command=False),
        Toml("bulkwright.toml", allow_unknown=True, use_commands_as_keys=False),
    ],
    help_epilogue=(
        "Every option is also an environment variable (--find-by: BULKWRIGHT_FIND_BY) "
        "and a key of bulkwright.toml."
    ),
)
app.command("bulkwright.cli.demo:demo", help="Run one example job, from a CSV to its result.")
app.command("bulkwright.cli.serving:serve", help="Serve the API and run workers.")
app.command("bulkwright.cli.serving:worker", help="Run the jobs of a data folder, without an API.")
app.command("bulkwright.cli.write:write", help="Write a CSV or a zip into a module.")
app.command("bulkwright.cli.check:check", help="Check a data folder against its job results.")
app.command("bulkwright.cli.sweep:sweep", help="Delete expired data.")
app.command(
    "bulkwright.cli.orgs:init",
    help="Create the first org with the standard modules, a user and a client; print their secrets."
    "\n\nExample: bulkwright init --company Zylker --email admin@zylker.example",
)

jobs = App(name="jobs", help="Show jobs and save their results.")
jobs.command("bulkwright.cli.jobs:list_", name="list", help="List the newest jobs.")
jobs.command("bulkwright.cli.jobs:show", help="Show one job.")
jobs.command("bulkwright.cli.jobs:result", help="Save a job's result, or its failed rows.")
app.command(jobs)

callbacks = App(name="callbacks", help="Show callbacks and the secret that signs them.")
callbacks.command("bulkwright.cli.callbacks:list_", name="list", help="List the newest callbacks.")
callbacks.command("bulkwright.cli.callbacks:secret", help="Print the secret that signs callbacks.")
app.command(callbacks)

modules = App(name="modules", help="Show and change the CRM schema.")
modules.command("bulkwright.cli.schema:list_", name="list", help="List the modules.")
modules.command("bulkwright.cli.schema:show", help="Show the fields of a module.")
modules.command("bulkwright.cli.schema:apply", help="Add the modules and fields of a JSON file.")
modules.command(
    "bulkwright.cli.schema:from_table",
    name="from-table",
    help="Make a module of an existing table.",
)
app.command(modules)

records = App(name="records", help="Read stored records.")
records.command("bulkwright.cli.schema:export", help="Export all records of a module as CSV.")
app.command(records)

app.command("bulkwright.cli.orgs:org", help="Show, add, deactivate and remove orgs.")
app.command(
    "bulkwright.cli.users:user", help="Show, add, deactivate and remove users; set passwords."
)
app.command(
    "bulkwright.cli.clients:client", help="Show, register, deactivate and remove OAuth clients."
)
app.command("bulkwright.cli.tokens:token", help="Create, list and revoke OAuth tokens.")
app.command(
    "bulkwright.cli.audit:audit",
    help="List sign-ins, tokens, consents and what operators did."
    "\n\nExample: bulkwright audit --since 7d --action sign-in-failed --json",
)


def main() -> None:
    """Runs the command line. A failure is one line on stderr and exit status 1."""
    from bulkwright.cli.output import fail
    from bulkwright.domain.errors import BulkwrightError
    from bulkwright.outages import classify
    from bulkwright.settings import UnusableSetting
    from bulkwright.store.migrate import CannotMigrate

    try:
        status = app(result_action="return_value")
    except BulkwrightError as error:
        where = error.details.get("json_path")
        fail(f"{error.message} ({error.code}{f' at {where}' if where else ''})")
    except (UnusableSetting, CannotMigrate) as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of the output has closed it. Discard what is not flushed yet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if outage := classify(error):
            fail(f"{outage}.")
        raise
    sys.exit(status if isinstance(status, int) else 0)
