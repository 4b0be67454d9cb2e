"""Stages to one run: each a scope of its own quantities, the model shared, totals by `quantities.plan`.

A stage is formulated as a plan of its own, and its names are then those of the stage. What a law says is said of the
stages of one objective together; the plan's data are one store for the stages that have none, and its hardware is one
reservation for those that have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names, substitute
from runplan.dsl.plan.ir import DataSource, Given, Hole, Plan
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.alone import Alone
from runplan.engine.formulate.data import Seen, add_worth, mixed
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import Mix, PhasePlan, add_mix, mean
from runplan.engine.formulate.sources import label_of, of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import SOME, Definition, Inverse, Otherwise, expand
from runplan.engine.problem.stretches import Evenly, Part

# What stages come to together, by the word that `quantities.plan` has for it.
_TOTALS = {"sum": ("+", "all stages together"), "most": ("max", "the most of the stages at once")}
# Quantities of a source that all stages have in common, where the source is the plan's.
_OF_STORE = frozenset((q.AVAILABLE.text, q.AMOUNT.text, q.DENSITY.text, q.MAX_EPOCHS.text))


@dataclass(frozen=True, slots=True)
class Staged:
    """A stage that has been formulated by itself.

    Attributes:
        draft: What is known of it, in names of a run.
        phases: Those of its schedule.
        sources: Those that it has of its own.
    """

    alone: Alone
    draft: Draft
    phases: Sequence[PhasePlan]
    sources: Sequence[DataSource]

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.alone.name

    def of(self, name: Name) -> Name:
        """A quantity of the stage."""
        return name.in_stage(self.name)

    def of_source(self, source: DataSource, name: Name) -> Name:
        """A quantity of one of its own sources."""
        return self.of(of(source, name))


def of_stages(stages: Sequence[Staged], name: Name) -> Expr:
    """A quantity of several stages, added up."""
    return joined("+", (stage.of(name) for stage in stages))


# ---- the names of a stage


def take_up(whole: Draft, stages: Sequence[Staged], shared: frozenset[Name]) -> None:
    """Take what is known of each stage into the whole, in the names of the stage.

    Args:
        shared: Quantities of devices that all stages have in common: then they are the plan's.
    """
    stored = {label_of(source) for source in whole.stage.data}
    for stage in stages:
        store = stored if stage.alone.shares_data else set[str]()
        _take_up(whole, stage, _renaming(whole, stage, store, shared))
        for name in shared & stage.draft.definitions.keys() | {v.name for v in stage.draft.variables} & shared:
            whole.define(stage.of(name), Ref(name), "derived", "the plan's hardware")


def _renaming(whole: Draft, stage: Staged, store: set[str], shared: frozenset[Name]) -> Callable[[Name], Name]:
    def renamed(name: Name) -> Name:
        if name.kind != "quantity" or name in shared or name.part("stage"):
            return name
        of_store = name.part("source") in store and name.text in _OF_STORE
        of_all = not name.scope and whole.quantities[name.text].facts.stages == "one"
        if of_store or of_all or (store and name == q.DATA_TOKENS):
            return name
        return stage.of(name)

    return renamed


def _take_up(whole: Draft, stage: Staged, renamed: Callable[[Name], Name]) -> None:
    draft, before = stage.draft, f"{stage.name}."

    def expr(tree: Expr) -> Expr:
        return substitute(tree, {name: Ref(to) for name in names(tree) if (to := renamed(name)) is not name})

    def definition(d: Definition) -> Definition:
        return replace(d, name=renamed(d.name), expr=expr(d.expr))

    own = {name for name in draft.definitions if renamed(name) is not name}
    for name, d in draft.definitions.items():
        if name in own or not whole.knows(name):
            whole.definitions[renamed(name)] = definition(d)
    for variable in draft.variables:
        if not whole.knows(renamed(variable.name)):
            whole.variables.append(replace(variable, name=renamed(variable.name)))
    for turned in draft.inverses:
        if not whole.knows(renamed(turned.definition.name)):
            whole.inverses.append(Inverse(definition(turned.definition), definition(turned.of), expr(turned.expr)))
    taken = {(c.key, c.span) for c in whole.constraints}
    for c in draft.constraints:
        # What holds the model, and what is the plan's, is held once.
        if all(renamed(name) is name for name in names(Op("-", (c.left, c.right)))) and (c.key, c.span) in taken:
            continue
        of = renamed(c.of) if c.of else None
        staged = of is not c.of or c.kind in ("capacity", "data", "date", "line")
        text = f"{before}{c.text}" if staged and c.text in whole.quantities else str(of) if of else c.text
        otherwise = c.otherwise and Otherwise(
            c.otherwise.text,
            renamed(c.otherwise.name),
            expr(c.otherwise.expr),
            expr(c.otherwise.left),
            expr(c.otherwise.right),
        )
        made = replace(c, key=f"{before}{c.key}", text=text, left=expr(c.left), right=expr(c.right), of=of)
        whole.constraints.append(replace(made, otherwise=otherwise))
    for group in draft.evenly:
        parts = tuple(Part(renamed(p.seen), expr(p.amount), expr(p.limit)) for p in group.parts)
        whole.evenly.append(Evenly(renamed(group.level), expr(group.whole), parts))
    for name, given in draft.givens.items():
        whole.givens.setdefault(renamed(name), given)
    whole.last += [replace(goal, expr=expr(goal.expr)) for goal in draft.last]
    whole.asked += [to for name in draft.asked if (to := renamed(name)) not in whole.asked]
    whole.findings += [found for found in draft.findings if found not in whole.findings]
    whole.default_laws |= {name: law for name, law in draft.default_laws.items() if law is not whole.law}
    whole.elastic |= draft.elastic


# ---- what stages come to together


def add_totals(whole: Draft, stages: Sequence[Staged]) -> None:
    """What the stages come to together; what each has of its own, and no sum of, the whole has not."""
    for text, known in whole.quantities.items():
        name, how = quantity(text), known.facts.stages
        own = [stage.of(name) for stage in stages]
        if how in _TOTALS and all(map(whole.knows, own)):
            op, said = _TOTALS[how]
            if not whole.knows(name):
                whole.define(name, joined(op, own), "derived", said)
        elif how in _TOTALS or (how == "apart" and known.facts.pools and not whole.knows(name)):
            whole.absent.add(name)
    last = stages[-1].of(q.FINISH)
    if whole.knows(last):
        whole.define(q.FINISH, Ref(last), "derived", "when the last stage ends")
    else:
        whole.absent.add(q.FINISH)
    whole.absent.add(q.UNCOUNTED_ATTENTION)


def add_timeline(whole: Draft, stages: Sequence[Staged]) -> None:
    """When each stage begins: on its own date, or when the one before ends; and no sooner than that."""
    for before, stage in pairwise(stages):
        end, start = before.of(q.FINISH), stage.of(q.START)
        if not whole.knows(end):
            continue
        if whole.knows(start):
            span = whole.definitions[start].span if start in whole.definitions else None
            text = f"{stage.name} after {before.name}"
            whole.constrain(text, Ref(end), Ref(start), "date", span, text=text)
            continue
        whole.define(start, Ref(end), "derived", f"when `{before.name}` ends")
        finish = Op("+", (Ref(start), Ref(stage.of(q.TIME))))
        whole.define(stage.of(q.FINISH), finish, "derived", "start and time of the stage")


# ---- hardware that stages share


def as_long_as_needed(draft: Draft, *, shared: bool) -> None:
    """A stage has its hardware for as long as it needs, where the plan does not say how long: no more is of any use.

    Args:
        shared: Whether it is the plan's hardware: then nobody asks how long the stage has it.
    """
    if len(draft.stage.hardware) > 1:
        return  # of several pools it is so already
    needed = {q.RESERVED_TIME, q.GPU_HOURS}
    mine = [v.name for v in draft.variables if v.name in needed]
    draft.variables = [v for v in draft.variables if v.name not in mine]
    draft.elastic |= bool(mine) and not shared
    if shared:
        draft.asked = [name for name in draft.asked if name not in needed]
    capacity = draft.definitions.get(q.CAPACITY)
    for name in mine:
        one: dict[Name, Expr] = {name: Num(1.0, draft.dim(name))}
        formula = capacity.expr if capacity else draft.formula(q.CAPACITY)
        each = Op("/", (substitute(formula, one), Num(1.0, draft.dim(name))))
        draft.define(name, Op("/", (Ref(q.MODEL_COMPUTE), each)), "derived", "as long as the stage needs it")


def shared_of(stages: Sequence[Staged]) -> frozenset[Name]:
    """The quantities of devices that all stages have in common, where all run on the plan's hardware."""
    if not all(stage.alone.shares_hardware for stage in stages):
        return frozenset()
    first, *others = (stage.draft for stage in stages)
    own = [name for name in first.definitions if name.kind == "quantity"]
    pooled = {name for name in own if "pool" in first.quantities[name.text].facts.parts}
    variables = {v.name for v in first.variables if v.name.text == q.GPUS.text}
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
    pools = plan.outer.hardware
    time, first = pools[0].figures.get("time"), pools[0]
    if len(pools) > 1 or first.bought:
        what = "hardware bought by the hour" if first.bought else "several pools"
        help = ["give each stage its own `hardware`"]
        whole.gave_up(f"{what} outside of stages is read, and not solved yet", first.span, help)
        return
    needed = of_stages(sharing, q.RESERVED_TIME)
    begin, end = first.dates.get("from"), first.dates.get("until")
    if isinstance(begin, Hole) or isinstance(end, Hole):
        help = ["give the date, or ask for it of a stage's own hardware"]
        what = "a `?` in the dates of hardware outside of stages is read, and not solved yet"
        whole.gave_up(what, first.span, help)
        return
    if begin is not None:
        whole.give(q.START, begin)
        whole.define(sharing[0].of(q.START), Ref(q.START), "derived", "when the hardware begins")
        finish = Op("+", (Ref(q.START), Ref(sharing[0].of(q.TIME))))
        whole.define(sharing[0].of(q.FINISH), finish, "derived", "start and time of the stage")
    if end is not None:
        whole.give(q.DEADLINE, end)
    window = Op("-", (Ref(q.DEADLINE), Ref(q.START))) if begin is not None and end is not None else None
    if isinstance(time, Given):
        whole.giving(q.SHARED_TIME, time)
    elif time is None and window is not None and end is not None:
        whole.givens[q.DEADLINE] = end
        whole.define(q.SHARED_TIME, window, "given", "from and until", end.span)
    if q.SHARED_TIME in whole.definitions:
        whole.constrain("compute", needed, Ref(q.SHARED_TIME), "capacity", first.span, text="time")
        _pay_for_whole(whole, sharing, needed, stages)
        return
    whole.elastic = True
    whole.define(q.SHARED_TIME, needed, "derived", "as long as the stages need it")
    whole.limited(q.SHARED_TIME, time, "time")
    if window is not None and end is not None:
        whole.constrain("until", Ref(q.SHARED_TIME), window, "date", end.span)


