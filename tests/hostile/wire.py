"""HTTP, byte by byte: requests that two servers read differently, never end, or are invalid."""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.hostile.case import Answered, Bare, Case, Closed, Outcome
from tests.support.uploads import zipped

if TYPE_CHECKING:
    from tests.hostile.target import Target

MiB = 1024 * 1024
AUTH = "Authorization: Zoho-oauthtoken <token>"
JOB = "/crm/bulk/v2/write/<job>"
DETAILS = Answered(200, "details")
BAD_REQUEST = Bare(400)
BROKEN = Answered(400, "INVALID_REQUEST")
WRONG_METHOD = Answered(400, "INVALID_REQUEST_METHOD")
NO_AUTH = Answered(401, "AUTHENTICATION_FAILURE")
NO_TOKEN = Answered(401, "INVALID_TOKEN")
NO_OPERATION = Answered(400, "MISSING_REQUIRED_KEY", "$.operation")
NO_JSON = Answered(400, "INVALID_DATA", "$")
NO_FORM = Answered(400, "INVALID_DATA")
UPLOADED = Answered(200, "FILE_UPLOAD_SUCCESS")
Bytes = bytes | Callable[[], bytes]


@dataclass(frozen=True)
class Raw:
    """Send these bytes on one connection; `<word>` is replaced by a value of the service."""

    pieces: tuple[Bytes, ...]
    half: bool = False
    """Whether the sending side is closed then."""
    pause: float = 0.0
    """Seconds after each piece."""
    uploads: int = 0
    """The number of uploads that are acknowledged."""

    def sent(self, target: Target) -> list[bytes]:
        """The pieces as they are sent."""
        return [target.filled(p() if callable(p) else p) for p in self.pieces]

    def __call__(self, target: Target) -> Outcome:
        """Send them; returns the one answer."""
        answer = target.ask(*self.sent(target), pause=self.pause, half=self.half)
        target.acknowledged += self.uploads
        return answer


@dataclass(frozen=True)
class Several(Raw):
    """The same for more than one answer."""

    def __call__(self, target: Target) -> Outcome:
        """Send them; returns all answers."""
        return target.parsed(target.talk(*self.sent(target), pause=self.pause, half=self.half))


def head(first: str, *lines: str, close: bool = True, host: str = "Host: x") -> bytes:
    """The head of a request; lines that are empty are left out."""
    given = (first, host, *lines, "Connection: close" if close else "")
    return "".join(f"{line}\r\n" for line in given if line).encode("latin-1") + b"\r\n"


def get(path: str = JOB, *lines: str, auth: str = AUTH, **more: Any) -> bytes:
    """A GET request."""
    return head(f"GET {path} HTTP/1.1", auth, *lines, **more)


def create(*lines: str, body: bytes = b"", **more: Any) -> bytes:
    """A request for a job; its body is invalid unless given."""
    return head("POST /crm/bulk/v2/write HTTP/1.1", AUTH, *lines, **more) + body


def case(
    name: str,
    wrong: str,
    data: Bytes,
    outcome: Outcome,
    *,
    group: str = "http",
    half: bool = False,
    pause: float = 0.0,
    **more: Any,
) -> Case:
    """One request."""
    return Case(group, name, wrong, Raw((data,), half, pause), outcome, **more)


CHUNKED = "Transfer-Encoding: chunked"
EMPTY = b"2\r\n{}\r\n0\r\n\r\n"
HIDDEN = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
BODY = head("POST /crm/bulk/v2/write HTTP/1.1", "Content-Length: 0")

