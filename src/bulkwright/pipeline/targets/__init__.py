"""Where rows are written: the service's tables, or existing tables, each with its own rules.

Which of the two a module has is decided here, once for each resource.
"""

from __future__ import annotations

from bulkwright.domain.job import Split
from bulkwright.domain.table_kind import EXISTING_TABLE
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.targets.existing import ExistingTarget
from bulkwright.pipeline.targets.service import ServiceTarget
from bulkwright.pipeline.targets.target import Target


def open_target(plan: Plan, split: Split, part: int, ctx: JobContext) -> Target:
    """Return the target of one part of a resource."""
    if plan.module.table_kind is EXISTING_TABLE:
        return ExistingTarget(plan, ctx.records)
    return ServiceTarget(plan, split, part, ctx)
