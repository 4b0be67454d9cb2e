"""What stages have in common to each of them: the plan's hardware, its data, and tokens that nothing divides."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names
from runplan.dsl.plan.ir import DataSource, Given, Hole, Plan, Pool
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.data import mixed
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import Mix, PhasePlan, add_mix, mean
from runplan.engine.formulate.sources import label_of, of
from runplan.engine.formulate.stages import Staged, begin_at, of_stages
from runplan.engine.problem import quantities as q

# ---- hardware that stages share


def as_long_as_needed(draft: Draft, *, shared: bool) -> None:
    """A stage has its hardware for as long as it needs, where the plan does not say how long: no more is of any use.

    Args:
        shared: Whether it is the plan's hardware: then nobody asks how long the stage has it.
    """
    needed = {q.RESERVED_TIME, q.GPU_HOURS}
    if shared:
        draft.asked = [name for name in draft.asked if name.bare not in needed]
    if len(draft.stage.hardware) > 1:
        return  # of several pools it is so already
    mine = [v.name for v in draft.variables if v.name in needed]
    draft.variables = [v for v in draft.variables if v.name not in mine]
    draft.elastic |= bool(mine) and not shared
    capacity = draft.definitions.get(q.CAPACITY)
    for name in mine:
        formula = capacity.expr if capacity else draft.formula(q.CAPACITY)
        each = _each(formula, name) or Op("/", (formula, Ref(name)))
        draft.define(name, Op("/", (Ref(q.MODEL_COMPUTE), each)), "derived", "as long as the stage needs it")


def _each(expr: Expr, name: Name) -> Expr | None:
    """A product over a name that is one factor of it; None where it is none."""
    if not isinstance(expr, Op) or expr.op not in ("*", "/") or name not in names(expr.args[0]) | names(expr.args[1]):
        return None
    first, second = expr.args
    if name in names(first):
        rest = None if first == Ref(name) else _each(first, name)
        if first == Ref(name):
            return second if expr.op == "*" else Op("/", (Num(1.0), second))
        return None if rest is None else Op(expr.op, (rest, second))
    if expr.op == "/":
        return None
    rest = _each(second, name)
    return first if second == Ref(name) else None if rest is None else Op("*", (first, rest))


def shared_of(stages: Sequence[Staged]) -> frozenset[Name]:
    """The quantities of devices that all stages have in common, where all run on the plan's hardware."""
    first, *others = (stage.draft for stage in stages)
    spared = frozenset((q.RUN_SHARE, q.RESERVE)) if first.is_variable(q.RUN_SHARE) else frozenset()
    if any(stage.alone.stage.reserve for stage in stages):
        spared = frozenset()  # what is kept from the run is not the plan's alone
    if not all(stage.alone.shares_hardware for stage in stages):
        return spared
    own = [name for name in first.definitions if name.kind == "quantity"]
    pooled = {name for name in own if "pool" in first.quantities[name.text].facts.parts}
    variables = {v.name for v in first.variables if v.name.text == q.GPUS.text} | spared
    found = set(variables)
    while True:
        more = {
            name
            for name in pooled - found
            if all(_alike(first, other, name) for other in others)
            and all(n in found or n.kind != "quantity" for n in names(first.definitions[name].expr))
        }
        if not more:
            return frozenset(found)
        found |= more


def _alike(one: Draft, other: Draft, name: Name) -> bool:
    mine, theirs = one.definitions[name], other.definitions.get(name)
    return theirs is not None and (mine.expr, mine.kind) == (theirs.expr, theirs.kind)


