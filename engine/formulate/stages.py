"""Stages to one run: each a scope of its own quantities, the model shared, totals by `quantities.plan`.

A stage is formulated as a plan of its own, and its names are then those of the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Op, Ref, joined, names, substitute
from runplan.dsl.plan.ir import DataSource
from runplan.engine.formulate.alone import Alone
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import PhasePlan
from runplan.engine.formulate.sources import label_of, of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Definition, Evenly, EvenPart, Inverse, Otherwise

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
    """Add what is formulated of a stage to the whole, under its names there; what the whole has already is kept."""
    draft, into = stage.draft, _Into(renamed)
    for name, d in draft.definitions.items():
        if renamed(name) is not name or not whole.knows(name):
            whole.definitions[renamed(name)] = into.definition(d)
    for variable in draft.variables:
        if not whole.knows(renamed(variable.name)):
            whole.variables.append(replace(variable, name=renamed(variable.name)))
    for turned in draft.inverses:
        if not whole.knows(renamed(turned.definition.name)):
            whole.inverses.append(into.inverse(turned))
    taken = {(c.key, c.span) for c in whole.constraints}
    for c in draft.constraints:
        # What holds the model, and what is the plan's, is held once.
        if (c.key, c.span) not in taken or not into.leaves(Op("-", (c.left, c.right))):
            whole.constraints.append(_constraint(whole, c, stage, into))
    whole.evenly += map(into.evenly, draft.evenly)
    for name, given in draft.givens.items():
        whole.givens.setdefault(renamed(name), given)
    whole.last += [replace(goal, expr=into.expr(goal.expr)) for goal in draft.last]
    whole.asked += [to for name in draft.asked if (to := renamed(name)) not in whole.asked]
    whole.findings += [found for found in draft.findings if found not in whole.findings]
    whole.default_laws |= {name: law for name, law in draft.default_laws.items() if law is not whole.law}
    whole.elastic |= draft.elastic


def _constraint(whole: Draft, c: Constraint, stage: Staged, into: _Into) -> Constraint:
    """A constraint of a stage in the whole, where its key, and often its text, says of which stage it is."""
    before = f"{stage.name}."
    of = into.renamed(c.of) if c.of else None
    staged = of is not c.of or c.kind in ("capacity", "data", "date", "line")
    return replace(
        c,
        key=f"{before}{c.key}",
        text=f"{before}{c.text}" if staged and c.text in whole.quantities else str(of) if of else c.text,
        left=into.expr(c.left),
        right=into.expr(c.right),
        of=of,
        stage=stage.name,
        otherwise=c.otherwise and into.otherwise(c.otherwise),
    )


@dataclass(frozen=True, slots=True)
class _Into:
    """What a part of a problem is under other names.

    Attributes:
        renamed: A name's other one; the name itself where it keeps that.
    """

    renamed: Callable[[Name], Name]

    def expr(self, tree: Expr) -> Expr:
        return substitute(tree, {name: Ref(to) for name in names(tree) if (to := self.renamed(name)) is not name})

    def leaves(self, tree: Expr) -> bool:
        """Whether an expression stays as it is."""
        return all(self.renamed(name) is name for name in names(tree))

    def definition(self, d: Definition) -> Definition:
        return replace(d, name=self.renamed(d.name), expr=self.expr(d.expr))

    def inverse(self, turned: Inverse) -> Inverse:
        return Inverse(self.definition(turned.definition), self.definition(turned.of), self.expr(turned.expr))

    def otherwise(self, one: Otherwise) -> Otherwise:
        expr, left, right = map(self.expr, (one.expr, one.left, one.right))
        return replace(one, name=self.renamed(one.name), expr=expr, left=left, right=right)

    def evenly(self, group: Evenly) -> Evenly:
        parts = tuple(EvenPart(self.renamed(p.seen), self.expr(p.amount), self.expr(p.limit)) for p in group.parts)
        return Evenly(self.renamed(group.level), self.expr(group.whole), parts)


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
        begin_at(whole, stage, end, f"when `{before.name}` ends")


def begin_at(whole: Draft, stage: Staged, date: Name, said: str) -> None:
    """A stage that begins on a date, and ends when its time is over."""
    start = stage.of(q.START)
    whole.define(start, Ref(date), "derived", said)
    finish = Op("+", (Ref(start), Ref(stage.of(q.TIME))))
    whole.define(stage.of(q.FINISH), finish, "derived", "start and time of the stage")
