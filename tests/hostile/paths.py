"""Paths and tokens: invalid ids, data of other orgs, and invalid tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hostile.bodies import changed, refused, resource
from tests.hostile.case import Answered, Bare, Case, Done, Outcome
from tests.hostile.wire import (
    AUTH,
    BROKEN,
    DETAILS,
    JOB,
    NO_AUTH,
    NO_HEADERS,
    NO_TOKEN,
    SOUND,
    Raw,
    create,
    get,
    head,
    upload,
)
from tests.support.uploads import zipped

if TYPE_CHECKING:
    from tests.hostile.target import Target

NO_JOB = Answered(404, "RESOURCE_NOT_FOUND")
NO_PATH = Answered(404, "INVALID_URL_PATTERN")
NO_LINK = Answered(403, "Link not valid")
NO_SCOPE = Answered(401, "OAUTH_SCOPE_MISMATCH")
NO_MODULE = Answered(400, "INVALID_MODULE")
NOTHING = Answered(204, "")


def asked(
    name: str,
    wrong: str,
    path: str,
    outcome: Outcome,
    *lines: str,
    auth: str = AUTH,
    group: str = "paths",
) -> Case:
    """A GET request for a path."""
    return Case(group, name, wrong, Raw((get(path, *lines, auth=auth),)), outcome)


JOB_IDS = [
    asked(f"job_id_{name}", f"The job's id is {shown}.", f"/crm/bulk/v2/write/{text}", outcome)
    for name, shown, text, outcome in (
        ("word", "a word", "abc", NO_JOB), ("zero", "0", "0", NO_JOB),
        ("negative", "negative", "-1", NO_JOB), ("plus", "signed", "+1", NO_PATH),
        ("padded", "padded with zeros", "0<job>", NO_JOB), ("float", "a fraction", "1.0", NO_JOB),
        ("exponent", "an exponent", "1e3", NO_JOB), ("hex", "in base 16", "0x1", NO_JOB),
        ("underscore", "with an underscore", "1_0", NO_JOB),
        ("2_63", "beyond 64 bits", str(2**63), NO_JOB),
        ("400_digits", "400 digits long", "9" * 400, NO_JOB),
        ("401_digits", "longer than any segment", "9" * 401, NO_PATH),
        ("arabic_digits", "in Arabic digits, encoded", "%D9%A1%D9%A2", NO_PATH),
        ("blank", "followed by a blank, encoded", "<job>%20", NO_PATH),
        ("nul", "followed by NUL, encoded", "<job>%00", NO_PATH),
        ("line_end", "followed by a line end, encoded", "<job>%0A", NO_PATH),
        ("sql_or", "SQL", "1%20OR%201=1", NO_PATH), ("sql_quote", "SQL", "1'--", NO_PATH),
        ("wildcard", "a wildcard", "*", NO_PATH),
        ("unknown", "an unknown one", "111111999999999999", NO_JOB),
    )
]  # fmt: skip

PATHS = [
    asked(name, wrong, path, outcome)
    for name, wrong, path, outcome in (
        ("dots", "The path climbs.", "/crm/bulk/v2/write/../write/<job>", NO_PATH),
        ("dots_encoded", "The path climbs, encoded.", "/crm/bulk/v2/write/%2e%2e/<job>", NO_PATH),
        ("dots_segment", "A segment is two dots.", "/crm/bulk/v2/write/..", NO_JOB),
        ("passwd", "The path climbs out of the service.", "/../../../../etc/passwd", NO_PATH),
        ("passwd_docs", "The path climbs out of the documentation.", "/docs/../../etc/passwd",
         NO_PATH),
        ("database", "The database's own name.", "/data/bulkwright.db", NO_PATH),
        ("double_slash_within", "Two slashes in the middle.", "/crm/bulk//v2/write/<job>", NO_PATH),
        ("slashes_before", "Many slashes before it, as SDKs send one too many.",
         "////crm/bulk/v2/write/<job>", DETAILS),
        ("slash_behind", "A slash behind it.", "/crm/bulk/v2/write/<job>/", NO_PATH),
        ("semicolon", "A parameter within the path.", "/crm/bulk/v2/write/<job>;x=1", NO_PATH),
        ("upper_case", "The path is in capitals.", "/CRM/BULK/V2/WRITE/<job>", NO_PATH),
        ("backslash", "The slashes are backslashes.", "\\crm\\bulk\\v2\\write\\<job>",
         Bare(400)),
        ("encoded_slash", "A slash is encoded.", "/crm/bulk/v2%2Fwrite/<job>", NO_PATH),
        ("encoded_letter", "A letter is encoded.", "/crm/bulk/v2/%77rite/<job>", NO_PATH),
        ("version_0", "Version 0.", "/crm/bulk/v0/write/<job>", NO_PATH),
        ("version_99", "Version 99.", "/crm/bulk/v99/write/<job>", NO_PATH),
        ("version_word", "No version.", "/crm/bulk/vX/write/<job>", NO_PATH),
        ("version_2_10", "A version that looks like one.", "/crm/bulk/v2.10/write/<job>", NO_PATH),
        ("module_unknown", "Records of a module that there is not.", "/crm/v2/Nothing", NO_MODULE),
        ("module_internal", "Records of a table of ours.", "/crm/v2/jobs", NO_MODULE),
        ("module_master", "The schema of the database.", "/crm/v2/sqlite_master", NO_MODULE),
        ("page_negative", "A page before the first.", "/crm/v2/Leads?page=-1",
         Answered(400, "INVALID_DATA")),
        ("page_huge", "A page beyond all.", "/crm/v2/Leads?page=99999999999",
         Answered(400, "INVALID_DATA")),
        ("page_size_huge", "A page of a billion records.", "/crm/v2/Leads?per_page=999999999",
         Answered(400, "INVALID_DATA")),
        ("page_sql", "A page that is SQL.", "/crm/v2/Leads?page=1;DROP", Answered(
            400, "INVALID_DATA")),
        ("query_bad_utf8", "A query that is no text.", "/crm/v2/Leads?fields=%ff", BROKEN),
        ("query_1000_fields", "A query of a thousand parameters.",
         "/crm/v2/Leads?" + "&".join(f"a{i}=1" for i in range(1000)), BROKEN),
        ("record_word", "A record's id is a word.", "/crm/v2/Leads/abc", NOTHING),
        ("record_400_digits", "A record's id is 400 digits long.", "/crm/v2/Leads/" + "9" * 400,
         NOTHING),
        ("record_of_job", "A job's id as a record's.", "/crm/v2/Leads/<job>", NOTHING),
    )
]  # fmt: skip


def link(org: str, job: str = "<job>", file: str = "", version: str = "v2") -> str:
    """A download link."""
    return f"/{version}/crm/{org}/bulk-write/{job}/{file or job}.zip"


ZIP = Answered(200, "zip")


def linked(name: str, wrong: str, path: str, outcome: Outcome, auth: str = AUTH) -> Case:
    """A request for data of one of the orgs."""
    return asked(name, wrong, path, outcome, auth=auth, group="tenants")


THEIRS = "Authorization: Zoho-oauthtoken <their token>"

TENANTS = [
    linked("their_job", "A job of another org.", "/crm/bulk/v2/write/<their job>", NO_JOB),
    linked("their_result", "A result of another org, by its own link.",
          link("org<their org>", "<their job>"), NO_LINK),
    linked("their_result_as_mine", "A result of another org, under the caller's number.",
          link("org<org>", "<their job>"), NO_LINK),
    linked("my_result_by_them", "Another org has the link.", link("org<org>"), NO_LINK,
          auth=THEIRS),
    linked("link_other_org", "The caller's job under another org's number.",
          link("org<their org>"), NO_LINK),
    linked("link_other_file", "The two ids of a link differ.", link("org<org>", file="1"), NO_LINK),
    linked("link_no_job", "A link to a job that there is not.",
          link("org<org>", "111111999999999999"), NO_LINK),
    linked("link_bad_id", "A link with an id that is none.", link("org<org>", "00"), NO_LINK),
    linked("link_dots", "A link that climbs.", "/v2/crm/org<org>/bulk-write/../<job>.zip", NO_LINK),
    linked("link_without_org_word", "A link without `org` before the number, as captured.",
          link("<org>"), ZIP),
    linked("link_no_token", "A link without a token.", link("org<org>"), NO_AUTH, auth=""),
    linked("link_no_scope", "A link, and a token for something else.", link("org<org>"), NO_SCOPE,
          auth="Authorization: Zoho-oauthtoken <stranger>"),
    Case("tenants", "their_org_in_upload", "An upload for another org.",
         Raw((upload(SOUND, org="X-CRM-ORG: <their org>"),)), NO_HEADERS),
    Case("tenants", "org_with_blank", "An upload for two orgs.",
         Raw((upload(SOUND, org="X-CRM-ORG: <org> <their org>"),)), NO_HEADERS),
]  # fmt: skip


@dataclass(frozen=True)
class TheirFile:
    """Create a job on another org's upload."""

    def __call__(self, target: Target) -> Outcome:
        """Send it."""
        from tests.hostile.target import insert

        return target.run(insert(target.words["their file"]))


