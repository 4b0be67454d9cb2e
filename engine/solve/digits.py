"""Figures stand for the digits that they are written with: by what those leave open they do not contradict each other.

What there is, devices' rate, compute and data, is taken for as much more as the plan's figures need of it, and phases
for as much as they share.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import SHORT
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, names
from runplan.dsl.expr.values import value as value_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.reach import reached

# How near what is needed is found.
NEAR = 1e-5
NOTE = "to the digits of the plan's figures"


def holds(problem: Problem) -> bool:
    """Whether a problem has any solution."""
    return reached(problem.aiming()).found.outcome != "infeasible"


def as_written(problem: Problem) -> Problem | None:
    """The problem with its figures as their digits allow; None where they agree, or contradict each other all the same.

    What is required is no figure: it is kept to the digit.
    """
    wished = problem.wishes
    if wished and holds(problem.without(wished)):
        return None
    problem = aligned(problem)
    if holds(problem.without(wished)):
        return problem
    supplies = [group for group in (_rates(problem), _budget(problem), _amounts(problem)) if group]
    every = [name for group in supplies for name in group]
    for group in (*supplies, every):
        if holds(_eased(problem, group, 1.0 + SHORT).without(wished)):
            return _eased(problem, group, _needed(problem.without(wished), group))
    return None


def aligned(problem: Problem) -> Problem:
    """The problem with figures that say the same of one thing, and nearly agree, at one: phases, and what follows."""
    for said in (c for c in problem.constraints if c.kind == "given" and c.equal):
        ratio = problem.expanded(Op("/", (said.left, said.right)))
        if names(ratio) or abs((factor := float(value_of(ratio, {}))) - 1.0) > SHORT:
            continue
        if said.of is not None:
            problem = problem.given({said.of: float(value_of(problem.expanded(said.left), {}))})
        else:
            phases = [name for name in names(said.right) if name.text == q.STATED_TOKENS.text]
            problem = _eased(problem, phases, factor)
    return problem


def _needed(problem: Problem, group: Sequence[Name]) -> float:
    """How much more of what there is the figures need, as a factor."""
    low, high = 1.0, 1.0 + SHORT
    while high - low > NEAR:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(_eased(problem, group, middle)) else (middle, high)
    return high


def _eased(problem: Problem, group: Collection[Name], factor: float) -> Problem:
    for name in group:
        problem = problem.scaled(name, factor)
    noted = {name: replace(problem.definitions[name], note=NOTE) for name in group}
    return replace(problem, definitions={**problem.definitions, **noted})


def _rates(problem: Problem) -> list[Name]:
    """What devices reach: their MFU where their rate follows from it; not where it is to be found."""
    rates = [name for name in problem.definitions if name.text == q.RATE.text]
    mfu = {rate: Name(q.MFU.text, rate.kind, rate.scope) for rate in rates}
    found = [mfu[rate] if mfu[rate] in names(problem.definitions[rate].expr) else rate for rate in rates]
    return [name for name in found if name in problem.definitions]


def _budget(problem: Problem) -> list[Name]:
    return [name for name in (q.COMPUTE_BUDGET,) if problem.is_parameter(name)]


def _amounts(problem: Problem) -> list[Name]:
    amounts = (each.of("source", source) for source in problem.sources for each in (q.AMOUNT, q.AVAILABLE))
    return [name for name in amounts if problem.is_parameter(name)]
