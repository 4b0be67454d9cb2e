"""How long the run is, in what the plan says it in, to its tokens: steps of a batch, or passes over the data."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.plan.ir import Amount, DataSource, Given, Plan, Within
from runplan.dsl.plan.length import stated
from runplan.dsl.units.base import EPOCH, STEP, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.table import Quantity
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.durations import tokens_of_steps
from runplan.engine.problem import quantities as q


def seen_as_often(plan: Plan) -> Plan:
    """The plan with sources that may be seen as often as it trains on them, where `tokens: 3 epochs` says so.

    One pass is only assumed of a source that does not say how often it may be seen.
    """
    stage = plan.stages[0]
    passes = stated(stage.tokens) if counted_in(stage.tokens) == EPOCH else None
    if passes is None or passes.value.value <= 1.0:
        return plan
    data = tuple(source if source.epochs else replace(source, epochs=passes) for source in stage.data)
    return replace(plan, stages=(replace(stage, data=data), *plan.stages[1:]))


def counted_in(amount: Amount | None) -> Dim:
    """What a length of the run is counted in: tokens unless it says another unit."""
    found = stated(amount)
    return found.value.dim if found else TOKEN


def add_length(draft: Draft) -> None:
    """The tokens of the run: given, bounded or free, or as many as its steps or its passes over the data come to."""
    tokens = draft.stage.tokens
    dim = counted_in(tokens)
    if not isinstance(tokens, Given | Within) or dim == TOKEN:
        draft.figure(q.TOKENS, tokens, 1e11, "tokens")
    elif dim == STEP:
        _in_steps(draft, tokens)
    else:
        _in_epochs(draft, tokens)


def _in_steps(draft: Draft, tokens: Given | Within) -> None:
    if isinstance(tokens, Given):
        draft.giving(q.STATED_STEPS, tokens)
        said = "its steps, each of a batch"
        draft.define(q.TOKENS, tokens_of_steps(draft, Ref(q.STATED_STEPS)), "derived", said, tokens.span)
    else:
        draft.figure(q.TOKENS, None, 1e11, "tokens")
        draft.bound(q.STEPS, tokens, "tokens")


def _in_epochs(draft: Draft, tokens: Given | Within) -> None:
    if isinstance(tokens, Given):
        draft.giving(q.STATED_EPOCHS, tokens)
        passes = _passes(draft, tokens.value.value, Ref(q.STATED_EPOCHS))
        draft.define(q.TOKENS, passes, "derived", "its passes over the data", tokens.span)
        return
    if all(isinstance(source.amount, Given) for source in draft.stage.data):
        low, high = (side and _of_data(draft, side) for side in (tokens.low, tokens.high))
        draft.figure(q.TOKENS, Within(low, high, tokens.span), 1e11, "tokens")
        return
    draft.figure(q.TOKENS, None, 1e11, "tokens")
    for end, is_low in ((tokens.low, True), (tokens.high, False)):
        if end is not None:
            sides: tuple[Expr, Expr] = _passes(draft, end.value.value, end.number), Ref(q.TOKENS)
            left, right = sides if is_low else sides[::-1]
            draft.constrain(f"tokens {'>=' if is_low else '<='}", left, right, "range", end.span, text="tokens")


def _passes(draft: Draft, passes: float, stated_as: Expr) -> Expr:
    """The tokens of so many passes over each source, or over as much of it as it may be seen."""
    parts: list[Expr] = []
    for source in draft.stage.data:
        often = stated_as
        if _caps(draft, source, passes):
            often = Ref(q.MAX_EPOCHS.of("source", source.name or "data"))
        there = Ref(q.AVAILABLE.of("source", source.name or "data"))
        parts.append(Op("*", (Op("/", (often, Num(1.0, EPOCH))), there)))
    return joined("+", parts)


def _caps(draft: Draft, source: DataSource, passes: float) -> bool:
    """Whether a source has ended before so many passes: where no mix is said, the others then go on without it."""
    schedule = draft.stage.schedule
    mixed = any(other.weight for other in draft.stage.data) or any(p.mix for p in (schedule.phases if schedule else ()))
    return not mixed and isinstance(source.epochs, Given) and source.epochs.value.value < passes


def _of_data(draft: Draft, passes: Given) -> Given:
    """A number of passes as the tokens that they are."""
    total = 0.0
    for source in draft.stage.data:
        assert isinstance(source.amount, Given), "asked before"
        often = passes.value.value
        if _caps(draft, source, often) and isinstance(source.epochs, Given):
            often = source.epochs.value.value
        density = source.density.value.value if source.density and source.amount.value.dim != TOKEN else 1.0
        total += often * source.amount.value.value / density
    return Given(Quantity(total, TOKEN), passes.expr, passes.span)
