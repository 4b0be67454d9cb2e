"""The phases of a schedule to how long each is: its share of the tokens, its tokens, steps and time, and its batch."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.packs.pack import BatchStep
from runplan.dsl.plan.length import NO_BATCH, NO_DATA
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import EPOCH, STEP, TOKEN
from runplan.dsl.units.dims import NONE
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import PhasePlan, minus, named_schedule
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Otherwise

# For each stretch of a batch ramp its batch, as a share of the full one, and the share of the tokens at which it ends.
Ramp = Sequence[tuple[float, Expr]]
NOTHING, ALL = Num(0.0), Num(1.0)
# The most parts of one sum of what was seen when a phase ends: of hundreds, each would have hundreds.
SUMMED = 32


def add_durations(draft: Draft, phases: Sequence[PhasePlan]) -> Sequence[PhasePlan]:
    """How long each phase is; phases that are amounts hold the tokens of the run, unless one takes the rest.

    Returns:
        The phases; none, with findings, where the plan does not tell how long they are.
    """
    ramp = _add_ramp(draft)
    unknown = [phase for phase in phases if not _is_known(draft, phase)]
    if unknown:
        return ()
    draft.phases = tuple(phase.name for phase in phases)
    for at in range(len(phases)):
        _add_share(draft, phases, at, ramp)
    _hold_together(draft, phases)
    seen: list[Expr] = []
    for at, phase in enumerate(phases):
        share = Ref(phase.of(q.SHARE))
        for whole, said in ((q.TOKENS, "its share of the tokens"), (q.TIME, "its share of the time")):
            draft.define(phase.of(whole), _product(share, Ref(whole)), "derived", said, phase.span)
        if len(seen) == SUMMED:
            seen = [Ref(phases[at - 1].of(q.END_TOKENS))]
        seen.append(Ref(phase.of(q.TOKENS)))
        draft.define(phase.of(q.END_TOKENS), joined("+", seen), "derived", "tokens seen when it ends", phase.span)
        _add_steps(draft, phases, at, ramp)
    return phases


def _is_known(draft: Draft, phase: PhasePlan) -> bool:
    """Whether the plan tells how many tokens a phase in steps or in epochs has; a finding where it does not."""
    dim = phase.length.dim if phase.length else NONE
    if dim == STEP and not draft.knows(q.BATCH):
        unknown, help = "a step", NO_BATCH
    elif dim == EPOCH and not draft.stage.data:
        unknown, help = "an epoch", NO_DATA
    else:
        return True
    message = f"`{phase.name}` is no number of tokens: how many {unknown} has is not said"
    draft.findings.append(finding("C004", message, phase.span, help=[help]))
    return False


# ---- the share of the tokens that a phase is


def _add_share(draft: Draft, phases: Sequence[PhasePlan], at: int, ramp: Ramp) -> None:
    """The share of the tokens that a phase is, and its tokens where it is an amount."""
    phase = phases[at]
    if phase.length is None:
        others = [Ref(other.of(q.SHARE)) for other in phases if other is not phase]
        left = minus(ALL, joined("+", others)) if others else ALL
        draft.define(phase.of(q.SHARE), left, "derived", "what the other phases leave", phase.span)
        return
    share: Expr = phase.length
    if phase.share is None:
        _state(draft, phases, at, ramp)
        share = Op("/", (Ref(phase.of(q.STATED_TOKENS)), Ref(q.TOKENS)))
    draft.define(phase.of(q.SHARE), share, phase.kind, phase.source, phase.span)


def _state(draft: Draft, phases: Sequence[PhasePlan], at: int, ramp: Ramp) -> None:
    """The tokens of a phase that is an amount: of tokens, of steps, or of passes over the data."""
    phase = phases[at]
    assert phase.length is not None
    if phase.length.dim == TOKEN:
        draft.define(phase.of(q.STATED_TOKENS), phase.length, phase.kind, phase.source, phase.at or phase.span)
        return
    counted, each, said = (
        (q.STATED_STEPS, q.BATCH, "its steps, each of a batch")
        if phase.length.dim == STEP
        else (q.STATED_EPOCHS, q.DATA_TOKENS, "its passes over the data")
    )
    draft.define(phase.of(counted), phase.length, phase.kind, phase.source, phase.at or phase.span)
    stated = _product(Op("/", (Ref(phase.of(counted)), Num(1.0, phase.length.dim))), Ref(each))
    if ramp and phase.length.dim == STEP:
        stated = _product(_ramped_share(phases, at, ramp, Op("/", (stated, Ref(q.TOKENS)))), Ref(q.TOKENS))
        said = "its steps, the batch being raised"
    draft.define(phase.of(q.STATED_TOKENS), stated, "derived", said, phase.span)


def _ramped_share(phases: Sequence[PhasePlan], at: int, ramp: Ramp, full: Expr) -> Expr:
    """The share of a phase in steps under a ramp: from where the phases before it end, or those behind it begin.

    Args:
        full: The share that its steps would be with the full batch.
    """
    if all(phase.length is not None for phase in phases[:at]):
        begin = _shares(phases[:at])
        return minus(_share_at(ramp, Op("+", (_pace(ramp, NOTHING, begin), full))), begin)
    end = minus(ALL, _shares(phases[at + 1 :]))
    return minus(end, _share_at(ramp, minus(_pace(ramp, NOTHING, end), full)))


def _hold_together(draft: Draft, phases: Sequence[PhasePlan]) -> None:
    """Amounts and shares make up the run, or leave room for the phase that takes the rest."""
    counted = [phase for phase in phases if phase.length is not None and phase.share is None]
    if not counted:
        return
    others = [phase for phase in phases if phase.share is not None]
    rest = any(phase.length is None for phase in phases)
    whole, span = _whole(counted, others), counted[0].span
    left, right = (whole, Ref(q.TOKENS)) if rest else (Ref(q.TOKENS), whole)
    if sum(phase.share or 0.0 for phase in others) >= 1.0 - 1e-9:
        message = "the shares of the phases are 100 % already: they leave no room for the amounts"
        draft.findings.append(finding("C001", message, span))
    elif rest or not others:
        draft.constrain("phases", left, right, "given", span, equal=not rest)
    else:
        longest = max(others, key=lambda phase: phase.share or 0.0)
        assert longest.length is not None
        kept = [phase for phase in others if phase is not longest]
        left_over = minus(ALL, _shares([phase for phase in phases if phase is not longest]))
        text = f"phase {longest.name}: rest {longest.shape}"
        otherwise = Otherwise(text, "rest", longest.of(q.SHARE), left_over, _whole(counted, kept), Ref(q.TOKENS))
        said = f"phase {longest.name}: {shown(longest.length)}"
        at = longest.at or longest.span
        draft.constrain("phases", left, right, "given", at, text=said, equal=True, otherwise=otherwise)


def _whole(counted: Sequence[PhasePlan], others: Sequence[PhasePlan]) -> Expr:
    """The tokens of a run of phases that are amounts, and others that are shares."""
    room = minus(ALL, _shares(others)) if others else ALL
    return Op("/", (joined("+", (phase.of(q.STATED_TOKENS) for phase in counted)), room))


# ---- its steps, where the schedule raises the batch or not


def _add_ramp(draft: Draft) -> Ramp:
    """How the schedule raises the batch; and the steps of the whole run, where it does."""
    shape, _ = named_schedule(draft)
    if shape is None or not shape.batch:
        return ()
    ramp = [(step.share, end) for step, end in zip(shape.batch, _ends(shape.batch), strict=True)]
    said = f"schedule {shape.name}: steps over those with the full batch all along"
    draft.define(q.BATCH_RAMP, _pace(ramp, NOTHING, ALL), "derived", said, shape.span)
    steps = _product(_steps(Op("/", (Ref(q.TOKENS), Ref(q.BATCH)))), Ref(q.BATCH_RAMP))
    draft.define(q.STEPS, steps, "derived", "optimizer steps, the batch being raised", shape.span)
    return ramp


def tokens_of_steps(draft: Draft, steps: Expr) -> Expr:
    """The tokens that so many steps of the run take, the batch being raised where the schedule does."""
    shape, _ = named_schedule(draft)
    full = _product(Op("/", (steps, Num(1.0, STEP))), Ref(q.BATCH))
    if shape is None or not shape.batch:
        return full
    if shape.batch[0].until.dim == NONE:
        return Op("/", (full, Ref(q.BATCH_RAMP)))
    # The stretches of a ramp in tokens or steps end where they do however long the run is.
    ends = _ends_in_tokens(shape.batch)
    return _share_at([(step.share, end) for step, end in zip(shape.batch, ends, strict=True)], full)


def _ends(ramp: Sequence[BatchStep]) -> list[Expr]:
    """Where each stretch of a ramp ends, as a share of the tokens."""
    if ramp[0].until.dim == NONE:
        return [step.until for step in ramp]
    return [Op("/", (end, Ref(q.TOKENS))) for end in _ends_in_tokens(ramp)]


def _ends_in_tokens(ramp: Sequence[BatchStep]) -> list[Expr]:
    """Where each stretch of a ramp that goes by tokens or by steps ends."""
    ends: list[Expr] = []
    before = 0.0
    for step in ramp:
        if step.until.dim == TOKEN:
            ends.append(step.until)
        elif step.until.dim == STEP:
            own = _product(Num((step.until.value - before) * step.share), Ref(q.BATCH))
            ends.append(Op("+", (ends[-1], own)) if ends else own)
            before = step.until.value
        else:
            ends.append(Ref(q.TOKENS))
    return ends


def _pace(ramp: Ramp, begin: Expr, end: Expr) -> Expr:
    """The steps between two shares of the tokens, over those that all tokens take with the full batch."""
    parts: list[Expr] = []
    at: Expr = NOTHING
    for i, (share, until) in enumerate(ramp):
        reached = end if i == len(ramp) - 1 else Op("min", (end, until))
        inside = minus(reached, Op("max", (begin, at)))
        parts.append(Op("/", (Op("max", (NOTHING, inside)), Num(share))))
        at = until
    return joined("+", parts)


def _share_at(ramp: Ramp, pace: Expr) -> Expr:
    """The share of the tokens that so many steps have seen: `_pace` from the beginning, turned round."""
    parts: list[Expr] = []
    at: Expr = NOTHING
    for i, (share, until) in enumerate(ramp):
        upto = _pace(ramp, NOTHING, until)
        inside = minus(pace if i == len(ramp) - 1 else Op("min", (pace, upto)), at)
        parts.append(_product(Op("max", (NOTHING, inside)), Num(share)))
        at = upto
    return joined("+", parts)


def _add_steps(draft: Draft, phases: Sequence[PhasePlan], at: int, ramp: Ramp) -> None:
    """The steps of a phase, and its batch where that is raised."""
    phase = phases[at]
    if not ramp:
        steps = _steps(Op("/", (Ref(phase.of(q.TOKENS)), Ref(q.BATCH))))
        draft.define(phase.of(q.STEPS), steps, "derived", "tokens over batch", phase.span)
        return
    draft.define(phase.of(q.BEGIN), _shares(phases[:at]), "derived", "share of the tokens before it", phase.span)
    begin = Ref(phase.of(q.BEGIN))
    end = Op("+", (begin, Ref(phase.of(q.SHARE))))
    steps = _product(_steps(Op("/", (Ref(q.TOKENS), Ref(q.BATCH)))), _pace(ramp, begin, end))
    draft.define(phase.of(q.STEPS), steps, "derived", "tokens over batch, the batch being raised", phase.span)
    # By rounding a phase may begin or end a hair beside the stretch that it fills.
    hair = Num(1e-9)
    inside = ((q.BATCH_START, Op("+", (begin, hair))), (q.BATCH_END, minus(end, hair)))
    for side, place in inside:
        batch = _product(_batch_at(ramp, place), Ref(q.BATCH))
        draft.define(phase.of(side), batch, "derived", "the schedule's batch ramp", phase.span)


def _batch_at(ramp: Ramp, place: Expr) -> Expr:
    """The batch at a share of the tokens, as a share of the full one."""
    *before, (last, _) = ramp
    out: Expr = Num(last)
    for share, until in reversed(before):
        out = Op("if", (Op("<", (place, until)), Num(share), out))
    return out


# ---- expressions


def _shares(phases: Sequence[PhasePlan]) -> Expr:
    return joined("+", (phase.of(q.SHARE) for phase in phases)) if phases else NOTHING


def _steps(count: Expr) -> Expr:
    return _product(count, Num(1.0, STEP))


def _product(a: Expr, b: Expr) -> Expr:
    return Op("*", (a, b))
