"""A problem to its optimum: expressions to functions of logarithms, and what binds there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from runplan.dsl.expr.tree import Expr
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.local import Smooth
from runplan.engine.numeric.optimise import Optimum, minimise
from runplan.engine.problem.problem import Aim, Limit, Problem

# A logarithm beyond this is of no figure that there is: the search ran off.
ENDLESS = 300.0


# ---- the search


def optimum_of(problem: Problem) -> tuple[Optimum, dict[str, float]]:
    """The optimum of a problem as it stands, and the values of its variables there."""
    return optimum_over(problem, problem.aims, problem.limits)


def optimum_over(problem: Problem, aims: Sequence[Aim], limits: Sequence[Limit]) -> tuple[Optimum, dict[str, float]]:
    """The optimum of goals under limits, and the values of the variables there."""
    variables = [v.name for v in problem.variables]
    inequalities: list[Smooth] = []
    equalities: list[Smooth] = []
    order: list[int] = []
    memo: dict[str, Expr] = {}
    for index, limit in enumerate(limits):
        left, right = (_over_variables(problem, side, memo) for side in (limit.left, limit.right))
        function = smooth.limit(left, right, variables)
        if limit.equal:
            equalities.append(function)
        else:
            inequalities.append(function)
            order.append(index)
    goals = [_goal(problem, aim, variables, memo) for aim in aims]
    start = tuple(math.log(v.start) for v in problem.variables)
    found = minimise(goals, inequalities, equalities, start=start)
    if found.outcome == "optimal" and max(map(abs, found.x), default=0.0) > ENDLESS:
        found = replace(found, outcome="unbounded")
    env = {name: math.exp(x) for name, x in zip(variables, found.x, strict=True)} if found.outcome == "optimal" else {}
    # Multipliers are those of the first aim; what stops a later one short of a law's line binds as well.
    tight = set(found.binding) | (set(found.active) if any(aim.sense == "near" for aim in aims) else set())
    binding = {order[i] for i in tight} | {i for i, limit in enumerate(limits) if limit.equal}
    return replace(found, binding=tuple(sorted(binding))), env


def _over_variables(problem: Problem, expr: Expr, memo: dict[str, Expr]) -> Expr:
    key = repr(id(expr))
    if key not in memo:
        memo[key] = problem.expanded(expr)
    return memo[key]


def _goal(problem: Problem, aim: Aim, variables: Sequence[str], memo: dict[str, Expr]) -> Smooth:
    expr = _over_variables(problem, aim.expr, memo)
    if aim.sense == "near":
        assert aim.other is not None
        return smooth.square(smooth.limit(expr, _over_variables(problem, aim.other, memo), variables))
    found = smooth.goal(expr, variables)
    return smooth.negated(found) if aim.sense == "maximize" else found


Repose = Callable[[frozenset[str], Mapping[str, float]], Problem]
