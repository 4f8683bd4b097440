"""The errors of searches, queries and pages of records: classes of the tree in `errors.py`."""

from __future__ import annotations

from bulkwright.domain.errors import RequestError


class InvalidQuery(RequestError):
    """The criteria of a search cannot be used (facts 10.9)."""

    code = "INVALID_QUERY"
    default_message = "Invalid query formed"


class ExpectedParamMissing(RequestError):
    """A search names nothing to search for (facts 10.9)."""

    code = "EXPECTED_PARAM_MISSING"
    default_message = "one of the expected parameter is missing"


class CriteriaLimitExceeded(RequestError):
    """A search has more conditions than its version allows (facts 10.9)."""

    code = "CRITERIA_LIMIT_EXCEEDED"
    default_message = "no of criterium that can be given exceed the limit"


class LimitReached(RequestError):
    """A page of a search is beyond the records that pages reach (facts 10.9)."""

    code = "LIMIT_REACHED"
    default_message = "maximum response iteration limit reached"


class PageLimitExceeded(RequestError):
    """A page of a list is beyond the records that pages reach (facts 10.8)."""

    code = "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    default_message = "the limit of records that pages by number reach is exceeded; use page_token"


class TokenLimitExceeded(RequestError):
    """A page token is beyond the records that tokens reach (facts 10.8)."""

    code = "PAGINATION_LIMIT_EXCEEDED"
    default_message = "the limit of records that pages reach is exceeded"


class AmbiguousRequest(RequestError):
    """Two parameters exclude each other (facts 10.8)."""

    code = "AMBIGUITY_DURING_PROCESSING"
    default_message = "ambiguity while processing the request"


class TokenMismatch(RequestError):
    """A page token belongs to other parameters (facts 10.8)."""

    code = "TOKEN_BOUND_DATA_MISMATCH"
    default_message = (
        "The page_token given seems to be invalid or input param is added or altered or deleted"
    )


class ExpiredToken(RequestError):
    """A page token is too old (facts 10.8)."""

    code = "EXPIRED_VALUE"
    default_message = "the value given is expired"


class PatternNotMatched(RequestError):
    """A parameter has none of its values (facts 10.10)."""

    code = "PATTERN_NOT_MATCHED"
    default_message = "Please check whether the input values are correct"


class ApiNotSupported(RequestError):
    """The operation exists in later versions only (facts 10.9)."""

    code = "API_NOT_SUPPORTED"
    default_message = "api not supported in this version"


class QuerySyntaxError(RequestError):
    """A text is no COQL query (facts 10.11)."""

    code = "SYNTAX_ERROR"
    default_message = "error occured while parsing the query"


class DuplicateColumn(RequestError):
    """A COQL query selects a column twice (facts 10.11)."""

    code = "DUPLICATE_DATA"
    default_message = "duplicate select column"


class DuplicateAlias(RequestError):
    """Two columns of a COQL query have one alias (facts 10.11)."""

    code = "DUPLICATE_ALIAS"
    default_message = "same alias cannot refer more than one column"


class InvalidAlias(RequestError):
    """An alias of a COQL query is empty (facts 10.11)."""

    code = "INVALID_ALIAS"
    default_message = "alias name cannot be an empty string"
