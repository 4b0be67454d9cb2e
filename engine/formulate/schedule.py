"""A schedule to phases: the share of the tokens, the shape, the learning rate and the data mix of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runplan.dsl.expr.derivative import joined
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import BatchStep, Entry, ScheduleShape
from runplan.dsl.text.finding import finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.dims import NONE
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem.problem import Kind, Limit

# Of a phase that good data is kept for, at most this share is that data; the rest stays ordinary.
GOOD_AT_MOST = 0.5
Mix = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase before its numbers are known.

    Attributes:
        share: Its share of the tokens; None where it is given in tokens.
        mix: For each source its share of the phase, at its start and at its end; empty where none is given.
    """

    name: str
    share: float | None
    tokens: float | None
    shape: str
    span: Span
    kind: Kind
    source: str
    mix: Mix = field(default_factory=dict)


def phases_of(draft: Draft) -> tuple[PhasePlan, ...]:
    """The phases of the plan's schedule, or of the default one."""
    schedule = draft.stage.schedule
    if schedule is not None and schedule.name is None:
        return tuple(
            PhasePlan(
                phase.name,
                phase.share.value.value if phase.share.value.dim == NONE else None,
                phase.share.value.value if phase.share.value.dim != NONE else None,
                phase.shape.text,
                phase.shape.span,
                "given",
                "plan",
                {item.source.text: (item.start.value.value, item.end.value.value) for item in phase.mix},
            )
            for phase in schedule.phases
        )
    shape, kind = named_schedule(draft)
    if shape is None:
        return ()
    said = f"schedule {shape.name}: {shape.cites[0].text}" if shape.cites else f"schedule {shape.name}"
    return tuple(PhasePlan(p.name, p.share, None, p.shape, p.span, kind, said) for p in shape.phases)


def named_schedule(draft: Draft) -> tuple[ScheduleShape | None, Kind]:
    """The schedule that the plan names, or the default one, and how it came to be; None where phases are by hand."""
    schedule = draft.stage.schedule
    if schedule is not None:
        return (draft.catalogue.schedule(schedule.name.text) if schedule.name else None), "derived"
    return draft.catalogue.schedule(draft.default("schedule")), "assumed"


def shares_of(phases: Sequence[PhasePlan]) -> list[float] | None:
    """The phases' shares of the tokens, where all are given as shares."""
    shares = [phase.share for phase in phases if phase.share is not None]
    return shares if shares and len(shares) == len(phases) else None


def placed(
    phases: Sequence[PhasePlan],
    shares: Sequence[float],
    mix: Mapping[str, float],
    good: frozenset[str],
    where: str,
) -> list[Mix]:
    """The mix of each phase when good data is placed late, early or throughout; the totals stay those of `mix`.

    Late: in the last phase, at most half of it, what is left over in the others. Early: a higher share at first that
    falls through the longest phase, the last phase going on with what that ends with.
    """
    quality = sum(share for name, share in mix.items() if name in good)
    even: list[Mix] = [{name: (share, share) for name, share in mix.items()} for _ in phases]
    if where == "throughout" or not 0 < quality < 1 or len(phases) < 2:
        return even
    levels: list[tuple[float, float]]
    if where == "late":
        last = min(GOOD_AT_MOST, quality / shares[-1])
        rest = max(0.0, (quality - last * shares[-1]) / (1 - shares[-1]))
        levels = [(rest, rest)] * (len(phases) - 1) + [(last, last)]
    else:
        longest = max(range(len(phases) - 1), key=lambda i: shares[i])
        before, middle, after = sum(shares[:longest]), shares[longest], sum(shares[longest + 1 :])
        low = quality / 2
        high = (quality - low * (middle / 2 + after)) / (before + middle / 2)
        if high > 1:
            high = 1.0
            low = (quality - high * (before + middle / 2)) / (middle / 2 + after)
        levels = [(high, high)] * longest + [(high, low)] + [(low, low)] * (len(phases) - longest - 1)

    def of(name: str, level: float) -> float:
        share = mix[name]
        return level * share / quality if name in good else (1 - level) * share / (1 - quality)

    return [{name: (of(name, start), of(name, end)) for name in mix} for start, end in levels]


