"""The two headers that only uploads have (facts 2.1, 2.3; client contract 3)."""

from __future__ import annotations

from bulkwright.domain.errors import FeatureNotSupported, GatewayRejection
from bulkwright.web.request import Request

_FEATURE = "bulk-write"


def check_upload_headers(request: Request, org_id: int) -> None:
    """Raises GatewayRejection and FeatureNotSupported unless feature and org are the right ones."""
    feature, org = request.header(b"feature"), request.header(b"x-crm-org")
    if not feature or not org:
        raise GatewayRejection
    if feature.strip().lower() != _FEATURE:
        raise FeatureNotSupported
    if org.strip() != str(org_id):
        raise GatewayRejection
