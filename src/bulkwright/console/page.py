"""The declaration of a page or an action, and how it is served: session, form token, rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkwright.console import PREFIX
from bulkwright.console.render import error_page, render
from bulkwright.console.services import ConsoleServices
from bulkwright.console.session import Visitor, read_visitor
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.audit import Actor
from bulkwright.domain.errors import InvalidToken
from bulkwright.domain.limits import JSON_BODY_BYTES
from bulkwright.emulator.controls import Controls
from bulkwright.service.sign_in_queue import SignInQueue
from bulkwright.v1.app import ENDPOINTS
from bulkwright.v1.endpoint import OwnApi, OwnCall, require_access
from bulkwright.v1.problems import details_of
from bulkwright.web.errors import BadRequest
from bulkwright.web.json import encode
from bulkwright.web.mount import KERNEL_REQUEST
from bulkwright.web.request import Request as KernelRequest

T = TypeVar("T")

_API = {endpoint.name: endpoint for endpoint in ENDPOINTS}
_FORM_FIELDS = 7_000
"""Fields of a form: three for each column of a file, and some more."""
SIGN_IN = f"{PREFIX}/sign-in"


@dataclass(frozen=True, slots=True)
class Console:
    """What every page works with."""

    services: ConsoleServices
    api: OwnApi
    """The own API, whose endpoints the pages call."""
    queue: SignInQueue
    base_url: str
    """The URL by which clients reach the server."""
    controls: Controls | None = None
    """Those of the emulator, if there is one."""

    @property
    def https(self) -> bool:
        """Whether clients reach the server by HTTPS."""
        return self.base_url.startswith("https:")

    def emulated_for(self, visitor: Visitor | None) -> bool:
        """Returns whether a visitor may use the controls of an emulator."""
        if self.controls is None or visitor is None or visitor.signed_in is None:
            return False
        return visitor.may(Right.MANAGE_ACCESS)


class PageCall(NamedTuple):
    """What the handler of a page works with."""

    console: Console
    request: KernelRequest
    visitor: Visitor
    path: Mapping[str, str]
    """The parameters in the path."""
    query: Mapping[str, str]
    form: Mapping[str, str] = {}
    """The fields of the form that was sent, if it was one of small fields."""

    @property
    def services(self) -> ConsoleServices:
        """The use cases."""
        return self.console.services

    @property
    def caller(self) -> Caller:
        """The user who is signed in, as services know callers."""
        return replace(self.visitor.caller, address=self.request.address)

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit log."""
        return Actor(self.request.address, user_id=self.caller.user_id)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the user."""
        assert self.visitor.signed_in is not None
        return ZoneInfo(self.visitor.signed_in.user.time_zone)

    def of_api(
        self,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        key: str | None = None,
        **path: str,
    ) -> OwnCall:
        """Returns a call of an endpoint of the own API by this user, with an idempotency `key`.

        Raises an AccessError.
        """
        endpoint = _API[name]
        require_access(endpoint, self.caller)
        return OwnCall(
            self.console.api,
            self.request,
            self.caller,
            partial(self._check_access, name),
            path,
            query or {},
            b"" if body is None else encode(body),
            key,
        )

    def ask(self, name: str, kind: type[T], **call: Any) -> T:
        """Returns what an endpoint of the own API returns. Raises its errors."""
        found = _API[name].handler(self.of_api(name, **call))
        if isinstance(found, Response):
            return msgspec.json.decode(bytes(found.body), type=kind)
        return cast("T", found)

    def _check_access(self, name: str) -> None:
        """Raises an AccessError if the session has ended, or the role of the user has changed."""
        https = self.console.https
        visitor = read_visitor(self.services.signin, self.request, https=https)
        if visitor.signed_in is None:
            raise InvalidToken
        require_access(_API[name], visitor.caller)

    def lead_to(self, path: str) -> Response:
        """Leads the window to another page, also if only a piece of a page was asked for."""
        if self.request.header(b"hx-request") is not None:
            return Response(headers={"hx-redirect": path})
        return redirect(path)

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """Returns a page."""
        emulated = self.console.emulated_for(self.visitor)
        return render(template, self.visitor, status, emulated=emulated, **values)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or what a form does."""

    method: str
    path: str
    handler: Callable[[PageCall], object]
    """Returns the response. It runs on a thread, unless it is a coroutine function."""
    right: Right | None = None
    """The user's role must include this right. None: each user may see the page."""
    public: bool = field(default=False, kw_only=True)
    """Whether it is served to visitors who are not signed in."""
    takes_file: bool = field(default=False, kw_only=True)
    """Whether the handler reads the body, and checks its form token, itself."""


def served(page: Page, console: Console) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that serves a page; it raises nothing."""

    async def serve(request: Request) -> Response:
        kernel: KernelRequest = request.scope[KERNEL_REQUEST]
        kernel.route = (page.method, page.path)
        visitor: Visitor | None = None
        try:
            signin = console.services.signin
            visitor = await kernel.run(read_visitor, signin, kernel, https=console.https)
            if visitor.signed_in is None and not page.public:
                return _to_sign_in(page, kernel)
            if visitor.signed_in is not None:
                kernel.caller, kernel.party = visitor.caller, visitor.caller.org_id
            form = await _form(page, kernel, visitor)
            if page.right is not None:
                visitor.caller.role.require(page.right)
            call = PageCall(console, kernel, visitor, request.path_params, kernel.query(), form)
            if iscoroutinefunction(page.handler):
                response = await page.handler(call)
            else:
                response = await kernel.run(page.handler, call)
            return cast("Response", response)
        except Exception as error:
            console.api.observe(kernel, error)
            return error_page(details_of(error), visitor, emulated=console.emulated_for(visitor))

    return serve


async def _form(page: Page, kernel: KernelRequest, visitor: Visitor) -> Mapping[str, str]:
    """Returns the fields of the form of a POST. Raises FormExpired without its token."""
    if page.method != "POST" or page.takes_file:
        return {}
    try:
        text = (await kernel.body(JSON_BODY_BYTES)).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FORM_FIELDS)
    except ValueError:
        raise BadRequest("The form cannot be read") from None
    fields = dict(pairs)
    visitor.check_form(fields, kernel)
    return fields


def _to_sign_in(page: Page, kernel: KernelRequest) -> Response:
    """Leads to the sign-in page, and from there back to this page."""
    target = SIGN_IN
    if page.method == "GET" and kernel.header(b"hx-request") is None:
        path, query = kernel.scope["path"], kernel.scope["query_string"].decode("latin-1")
        target += f"?next={quote(path + ('?' + query if query else ''), safe='')}"
        return RedirectResponse(target, 303)
    if kernel.header(b"hx-request") is not None:
        return Response(status_code=401, headers={"hx-redirect": target})
    return RedirectResponse(target, 303)


def redirect(path: str) -> Response:
    """Leads to another page, after a form was sent."""
    return RedirectResponse(path, 303)