def add_phases(draft: Draft, phases: Sequence[PhasePlan], mixes: Sequence[Mix]) -> None:
    """The numbers of each phase as definitions: `phase.NAME.tokens` and so on."""
    draft.phases = tuple(phase.name for phase in phases)
    counted = [phase for phase in phases if phase.tokens is not None]
    if counted:
        left = 1.0 - sum(phase.share or 0.0 for phase in phases)
        total = Num(sum(phase.tokens or 0.0 for phase in counted), TOKEN)
        if left > 1e-9:
            right: Expr = Op("/", (total, Num(left)))
            draft.limits.append(Limit("phases", Ref("tokens"), right, "given", counted[0].span, equal=True))
        else:
            message = "phases in tokens leave no room: the shares of the others are 100 % already"
            draft.findings.append(finding("C001", message, counted[0].span))
    ramp = _ramp(draft)
    begun = level = 0.0
    decaying: list[PhasePlan] = []
    rising: list[PhasePlan] = []
    done: Expr | None = None
    for phase, mix in zip(phases, mixes, strict=True):
        name = f"phase.{phase.name}"
        share: Expr = (
            Num(phase.share) if phase.share is not None else Op("/", (Num(phase.tokens or 0.0, TOKEN), Ref("tokens")))
        )
        draft.define(f"{name}.share", NONE, share, phase.kind, phase.source, phase.span)
        tokens = Op("*", (Ref(f"{name}.share"), Ref("tokens")))
        draft.define(f"{name}.tokens", TOKEN, tokens, "derived", "its share of the tokens", phase.span)
        _add_steps(draft, phase, name, begun, ramp)
        begun += phase.share or 0.0
        time = Op("*", (Ref(f"{name}.share"), Ref("time")))
        draft.define(f"{name}.time", draft.dim("time"), time, "derived", "its share of the time", phase.span)
        done = Ref(f"{name}.tokens") if done is None else Op("+", (done, Ref(f"{name}.tokens")))
        draft.define(f"{name}.end_tokens", TOKEN, done, "derived", "tokens seen when it ends", phase.span)
        before = level
        start, level, entry = _levels(draft, phase, level)
        if level < start or start < before:  # it falls, or has stepped down
            decaying.append(phase)
        elif level > start:
            rising.append(phase)
        for side, factor in (("start", start), ("end", level)):
            expr = Op("*", (Num(factor), Ref("learning_rate")))
            source = entry.source if entry and entry.source else f"shape `{phase.shape}`"
            draft.define(f"{name}.learning_rate.{side}", NONE, expr, "derived", source, phase.span)
        for source_name, (first, last) in mix.items():
            mean = Num((first + last) / 2)
            draft.define(f"{name}.mix.{source_name}", NONE, mean, "derived", "share of the phase's tokens", phase.span)
            if first != last:
                draft.define(f"{name}.mix_start.{source_name}", NONE, Num(first), "derived", "ramp", phase.span)
                draft.define(f"{name}.mix_end.{source_name}", NONE, Num(last), "derived", "ramp", phase.span)
    for quantity, some, other, how in (
        ("decay_share", decaying, phases[-1:], "lower"),
        ("warmup_share", rising, phases[:1], "higher"),
    ):
        for at in (*some, *other)[:1]:
            total_share: Expr = joined("+", (f"phase.{phase.name}.share" for phase in some)) if some else Num(0.0)
            schedule = draft.stage.schedule
            span = at.span if at.kind == "given" else schedule.span if schedule else None
            said = f"phases that end with a {how} rate than they begin with"
            draft.define(quantity, NONE, total_share, "derived", said, span)
    if phases:
        schedule = draft.stage.schedule
        span = phases[-1].span if phases[-1].kind == "given" else schedule.span if schedule else None
        draft.define("final_rate", NONE, Num(level), "derived", "where the last phase ends", span)


def _ramp(draft: Draft) -> tuple[BatchStep, ...]:
    """How the schedule raises the batch; and the steps of the whole run, where it does."""
    shape, _ = named_schedule(draft)
    ramp = shape.batch if shape else ()
    if ramp and shape is not None:
        said = f"schedule {shape.name}: steps over those with the full batch all along"
        draft.define("batch_ramp", NONE, Num(_over(ramp, 0.0, 1.0)), "derived", said, shape.span)
        steps = Op("*", (Op("/", (Ref("tokens"), Ref("batch"))), Ref("batch_ramp")))
        draft.define("steps", NONE, steps, "derived", "optimizer steps, the batch being raised", shape.span)
    return ramp


def _over(ramp: Sequence[BatchStep], begin: float, end: float) -> float:
    """The steps between two shares of the tokens, over those that all tokens take with the full batch."""
    total, at = 0.0, 0.0
    for step in ramp:
        total += max(0.0, min(end, step.until) - max(begin, at)) / step.share
        at = step.until
    return total


def _add_steps(draft: Draft, phase: PhasePlan, name: str, begun: float, ramp: Sequence[BatchStep]) -> None:
    """The steps of a phase that begins at a share of the tokens, and its batch where that is raised."""
    if not ramp or phase.share is None:
        steps = Op("/", (Ref(f"{name}.tokens"), Ref("batch")))
        draft.define(f"{name}.steps", NONE, steps, "derived", "tokens over batch", phase.span)
        return
    end = begun + phase.share
    steps = Op("*", (Op("/", (Ref("tokens"), Ref("batch"))), Num(_over(ramp, begun, end))))
    draft.define(f"{name}.steps", NONE, steps, "derived", "tokens over batch, the batch being raised", phase.span)
    # By rounding a phase may end a hair after the stretch that it fills.
    within = [s for i, s in enumerate(ramp) if s.until > begun + 1e-9 and (i == 0 or ramp[i - 1].until < end - 1e-9)]
    within = within or [ramp[-1]]
    for side, share in (("start", within[0].share), ("end", within[-1].share)):
        batch = Op("*", (Num(share), Ref("batch")))
        draft.define(f"{name}.batch.{side}", TOKEN, batch, "derived", "the schedule's batch ramp", phase.span)


def _levels(draft: Draft, phase: PhasePlan, level: float) -> tuple[float, float, Entry | None]:
    """Where the learning rate of a phase starts and ends, as shares of the peak."""
    record = draft.catalogue.record("shape", phase.shape)
    if record is None:
        known = [name for r in draft.catalogue.records("shape") for name in (r.name, *r.aliases)]
        help = did_you_mean(phase.shape, known) or ["it is one of " + ", ".join(f"`{k}`" for k in known)]
        draft.findings.append(finding("N002", f"unknown shape `{phase.shape}`", phase.span, help=help))
        return level, level, None

    def at(key: str) -> float | None:
        entry = record.entry(key)
        return entry.values[0].value if entry and isinstance(entry.values[0], Num) else None

    held = at("hold")
    if held is not None:
        level = level or held  # a run that begins with a constant phase begins at the peak
        return level, level, record.entry("hold")
    start = at("start")
    begin = start if start is not None else (level or 1.0)
    end = at("end")
    return begin, begin if end is None else end, record.entry("end")
