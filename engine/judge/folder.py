"""A finding of what the budget of a folder requires to the same at the plan, which is to be changed."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.finding import Finding, Label


def in_plan(plan: Plan, found: Finding) -> Finding:
    """A finding; of what a folder's budget requires at what of the plan took part, so that it names both files."""
    asked = next(
        (one for one in plan.requires if one.budget and (one.key == found.key or one.span == found.at.span)), None
    )
    if asked is None or asked.budget is None:
        return found
    own = [label for label in found.also if label.span.source.path == plan.source.path]
    places = [pool.span for stage in plan.stages for pool in stage.hardware]
    at = own[0] if own else Label(places[0] if places else plan.first_statement)
    said = Label(asked.span, found.at.text or f"`{asked.budget.file}` requires it")
    others = (label for label in found.also if label is not at and label.span != asked.span)
    message = found.message if asked.by in found.message else f"{found.message}; {asked.by} requires it"
    budget = asked.budget if found.severity == "error" else None
    return replace(found, message=message, at=at, also=(said, *others), budget=budget)
