"""ROUTES: everything that is served to Zoho's clients. A route is declared here and nowhere else.

The router, the responses to OPTIONS, CORS, the cache and the OpenAPI document are derived from it.
What Zoho documents and is not declared here gets HTTP 501 (zoho/not_served.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkwright.domain import errors as e
from bulkwright.domain import scope
from bulkwright.domain.account import Right
from bulkwright.web.handlers import Handlers
from bulkwright.web.route import ParameterDoc, ResponseDoc, Route
from bulkwright.web.router import BoundRoute, bind
from bulkwright.wire import responses as wire
from bulkwright.zoho import route_docs as doc
from bulkwright.zoho.auth import PUBLIC, Access, check_access
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.not_served import gap_routes, refusing_gaps
from bulkwright.zoho.oauth import PATH as _AUTH
from bulkwright.zoho.oauth import STYLE_URL
from bulkwright.zoho.read_routes import READ_ROUTES
from bulkwright.zoho.record_routes import RECORD_ROUTES

if TYPE_CHECKING:
    from bulkwright.zoho.handlers import bulk_write, metadata
    from bulkwright.zoho.oauth import authorize, token
else:
    bulk_write = Handlers("bulkwright.zoho.handlers.bulk_write")
    metadata = Handlers("bulkwright.zoho.handlers.metadata")
    authorize = Handlers("bulkwright.zoho.oauth.authorize")
    token = Handlers("bulkwright.zoho.oauth.token")

_BULK = "/crm/bulk/{version}/write"
_CRM = "/crm/{version}"

_DECLARED: tuple[Route[ZohoContext, Access], ...] = (
    # Bulk write
    Route(
        "GET",
        f"{_BULK}/{{job_id}}",
        bulk_write.details,
        Access(scope.BULK, Right.READ_JOBS),
        name="getJob",
        group=doc.BULK_WRITE,
        summary="Get Bulk Write Job Details",
        text="The state of the job. `result` is present once it has ended. ",
        answers={200: ResponseDoc("The job.", (wire.JobDetails,), "job_details")},
        errors=(e.ResourceNotFound, *doc.ROLE_ERRORS),
        cached=True,
    ),
    Route(
        "POST",
        _BULK,
        bulk_write.create,
        Access(scope.BULK, Right.CREATE_JOBS),
        name="createJob",
        group=doc.BULK_WRITE,
        summary="Create a bulk write job",
        text="Everything that can be checked before the first row is checked here. The body is "
        "JSON, whatever its Content-Type says.",
        parameters=(doc.IDEMPOTENCY_HEADER,),
        body=doc.CREATE_BODY,
        answers={
            201: ResponseDoc(
                "The job's id.", (wire.Created,), "created", links={"getJob": doc.JOB_LINK}
            )
        },
        errors=doc.CREATE_ERRORS,
    ),
    Route(
        "POST",
        f"{_CRM}/upload",
        bulk_write.upload,
        Access(scope.UPLOAD, Right.CREATE_JOBS),
        name="uploadFile",
        group=doc.BULK_WRITE,
        summary="Upload a file",
        text="A zip with a CSV. The service checks it, stores it durably and returns its "
        "`file_id`. An error may have HTTP status 200 too: check `status` in the body.",
        parameters=doc.UPLOAD_HEADERS,
        body=doc.UPLOAD_BODY,
        answers={
            200: ResponseDoc(
                "The file's id, or an error.",
                (wire.Uploaded,),
                "uploaded",
                links={"createJob": doc.CREATE_LINK},
            )
        },
        errors=(
            e.InvalidFileFormat,
            e.FeatureNotSupported,
            e.FileTooLarge,
            e.QuotaExceeded,
            e.IdempotencyKeyReused,
            e.GatewayRejection,
            e.InvalidRequest,
            e.InvalidData,
            e.MandatoryNotFound,
            *doc.ROLE_ERRORS,
        ),
    ),
    Route(
        "GET",
        "/{version}/crm/{org}/bulk-write/{job_id}/{file}",
        bulk_write.download,
        Access(scope.BULK, Right.READ_JOBS),
        name="downloadResult",
        group=doc.BULK_WRITE,
        summary="Download the result",
        text="The path in `result.download_url`: a zip with a CSV for each module, which has a "
        "line for each row.",
        answers={
            200: ResponseDoc(
                "The zip.",
                media="application/zip",
                headers={"Content-Disposition": '^attachment; filename="[0-9]+[.]zip"$'},
            )
        },
        errors=(e.LinkNotValid, *doc.ROLE_ERRORS),
    ),
    # OAuth
    Route(
        "POST",
        "/oauth/v2/token",
        token.issue,
        PUBLIC,
        name="getToken",
        group=doc.OAUTH,
        summary="Get tokens",
        text="For a refresh token, a grant code or a client's own credentials. The parameters "
        "are in a form body or in the query. Errors have HTTP status 200 and the key `error`.",
        body=doc.form_body(
            {
                "grant_type": {
                    "type": "string",
                    "enum": ["refresh_token", "authorization_code", "client_credentials"],
                },
                **doc.texts("client_id", "client_secret"),
                **doc.texts("refresh_token", "code", "redirect_uri", "scope", "soid"),
            },
            required=("grant_type", "client_id"),
        ),
        answers={200: ResponseDoc("Tokens, or an error.", (wire.TokenGranted,), "granted")},
        errors=(e.OAuthError, e.TooManyTokenRequests),
    ),
    Route(
        "POST",
        "/oauth/v2/token/revoke",
        token.revoke,
        PUBLIC,
        name="revokeToken",
        group=doc.OAUTH,
        summary="Revoke a token",
        text="Revokes the token and everything that was issued from it. An unknown token gets "
        "the same response.",
        body=doc.form_body(doc.texts("token"), required=("token",)),
        answers={
            200: ResponseDoc(
                "Done, or an error.",
                (
                    {
                        "type": "object",
                        "required": ["status"],
                        "properties": {"status": {"const": "success"}},
                    },
                ),
                {"revoked": {"status": "success"}},
            )
        },
        errors=(e.OAuthError,),
    ),
    # Metadata
    Route(
        "GET",
        f"{_CRM}/settings/modules",
        metadata.modules,
        Access(scope.SETTINGS_MODULES, Right.READ_METADATA),
        name="listModules",
        group=doc.READS,
        summary="List modules",
        text="Without their fields.",
        parameters=(doc.ALL_MODULES_HEADER,),
        answers={
            200: ResponseDoc(
                "Every module.", (doc.list_of("modules", "id", "api_name", "module_name"),)
            )
        },
        errors=(e.AuthorizationFailed,),
    ),
    Route(
        "GET",
        f"{_CRM}/settings/modules/{{module}}",
        metadata.module,
        Access(scope.SETTINGS_MODULES, Right.READ_METADATA),
        name="getModule",
        group=doc.READS,
        summary="Get a module",
        text="With its fields.",
        answers={
            200: ResponseDoc("The module.", (doc.list_of("modules", "id", "api_name", "fields"),))
        },
        errors=(e.InvalidModule, e.AuthorizationFailed),
    ),
    Route(
        "GET",
        f"{_CRM}/settings/fields",
        metadata.fields,
        Access(scope.SETTINGS_FIELDS, Right.READ_METADATA),
        name="listFields",
        group=doc.READS,
        summary="List the fields of a module",
        parameters=(doc.MODULE_QUERY,),
        answers={
            200: ResponseDoc("Its fields.", (doc.list_of("fields", "id", "api_name", "data_type"),))
        },
        errors=(e.InvalidModule, e.RequiredParamMissing, e.InvalidRequest, e.AuthorizationFailed),
    ),
    Route(
        "GET",
        f"{_CRM}/settings/fields/{{field_id}}",
        metadata.field,
        Access(scope.SETTINGS_FIELDS, Right.READ_METADATA),
        name="getField",
        group=doc.READS,
        summary="Get a field of a module",
        parameters=(
            ParameterDoc("field_id", "path", "Id of a field.", doc.ANY_ID),
            doc.MODULE_QUERY,
        ),
        answers={
            200: ResponseDoc("It.", (doc.list_of("fields", "id", "api_name", "data_type"),)),
            204: ResponseDoc("The module has no such field."),
        },
        errors=(e.InvalidModule, e.RequiredParamMissing, e.InvalidRequest, e.AuthorizationFailed),
    ),
    Route(
        "GET",
        f"{_CRM}/settings/layouts",
        metadata.layouts,
        Access(scope.SETTINGS_LAYOUTS, Right.READ_METADATA),
        name="listLayouts",
        group=doc.READS,
        summary="List the layouts of a module",
        parameters=(doc.MODULE_QUERY,),
        answers={
            200: ResponseDoc("Its one layout.", (doc.list_of("layouts", "id", "name", "sections"),))
        },
        errors=(e.InvalidModule, e.RequiredParamMissing, e.InvalidRequest, e.AuthorizationFailed),
    ),
    Route(
        "GET",
        f"{_CRM}/users",
        metadata.users,
        Access(scope.USERS),
        name="listUsers",
        group=doc.READS,
        summary="List users",
        text="All users of the org, or the caller.",
        parameters=(doc.USER_TYPE_QUERY, *doc.PAGE_QUERY),
        answers={
            200: ResponseDoc(
                "Users.", (doc.list_of("users", "id", "email", "full_name", more=doc.PAGE_INFO),)
            ),
            204: ResponseDoc("The page has no users."),
        },
        errors=(e.InvalidRequest, e.InvalidData, e.AuthorizationFailed),
    ),
    Route(
        "GET",
        f"{_CRM}/users/{{user_id}}",
        metadata.user,
        Access(scope.USERS),
        name="getUser",
        group=doc.READS,
        summary="Get a user",
        parameters=(ParameterDoc("user_id", "path", "Id of a user.", doc.ANY_ID),),
        answers={
            200: ResponseDoc("The user.", (doc.list_of("users", "id", "email", "full_name"),)),
            204: ResponseDoc("The user does not exist."),
        },
        errors=(e.AuthorizationFailed,),
    ),
    Route(
        "GET",
        f"{_CRM}/org",
        metadata.org,
        Access(scope.ORG, Right.READ_METADATA),
        name="getOrg",
        group=doc.READS,
        summary="Get the org",
        answers={200: ResponseDoc("The org.", (doc.list_of("org", "id", "zgid", "company_name"),))},
        errors=(e.AuthorizationFailed,),
    ),
    *READ_ROUTES,
    *RECORD_ROUTES,
    # The pages on which a user signs in and agrees
    Route(
        "GET",
        _AUTH,
        authorize.show,
        PUBLIC,
        name="askToAgree",
        group=doc.OAUTH,
        summary="Let a user sign in and agree",
        text=doc.PAGE_TEXT,
        parameters=doc.AUTHORIZATION_QUERY,
        answers=doc.PAGE_ANSWERS,
        same_origin=True,
    ),
    Route(
        "POST",
        _AUTH,
        authorize.submit,
        PUBLIC,
        name="agree",
        group=doc.OAUTH,
        summary="Press a button of that page",
        text=doc.PAGE_TEXT,
        parameters=doc.AUTHORIZATION_QUERY,
        body=doc.BUTTON_BODY,
        answers=doc.PAGE_ANSWERS,
        same_origin=True,
    ),
    Route(
        "GET",
        f"{_AUTH}/refresh",
        authorize.renew,
        PUBLIC,
        name="renew",
        group=doc.OAUTH,
        summary="The same, but without a page for a user who has agreed before",
        text=doc.PAGE_TEXT,
        parameters=doc.AUTHORIZATION_QUERY,
        answers=doc.PAGE_ANSWERS,
        same_origin=True,
    ),
    Route(
        "POST",
        f"{_AUTH}/refresh",
        authorize.submit,
        PUBLIC,
        name="agreeAgain",
        group=doc.OAUTH,
        summary="Press a button of that page",
        text=doc.PAGE_TEXT,
        parameters=doc.AUTHORIZATION_QUERY,
        body=doc.BUTTON_BODY,
        answers=doc.PAGE_ANSWERS,
        same_origin=True,
    ),
    Route(
        "GET",
        STYLE_URL,
        authorize.style,
        PUBLIC,
        name="getPageStyle",
        group=doc.OAUTH,
        summary="The style sheet of the pages",
        answers={200: ResponseDoc("A style sheet.", (doc.TEXT,), media="text/css")},
        same_origin=True,
    ),
)


ROUTES = tuple(refusing_gaps(route) for route in _DECLARED)
"""Every route that is served."""


def bind_routes(zoho: ZohoContext) -> list[BoundRoute]:
    """Returns the routes with their handlers bound to a context, behind the access check.

    Those of the gaps are among them: what Zoho documents and is not declared here.
    """
    return bind((*ROUTES, *gap_routes(ROUTES)), zoho, check_access)
