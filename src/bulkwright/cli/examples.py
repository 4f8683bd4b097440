"""Examples of commands that are imported when they are called; others have theirs in docstrings."""

from __future__ import annotations

EXAMPLES = {
    "demo": "bulkwright demo",
    "serve": "bulkwright serve --dev --data D",
    "worker": "bulkwright worker --data D",
    "write": "bulkwright write leads.csv --module Leads --operation upsert --find-by Email",
    "intercept": "bulkwright intercept -- python my_program.py",
    "record": "bulkwright record -o calls.har -- python my_program.py",
    "compare": "bulkwright compare calls.har",
    "check": "bulkwright check --data D",
    "sweep": "bulkwright sweep --keep-uploads 7d",
    "init": "bulkwright init --company Zylker --email admin@zylker.example",
    "completion": "bulkwright completion bash >> ~/.bashrc",
    "jobs list": "bulkwright jobs list --most 5",
    "jobs show": "bulkwright jobs show JOB_ID --watch",
    "jobs errors": "bulkwright jobs errors JOB_ID",
    "jobs diff": "bulkwright jobs diff JOB_ID -o changes.csv",
    "jobs result": "bulkwright jobs result JOB_ID --failed -o failed.csv",
    "jobs abort": "bulkwright jobs abort JOB_ID",
    "jobs undo": "bulkwright jobs undo JOB_ID --dry-run",
    "jobs delete": "bulkwright jobs delete JOB_ID",
    "callbacks list": "bulkwright callbacks list --json",
    "callbacks replay": "bulkwright callbacks replay JOB_ID",
    "callbacks secret": "bulkwright callbacks secret --rotate",
    "modules list": "bulkwright modules list",
    "modules show": "bulkwright modules show Leads",
    "modules apply": "bulkwright modules apply parts.json",
    "modules import-zoho": "bulkwright modules import-zoho zoho/*.json",
    "modules from-table": "bulkwright modules from-table customers --dry-run",
    "records export": "bulkwright records export --module Leads -o stored.csv",
    "audit": "bulkwright audit --since 7d --action sign-in-failed --json",
}
"""By the words of the command."""
