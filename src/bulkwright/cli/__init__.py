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
app.command("bulkwright.cli.demo:demo", help="See one job from a CSV to its result.")
app.command("bulkwright.cli.serving:serve", help="Serve the API and run workers.")
app.command("bulkwright.cli.serving:worker", help="Run jobs of a data folder, without an API.")
app.command("bulkwright.cli.write:write", help="Write a CSV or a zip into a module.")
app.command("bulkwright.cli.check:check", help="Hold a data folder against its results.")
app.command("bulkwright.cli.sweep:sweep", help="Remove what was kept for its time.")
app.command("bulkwright.cli.accounts:init", help="Make an org with its first user and client.")

jobs = App(name="jobs", help="Look at jobs.")
jobs.command("bulkwright.cli.jobs:list_", name="list", help="The newest jobs.")
jobs.command("bulkwright.cli.jobs:show", help="One job.")
jobs.command("bulkwright.cli.jobs:result", help="Save a job's result, or its failed rows.")
app.command(jobs)

callbacks = App(name="callbacks", help="What was told to callback URLs.")
callbacks.command("bulkwright.cli.callbacks:list_", name="list", help="The newest callbacks.")
callbacks.command("bulkwright.cli.callbacks:secret", help="The secret that signs them.")
app.command(callbacks)

modules = App(name="modules", help="Look at the CRM schema and change it.")
modules.command("bulkwright.cli.schema:list_", name="list", help="Every module.")
modules.command("bulkwright.cli.schema:show", help="The fields of a module.")
modules.command("bulkwright.cli.schema:apply", help="Add the modules and fields of a JSON file.")
modules.command(
    "bulkwright.cli.schema:from_table", name="from-table", help="Offer a table of your own."
)
app.command(modules)

records = App(name="records", help="Records as they are stored.")
records.command("bulkwright.cli.schema:export", help="All records of a module as CSV.")
app.command(records)

app.command("bulkwright.cli.accounts:org", help="The org, its number and its priority.")

user = App(name="user", help="People, their profiles and passwords.")
user.command("bulkwright.cli.accounts:add_user", name="add", help="Add a user.")
user.command("bulkwright.cli.accounts:set_password", name="password", help="Set a password.")
user.command("bulkwright.cli.accounts:list_users", name="list", help="Every user.")
app.command(user)

client = App(name="client", help="OAuth clients.")
client.command("bulkwright.cli.accounts:add_client", name="add", help="Register a client.")
client.command("bulkwright.cli.accounts:list_clients", name="list", help="Every client.")
app.command(client)

token = App(name="token", help="OAuth tokens.")
token.command("bulkwright.cli.accounts:create_token", name="create", help="Print a new token.")
app.command(token)


def main() -> None:
    """Run the command line; a refusal is one line on stderr and exit status 1."""
    from bulkwright.cli.show import refuse
    from bulkwright.config import UnusableSetting
    from bulkwright.domain.errors import BulkwrightError
    from bulkwright.store.migrate import CannotMigrate
    from bulkwright.trouble import trouble

    try:
        status = app(result_action="return_value")
    except BulkwrightError as error:
        where = error.details.get("json_path")
        refuse(f"{error.message} ({error.code}{f' at {where}' if where else ''})")
    except (UnusableSetting, CannotMigrate) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is still to be flushed has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if wrong := trouble(error):
            refuse(f"{wrong}.")
        raise
    sys.exit(status if isinstance(status, int) else 0)