@dataclass(frozen=True)
class TheirRecord:
    """Update a record by the id that it has in another org."""

    def __call__(self, target: Target) -> Outcome:
        """Send it."""
        from tests.hostile.target import insert

        headers = target.auth(target.words["their token"])  # and now they have records
        found = target.http.get("/crm/v2/Leads", headers=headers).json()["data"][0]
        file_id = target.upload(zipped(f"Id,Name\n{found['id']},Stolen\n"))
        body = insert(file_id, "id", "Last_Name", find_by="id") | {"operation": "update"}
        outcome = target.run(body)
        same = target.http.get(f"/crm/v2/Leads/{found['id']}", headers=headers).json()["data"][0]
        assert same == found
        return outcome


CROSSED = [
    Case("tenants", "their_file", "A job on another org's upload.", TheirFile(),
         refused("INVALID_FILE_ID", "$.resource[0].file_id")),
    Case("tenants", "their_record", "An update of another org's record.", TheirRecord(),
         Done(("RESOURCE_NOT_FOUND-Id",), name="leads.csv")),
    changed("their_org_in_body", "The body names another org.", resource(org_id="1"),
            Done(("ADDED", "ADDED"), name="leads.csv"), group="tenants"),
]  # fmt: skip


def token(name: str, wrong: str, auth: str, outcome: Outcome, *lines: str) -> Case:
    """A GET request with this header for a token."""
    shown = f"Authorization: {auth}" if auth else ""
    return asked(f"token_{name}", wrong, JOB, outcome, *lines, auth=shown, group="tokens")


