"""The HTML of the sign-in pages: no script, and one style sheet of their own.

The templates are in `templates/`, and Jinja2 escapes every value. Jinja2 is imported when the
first page is rendered, so that the start of the server does not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from bulkwright.domain import scope
from bulkwright.domain.account import User
from bulkwright.domain.authorization import Authorization
from bulkwright.service.signin import SignedIn
from bulkwright.zoho.oauth import STYLE_URL

if TYPE_CHECKING:
    from jinja2 import Environment

_PERMISSIONS = {
    scope.BULK: "Write records in bulk, and see the results",
    scope.UPLOAD: "Upload files",
    scope.SETTINGS_MODULES: "See modules and fields",
    scope.SETTINGS_FIELDS: "See modules and fields",
    scope.SETTINGS_LAYOUTS: "See modules and fields",
    scope.USERS: "See the users",
    scope.ORG: "See the organization",
}
"""What a token with one of these scopes permits on this server."""
_MODULE_SCOPES = "zohocrm.modules."
_VERBS = {"all": "See and change", "read": "See"}
_ERRORS = {
    "invalid_client": (
        "Unknown application",
        "No application is registered here under the client id in the link.",
    ),
    "invalid_redirect_uri": (
        "Unknown address",
        "The application wants your answer sent to an address that it has not registered. "
        "Nothing was sent.",
    ),
    "unsupported_response_type": (
        "Unsupported request",
        "The application requests a type of response that this server does not support.",
    ),
    "unauthorized_client": (
        "Not for this application",
        "An application of this kind may not request access in this way.",
    ),
    "invalid_scope": (
        "No permission requested",
        "The application does not name the permissions that it needs.",
    ),
    "invalid_code_challenge": (
        "Unsupported request",
        "The application's proof key (PKCE) is not one of method S256.",
    ),
    "expired_page": (
        "This page has expired",
        "Please return to the application and start again. Cookies must be allowed.",
    ),
}
_INVALID_LINK = ("Invalid link", "The link that brought you here is damaged.")
_NO_PERMISSION = "Do nothing on this server"


def render_sign_in(
    authorization: Authorization,
    csrf: str,
    *,
    alert: str = "",
    email: str = "",
    users: Sequence[User] = (),
) -> bytes:
    """Returns the page with the password form, and with a button for each of `users`."""
    return _render(
        "sign_in.html",
        client=authorization.client.name,
        csrf=csrf,
        alert=alert,
        email=email,
        users=users,
    )


def render_consent(authorization: Authorization, visitor: SignedIn, csrf: str) -> bytes:
    """Returns the page that shows which application requests which permissions."""
    described = {s: _describe_scope(s) for s in authorization.scopes.split(",")}
    permissions = [text for text in described.values() if text is not None]
    return _render(
        "consent.html",
        client=authorization.client.name,
        company=visitor.org.company_name,
        csrf=csrf,
        user=visitor.user,
        role=visitor.user.role.value,
        permissions=list(dict.fromkeys(permissions)) or [_NO_PERMISSION],
        unknown_scopes=[name for name, text in described.items() if text is None],
        origin=authorization.origin,
        keeps_access=authorization.offline
        and not authorization.implicit
        and not authorization.client.is_public,
    )


def render_error(code: str) -> bytes:
    """Returns the page that explains an error; `code` is shown for the developer."""
    title, text = _ERRORS.get(code, _INVALID_LINK)
    return _render("error.html", title=title, text=text, code=code)


@cache
def style_sheet() -> bytes:
    """Returns the style sheet of all pages."""
    return (files(__package__) / "templates" / "style.css").read_bytes()


def _describe_scope(name: str) -> str | None:
    """Describes a normalised scope; None for a scope that permits nothing on this server."""
    if name.startswith(_MODULE_SCOPES):
        *module, operation = name.removeprefix(_MODULE_SCOPES).split(".")
        records = f"records of {'.'.join(module) or 'every module'}"
        return f"{_VERBS.get(operation, 'Change')} {records}"
    return next((t for needed, t in _PERMISSIONS.items() if scope.permits(name, needed)), None)


def _render(template: str, **values: object) -> bytes:
    return _templates().get_template(template).render(style_url=STYLE_URL, **values).encode()


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
