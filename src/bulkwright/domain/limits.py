"""Every limit, once, with its source. Sizes elsewhere are derived from these.

`Limits` are those of a limits profile, for callers. The constants below are those of the service
itself. Facts sections are those of the wire notes (docs/wire.md).
"""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one limits profile; `None` is no limit."""

    upload_bytes: int | None
    """The zip as uploaded."""
    csv_bytes: int
    """The inflated CSV; counted while inflating, never taken from the directory of the zip."""
    rows: int | None
    """Data rows in one CSV, without the header."""
    columns: int
    """Columns of the header."""
    default_bytes: int
    """Text that the default values of a resource may add to its rows: as if the CSV had it."""
    org_stored_bytes: int
    """Bytes of the uploads of one org that are stored at the same time."""
    org_daily_uploads: int
    """Uploads of one org within 24 hours."""
    org_open_jobs: int
    """Jobs of one org that have not ended."""
    mappings: int = 500
    """Field mappings in one resource (facts 1.2)."""
    picklist_values: int = 5_000
    """Values of one picklist; jobs add no further ones. Every metadata response lists them."""


ZOHO = Limits(
    upload_bytes=25 * MiB,
    csv_bytes=512 * MiB,
    rows=25_000,
    columns=200,
    default_bytes=512 * MiB,
    org_stored_bytes=10 * 1024 * MiB,
    org_daily_uploads=10_000,
    org_open_jobs=5_000,
)
"""The documented limits (facts 1.2). 512 MiB is ours: 25 MB of a usual CSV stay far below it. Real
orgs are limited by their credits (facts 1.2); the quotas are ours."""

SERVICE = Limits(
    upload_bytes=None,
    csv_bytes=1024 * 1024 * MiB,
    rows=None,
    columns=2_000,
    default_bytes=16 * 1024 * MiB,
    org_stored_bytes=256 * 1024 * MiB,
    org_daily_uploads=100_000,
    org_open_jobs=10_000,
)
"""For data of the operator: no limit of rows; more than a terabyte of text is an error."""

PROFILES = {"zoho": ZOHO, "service": SERVICE}

CSV_FILES = 10
"""CSV files in one zip, a parent's and its children's (facts 1.2)."""
ARCHIVE_MEMBERS = 1_000
"""Members a zip may hold; real uploads hold one, plus what file managers add."""
MEMBER_NAME = 255
"""Characters kept of a member's name."""

CONVERSION_MEMORY_BYTES = 4 * 1024 * MiB
"""Address space of the process that converts JSON lines, Parquet or XLSX; a thread of Polars
reserves tens of MiB. The heavy turns of the orgs bound how many there are."""
CONVERSION_NICENESS = 10
"""Other processes have priority over it."""
CONVERSION_CPU_SECONDS = 1_800
"""Time of that process: several gigabytes of JSON lines."""
CHUNK_TEXT_BYTES = 8 * MiB
"""Text of one chunk (one Arrow batch, one transaction). Twice as much saves 2 % of the time and
costs 130 MB: the peak of memory is about fifteen times the text, in all its forms together."""
CHUNK_ROWS = 131_072
"""Rows of one chunk at most."""
KEY_GROUPS = 64
"""Groups of keys (pipeline/parts.py); no job has more parts. Locks depend on it: never change."""
WRITE_PART_BYTES = 64 * MiB
"""`write` divides its file into one part for each of these at most, unless it gets a number."""
PARTS_AT_ONCE = 4
"""Parts of one job that a worker runs at the same time at most; one reading feeds them."""
PART_SESSIONS = 2
"""Sessions of the database that each further part takes at most: its own, and a share of those of
its process."""
CHUNK_LOCK_SECONDS = 0.2
"""How long a chunk may keep the other writers of a SQLite file waiting; chunks get smaller when
they take longer. On two idle cores this is about a chunk of CHUNK_TEXT_BYTES."""
SHORT_JOB_BYTES = 64 * 1024
"""Uploads of a job that a worker runs beside a longer one, at most."""
LONG_JOB_SECONDS = 0.1
"""Short jobs run beside a job that has run for this time. On SQLite that is after each chunk, for
about CHUNK_LOCK_SECONDS at most, so the longer job keeps at least half of its speed."""
READ_ROWS = 200_000
"""Records of one bulk read, which is one page of its query (facts 12)."""
READ_PAGES = 500
"""The last page of a bulk read: 100 million records. Page tokens lead further."""
READ_CRITERIA = 25
"""Conditions of a bulk read, at most (facts 12)."""
READ_VALUES = 200
"""Values of one condition of a bulk read (facts 12)."""
READ_VALUE_CHARACTERS = 255
"""Characters of a value of a bulk read (facts 12)."""
READ_FIRST_ROWS = 1_000
"""Records of the first chunk of a bulk read; each next one may have twice as many."""
READ_CHUNK_ROWS = 16_384
"""Records of one chunk of a bulk read at most."""
UNDO_CHUNK_RECORDS = 16_384
"""Records of one chunk of an undo at most; fewer if they take longer than CHUNK_LOCK_SECONDS."""
RECORD_BYTES = 8 * MiB
"""Text of one CSV record; the largest field holds 50,000 characters, 200 of them fit."""

