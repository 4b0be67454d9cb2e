"""A schedule to phases: the share of the tokens, the shape, the learning rate and the data mix of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runplan.dsl.expr.derivative import joined
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import BatchStep, Entry, ScheduleShape
from runplan.dsl.plan.ir import Given
from runplan.dsl.text.finding import finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Kind

# For each source its share of a phase, at the start and at the end.
Mix = Mapping[str, tuple[Expr, Expr]]


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase before its numbers are known.

    Attributes:
        given: Its share of the tokens, or its tokens.
        mix: As the plan gives it; empty where it gives none.
    """

    name: str
    given: Num
    shape: str
    span: Span
    kind: Kind
    source: str
    mix: Mapping[str, tuple[Given, Given]] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """Its share of the tokens; None where it is given in tokens."""
        return None if self.given.dim == TOKEN else self.given.value

    def of(self, name: Name) -> Name:
        """A quantity of this phase."""
        return name.of("phase", self.name)


def phases_of(draft: Draft) -> tuple[PhasePlan, ...]:
    """The phases of the plan's schedule, or of the default one."""
    schedule = draft.stage.schedule
    if schedule is not None and schedule.name is None:
        return tuple(
            PhasePlan(
                phase.name,
                number(phase.share),
                phase.shape.text,
                phase.shape.span,
                "given",
                "plan",
                {item.source.text: (item.start, item.end) for item in phase.mix},
            )
            for phase in schedule.phases
        )
    shape, kind = named_schedule(draft)
    if shape is None:
        return ()
    said = f"schedule {shape.name}: {shape.cites[0].text}" if shape.cites else f"schedule {shape.name}"
    return tuple(PhasePlan(p.name, Num(p.share), p.shape, p.span, kind, said) for p in shape.phases)


def named_schedule(draft: Draft) -> tuple[ScheduleShape | None, Kind]:
    """The schedule that the plan names, or the default one, and how it came to be; None where phases are by hand."""
    schedule = draft.stage.schedule
    if schedule is not None:
        return (draft.catalogue.schedule(schedule.name.text) if schedule.name else None), "derived"
    return draft.catalogue.schedule(draft.default("schedule")), "assumed"


def in_shares(phases: Sequence[PhasePlan]) -> bool:
    """Whether all phases are given as shares of the tokens."""
    return bool(phases) and all(phase.share is not None for phase in phases)


def mixed_by_hand(phase: PhasePlan) -> Mix:
    """The mix that the plan gives a phase."""
    return {name: (number(start), number(end)) for name, (start, end) in phase.mix.items()}


def mean(mix: Mix, sources: Sequence[str]) -> Expr | None:
    """The share of some sources together in a phase; None where it has none of them."""
    ends = [end for name in sources if name in mix for end in mix[name]]
    return Op("/", (joined("+", ends), Num(2.0))) if ends else None


def add_shares(draft: Draft, phases: Sequence[PhasePlan]) -> None:
    """The share of the tokens that each phase is; phases in tokens hold the tokens of the run."""
    draft.phases = tuple(phase.name for phase in phases)
    counted = [phase for phase in phases if phase.share is None]
    for phase in phases:
        share: Expr = phase.given
        if phase.share is None:
            draft.define(phase.of(q.STATED_TOKENS), phase.given, phase.kind, phase.source, phase.span)
            share = Op("/", (Ref(phase.of(q.STATED_TOKENS)), Ref(q.TOKENS)))
        draft.define(phase.of(q.SHARE), share, phase.kind, phase.source, phase.span)
    if not counted:
        return
    left = 1.0 - sum(phase.share or 0.0 for phase in phases)
    if left > 1e-9:
        others: list[Expr] = [Ref(phase.of(q.SHARE)) for phase in phases if phase.share is not None]
        rest = minus(Num(1.0), joined("+", others)) if others else Num(1.0)
        total = joined("+", (phase.of(q.STATED_TOKENS) for phase in counted))
        draft.constrain("phases", Ref(q.TOKENS), Op("/", (total, rest)), "given", counted[0].span, equal=True)
    else:
        message = "phases in tokens leave no room: the shares of the others are 100 % already"
        draft.findings.append(finding("C001", message, counted[0].span))


def add_phases(draft: Draft, phases: Sequence[PhasePlan], mixes: Sequence[Mix]) -> None:
    """The numbers of each phase: tokens, steps, time, learning rate and the mix of the sources."""
    ramp = _ramp(draft)
    level = 0.0
    decaying: list[PhasePlan] = []
    rising: list[PhasePlan] = []
    seen: list[Expr] = []
    for at, (phase, mix) in enumerate(zip(phases, mixes, strict=True)):
        of_share = "its share of the tokens"
        draft.define(phase.of(q.TOKENS), _part(phase, q.TOKENS), "derived", of_share, phase.span)
        _add_steps(draft, phases, at, ramp)
        draft.define(phase.of(q.TIME), _part(phase, q.TIME), "derived", "its share of the time", phase.span)
        seen.append(Ref(phase.of(q.TOKENS)))
        draft.define(phase.of(q.END_TOKENS), joined("+", seen), "derived", "tokens seen when it ends", phase.span)
        before = level
        start, level, entry = _levels(draft, phase, level)
        if level < start or start < before:  # it falls, or has stepped down
            decaying.append(phase)
        elif level > start:
            rising.append(phase)
        for side, factor in ((q.LEARNING_RATE_START, start), (q.LEARNING_RATE_END, level)):
            expr = Op("*", (Num(factor), Ref(q.LEARNING_RATE)))
            source = entry.source if entry and entry.source else f"shape `{phase.shape}`"
            draft.define(phase.of(side), expr, "derived", source, phase.span)
        _add_mix(draft, phase, mix)
    _add_summary(draft, phases, decaying, rising, level)