def add_shared_reservation(whole: Draft, plan: Plan, stages: Sequence[Staged]) -> None:
    """How long the plan's hardware is reserved for its stages together, and what of it they pay for.

    What is reserved for a time is paid for whole; what is left of it is idle. Else it is there as long as they need it.
    """
    sharing = [stage for stage in stages if stage.alone.shares_hardware]
    if not sharing:
        return
    first, *others = plan.outer.hardware
    if others and not all(_reserved_alike(first, pool) for pool in others):
        help = ["reserve all of them for one time, such as `for 30 days`, or give each stage its own `hardware`"]
        whole.gave_up(
            "pools outside of stages that are not reserved alike are read, and not solved yet", first.span, help
        )
        return
    own, all_, said = (
        (q.GPU_HOURS, q.SHARED_HOURS, "gpu_hours") if first.bought else (q.RESERVED_TIME, q.SHARED_TIME, "time")
    )
    time = first.figures.get(said)
    needed = of_stages(sharing, own)
    begin, end = first.begin, first.end
    if isinstance(begin, Hole) or isinstance(end, Hole):
        help = ["give the date, or ask for it of a stage's own hardware"]
        what = "a `?` in the dates of hardware outside of stages is read, and not solved yet"
        whole.gave_up(what, first.span, help)
        return
    if begin is not None:
        whole.give(q.START, begin)
        begin_at(whole, sharing[0], q.START, "when the hardware begins")
    if end is not None:
        whole.give(q.DEADLINE, end)
    window = Op("-", (Ref(q.DEADLINE), Ref(q.START))) if begin is not None and end is not None else None
    if isinstance(time, Given):
        whole.giving(all_, time)
    elif time is None and window is not None and end is not None:
        whole.givens[q.DEADLINE] = end
        whole.define(q.SHARED_TIME, window, "given", "from and until", end.span)
    if all_ in whole.definitions:
        whole.constrain("compute", needed, Ref(all_), "capacity", first.span, text=said)
        _pay_for_whole(whole, sharing, Op("/", (Ref(all_), needed)), stages)
        return
    whole.elastic = True
    whole.define(all_, needed, "derived", "as long as the stages need it")
    whole.limited(all_, time, said)
    if window is not None and end is not None:
        whole.constrain("until", Ref(q.SHARED_TIME), window, "date", end.span)


def _reserved_alike(one: Pool, other: Pool) -> bool:
    """Whether two pools are reserved for one time, without dates: then each runs as long as the others."""
    amounts = [pool.figures.get("time") for pool in (one, other)]
    if one.bought or other.bought or one.dates or other.dates:
        return False
    ends = [getattr(amount, "value", None) or (amount and amount.span.said) for amount in amounts]
    return ends[0] == ends[1]


def _pay_for_whole(whole: Draft, sharing: Sequence[Staged], paid_: Expr, stages: Sequence[Staged]) -> None:
    """What is paid for, and not what the stages use of it; those that have hardware of their own pay beside.

    Args:
        paid_: By how much more that is than what they use.
    """
    others = [stage for stage in stages if not stage.alone.shares_hardware]
    for name in (q.RESERVED_TIME, q.GPU_HOURS, q.COST, q.ENERGY, q.EMISSIONS, q.CAPACITY):
        if not all(whole.knows(stage.of(name)) for stage in stages):
            continue
        paid: Expr = Op("*", (of_stages(sharing, name), paid_))
        if others:
            paid = Op("+", (paid, of_stages(others, name)))
        whole.define(name, paid, "derived", "the plan's hardware for the time that it is reserved")


# ---- how many tokens a stage has


def take_all(draft: Draft) -> None:
    """A stage that says no tokens is trained on all of its data, within their epochs."""
    caps = [c for c in draft.constraints if c.kind == "data"]
    if not caps or not draft.is_variable(q.TOKENS) or any(c.left != Ref(q.TOKENS) for c in caps):
        return
    draft.variables = [v for v in draft.variables if v.name != q.TOKENS]
    draft.constraints = [c for c in draft.constraints if c not in caps]
    said = "not given: all of the stage's data, within their epochs"
    draft.define(q.TOKENS, joined("min", (c.right for c in caps)), "assumed", said, caps[0].span)