FRAMING = [
    Case("http", "smuggled_cl_te", "Two lengths, and a second request behind the shorter one.",
         Several((create(f"Content-Length: {len(HIDDEN)}", CHUNKED, body=HIDDEN, close=False),)),
         (NO_JSON,)),
    Case("http", "smuggled_te_cl", "The same two lengths in the other order.",
         Several((create(CHUNKED, f"Content-Length: {len(HIDDEN)}", body=HIDDEN, close=False),)),
         (NO_JSON,)),
    Case("http", "smuggled_get", "A body that is a request, of a question that has no body.",
         Several((get(JOB, f"Content-Length: {len(BODY)}", close=False) + BODY + get("/healthz"),)),
         (DETAILS, DETAILS)),
    Case("http", "length_too_short", "The body is longer than its length; the rest is read as "
         "the next request, as it must be.",
         Several((create("Content-Length: 2", body=b"{}" + get("/healthz"), close=False),)),
         (NO_OPERATION, Answered(200, "details"))),
    case("length_too_long", "The body ends before its length.",
         create("Content-Length: 100", body=b"{}"), BROKEN, half=True),
    case("two_lengths", "Two different lengths.",
         create("Content-Length: 2", "Content-Length: 3", body=b"{}x"), BAD_REQUEST),
    case("one_length_twice", "One length twice.",
         create("Content-Length: 2", "Content-Length: 2", body=b"{}"), NO_OPERATION),
    *(case(f"length_{name}", f"The length is {shown}.",
           create(f"Content-Length: {value}", body=b"{}"), BAD_REQUEST)
      for name, shown, value in (
          ("list", "a list", "2, 2"), ("negative", "negative", "-1"), ("plus", "signed", "+2"),
          ("hex", "in base 16", "0x2"), ("word", "a word", "two"), ("empty", "empty", ""),
          ("huge", "beyond 64 bits", "9" * 23), ("fraction", "a fraction", "2.0"),
      )),
    case("length_exbibytes", "A length of eight exbibytes.",
         create(f"Content-Length: {2**63 - 1}", body=b"{}"), Answered(400, "LIMIT_EXCEEDED")),
    *(case(f"coding_{name}", f"The transfer coding is {shown}.",
           create(f"Transfer-Encoding: {value}", body=EMPTY), BAD_REQUEST)
      for name, shown, value in (
          ("xchunked", "one that there is not", "xchunked"), ("identity", "none", "identity"),
          ("gzip_last", "chunked, then gzip", "chunked, gzip"),
          ("vertical_tab", "hidden behind a vertical tab", "\x0bchunked"),
          ("quoted", "quoted", '"chunked"'), ("empty", "empty", ""),
      )),
    case("coding_http10", "A transfer coding in HTTP/1.0, which has none.",
         head("POST /crm/bulk/v2/write HTTP/1.0", AUTH, CHUNKED) + EMPTY, BAD_REQUEST),
    case("coding_twice", "Chunked, twice.", create(CHUNKED, CHUNKED, body=EMPTY), NO_OPERATION),
    case("coding_gzip", "A coding that is not undone, so the body cannot be read.",
         create("Transfer-Encoding: gzip, chunked", body=EMPTY), BROKEN),
    *(case(f"chunk_{name}", wrong, create(CHUNKED, body=body), BROKEN)
      for name, wrong, body in (
          ("no_number", "A chunk's size is a word.", b"zz\r\n{}\r\n0\r\n\r\n"),
          ("negative", "A chunk's size is negative.", b"-2\r\n{}\r\n0\r\n\r\n"),
          ("prefix", "A chunk's size has a prefix.", b"0x2\r\n{}\r\n0\r\n\r\n"),
          ("huge", "A chunk's size is beyond 64 bits.", b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n"),
          ("longer", "A chunk is longer than its size.", b"2\r\n{}XX0\r\n\r\n"),
          ("bare_lf", "Lines of chunks end with LF alone.", b"2\n{}\n0\n\n"),
          ("extension_lf", "A line end hides in a chunk's extension.",
           b"2;a\nb\r\n{}\r\n0\r\n\r\n"),
      )),
    case("chunk_extension_1mb", "A chunk's extension of a megabyte.",
         lambda: create(CHUNKED, body=b"2;" + b"a" * MiB + b"\r\n{}\r\n0\r\n\r\n"), BROKEN),
    case("chunk_trailers_1mb", "Trailers of a megabyte.",
         lambda: create(CHUNKED, body=b"2\r\n{}\r\n0\r\nX: " + b"a" * MiB + b"\r\n\r\n"), BROKEN),
    case("chunk_trailer_auth", "The token comes in a trailer.",
         head("POST /crm/bulk/v2/write HTTP/1.1", CHUNKED)
         + b"2\r\n{}\r\n0\r\nAuthorization: Zoho-oauthtoken <token>\r\n\r\n", NO_AUTH),
    case("chunk_no_end", "The last chunk never comes.", create(CHUNKED, body=b"2\r\n{}\r\n"),
         BROKEN, half=True),
    case("chunk_one_byte_each", "Ten thousand chunks of one byte.",
         lambda: create(CHUNKED, body=b"1\r\n \r\n" * 10_000 + EMPTY), NO_OPERATION),
    case("gone_in_the_middle", "The client goes away in the middle of the head.",
         b"GET /crm/bulk", Closed(), half=True),
]  # fmt: skip

HEADS = [
    *(case(f"method_{name}", f"The method is {shown}.",
           head(f"{method} {path} HTTP/1.1", AUTH, "Content-Length: 0"), WRONG_METHOD)
      for name, shown, method, path in (
          ("put", "PUT", "PUT", JOB), ("patch", "PATCH", "PATCH", JOB),
          ("delete", "DELETE", "DELETE", JOB), ("trace", "TRACE", "TRACE", JOB),
          ("brew", "one that there is not", "BREW", JOB), ("lower", "in small letters", "get", JOB),
          ("long", "10,000 letters long", "G" * 10_000, JOB),
          ("post_job", "that of creation, on a job", "POST", JOB),
          ("get_upload", "GET, on uploads", "GET", "/crm/v2/upload"),
          ("get_write", "GET, on jobs", "GET", "/crm/bulk/v2/write"),
          ("get_token", "GET with secrets in the query, on tokens", "GET",
           "/oauth/v2/token?grant_type=client_credentials&client_id=<client>"
           "&client_secret=<secret>"),
      )),
    case("method_override", "A header wants another method than the request's.",
         get(JOB, "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE"), DETAILS),
    case("method_nul", "NUL in the method.", b"GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
    case("connect", "The service is taken for a proxy.",
         head("CONNECT 169.254.169.254:80 HTTP/1.1"), Answered(404, "INVALID_URL_PATTERN")),
    case("options_star", "A question about nothing in particular.",
         head("OPTIONS * HTTP/1.1"), Answered(404, "INVALID_URL_PATTERN")),
    case("http_09", "HTTP/0.9.", b"GET /crm/bulk/v2/write/1\r\n\r\n", BAD_REQUEST),
    case("http_10", "HTTP/1.0, which is still spoken.", head(f"GET {JOB} HTTP/1.0", AUTH), DETAILS),
    case("http_12", "HTTP/1.2, which there is not.", head(f"GET {JOB} HTTP/1.2", AUTH),
         BAD_REQUEST),
    case("http_2_preface", "HTTP/2 without asking.",
         b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), Closed()),
    case("upgrade_h2c", "An upgrade to HTTP/2, which is not taken up.",
         get(JOB, "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c",
             "HTTP2-Settings: AAMAAABkAAQAAP__", close=False), DETAILS),
    case("upgrade_websocket", "An upgrade to a WebSocket, which is not taken up.",
         get(JOB, "Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", close=False), DETAILS),
    case("tls_hello", "TLS on a port that speaks none.",
         b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2, BAD_REQUEST),
    case("noise", "Every byte there is.", bytes(range(256)) * 4, BAD_REQUEST),
    case("no_host", "No Host.", get(host=""), BROKEN),
    case("empty_host", "A Host without a name.", get(host="Host:"),
         BROKEN),
    case("old_no_host", "No Host in HTTP/1.0, which has none.",
         get(host="").replace(b"HTTP/1.1", b"HTTP/1.0"), DETAILS),
    case("two_hosts", "Two Hosts.", get(JOB, "Host: evil.example"),
         BROKEN),
    case("host_with_blanks", "A Host that is no name.", get(host="Host: a b"),
         BROKEN),
    case("coded_body", "A body that is compressed as well as chunked.",
         create("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
         BROKEN),
    case("foreign_host", "Another host's name: no link is made of it.",
         get(host="Host: evil.example"), DETAILS),
    case("absolute_uri", "A URL of another host.", get(f"http://evil.example{JOB}"), DETAILS),
    case("forwarded_host", "Headers of a proxy that is not there.",
         get(JOB, "X-Forwarded-Host: evil.example", "X-Original-URL: /admin",
             "Forwarded: for=127.0.0.1;host=evil.example"), DETAILS),
    *(case(name, wrong, data, BAD_REQUEST) for name, wrong, data in (
        ("header_nul", "NUL in a header.", get(JOB, "X: a\0b")),
        ("header_folded", "A header on two lines.", get(JOB, "X: a\r\n b")),
        ("header_blank_before_colon", "A blank before the colon.", get(JOB, "X : a")),
        ("header_no_colon", "A line that is no header.", get(JOB, "garbage")),
        ("header_no_name", "A header without a name.", get(JOB, ": a")),
        ("header_bare_cr", "A CR within a header.", get(JOB, "X: a\rY: b")),
        ("blank_before_headers", "A blank before the first header.",
         f"GET {JOB} HTTP/1.1\r\n Host: x\r\n\r\n".encode()),
        ("blank_in_path", "A blank in the path.", get("/crm/bulk/v2 /write/1")),
        ("nul_in_path", "NUL in the path.", get("/crm/\0")),
        ("bad_byte_in_path", "A byte in the path that is no character.", get("/crm/\xff")),
    )),
    case("header_bare_lf", "Lines end with LF alone, as the standard allows.",
         get().replace(b"\r\n", b"\n"), DETAILS),
    case("header_32k", "A header of 32 KB.", get(JOB, "X: " + "a" * 32_768), DETAILS),
    case("header_1m", "A header of a megabyte.", get(JOB, "X: " + "a" * MiB), Bare(431)),
    case("headers_500", "Five hundred headers.", get(JOB, *(f"X{i}: a" for i in range(500))),
         Bare(431)),
    case("url_64k", "A URL of 64 KB.", get("/" + "a" * 65_536), Bare(414)),
    case("url_300k", "A URL of 300 KB.", get("/" + "a" * 300_000), Bare(414)),
    case("url_2m", "A URL of 2 MB: its end is not waited for.",
         lambda: get("/" + "a" * 2 * MiB), Bare(431)),
    case("query_40k", "A query of 40 KB, which is never read.", get(f"{JOB}?" + "a=b&" * 10_000),
         DETAILS),
    case("fragment", "A fragment, which is no part of a request.", get(f"{JOB}#x"), DETAILS),
    case("get_with_body", "A question with a body.",
         get(JOB, "Content-Length: 1000") + b"x" * 1000, DETAILS),
    Case("http", "pipelined_1000", "A thousand requests before the first answer.",
         Several((get(close=False) * 999 + get(),)), (DETAILS,) * 1000),
    case("range_parts", "Two hundred ranges of a result: it comes whole.",
         get("/v2/crm/org<org>/bulk-write/<job>/<job>.zip",
             "Range: bytes=" + ",".join(f"{i}-{i}" for i in range(200))), Answered(200, "zip")),
    case("content_encoding", "A body that says it is compressed.",
         create("Content-Encoding: gzip", "Content-Length: 2", body=b"{}"), BROKEN),
    case("expect_too_much", "A body that is too large is announced, and permission asked.",
         create("Expect: 100-continue", "Content-Length: 2000000"),
         Answered(400, "LIMIT_EXCEEDED")),
    case("expect_tea", "Something else is expected.",
         create("Expect: tea", "Content-Length: 2", body=b"{}"), NO_OPERATION),
    *(case(f"type_{name}", f"The body is JSON, and said to be {shown}.",
           create(*([f"Content-Type: {value}"] if value else []), "Content-Length: 2", body=b"{}"),
           NO_OPERATION)
      for name, shown, value in (
          ("none", "nothing", ""),
          ("curl", "a form, as curl says", "application/x-www-form-urlencoded"),
          ("text", "text", "text/plain; charset=utf-7"), ("nonsense", "nonsense", ";;=/"),
      )),
]  # fmt: skip


def form(*parts: bytes, boundary: bytes = b"b", end: bytes = b"--b--\r\n") -> bytes:
    """A multipart body of these parts."""
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + end


def part(disposition: str = 'name="file"; filename="leads.zip"', data: bytes = b"") -> bytes:
    """A part of a multipart body."""
    shown = f"Content-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return shown + (data or zipped())


def upload(
    body: bytes,
    *lines: str,
    kind: str = "multipart/form-data; boundary=b",
    feature: str = "feature: bulk-write",
    org: str = "X-CRM-ORG: <org>",
    length: bool = True,
) -> bytes:
    """An upload of this body."""
    return head(
        "POST /crm/v2/upload HTTP/1.1", AUTH, feature, org,
        f"Content-Type: {kind}" if kind else "",
        f"Content-Length: {len(body)}" if length else "", *lines,
    ) + body  # fmt: skip


def refused(name: str, wrong: str, data: Bytes, outcome: Outcome = NO_FORM, **more: Any) -> Case:
    """An upload that is rejected."""
    return case(f"upload_{name}", wrong, data, outcome, **more)


def taken(name: str, wrong: str, data: Bytes) -> Case:
    """An upload that is acknowledged."""
    return Case("http", f"upload_{name}", wrong, Raw((data,), uploads=1), UPLOADED)


def flood(end: bytes, *, what: str = 'name="file"; filename="a"') -> Callable[[], bytes]:
    """An upload of unknown length with a part of more than 27 MB."""
    first = f"--b\r\nContent-Disposition: form-data; {what}\r\n\r\n".encode()
    start = upload(b"", CHUNKED, length=False) + b"%x\r\n%s\r\n" % (len(first), first)
    return lambda: start + (b"100000\r\n" + bytes(MiB) + b"\r\n") * 27 + end


NO_HEADERS = Answered(403, "check if headers [feature, X-CRM-ORG] are present and valid")
NO_FILE = Answered(400, "MANDATORY_NOT_FOUND")
TOO_LARGE = Answered(413, "FILE_TOO_LARGE")
SOUND = form(part())

UPLOADS = [
    refused("no_feature", "The feature is not named.", upload(SOUND, feature=""), NO_HEADERS),
    refused("other_feature", "Another feature is named.", upload(SOUND, feature="feature: x"),
            Answered(200, "NOT_SUPPORTED_FEATURE")),
    refused("no_org", "The org is not named.", upload(SOUND, org=""), NO_HEADERS),
    refused("word_org", "The org is a word.", upload(SOUND, org="X-CRM-ORG: mine"), NO_HEADERS),
    refused("their_org", "The org is another one.", upload(SOUND, org="X-CRM-ORG: <their org>"),
            NO_HEADERS),
    refused("no_type", "The body's type is not named.", upload(SOUND, kind="")),
    refused("zip_type", "The body is the zip itself.", upload(zipped(), kind="application/zip")),
    refused("wrong_boundary", "The boundary is another one.",
            upload(SOUND, kind="multipart/form-data; boundary=c")),
    refused("long_boundary", "The boundary is 10,000 letters long.",
            upload(SOUND, kind=f"multipart/form-data; boundary={'b' * 10_000}")),
    refused("crlf_boundary", "The boundary holds a line end.",
            upload(SOUND, kind='multipart/form-data; boundary="b\tc"')),
    refused("empty_body", "The form is empty.", upload(b"")),
    refused("no_end", "The last boundary is missing.", upload(form(part(), end=b""))),
    refused("no_disposition", "A part does not say what it is.",
            upload(form(b"X: y\r\n\r\nz"))),
    refused("no_file", "There is a field and no file.", upload(form(part('name="x"', b"z"))),
            NO_FILE),
    refused("10000_parts", "Ten thousand parts.",
            lambda: upload(form(*[part('name="x"', b"z")] * 10_000))),
    refused("1mb_part_header", "A part's head of a megabyte.",
            lambda: upload(form(b"X: " + b"a" * MiB + b"\r\n" + part()))),
    refused("gzip", "The body says it is compressed.", upload(SOUND, "Content-Encoding: gzip"),
            BROKEN),
    refused("over_25_mb_announced", "More than 27 MB are announced: refused before they come.",
            upload(b"", "Content-Length: 28311552", length=False), TOO_LARGE, half=True),
    refused("over_25_mb_expected", "More than 27 MB are announced, and permission asked.",
            upload(b"", "Content-Length: 28311552", "Expect: 100-continue", length=False),
            TOO_LARGE),
    refused("flood", "A body of unknown length and more than 27 MB.", flood(b"0\r\n\r\n"),
            TOO_LARGE),
    refused("flood_beside", "No file, and more than 27 MB of another field.",
            flood(b"0\r\n\r\n", what='name="x"'), TOO_LARGE),
    refused("cut", "The client goes away in the middle of the file.",
            upload(b"", "Content-Length: 5000", length=False) + SOUND[:100], BROKEN, half=True),
    taken("two_files", "Two files: the first one counts.",
          upload(form(part(), part('name="file"; filename="b.zip"', b"no zip")))),
    taken("other_field", "The file's field has another name.",
          upload(form(part('name="zip"; filename="leads.zip"')))),
    taken("no_filename", "The file has no name.", upload(form(part('name="file"')))),
    taken("path_filename", "The file's name is a path.",
          upload(form(part('name="file"; filename="../../../etc/cron.d/x"')))),
    taken("html_filename", "The file's name is markup.",
          upload(form(part('name="file"; filename="<script>.zip"')))),
    taken("long_filename", "The file's name is 4,000 letters long.",
          upload(form(part(f'name="file"; filename="{"x" * 4000}"')))),
    taken("preamble", "Text behind the last boundary.", upload(SOUND + b"epilogue " * 1000)),
    taken("no_boundary_named", "The boundary is only in the body, as a sample client sends it.",
          upload(SOUND, kind="multipart/formdata")),
    taken("empty_boundary", "The boundary is said to be nothing, and is in the body.",
          upload(SOUND, kind="multipart/form-data; boundary=")),
    taken("chunked", "The length is not announced.",
          upload(b"", CHUNKED, length=False) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(SOUND), SOUND)),
]  # fmt: skip


def token_request(body: bytes, *lines: str) -> bytes:
    """A request for a token."""
    kind = "Content-Type: application/x-www-form-urlencoded"
    length = f"Content-Length: {len(body)}"
    return head("POST /oauth/v2/token HTTP/1.1", kind, length, *lines) + body


NO_GRANT = Answered(200, "invalid_request")

TOKENS = [
    case("token_100000_fields", "A form of a hundred thousand fields.",
         lambda: token_request(b"a=1&" * 100_000), NO_GRANT),
    case("token_1000_fields", "A form of a thousand fields.",
         lambda: token_request(b"a=1&" * 1000), NO_GRANT),
    case("token_10_mb_field", "A field of 10 MB.",
         lambda: token_request(b"client_secret=" + b"x" * 10 * MiB),
         NO_GRANT),
    case("token_bad_utf8", "A field that is no text.", token_request(b"code=%ff%fe"), NO_GRANT),
    case("token_nul", "A field with NUL.",
         token_request(b"grant_type=authorization_code&client_id=%00&code=%00"),
         Answered(200, "invalid_client")),
    case("token_no_grant", "Nothing is asked for.", token_request(b""),
         NO_GRANT),
    case("token_password_grant", "A grant that OAuth has given up.",
         token_request(b"grant_type=password&client_id=<client>&client_secret=<secret>"
                       b"&username=a&password=b"), Answered(200, "unsupported_grant_type")),
]  # fmt: skip


@dataclass(frozen=True)
class HalfOpen:
    """Hold many connections with half a request each, and send a whole one beside them."""

    number: int

    def __call__(self, target: Target) -> Outcome:
        """The answer to the whole one."""
        with ExitStack() as held:
            for _ in range(self.number):
                one = socket.create_connection((target.host, target.port), 5)
                held.enter_context(one)
                one.sendall(b"GET /crm/bulk/v2/write/1 HTTP/1.1\r\nX: ")
            return target.ask(target.filled(get()))


@dataclass(frozen=True)
class SlowReader:
    """Ask for a large result and read nothing for `seconds`."""

    seconds: float

    def __call__(self, target: Target) -> Outcome:
        """Closed, if the rest was never sent."""
        from tests.hostile.target import insert

        chance = random.Random(1)
        rows = "".join(f"x,{chance.randbytes(280).hex()}\n" for _ in range(25_000))
        job = target.create(insert(target.upload(zipped(f"Name,Text\n{rows}")),
                                   "Last_Name", "Description"))  # fmt: skip
        assert isinstance(job, str), job
        link = target.ended(job)["result"]["download_url"]
        with socket.create_connection((target.host, target.port), 30) as reader:
            reader.sendall(target.filled(get(link)))
            time.sleep(self.seconds)
            received = b"".join(iter(lambda: reader.recv(MiB), b""))
        start, _, body = received.partition(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", start)
        assert size
        return Closed() if len(body) < int(size[1]) else Answered(200, "zip")


SLOW = [
    Case("http", "slow_reader", "A result of 7 MB is asked for and not read.", SlowReader(33),
         Closed(), long=True, seconds=60),
    Case("http", "half_open_300", "Three hundred connections that say half a request.",
         HalfOpen(300), DETAILS),
    Case("http", "upload_endless", "A body of unknown length that does not end.",
         Raw((flood(b""),)), TOO_LARGE, long=True),
    Case("http", "silent", "A connection that says nothing.", Raw((b"",)), Closed(), long=True,
         seconds=35),
    Case("http", "slow_head", "A head at one byte a second.",
         Raw(tuple(bytes([c]) for c in get()[:60]), pause=1.0), Closed(), long=True, seconds=70),
    Case("http", "slow_body", "A body at one byte a second.",
         Raw((create("Content-Length: 1000"), *[b" "] * 40), pause=1.0), BROKEN, long=True,
         seconds=60),
    Case("http", "silent_body", "A body that never comes.",
         Raw((create("Content-Length: 1000"),)), BROKEN, long=True, seconds=35),
    Case("http", "slow_upload", "An upload at one byte a second.",
         Raw((upload(b"", "Content-Length: 5000", length=False) + SOUND[:100], *[b"x"] * 40),
             pause=1.0), BROKEN, long=True, seconds=60),
]  # fmt: skip

CASES = [*FRAMING, *HEADS, *UPLOADS, *TOKENS, *SLOW]
