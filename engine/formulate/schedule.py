"""A schedule to phases: the length, the shape, the learning rate and the data mix of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.packs.pack import Entry, ScheduleShape
from runplan.dsl.plan.ir import Given
from runplan.dsl.text.finding import finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import NONE
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Kind

# For each source its share of a phase, at the start and at the end.
Mix = Mapping[str, tuple[Expr, Expr]]


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase before its numbers are known.

    Attributes:
        length: Its share of the tokens, its tokens, steps or passes over the data; None where it takes the rest.
        at: Where its length stands; of a phase by hand.
        mix: As the plan gives it; empty where it gives none.
        stage: The stage that it is of; empty where the plan has none.
        of_whole: What share of all tokens that are mixed from its sources its stage is; None where that is all.
    """

    name: str
    length: Num | None
    shape: str
    span: Span
    kind: Kind
    source: str
    mix: Mapping[str, tuple[Given, Given]] = field(default_factory=dict)
    stage: str = ""
    of_whole: Expr | None = None
    at: Span | None = None

    @property
    def part(self) -> Expr:
        """The share of all tokens that it is."""
        own = Ref(self.of(q.SHARE))
        return own if self.of_whole is None else Op("*", (self.of_whole, own))

    @property
    def share(self) -> float | None:
        """Its share of the tokens; None where it is an amount, or takes the rest."""
        return self.length.value if self.length is not None and self.length.dim == NONE else None

    def of(self, name: Name) -> Name:
        """A quantity of this phase."""
        own = name.of("phase", self.name)
        return own.in_stage(self.stage) if self.stage else own


def phases_of(draft: Draft) -> tuple[PhasePlan, ...]:
    """The phases of the plan's schedule, or of the default one."""
    schedule = draft.stage.schedule
    if schedule is not None and schedule.name is None:
        return tuple(
            PhasePlan(
                phase.name,
                phase.length.number if isinstance(phase.length, Given) else None,
                phase.shape.text,
                phase.shape.span,
                "given",
                "plan",
                {item.source.text: (item.start, item.end) for item in phase.mix},
                at=phase.length.span,
            )
            for phase in schedule.phases
        )
    shape, kind = named_schedule(draft)
    if shape is None:
        return ()
    said = f"schedule {shape.name}: {shape.cites[0].text}" if shape.cites else f"schedule {shape.name}"
    return tuple(PhasePlan(p.name, p.length, p.shape, p.span, kind, said) for p in shape.phases)


def named_schedule(draft: Draft) -> tuple[ScheduleShape | None, Kind]:
    """The schedule that the plan names, or the default one, and how it came to be; None where phases are by hand."""
    schedule = draft.stage.schedule
    if schedule is not None:
        return (draft.catalogue.schedule(schedule.name.text) if schedule.name else None), "derived"
    return draft.catalogue.schedule(draft.default("schedule")), "assumed"


def in_shares(phases: Sequence[PhasePlan]) -> bool:
    """Whether all phases are given as shares of the tokens."""
    return bool(phases) and all(phase.share is not None and phase.of_whole is None for phase in phases)


def mixed_by_hand(phase: PhasePlan) -> Mix:
    """The mix that the plan gives a phase."""
    return {name: (start.number, end.number) for name, (start, end) in phase.mix.items()}


def mean(mix: Mix, sources: Sequence[str]) -> Expr | None:
    """The share of some sources together in a phase; None where it has none of them."""
    ends = [end for name in sources if name in mix for end in mix[name]]
    return Op("/", (joined("+", ends), Num(2.0))) if ends else None


def add_phases(draft: Draft, phases: Sequence[PhasePlan], mixes: Sequence[Mix]) -> None:
    """The learning rate of each phase, and the mix of the sources."""
    level = 0.0
    decaying: list[PhasePlan] = []
    rising: list[PhasePlan] = []
    for phase, mix in zip(phases, mixes, strict=True):
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
        add_mix(draft, phase, mix)
    _add_summary(draft, phases, decaying, rising, level)


def minus(a: Expr, b: Expr) -> Expr:
    """The difference of two expressions."""
    return Op("-", (a, b))


def add_mix(draft: Draft, phase: PhasePlan, mix: Mix) -> None:
    """The share of a phase that each source is, and where it ramps its ends."""
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


def _levels(draft: Draft, phase: PhasePlan, level: float) -> tuple[float, float, Entry | None]:
    """Where the learning rate of a phase starts and ends, as shares of the peak."""
    record = draft.catalogue.record("shape", phase.shape)
    if record is None:
        known = [name for r in draft.catalogue.records("shape") for name in (r.name, *r.aliases)]
        help = did_you_mean(phase.shape, known) or ["it is one of " + ", ".join(f"`{k}`" for k in known)]
        fixes = respelled(phase.span, phase.shape, known)
        draft.findings.append(finding("N002", f"unknown shape `{phase.shape}`", phase.span, help=help, fixes=fixes))
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
