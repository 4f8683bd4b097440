"""Callback URLs that lead into the network of the service, or that are not URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hostile.bodies import changed, root
from tests.hostile.case import Case, Outcome, Rejection

if TYPE_CHECKING:
    from tests.hostile.target import Target

NO_URL = Rejection("create", 400, "INVALID_CALLBACK_URL", "$.callback.url")
NO_METHOD = Rejection("create", 400, "INVALID_CALLBACK_METHOD")
GROUP = "callback urls"


@dataclass(frozen=True)
class Callback:
    """Run a valid job with this callback URL."""

    url: str

    def __call__(self, target: Target) -> Outcome:
        """Send it; returns the outcome of the callback if the job was created."""
        from tests.hostile.target import insert

        body = insert(target.ready)
        body["callback"] = {"url": self.url, "method": "post"}
        made = target.create(body)
        if isinstance(made, Rejection):
            return made
        assert target.ended(made)["status"] == "COMPLETED"
        return target.callback_outcome(made)


def refused(name: str, wrong: str, url: str) -> Case:
    """A URL that is rejected when the job is created."""
    return Case(GROUP, name, wrong, Callback(url), NO_URL)


def inside(name: str, wrong: str, host: str) -> Case:
    """A URL whose address is forbidden."""
    return refused(name, wrong, f"https://{host}/hook")


ODD = [
    refused(name, wrong, url)
    for name, wrong, url in (
        ("loopback_short", "An address with a part left out.", "http://127.1/"),
        ("loopback_decimal", "An address as one number.", "http://2130706433/"),
        ("loopback_octal", "An address in base 8.", "http://0177.0.0.1/"),
        ("loopback_hex", "An address in base 16.", "http://0x7f000001/"),
        ("loopback_hex_part", "An address with one part in base 16.", "http://127.0.0.0x1/"),
        ("loopback_zero", "The address 0.", "http://0/"),
        ("address_dot", "An address with a dot behind it.", "http://127.0.0.1./"),
        ("address_five_parts", "An address of five parts.", "http://1.127.0.0.1/"),
        ("zone_id", "An address with a zone.", "http://[fe80::1%25eth0]/"),
        ("userinfo", "A user before the host.", "http://example.com@127.0.0.1/"),
        ("userinfo_encoded", "A user before the host, encoded.", "http://example.com%40127.0.0.1/"),
        ("password", "A password before the host.", "https://user:secret@example.com/"),
        (
            "backslash",
            "A backslash, which browsers take for a slash.",
            "http://example.com\\@127.0.0.1/",
        ),
        (
            "fragment",
            "A fragment, which ends hosts in some parsers.",
            "http://127.0.0.1#@example.com/",
        ),
        ("fullwidth_digits", "Digits in full width.", "http://１２７.0.0.1/"),
        ("circled_digits", "Digits in circles.", "http://①②⑦.0.0.1/"),
        ("ideographic_dots", "Dots of another script.", "http://127。0。0。1/"),
        ("file", "A file.", "file:///etc/passwd"),
        ("gopher", "Gopher, which speaks to anything.", "gopher://127.0.0.1:6379/_FLUSHALL"),
        ("ftp", "FTP.", "ftp://example.com/x"),
        ("javascript", "A script.", "javascript:alert(1)"),
        ("data", "Data.", "data:text/plain,x"),
        ("ldap", "LDAP.", "ldap://127.0.0.1/x"),
        ("unix", "A socket of Unix.", "http+unix://%2Fvar%2Frun%2Fdocker.sock/x"),
        ("no_scheme", "No scheme.", "example.com/hook"),
        ("no_scheme_slashes", "Slashes and no scheme.", "//example.com/hook"),
        ("blank", "Nothing at all.", ""),
        ("space", "A blank before the URL.", " https://example.com/"),
        ("space_in_host", "A blank in the host.", "https://exam ple.com/"),
        ("crlf", "A line end and a header.", "https://example.com/\r\nHost: 127.0.0.1"),
        ("tab", "A tab, which browsers take out.", "https://exam\tple.com/"),
        ("port_zero", "Port 0.", "https://example.com:0/"),
        ("port_99999", "A port that there is not.", "https://example.com:99999/"),
        ("port_word", "A port that is a word.", "https://example.com:https/"),
        ("no_host", "No host.", "https:///hook"),
        ("only_scheme", "A scheme and nothing behind it.", "https://"),
        ("empty_label", "A host with nothing between two dots.", "https://example..com/"),
        ("lookalike", "A name whose letters are of another script.", "https://exаmple.com/"),
        ("20kb", "A URL of 20 KB.", "https://example.com/" + "x" * 20_000),
        ("bad_brackets", "An address that is none within brackets.", "https://[::1/"),
        ("percent_host", "A host in percent-encoding.", "http://%31%32%37.0.0.1/"),
    )
]

INSIDE = [
    inside("loopback", "The machine itself.", "127.0.0.1"),
    inside("loopback_other", "The machine itself, under another address.", "127.8.8.8"),
    inside("localhost", "The machine itself, by name.", "localhost"),
    inside("localhost_dot", "The machine itself, by name with a dot.", "localhost."),
    inside("unspecified", "No address, which means this machine.", "0.0.0.0"),
    inside("loopback_v6", "The machine itself in IPv6.", "[::1]"),
    inside("unspecified_v6", "No address in IPv6.", "[::]"),
    inside("mapped", "Loopback within an IPv6 address.", "[::ffff:127.0.0.1]"),
    inside("translated", "Loopback, translated.", "[::ffff:0:127.0.0.1]"),
    inside("nat64", "Cloud metadata through a NAT64 gateway.", "[64:ff9b::a9fe:a9fe]"),
    inside("six_to_four", "Loopback through 6to4.", "[2002:7f00:1::]"),
    inside("compatible", "Loopback in the oldest IPv6 form.", "[::7f00:1]"),
    inside("metadata", "Cloud metadata.", "169.254.169.254"),
    inside("metadata_v6", "Cloud metadata in IPv6.", "[fd00:ec2::254]"),
    inside("link_local_v6", "A neighbour.", "[fe80::1]"),
    inside("private_10", "A private network.", "10.0.0.1"),
    inside("private_172", "Another private network.", "172.16.0.1"),
    inside("private_192", "A home.", "192.168.1.1"),
    inside("cgnat", "A provider's own network.", "100.64.0.1"),
    inside("multicast", "Many at once.", "224.0.0.1"),
    inside("broadcast", "All at once.", "255.255.255.255"),
    inside("documentation", "An address of the documentation.", "192.0.2.1"),
    inside("benchmarking", "An address of test networks.", "198.18.0.1"),
    inside("with_port", "A database of the machine itself.", "127.0.0.1:5432"),
]  # fmt: skip

URL = "https://example.com/hook"
SHAPES = [
    changed(f"callback_{name}", f"The callback's method is {shown}.",
            root(callback={"url": URL, "method": value}), outcome, group=GROUP)
    for name, shown, value, outcome in (
        ("method_get", "get", "get", NO_METHOD),
        ("method_put", "put", "put", NO_METHOD),
        ("method_crlf", "followed by a line end", "post\r\nX: y", NO_METHOD),
        ("method_null", "null", None,
         Rejection("create", 400, "MISSING_REQUIRED_KEY", "$.callback.method")),
        ("method_int", "a number", 1,
         Rejection("create", 400, "INVALID_DATA", "$.callback.method")),
    )
] + [
    changed(f"callback_{name}", f"The callback {shown}.", root(callback=value),
            Rejection("create", 400, code, path), group=GROUP)
    for name, shown, value, code, path in (
        ("string", "is a text", URL, "INVALID_DATA", "$.callback"),
        ("list", "is a list", [URL], "INVALID_DATA", "$.callback"),
        ("empty", "is empty", {}, "MISSING_REQUIRED_KEY", "$.callback.url"),
        ("no_method", "has no method", {"url": URL}, "MISSING_REQUIRED_KEY", "$.callback.method"),
        ("url_int", "has a number for a URL", {"url": 1, "method": "post"}, "INVALID_DATA",
         "$.callback.url"),
    )
]  # fmt: skip

CASES = [*ODD, *INSIDE, *SHAPES]
