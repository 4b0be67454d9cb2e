"""A plan's optimizer to the values that it keeps of each param, where they are not AdamW's two."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.source import Span
from runplan.engine.layout.memory import MOMENTS, OPTIMIZER_BYTES, coefficients
from runplan.engine.problem.parts import Kind

_ADAMW = 2.0


@dataclass(frozen=True, slots=True)
class States:
    """What an optimizer keeps of each param.

    Attributes:
        figures: Its figures in base units, in place of what regimes say.
        kind: Whether its record tells them, or they are assumed.
        others: Whether they are other values than AdamW's two, as wide as a framework has them.
    """

    figures: Mapping[Name, float]
    kind: Kind
    source: str
    span: Span | None
    others: bool


def states_of(plan: Plan, catalogue: Library) -> States | None:
    """What the plan's optimizer keeps; None where that is what regimes say: of AdamW, or as the plan says it."""
    said = plan.layout.figures if plan.layout is not None else {}
    if MOMENTS.text in said:
        return States({}, "given", "plan", None, others=True)
    if plan.optimizer is None or OPTIMIZER_BYTES.text in said:
        return None
    name = plan.optimizer.name
    record = catalogue.record("states", name.text)
    if record is None:
        source = f"what `{name.text}` keeps is not known: as much as AdamW"
        return States({MOMENTS: _ADAMW}, "assumed", source, name.span, others=True)
    figures = coefficients(record)
    others = figures != {MOMENTS: _ADAMW}
    return States(figures if others else {}, "derived", f"{record.name}: {record.text('source')}", record.span, others)
