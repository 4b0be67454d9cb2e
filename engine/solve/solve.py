"""A problem to a solution: the values, what binds, or why there is none and what would make room."""

from __future__ import annotations

from dataclasses import replace

from runplan.dsl.expr.tree import names
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.conflict import infeasible
from runplan.engine.solve.failed import endless, gave_up, under_determined, without
from runplan.engine.solve.reach import reached
from runplan.engine.solve.values import solved
from runplan.engine.solve.whole import counts


def solve(problem: Problem) -> Solution:
    """The solution of a problem: devices whole, repeated data worth less than fresh ones."""
    problem = problem.settled()
    blocking = [f for f in problem.findings if f.code != "C004"]
    if any(f.severity == "error" for f in blocking):
        return without(problem, "undecided", problem.findings)
    if problem.variables and not problem.goals:
        # A goal that asks for what is not known has said so already.
        return without(problem, "undecided", problem.findings) if problem.findings else under_determined(problem)
    best = reached(problem)
    if best.found.outcome == "infeasible":
        return infeasible(replace(best.problem, repeats=problem.repeats))
    if best.found.outcome == "unbounded":
        return endless(problem) or under_determined(problem)
    if best.found.outcome == "gave-up":
        # A goal that nothing moves leaves all to the ties, which may run down to nothing.
        moved = names(problem.expanded(problem.goals[0].expr)) & {v.name for v in problem.variables}
        return gave_up(problem) if moved else under_determined(problem)
    out = solved(best.problem, best.found.values, best.found.binding)
    if not best.rounded:
        return out
    whole = {name: replace(out.values[name], note="in whole devices") for name in counts(best.problem)}
    return replace(out, values={**out.values, **whole})