TOKENS = [
    token("none", "No token.", "", NO_AUTH),
    token("empty", "A scheme without a token.", "Zoho-oauthtoken", NO_AUTH),
    token("blank", "A scheme and blanks.", "Zoho-oauthtoken    ", NO_AUTH),
    token("no_scheme", "A token without a scheme.", "<token>", NO_AUTH),
    token("basic", "Another scheme.", "Basic <token>", NO_AUTH),
    token("lower_scheme", "The scheme in small letters, as it may be.", "zoho-oauthtoken <token>",
          DETAILS),
    token("bearer", "The scheme of the standard.", "Bearer <token>", DETAILS),
    token("two_headers", "Two tokens.", "Zoho-oauthtoken <token>", NO_AUTH,
          "Authorization: Zoho-oauthtoken <their token>"),
    token("two_in_one", "Two tokens in one header.",
          "Zoho-oauthtoken <token>, Zoho-oauthtoken <token>", NO_TOKEN),
    token("longer", "One character too many.", "Zoho-oauthtoken <token>0", NO_TOKEN),
    token("upper", "In capitals.", "Zoho-oauthtoken 1000.ABCDEF", NO_TOKEN),
    token("8kb", "A token of 8 KB.", "Zoho-oauthtoken " + "x" * 8192, NO_TOKEN),
    token("non_ascii", "A token that is no ASCII.", "Zoho-oauthtoken \xff\xfe", NO_TOKEN),
    token("sql", "A token that is SQL.", "Zoho-oauthtoken ' OR '1'='1", NO_TOKEN),
    token("wildcard", "A token that is a pattern.", "Zoho-oauthtoken %", NO_TOKEN),
    token("nul", "A token with NUL.", "Zoho-oauthtoken <token>\0", Bare(400)),
    token("refresh", "A refresh token where an access token belongs.",
          "Zoho-oauthtoken <refresh>", NO_TOKEN),
    token("secret", "The client's secret where a token belongs.", "Zoho-oauthtoken <secret>",
          NO_TOKEN),
    token("expired", "A token whose time is over.", "Zoho-oauthtoken <expired>", NO_TOKEN),
    token("other_scope", "A token for something else.", "Zoho-oauthtoken <stranger>", NO_SCOPE),
    asked("token_in_query", "The token is in the query.", f"{JOB}?access_token=<token>", NO_AUTH,
          auth="", group="tokens"),
    asked("token_in_cookie", "The token is in a cookie.", JOB, NO_AUTH, "Cookie: token=<token>",
          auth="", group="tokens"),
    Case("tokens", "token_without_upload_scope", "An upload with a token for something else.",
         Raw((upload(SOUND).replace(b"<token>", b"<stranger>"),)), NO_SCOPE),
    Case("tokens", "token_without_create_scope", "A new job with a token for something else.",
         Raw((create("Content-Length: 2", body=b"{}").replace(b"<token>", b"<stranger>"),)),
         NO_SCOPE),
    Case("tokens", "token_revoke_unknown", "Revoking an unknown token.",
         Raw((head("POST /oauth/v2/token/revoke?token=unknown HTTP/1.1", "Content-Length: 0"),)),
         Answered(200, "details")),
]  # fmt: skip

CASES = [
    *JOB_IDS,
    *PATHS,
    *TENANTS,
    *CROSSED,
    *TOKENS,
]