def _pay_for_whole(whole: Draft, sharing: Sequence[Staged], needed: Expr, stages: Sequence[Staged]) -> None:
    """What is paid for, and not what the stages use of it; those that have hardware of their own pay beside."""
    others = [stage for stage in stages if not stage.alone.shares_hardware]
    for name in (q.RESERVED_TIME, q.GPU_HOURS, q.COST, q.ENERGY, q.EMISSIONS, q.CAPACITY):
        if not all(whole.knows(stage.of(name)) for stage in stages):
            continue
        paid: Expr = Op("*", (of_stages(sharing, name), Op("/", (Ref(q.SHARED_TIME), needed))))
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
    Else each has one at least, however dear it is: the best may be that one has no more.
    """
    free = [stage for stage in run if whole.is_variable(stage.of(q.TOKENS))]
    if len(free) < 2:
        return
    first, *others = free
    bounded = {c.of for c in whole.constraints} | {n for c in whole.constraints for n in names(c.left) | names(c.right)}
    told = any(stage.name == name.part("stage") for stage in free for name in asked)
    alike = all(_costs_alike(first, other) for other in others)
    if alike and not told and bounded.isdisjoint(stage.of(q.TOKENS) for stage in free):
        names_ = {stage.of(q.TOKENS) for stage in others}
        whole.variables = [v for v in whole.variables if v.name not in names_]
        said = f"not given: as many as in `{first.name}`, to the law they are one run"
        for stage in others:
            whole.define(stage.of(q.TOKENS), Ref(first.of(q.TOKENS)), "assumed", said, stage.alone.stage.span)
        return
    for stage in free:
        name, span = stage.of(q.TOKENS), stage.alone.stage.span
        whole.constrain(f"{SOME} {name}", Num(1.0, TOKEN), Ref(name), "line", span, text=str(name))


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


# ---- what a law says of stages


def add_trained(whole: Draft, run: Sequence[Staged]) -> None:
    """What the weights have seen up to each stage of one run to a law."""
    for trained, own in ((q.TRAINED_TOKENS, q.TOKENS), (q.TRAINED_COMPUTE, q.COMPUTE)):
        before: Expr | None = None
        for stage in run:
            mine = Ref(stage.of(own))
            total = mine if before is None else Op("+", (before, mine))
            whole.define(stage.of(trained), total, "derived", "with the stages before of its objective")
            before = Ref(stage.of(trained))


def add_losses(whole: Draft, run: Sequence[Staged], stages: Sequence[Staged]) -> None:
    """The loss when each stage of a run ends: that of the law over what the weights have seen by then.

    That of the last is the plan's.
    """
    loss = whole.definitions.get(q.LOSS)
    if loss is None:
        return
    if whole.transfer:  # it is of the stages that are transferred to, when they end
        whole.define(run[-1].of(q.LOSS), Ref(q.LOSS), "derived", loss.source, loss.span)
        return
    table = {d.name: d for d in whole.repeats}
    for at, stage in enumerate(run):
        later = [other for other in stages if other not in run[: at + 1]]
        whole.definitions[stage.of(q.LOSS)] = _loss_after(whole, loss, stage, run[: at + 1], later, {})
        perplexity = whole.formula(q.PERPLEXITY, {q.LOSS: stage.of(q.LOSS)})
        whole.define(stage.of(q.PERPLEXITY), perplexity, "derived", whole.quantities[q.PERPLEXITY.text].title)
        if q.LOSS in table:
            whole.repeats.append(_loss_after(whole, table[q.LOSS], stage, run[: at + 1], later, table))


def _loss_after(
    whole: Draft,
    loss: Definition,
    stage: Staged,
    seen: Sequence[Staged],
    later: Sequence[Staged],
    table: Mapping[Name, Definition],
) -> Definition:
    if not later:
        return replace(loss, name=stage.of(q.LOSS), expr=Ref(q.LOSS), kind="derived")
    nothing = Num(0.0, TOKEN)

    def seen_of(tokens: Name) -> Expr:
        """How much of some data the weights have seen by then."""
        if tokens.part("stage"):
            return nothing if tokens.part("stage") in {other.name for other in later} else Ref(tokens)
        mine = [other.of(tokens) for other in seen if whole.knows(other.of(tokens))]
        return joined("+", mine) if mine else nothing

    def worth_of(name: Name, d: Definition) -> Definition:
        """What data are worth: of none of them, nothing, whatever the law makes of no pass over no data."""
        unseen = name.scope and seen_of(Name(q.TOKENS.text, name.kind, name.scope)) == nothing
        return replace(d, expr=nothing) if unseen else d

    worth = {name: worth_of(name, d) for name, d in table.items() if name.text == q.EFFECTIVE_TOKENS.text}
    expr = expand(loss.expr, worth, {})
    by: dict[Name, Expr] = {q.TOKENS: Ref(stage.of(q.TRAINED_TOKENS)), q.COMPUTE: Ref(stage.of(q.TRAINED_COMPUTE))}
    by |= {name: seen_of(name) for name in names(expr) if name.text == q.TOKENS.text and name.scope}
    return replace(loss, name=stage.of(q.LOSS), expr=substitute(expr, by))


def of_run(whole: Draft, run: Sequence[Staged]) -> None:
    """What a law says of the tokens and the compute of a plan as what it says of some of its stages."""
    last = run[-1]
    by: dict[Name, Expr] = {q.TOKENS: Ref(last.of(q.TRAINED_TOKENS)), q.COMPUTE: Ref(last.of(q.TRAINED_COMPUTE))}
    for name, d in whole.definitions.items():
        if d.kind == "law" and d.by == whole.law.name and not name.scope and name != q.LOSS:
            whole.definitions[name] = replace(d, expr=substitute(d.expr, by))
    if q.LOSS in whole.definitions:
        last_of = Ref(last.of(q.LOSS))
        whole.definitions[q.LOSS] = replace(whole.definitions[q.LOSS], expr=last_of, kind="derived")
        whole.repeats = [d for d in whole.repeats if d.name != q.LOSS]


def add_worth_of_stages(whole: Draft, run: Sequence[Staged], sources: Sequence[DataSource]) -> None:
    """What data are worth that the stages of a run see more than once: of the plan's store, and of their own."""
    using = [stage for stage in run if stage.alone.shares_data]
    seen = [Seen(source, partial(of, source)) for source in sources] if using else []
    beside: list[Expr] = []
    for stage in run:
        if stage.alone.shares_data:
            continue
        if not stage.sources:
            beside.append(Ref(stage.of(q.TOKENS)))
        seen += [Seen(source, partial(stage.of_source, source)) for source in stage.sources]
    add_worth(whole, seen, beside)


def unheard(whole: Draft, stages: Sequence[Staged], run: Sequence[Staged]) -> None:
    """Stages after those that the law is for: it says nothing of them."""
    behind = stages[stages.index(run[-1]) + 1 :]
    for stage in behind:
        said = stage.alone.stage.objective.span if stage.alone.stage.objective else stage.alone.stage.span
        message = f"`{whole.law.name}` gives no loss of `{stage.name}`, which is {stage.alone.objective}"
        assert said is not None
        whole.lacking.append(finding("L004", message, said, severity="info", laws=(whole.named,)))
