"""What a plan requires to constraints of the problem, or to what its givens decide alone."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref, comparisons, names, walk
from runplan.dsl.plan.ir import Given, Plan, Requirement, Within
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.formulate.missing import missing
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Chance, Definition, expand

# What may join or hold a requirement, and is read and not solved yet.
UNSOLVED = ("or", "not", "!=")


def add_compute_limits(draft: Draft) -> None:
    """The compute that there is, or that the plan states, as constraints."""
    if not draft.knows(q.COMPUTE):
        return
    # Of pools that are reserved for as long as the run needs them, it is what they could give.
    there = q.MOST_CAPACITY if draft.elastic else q.CAPACITY
    if there in draft.definitions and draft.stage.hardware:
        draft.constrain("compute", Ref(q.MODEL_COMPUTE), Ref(there), "capacity", draft.stage.hardware[0].span)
    budget = draft.stage.compute
    if isinstance(budget, Within) and budget.low is not None:
        draft.constrain("compute", number(budget.low), Ref(q.COMPUTE), "range", budget.span, of=q.COMPUTE)
    high = budget if isinstance(budget, Given) else (budget.high if isinstance(budget, Within) else None)
    if high is None:
        return
    draft.givens[q.COMPUTE] = high
    draft.give(q.COMPUTE_BUDGET, high)
    draft.constrain("compute", Ref(q.COMPUTE), Ref(q.COMPUTE_BUDGET), "budget", high.span, of=q.COMPUTE)


def add_requirements(draft: Draft) -> tuple[Requirement, ...]:
    """Requirements that the solution keeps become constraints; those that the givens decide are returned."""
    decided: list[Requirement] = []
    variables = draft.chosen()
    by_hardware = draft.decided_by("hardware") | draft.decided_by("nature")
    of_the_run = draft.decided_by("run")
    open_ = draft.elastic or not {name.text for name in variables} <= of_the_run
    reserved = q.CAPACITY in draft.definitions and not open_
    # How long it takes is no choice: with all else given the run has the time that it needs.
    needed = variables == {q.RESERVED_TIME} <= {*draft.asked}
    memo: dict[Name, Expr] = {}
    for requirement in draft.plan.requires:
        mentioned = names(without_lets(requirement.condition, draft.plan))
        unknown = sorted((name for name in mentioned if not draft.knows(name)), key=str)
        if unknown:
            # A figure that is read and not solved has its finding, and what needs it no second one.
            if not any(f.code == "C009" for f in draft.findings):
                _missing(draft, requirement, unknown[0])
            continue
        free = names(expand(requirement.condition, draft.definitions, memo)) & variables
        before = len(draft.constraints)
        _constrain(draft, requirement)
        if not free or needed or (reserved and {name.text for name in mentioned} <= by_hardware):
            decided.append(requirement)
            draft.held += draft.constraints[before:]
            del draft.constraints[before:]
    for preference in draft.plan.prefers:
        unknown = sorted(
            (n for n in names(without_lets(preference.condition, draft.plan)) if not draft.knows(n)), key=str
        )
        if unknown and not any(f.code == "C009" for f in draft.findings):
            _missing(draft, preference, unknown[0])
    return tuple(decided)


def _constrain(draft: Draft, requirement: Requirement) -> None:
    for part in comparisons(requirement.condition):
        if part.op not in COMPARISONS:  # read and not solved: said already
            continue
        chance = chance_of(part)
        left, right = sides_of_chance(chance) if chance is not None else _sides(part)
        draft.constrain(
            requirement.key,
            left,
            right,
            "require",
            requirement.span,
            text=" ".join(requirement.span.text.split()),
            equal=part.op == "==",
            requirement=requirement,
            chance=chance,
        )


def chance_of(part: Op) -> Chance | None:
    """What a comparison asks of a probability; None where it asks for none, or in another way than a share of it.

    That something has at most a share is that its contrary has at least the rest.
    """
    if part.op not in COMPARISONS[:4]:
        return None
    probable, level = (part.args[1], part.args[0]) if is_chance(part.args[1]) else part.args
    if not isinstance(probable, Op) or not is_chance(probable) or any(n.kind != "let" for n in names(level)):
        return None
    if any(is_chance(item) for side in (level, probable.args[0]) for item in walk(side)):
        return None
    most = (part.op in ("<=", "<")) == (probable is part.args[0])
    if most:
        return Chance(Op("not", (probable.args[0],)), Op("-", (Num(1.0), level)))
    return Chance(probable.args[0], level)


def is_chance(expr: Expr) -> bool:
    """Whether an expression is a probability."""
    return isinstance(expr, Op) and expr.op == "P"


def sides_of_chance(chance: Chance) -> tuple[Expr, Expr]:
    """The sides of the first comparison that is to be likely, until it is known which draw just keeps it."""
    return _sides(next(item for item in walk(chance.condition) if isinstance(item, Op) and item.op in COMPARISONS))


def _sides(part: Op) -> tuple[Expr, Expr]:
    """The sides of a comparison, the smaller first."""
    left, right = part.args
    return (right, left) if part.op in (">=", ">") else (left, right)


def without_lets(expr: Expr, plan: Plan) -> Expr:
    """The expression with the plan's `let`s replaced."""
    lets = {name: Definition(name, (), let.expr, "given") for name, let in plan.lets.items()}
    return expand(expr, lets, {})


def _missing(draft: Draft, requirement: Requirement, name: Name) -> None:
    why = missing(draft, name)
    if why is not None:
        draft.findings.append(why.finding(requirement.span, requirement.key, requirement.soft))