VERIFIED_AT_ONCE_BYTES = 1 * MiB
"""A result of this size is verified before it is sent, a larger one while it is sent."""

API_THREADS = 8
"""Requests that one API process handles in threads at the same time."""
API_THREADS_OF_ONE = 4
"""Those of them that belong to one org, or to one address while the org is not known."""
JSON_BODY_BYTES = 512 * 1024
"""The body of a create request: 500 mappings of 10 files, a hundred characters each."""
JSON_OBJECTS = 6_000
"""Objects in that body: 500 mappings of 10 files, and a thousand default values and others."""
JSON_VALUES = 30_000
"""Values in that body, each with a comma behind it: five in each of these objects."""
FORM_BODY_BYTES = 64 * 1024
"""The body of a token request."""

ACCESS_TOKEN_SECONDS = 3600
"""Life of an access token (facts 7.2)."""
LONGEST_TOKEN_SECONDS = 366 * 24 * 3600
"""The longest life that an operator can give an access token."""
LIVE_ACCESS_TOKENS = 30
"""Live access tokens of one refresh token; a newer one ends the oldest (facts 7.2)."""
GRANT_CODE_SECONDS = 60
"""Life of an authorization code (facts 7.2)."""
SELF_CLIENT_CODE_SECONDS = 600
"""Life of a self client's code (facts 7.2)."""
LIVE_REFRESH_TOKENS = 20
"""Refresh tokens of a user and client; a newer one ends the oldest (facts 7.2)."""
LIVE_CLIENT_TOKENS = 1_000
"""Access tokens of a user and client that no refresh token gave; a newer one ends the oldest. Codes
are limited by themselves in the same way."""
SCOPES_CHARACTERS = 4_096
"""The scopes of one token, normalised; four times what one scope for each module would take."""
TOKEN_REQUESTS_AT_ONCE = 200
"""Token requests of one client from one address, before they are limited."""
TOKEN_REQUESTS_A_SECOND = 20.0
"""How fast these are allowed again."""

SESSION_SECONDS = 8 * 3600
"""Life of a signed-in browser session."""
LIVE_SESSIONS = 100
"""Sessions of one user; a newer one ends the oldest."""
DEVICE_SECONDS = 180 * 24 * 3600
"""How long a browser is known in which a user has signed in; each sign-in starts it again."""
REMEMBERED_DEVICES = 20
"""Known browsers of one user."""
SIGN_IN_FREE_FAILURES = 5
"""Wrong passwords for one user from one address before the next attempt must wait. A browser in
which the user has signed in before counts by itself."""
SIGN_IN_FIRST_WAIT_SECONDS = 2.0
"""That wait; it doubles with each further failure."""
SIGN_IN_MOST_WAIT_SECONDS = 900.0
"""Longest wait between attempts."""
SIGN_IN_FAILURE_SECONDS = 2 * SIGN_IN_MOST_WAIT_SECONDS
"""How long failures are remembered after the last one."""
SIGN_IN_AT_ONCE = 2
"""Passwords hashed at the same time, 32 MiB each."""
SIGN_IN_QUEUE = 64
"""Sign-ins that wait for their turn."""
SIGN_IN_QUEUE_OF_ONE = 8
"""Those of one address, or of one known browser, among them; further ones are rejected."""
PASSWORD_LEAST = 12
"""Characters of a password."""
PASSWORD_BESIDE_WORDS = 8
"""Characters of a password beside the names of the user and the org (ASVS 5.0, 6.2.1, 6.2.11)."""
PASSWORD_MOST = 256
"""Characters of a password; a longer one is never hashed."""
PASSWORD_SCRYPT = (15, 8, 3)
"""log2(N), r, p of scrypt: 32 MiB; OWASP holds it equal to (17, 8, 1), which takes 128 MiB."""
KEYS_REMEMBERED = 10_000
"""Clients, users and addresses that rate limits distinguish."""