def minus(a: Expr, b: Expr) -> Expr:
    """The difference of two expressions."""
    return Op("-", (a, b))


def _part(phase: PhasePlan, whole: Name) -> Expr:
    return Op("*", (Ref(phase.of(q.SHARE)), Ref(whole)))


def _add_mix(draft: Draft, phase: PhasePlan, mix: Mix) -> None:
    for source, (first, last) in mix.items():
        own = [phase.of(name).of("source", source) for name in (q.MIX, q.MIX_START, q.MIX_END)]
        ends = (first, last) if first != last else (first,)
        average = Op("/", (joined("+", ends), Num(2.0))) if len(ends) > 1 else first
        draft.define(own[0], average, "derived", "share of the phase's tokens", phase.span)
        for name, end in zip(own[1:], ends if len(ends) > 1 else (), strict=False):
            draft.define(name, end, "derived", "ramp", phase.span)


def _add_summary(
    draft: Draft, phases: Sequence[PhasePlan], decaying: list[PhasePlan], rising: list[PhasePlan], level: float
) -> None:
    """What rules ask of a schedule: how much of it falls, how much rises, where it ends."""
    schedule = draft.stage.schedule

    def span(phase: PhasePlan) -> Span | None:
        return phase.span if phase.kind == "given" else schedule.span if schedule else None

    for name, some, other, how in (
        (q.DECAY_SHARE, decaying, phases[-1:], "lower"),
        (q.WARMUP_SHARE, rising, phases[:1], "higher"),
    ):
        for at in (*some, *other)[:1]:
            total: Expr = joined("+", (phase.of(q.SHARE) for phase in some)) if some else Num(0.0)
            said = f"phases that end with a {how} rate than they begin with"
            draft.define(name, total, "derived", said, span(at))
    if phases:
        draft.define(q.FINAL_RATE, Num(level), "derived", "where the last phase ends", span(phases[-1]))


def _ramp(draft: Draft) -> tuple[BatchStep, ...]:
    """How the schedule raises the batch; and the steps of the whole run, where it does."""
    shape, _ = named_schedule(draft)
    ramp = shape.batch if shape else ()
    if ramp and shape is not None:
        said = f"schedule {shape.name}: steps over those with the full batch all along"
        draft.define(q.BATCH_RAMP, _over(ramp, Num(0.0), Num(1.0)), "derived", said, shape.span)
        steps = Op("*", (Op("/", (Ref(q.TOKENS), Ref(q.BATCH))), Ref(q.BATCH_RAMP)))
        draft.define(q.STEPS, steps, "derived", "optimizer steps, the batch being raised", shape.span)
    return ramp


def _over(ramp: Sequence[BatchStep], begin: Expr, end: Expr) -> Expr:
    """The steps between two shares of the tokens, over those that all tokens take with the full batch."""
    parts: list[Expr] = []
    at = 0.0
    for step in ramp:
        inside = minus(Op("min", (end, Num(step.until))), Op("max", (begin, Num(at))))
        parts.append(Op("/", (Op("max", (Num(0.0), inside)), Num(step.share))))
        at = step.until
    return joined("+", parts)


def _add_steps(draft: Draft, phases: Sequence[PhasePlan], at: int, ramp: Sequence[BatchStep]) -> None:
    """The steps of a phase, and its batch where that is raised."""
    phase = phases[at]
    if not ramp or phase.share is None:
        steps = Op("/", (Ref(phase.of(q.TOKENS)), Ref(q.BATCH)))
        draft.define(phase.of(q.STEPS), steps, "derived", "tokens over batch", phase.span)
        return
    shares = [Ref(p.of(q.SHARE)) for p in phases[:at]]
    begin: Expr = joined("+", shares) if shares else Num(0.0)
    draft.define(phase.of(q.BEGIN), begin, "derived", "share of the tokens before it", phase.span)
    end = Op("+", (Ref(phase.of(q.BEGIN)), Ref(phase.of(q.SHARE))))
    steps = Op("*", (Op("/", (Ref(q.TOKENS), Ref(q.BATCH))), _over(ramp, Ref(phase.of(q.BEGIN)), end)))
    draft.define(phase.of(q.STEPS), steps, "derived", "tokens over batch, the batch being raised", phase.span)
    begun = sum(p.share or 0.0 for p in phases[:at])
    ended = begun + phase.share
    # By rounding a phase may end a hair after the stretch that it fills.
    within = [s for i, s in enumerate(ramp) if s.until > begun + 1e-9 and (i == 0 or ramp[i - 1].until < ended - 1e-9)]
    within = within or [ramp[-1]]
    for side, share in ((q.BATCH_START, within[0].share), (q.BATCH_END, within[-1].share)):
        batch = Op("*", (Num(share), Ref(q.BATCH)))
        draft.define(phase.of(side), batch, "derived", "the schedule's batch ramp", phase.span)


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
