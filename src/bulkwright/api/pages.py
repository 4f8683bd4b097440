"""What a person sees while signing in: plain HTML, no script, one style sheet of our own.

The templates are in `data/pages`. Whatever is put into one is escaped, unless it came out of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from bulkwright.domain import scope
from bulkwright.domain.account import User
from bulkwright.domain.authorization import Authorization
from bulkwright.service.signin import SignedIn

STYLE = "/oauth/v2/auth/style.css"
"""Where the style sheet is."""

_OPENED = {
    scope.BULK: "Write records in bulk, and see how it went",
    scope.UPLOAD: "Upload files",
    scope.SETTINGS_MODULES: "See modules and fields",
    scope.SETTINGS_FIELDS: "See modules and fields",
    scope.SETTINGS_LAYOUTS: "See modules and fields",
    scope.USERS: "See the users",
    scope.ORG: "See the organization",
}
"""What scopes open here, whatever else they may open elsewhere."""
_MODULES = "zohocrm.modules."
_VERBS = {"all": "See and change", "read": "See"}
_WRONG = {
    "invalid_client": (
        "Unknown application",
        "No application is registered here under the id that sent you.",
    ),
    "invalid_redirect_uri": (
        "Unknown address",
        "The application wants your answer sent to an address that it has not registered. "
        "Nothing was sent.",
    ),
    "unsupported_response_type": (
        "Cannot answer that",
        "The application asks for something that this server does not give.",
    ),
    "unauthorized_client": (
        "Not for this application",
        "This kind of application may not ask for access in this way.",
    ),
    "invalid_scope": ("Nothing is asked for", "The application does not say what it wants to do."),
    "invalid_code_challenge": (
        "Cannot answer that",
        "The application's proof key (PKCE) is not one of method S256.",
    ),
    "expired_page": (
        "This page has expired",
        "Please go back to the application and start again. Cookies must be allowed.",
    ),
}
_NOTHING = "Do nothing that this server knows"
_UNREADABLE = ("Cannot read that", "The link that brought you here is damaged.")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def sign_in_page(
    asked: Authorization,
    csrf: str,
    *,
    alert: str = "",
    email: str = "",
    people: list[User] | None = None,
) -> bytes:
    """E-mail and password; with `people`, a button for each of them, too."""
    form = _fill("form", csrf=csrf, email=email)
    shown = Html()
    if people:
        shown = _fill("people", csrf=csrf, buttons=_joined(_person(user) for user in people))
        opened = " open" if alert else ""
        summary = "<summary>Sign in with a password</summary>"
        form = Html(f"<details{opened}>{summary}{form}</details>")
    body = _fill(
        "signin",
        client=asked.client.name,
        alert=Html(f'<p class="alert" role="alert">{escape(alert)}</p>') if alert else Html(),
        people=shown,
        form=form,
    )
    return _page("Sign in", body)


def consent_page(asked: Authorization, who: SignedIn, csrf: str) -> bytes:
    """Who asks, for what, in whose name, and where the answer goes."""
    known: list[str] = []
    unknown: list[str] = []
    for granted in asked.scopes.split(","):
        text = _described(granted)
        (unknown if text is None else known).append(text or granted)
    others = _fill("others", scopes=", ".join(unknown)) if unknown else Html()
    body = _fill(
        "consent",
        client=asked.client.name,
        company=who.org.company_name,
        csrf=csrf,
        name=who.user.name,
        email=who.user.email,
        profile=who.user.profile.value,
        scopes=_joined(
            Html(f"<li>{escape(text)}</li>") for text in dict.fromkeys(known or [_NOTHING])
        ),
        others=others,
        target=asked.origin,
    )
    return _page("Allow access?", body)


def refused_page(word: str) -> bytes:
    """What is wrong with what brought the person here; there is nowhere to go on to."""
    title, text = _WRONG.get(word, _UNREADABLE)
    return _page(title, _fill("refused", title=title, text=text, word=word))


def style_sheet() -> bytes:
    """The style of all of them."""
    return _read("style.css").encode()


def _described(granted: str) -> str | None:
    """A normalised scope in words; None for one that opens nothing here."""
    if granted.startswith(_MODULES):
        *module, operation = granted.removeprefix(_MODULES).split(".")
        records = f"records of {'.'.join(module) or 'every module'}"
        return f"{_VERBS.get(operation, 'Change')} {records}"
    return next((t for needed, t in _OPENED.items() if scope.permits(granted, needed)), None)


def _person(user: User) -> Html:
    return Html(
        f'<button name="user" value="{user.id}">Continue as {escape(user.name)} '
        f'<span class="small">{escape(user.email)}</span></button>'
    )


def _page(title: str, body: Html) -> bytes:
    return _fill("layout", title=title, style=STYLE, body=body).encode()


def _fill(name: str, /, **values: str) -> Html:
    safe = {k: v if isinstance(v, Html) else escape(v) for k, v in values.items()}
    return Html(Template(_read(f"{name}.html")).substitute(safe))


def _joined(parts: Iterable[Html]) -> Html:
    return Html("\n".join(parts))


@cache
def _read(name: str) -> str:
    return (files("bulkwright") / "data" / "pages" / name).read_text("utf-8")