AUDIT_AT_ONCE = 100.0
"""Entries of the audit log for one action and one caller at once; further ones are counted only.
Only sign-ins, consents, codes and tokens are limited."""
AUDIT_A_SECOND = 0.1
"""How fast these are allowed again."""
AUDIT_FAILURES_AT_ONCE = 1_000.0
"""Entries for rejected attempts of all callers at once: callers can have many addresses."""
AUDIT_FAILURES_A_SECOND = 1.0
"""How fast these are allowed again: at most 86,400 a day."""

LEASE_SECONDS = 10.0
"""How long a worker's claim on a job holds without a heartbeat."""
PRIORITY_SECONDS = 600.0
"""By how much a job of high priority comes earlier in the queue of its org, and one of low priority
later: jobs of normal priority wait this long at most for those of high priority."""
JOB_ATTEMPTS = 3
"""Claims of a job without progress in between, before the job is failed."""

WORKER_SILENT_SECONDS = 600.0
"""A worker that is silent for this time hangs. It is long, because an index on a large table takes
minutes and would be restarted with the worker."""

BLOCKED_FIRST_SECONDS = 0.25
"""A worker's first pause while it is blocked, by a full disk for example; it doubles."""
BLOCKED_MOST_SECONDS = 5.0
"""The longest of these pauses; work continues at most this long after the end of an outage."""
BLOCKED_FREE_SECONDS = 24 * 3600.0
"""How long an outage does not count as attempts of the current job."""

RECORDS_PER_CALL = 100
"""Records that one call writes (facts 10.1)."""
RECORDS_BODY_BYTES = 2 * MiB
"""The body of such a call: a hundred records of 20,000 characters."""
RECORDS_OBJECTS = 20_000
"""Objects in that body."""
RECORDS_VALUES = 100_000
"""Values in that body: a thousand of each record."""

IDEMPOTENCY_KEY_CHARACTERS = 255
"""Characters of an idempotency key at most."""
TEMPLATE_NAME_CHARACTERS = 80
"""Characters of the name of an import template at most."""
TEMPLATES_OF_ORG = 200
"""Import templates of an org at most."""
JOBS_A_PAGE = 100
"""Jobs in one response of the own API at most."""
PERCENT_LEAST_ROWS = 1_000
"""Rows of a job before the share of its skipped rows is judged (domain/error_limit.py)."""
REPORT_ROWS_AT_ONCE = 200
"""Rows of a report that are made at a time: a few milliseconds, then other requests have a turn."""
REPORTS_OF_ORG = 4
"""Reports about the rows of jobs that an org downloads from one server process at the same time."""
REPORT_SEND_SECONDS = 30.0
"""Within which a client must take a piece of a report."""
ERROR_SAMPLES = 5
"""Rows that are shown of each group of errors."""
EVENT_STREAMS_OF_ORG = 50
"""Open streams of job events of an org at one server process."""
EVENT_POLL_SECONDS = 0.25
"""How often such a stream looks at its job."""
EVENT_SILENT_SECONDS = 15.0
"""After this time without an event it sends a comment, so that no proxy closes it."""
RECORDS_PER_PAGE = 200
"""Records in one page of a record read (facts 9)."""

RECORD_PAGES = 1_000_000
"""The last page of a record read."""

PAGED_RECORDS = 2_000
"""Records that pages by number reach, from v5 on and in a search (facts 10.8, 10.9)."""
TOKEN_PAGED_RECORDS = 100_000
"""Records that pages by token reach (facts 10.8)."""
PAGE_TOKEN_SECONDS = 24 * 3600
"""Life of a page token (facts 10.8)."""
LISTED_IDS = 200
"""Ids in the `ids` of a list of records."""
CRITERIA_CHARACTERS = 16_000
"""Characters of the criteria of a search."""
CRITERIA_LEVELS = 30
"""Brackets within brackets in the criteria of a search."""
CRITERIA_VALUES = 100
"""Values of one `in` (facts 10.9)."""
COQL_CHARACTERS = 100_000
"""Characters of a COQL query: 25 conditions of a hundred values."""