def spread_tokens(whole: Draft, run: Sequence[Staged], asked: frozenset[Name]) -> None:
    """Stages whose tokens are free, and that are one run to the law: it knows their sum alone.

    Where a token costs the same in each, they have as many as each other, unless something is asked of one of them.
    Else each has one at least, however dear it is: the best may be that one has no more, of free stages that cost alike
    as well, where others have tokens of their own.
    """
    free = [stage for stage in run if whole.is_variable(stage.of(q.TOKENS))]
    if not free or len(run) < 2:
        return
    first, *others = free
    bounded = {c.of for c in whole.constraints} | {n for c in whole.constraints for n in names(c.left) | names(c.right)}
    told = any(stage.name == name.part("stage") for stage in free for name in asked)
    alike = all(_costs_alike(first, other) for other in others)
    if others and alike and not told and bounded.isdisjoint(stage.of(q.TOKENS) for stage in free):
        names_ = {stage.of(q.TOKENS) for stage in others}
        whole.variables = [v for v in whole.variables if v.name not in names_]
        said = f"not given: as many as in `{first.name}`, to the law they are one run"
        for stage in others:
            whole.define(stage.of(q.TOKENS), Ref(first.of(q.TOKENS)), "assumed", said, stage.alone.stage.span)
        free = [first] if len(free) < len(run) else []
    for stage in free:
        name, span = stage.of(q.TOKENS), stage.alone.stage.span
        whole.constrain(f"some {name}", Num(1.0, TOKEN), Ref(name), "some", span, text=str(name))


def _costs_alike(one: Staged, other: Staged) -> bool:
    """Whether two stages have hardware alike, each for as long as it needs."""
    pooled = {
        name
        for draft in (one.draft, other.draft)
        for name in draft.definitions
        if name.kind == "quantity" and "pool" in draft.quantities[name.text].facts.parts
    }
    elastic = all(stage.draft.elastic or stage.alone.shares_hardware for stage in (one, other))
    return elastic and all(name in one.draft.definitions and _alike(one.draft, other.draft, name) for name in pooled)


# ---- data that stages share


def add_store(whole: Draft, stages: Sequence[Staged], sources: Sequence[DataSource]) -> None:
    """The plan's data as one store, mixed into the phases of all stages that have none: epochs count over them all."""
    using = [stage for stage in stages if stage.alone.shares_data]
    if not sources or not using:
        _add_fresh(whole, stages)
        return
    base = q.TOKENS
    if len(using) < len(stages):
        base = q.STORE_TOKENS
        whole.absent.add(q.EPOCHS)  # of some data
        whole.define(base, of_stages(using, q.TOKENS), "derived", "the stages that share the plan's data")
    phases = [
        replace(phase, stage=stage.name, of_whole=Op("/", (Ref(stage.of(q.TOKENS)), Ref(base))))
        for stage in using
        for phase in stage.phases
    ]
    mixes = mixed(whole, sources, base, phases)
    for phase, mix in zip(phases, mixes, strict=True):
        add_mix(whole, phase, mix)
    for stage in using:
        mine = [(phase, mix) for phase, mix in zip(phases, mixes, strict=True) if phase.stage == stage.name]
        for source in sources:
            _add_seen(whole, stage, source, mine)


def _add_fresh(whole: Draft, stages: Sequence[Staged]) -> None:
    """What data there are where the plan has no store: those of the stages, or any number of them."""
    if all(stage.sources for stage in stages):
        whole.define(q.DATA_TOKENS, of_stages(stages, q.DATA_TOKENS), "derived", "the data of all stages, once")
    elif any(p.quantity == q.DATA_TOKENS.text for f in whole.law.functions for p in f.parameters):
        whole.define(q.DATA_TOKENS, Ref(q.TOKENS), "assumed", "not given: fresh data without end")
        whole.absent.add(q.EPOCHS)


def _add_seen(whole: Draft, stage: Staged, source: DataSource, mine: Sequence[tuple[PhasePlan, Mix]]) -> None:
    """What a stage takes of a source of the plan."""
    parts: list[Expr] = []
    for phase, mix in mine:
        part = mean(mix, [label_of(source)])
        if part is not None:
            parts.append(Op("*", (Ref(phase.of(q.SHARE)), part)))
    if mine and not parts:
        return
    share = joined("+", parts) if parts else Ref(of(source, q.SHARE))
    own = {name: stage.of(of(source, name)) for name in (q.SHARE, q.TOKENS, q.EPOCHS)}
    whole.define(own[q.SHARE], share, "derived", "its share of the stage's phases", source.span)
    tokens = Op("*", (Ref(own[q.SHARE]), Ref(stage.of(q.TOKENS))))
    whole.define(own[q.TOKENS], tokens, "derived", "its share of the stage's tokens", source.span)
    passes = Op("/", (Ref(own[q.TOKENS]), Ref(of(source, q.AVAILABLE))))
    whole.define(own[q.EPOCHS], passes, "derived", "passes over the source in the stage", source.span)
