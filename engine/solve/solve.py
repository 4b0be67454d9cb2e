"""A problem to a solution: the values, what binds, or why there is none and what would make room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runplan.dsl.expr.tree import names
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.conflict import infeasible
from runplan.engine.solve.failed import endless, gave_up, under_determined, without
from runplan.engine.solve.search import Repose, optimum_over
from runplan.engine.solve.values import solved
from runplan.engine.solve.whole import whole_gpus


def solve(problem: Problem, repose: Repose) -> Solution:
    """The solution of a problem.

    Args:
        repose: Poses the same plan and law again with givens left open and variables fixed, for whole GPUs and
            for the changes that make room.
    """
    blocking = [f for f in problem.findings if f.code != "C004"]
    if any(f.severity == "error" for f in blocking):
        return without(problem, "undecided", problem.findings)
    if problem.variables and not problem.aims:
        # A goal that asks for what is not known has said so already.
        return without(problem, "undecided", problem.findings) if problem.findings else under_determined(problem)
    optimum, env = optimum_over(problem, problem.aims, problem.limits)
    if optimum.outcome == "infeasible":
        return infeasible(problem, repose)
    if optimum.outcome == "unbounded":
        return endless(problem) or under_determined(problem)
    if optimum.outcome == "gave-up":
        # A goal that nothing moves leaves all to the ties, which may run down to nothing.
        moved = names(problem.expanded(problem.aims[0].expr)) & {v.name for v in problem.variables}
        return gave_up(problem) if moved else under_determined(problem)
    whole = whole_gpus(problem, env)
    if whole is not None:
        found = solve(repose(frozenset(), whole), repose)
        return _held(problem, found, [problem.limits[i].name for i in optimum.binding])
    return solved(problem, env, tuple(problem.limits[i].name for i in optimum.binding))


def _held(problem: Problem, found: Solution, binding: Iterable[str]) -> Solution:
    """A solution with whole GPUs held, told by the problem before they were: what is solved there is solved."""
    if found.status != "solved":
        return replace(found, problem=problem, binding=tuple(dict.fromkeys(binding)))
    out = solved(problem, {v.name: found.values[v.name].value for v in problem.variables}, binding)
    counts = [v.name for v in problem.variables if v.name.endswith("gpus")]
    whole = {name: replace(out.values[name], note="in whole devices") for name in counts}
    return replace(out, values={**out.values, **whole})