@dataclass(frozen=True, slots=True)
class CoqlLimits:
    """The limits of COQL in one version of the API (facts 10.11)."""

    rows: int
    """Rows of one answer."""
    reached_rows: int = 10_000
    """Rows that offset and limit reach."""
    values: int = 50
    """Values of one `in`."""
    selected_joins: int = 2
    """Lookups that the selected columns lead through."""
    criteria_joins: int = 2
    """Lookups that the conditions lead through."""
    columns: int = 50
    """Columns that are selected."""
    conditions: int = 25
    """Conditions of `where`."""
    sorts: int = 10
    """Terms of `order by`."""
    groups: int = 4
    """Columns of `group by`."""
    aggregates: int = 5
    """Aggregates that are selected."""


FREE_IDS_PERCENT = 1
"""Ids of an existing table that a file cannot give to new records: this share of those that the
column can hold, the greatest. So a given id, which the next new ids follow, leaves some free."""
WORD_CHARACTERS = 2
"""Letters of a word to search for, at least (facts 10.9)."""
RECYCLED_DAYS = 60
"""Days that a deleted record is listed as in the recycle bin (facts 10.4)."""
DELETED_DAYS = 180
"""Days that a deleted record is listed at all (facts 10.4)."""

LISTED_FIELDS = 50
"""Names in the `fields` of a record read, from v3 on (facts 9)."""

CALLBACK_ATTEMPT_SECONDS = 10.0
"""One attempt, from resolving the host to the last byte of the response."""
CALLBACK_CONNECT_SECONDS = 3.0
"""Connecting to one address of a host, before its next one is tried."""
CALLBACK_ADDRESSES = 4
"""Addresses of a host that are tried in one attempt."""
CALLBACK_ANSWER_BYTES = 64 * 1024
"""Bytes that are read of a response, its head included."""
CALLBACK_AT_ONCE = 64
"""Running attempts of one process."""
CALLBACK_PER_DESTINATION = 4
"""Running attempts to one host and port; one while it is slow."""
CALLBACK_PROMPT_SECONDS = 2.0
"""A host that responds later is slow."""
CALLBACK_LEASE_SECONDS = 90.0
"""How long a claimed attempt may run: its own time, and a long wait for the database."""
CALLBACK_BACKOFF_SECONDS = 2.0
"""Longest wait after the first failure; it doubles with each one."""
CALLBACK_BACKOFF_MOST_SECONDS = 3600.0
"""Longest wait between attempts, unless the receiver requests a longer one."""
CALLBACK_RETRY_AFTER_MOST_SECONDS = 6 * 3600.0
"""Longest wait that a receiver may request."""
CALLBACK_LIFE_SECONDS = 3 * 24 * 3600.0
"""After this a delivery is given up; about 150 attempts."""
CALLBACK_ATTEMPTS = 250
"""Attempts after which it is given up, even before that time."""
SIGNING_OVERLAP_SECONDS = 24 * 3600.0
"""How long the previous secret is used for signing in addition to the newest."""

STATEMENT_SECONDS = 30.0
"""How long one statement may take: on PostgreSQL each one, with its wait for locks; on SQLite a
query outside a transaction, such as a search."""
TRIAL_IDLE_SECONDS = 120.0
"""How long the transaction of a dry run on PostgreSQL may wait for its worker. Other writers of its
module wait as long for a worker that was stopped."""
LOCK_NOTED_SECONDS = 0.01
"""A transaction that holds its locks for a shorter time is not counted: there are too many."""
LOCK_LONG_SECONDS = 1.0
"""A transaction that holds its locks for this time is logged as a warning."""
LOCK_WAIT_SECONDS = 5.0
"""While a writer waits longer than this for a lock, `/readyz` reports it."""

LOGGED_REQUESTS = 2_000
"""Requests that the emulator's log holds: the newest ones."""
LOGGED_BODY_BYTES = 16 * 1024
"""A longer body is not kept in that log."""
CONTROL_BODY_BYTES = 1024 * 1024
"""The JSON body of a control of the emulator."""
BASELINE_BYTES = 256 * MiB
"""The largest database at the start of `serve --dev` that a reset can restore."""
SNAPSHOT_BYTES = 1024 * MiB
"""A snapshot of the emulator, and what is in it."""
SNAPSHOT_FILES = 100_000
"""Files in a snapshot."""
SEED_BODY_BYTES = 32 * MiB
"""The records of a seed."""
CONTROL_WAIT_SECONDS = 60.0
"""How long a control of the emulator, or a poll at a pace, waits for workers and for requests."""
