"""Every limit, once, with where it comes from. Sizes elsewhere are derived from these.

`Limits` is what a profile allows a caller; the constants below it are what the service allows
itself. Facts sections are those of the project's wire notes (docs/wire.md).
"""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one profile allows. `None` means: no limit of its own."""

    upload_bytes: int | None
    """The zip as uploaded."""
    csv_bytes: int
    """What its CSV may inflate to; counted while inflating, never taken from the directory."""
    rows: int | None
    """Data rows in one CSV, the header not counted."""
    columns: int
    """Columns of the header."""
    mappings: int = 500
    """Field mappings in one resource (facts 1.2)."""


ZOHO = Limits(upload_bytes=25 * MiB, csv_bytes=512 * MiB, rows=25_000, columns=200)
"""The documented limits (facts 1.2); 512 MiB is ours: 25 MB of honest CSV stay far below it."""

SERVICE = Limits(upload_bytes=None, csv_bytes=1024 * 1024 * MiB, rows=None, columns=2_000)
"""For one's own data: no limit on rows; a terabyte of text is taken for a slip."""

PROFILES = {"zoho": ZOHO, "service": SERVICE}

CSV_FILES = 10
"""CSV files in one zip, a parent's and its children's (facts 1.2)."""
ARCHIVE_MEMBERS = 1_000
"""Members a zip may hold; real uploads hold one, plus what file managers add."""
MEMBER_NAME = 255
"""Characters kept of a member's name."""

CHUNK_TEXT_BYTES = 8 * MiB
"""Text handled as one chunk (one Arrow batch, one transaction). Twice as much saves 2 % of the time
and costs 130 MB: about fifteen times its text is in memory at the peak, in one form or another."""
CHUNK_ROWS = 131_072
"""Rows handled as one chunk at most."""
RECORD_BYTES = 8 * MiB
"""Text of one CSV record; the largest field holds 50,000 characters, 200 of them fit."""

API_THREADS = 8
"""Requests that one API process works on at the same time, apart from those it answers at once."""
JSON_BODY_BYTES = 1 * MiB
"""The body of a create request."""
FORM_BODY_BYTES = 64 * 1024
"""The body of a token request."""
MULTIPART_PARTS = 16
"""Parts of an upload; clients send one (facts 2.4)."""

ACCESS_TOKEN_SECONDS = 3600
"""Life of an access token (facts 7.2)."""
LIVE_ACCESS_TOKENS = 30
"""Live access tokens of one refresh token; a newer one ends the oldest (facts 7.2)."""
GRANT_CODE_SECONDS = 60
"""Life of an authorization code (facts 7.2)."""
SELF_CLIENT_CODE_SECONDS = 600
"""Life of a self client's code (facts 7.2)."""
LIVE_REFRESH_TOKENS = 20
"""Refresh tokens of a user and client; a newer one ends the oldest (facts 7.2)."""
TOKEN_REQUESTS_AT_ONCE = 200
"""Token requests of one client from one address, before they are limited."""
TOKEN_REQUESTS_A_SECOND = 20.0
"""How fast that allowance comes back."""

SESSION_SECONDS = 8 * 3600
"""Life of a signed-in browser session."""
SIGN_IN_FREE_FAILURES = 5
"""Wrong passwords for one user from one address, before the next try must wait."""
SIGN_IN_FIRST_WAIT_SECONDS = 2.0
"""That wait; it doubles with each further failure."""
SIGN_IN_MOST_WAIT_SECONDS = 900.0
"""Longest wait between tries, and how long failures are remembered."""
SIGN_IN_AT_ONCE = 2
"""Passwords hashed at the same time, 32 MiB each."""
SIGN_IN_QUEUE = 64
"""Sign-ins that wait for their turn; further ones are sent away."""
PASSWORD_LEAST = 12
"""Characters of a password."""
PASSWORD_MOST = 256
"""Characters of a password; a longer one is never hashed."""
PASSWORD_SCRYPT = (15, 8, 3)
"""log2(N), r, p of scrypt: 32 MiB; OWASP holds it equal to (17, 8, 1), which takes 128 MiB."""
KEYS_REMEMBERED = 10_000
"""Clients, users and addresses that rate limits keep apart."""

LEASE_SECONDS = 10.0
"""How long a worker's claim on a job holds without a heartbeat."""
JOB_ATTEMPTS = 3
"""Claims of a job without progress between them, before it is given up."""

WORKER_SILENT_SECONDS = 600.0
"""A worker from which nothing was heard for so long hangs; an index on a large table takes minutes,
and started anew, it would be begun again."""

HINDERED_FIRST_SECONDS = 0.25
"""A worker's pause when the machine is in its way, a full disk for example; it doubles."""
HINDERED_MOST_SECONDS = 5.0
"""The longest of these pauses: so soon work goes on."""
HINDERED_FREE_SECONDS = 24 * 3600.0
"""How long that does not count as tries of the job in hand."""

RECORDS_PER_PAGE = 200
"""Records in one page of a record read (facts 9)."""

CALLBACK_ATTEMPT_SECONDS = 10.0
"""One attempt from the name to the last byte of the answer."""
CALLBACK_CONNECT_SECONDS = 3.0
"""Connecting to one address of a host, before its next one is tried."""
CALLBACK_ADDRESSES = 4
"""Addresses of a host that are tried in one attempt."""
CALLBACK_ANSWER_BYTES = 64 * 1024
"""What is read of an answer, its head included."""
CALLBACK_AT_ONCE = 64
"""Attempts under way in one process."""
CALLBACK_PER_LANE = 4
"""Attempts under way to one host and port; one while it is slow."""
CALLBACK_PROMPT_SECONDS = 2.0
"""A host that takes longer is slow."""
CALLBACK_LEASE_SECONDS = 90.0
"""How long an attempt is waited for: its own time, and a long wait for the database."""
CALLBACK_BACKOFF_SECONDS = 2.0
"""Longest wait after the first failure; it doubles with each one."""
CALLBACK_BACKOFF_MOST_SECONDS = 3600.0
"""Longest wait between attempts that is ours."""
CALLBACK_RETRY_AFTER_MOST_SECONDS = 6 * 3600.0
"""Longest wait that a receiver may ask for."""
CALLBACK_LIFE_SECONDS = 3 * 24 * 3600.0
"""After this a delivery is given up; about 150 attempts."""
CALLBACK_ATTEMPTS = 250
"""Attempts after which it is given up whatever the time."""
SIGNING_OVERLAP_SECONDS = 24 * 3600.0
"""How long the secret before the newest signs too."""
