"""The errors of bulk read requests (facts 12): classes of the tree in `errors.py`."""

from __future__ import annotations

from bulkwright.domain.errors import RequestError


class BodyIsEmpty(RequestError):
    """The request has no body."""

    code = "REQUEST_BODY_IS_EMPTY"
    default_message = "Request body is empty."


class BodyNotReadable(RequestError):
    """The body is no JSON object."""

    code = "REQUEST_BODY_NOT_READABLE"
    default_message = "Unable to parse the request body."


class BodyNotSupported(RequestError):
    """A key is missing, or its value has another type; `json_path` names it."""

    code = "REQUEST_BODY_NOT_SUPPORTED"
    default_message = "request body contains invalid format"


class FieldNotAvailable(RequestError):
    """The module has no field of this name."""

    code = "FIELD_NOT_AVAILABLE"
    default_message = "Requested field api name is not available for the module"


class PageRangeExceeded(RequestError):
    """The page is none of those that a bulk read may have."""

    code = "PAGE_RANGE_EXCEEDED"
    default_message = "Invalid page number for query."


class CriteriaError(RequestError):
    """The criteria cannot be used."""


class FieldInCriteriaNotAvailable(CriteriaError):
    """The module has no field of this name."""

    code = "FIELD_IN_CRITERIA_NOT_AVAILABLE"
    default_message = "Field api name is not available for criteria"


class ComparatorNotCompatible(CriteriaError):
    """The field is not compared in this way."""

    code = "FIELD_AND_COMPARATOR_IN_CRITERIA_NOT_COMPATIBLE"
    default_message = "Field api name doesn't support this comparator"


class ValueNotCompatible(CriteriaError):
    """The value is none of the field's type."""

    code = "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE"
    default_message = "Field is not supported with value"


class ComparatorAndValueNotCompatible(CriteriaError):
    """The comparator takes another number of values."""

    code = "COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE"
    default_message = "Comparator is not supported with value"


class ValueLimitExceeded(CriteriaError):
    """A condition has more values than it may have."""

    code = "VALUE_LIMIT_EXCEEDED_IN_CRITERIA"
    default_message = "Number of values in criteria exceeded the maximum limit"


class InvalidCriteria(CriteriaError):
    """A part of the criteria is neither a condition nor a group."""

    code = "INVALID_CRITERIA"
    default_message = "Invalid criteria for the query."


class AmbiguousCriteria(CriteriaError):
    """A part of the criteria is both a condition and a group."""

    code = "AMBIGUOUS_CRITERIA"
    default_message = "Ambiguous criteria."


class AmbiguousGroup(CriteriaError):
    """A group has one part only."""

    code = "AMBIGUOUS_GROUP_IN_CRITERIA"
    default_message = (
        "Ambiguous criteria. Group should be used only when there are more than one criteria"
    )


class GroupOperatorNotSupported(CriteriaError):
    """The parts of a group are joined by neither `and` nor `or`."""

    code = "GROUP_OPERATOR_NOT_SUPPORTED"
    default_message = "Criteria doesn't support this logical group operator"
