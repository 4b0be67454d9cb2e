"""Ranges on what nature decides to solutions at the middle, and at the worst and the best ends."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.units.show import show
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value


def ends_of(problem: Problem) -> tuple[dict[Name, float], dict[Name, float]]:
    """The worst and the best end of each figure that nature decides and the plan gives a range."""
    worst: dict[Name, float] = {}
    best: dict[Name, float] = {}
    for name, definition in problem.definitions.items():
        if definition.between is not None:
            low, high = definition.between
            more = problem.quantities[name.text].facts.better == "more"
            worst[name], best[name] = (low, high) if more else (high, low)
    return worst, best


def spread(middle: Solution, worst: Solution, best: Solution) -> Solution:
    """The solution at the middle, each value with what the ends and the law's constants make of it, and the worst
    for judging.

    An end at which the plan cannot be done has no values that a run could have: it is said, and not shown.
    """
    ends_there = [end for end in (worst, best) if end.status == "solved"]

    def widened(value: Value) -> Value:
        others = [s.values[value.name] for s in ends_there if value.name in s.values]
        lows = [v.value if v.low is None else v.low for v in (value, *others)]
        highs = [v.value if v.high is None else v.high for v in (value, *others)]
        low, high = min(lows), max(highs)
        return replace(value, low=low, high=high) if high - low > 1e-9 * abs(value.value) else value

    values = {name: widened(value) for name, value in middle.values.items()}
    cannot = "; ".join(_at(end) for end in (worst, best) if end.status != "solved")
    told = replace(middle, values=values, worst=worst, worst_at=_at(worst), left_out=cannot)
    if worst.status != "infeasible":
        return told
    # A plan is judged at the worst end: so is what cannot hold together.
    conflicts = {"conflict": worst.conflict, "conflicts": worst.conflicts, "reasons": worst.reasons}
    return replace(told, status="infeasible", **conflicts)  # type: ignore[arg-type]


def _at(solution: Solution) -> str:
    """The figures of an end, in words."""
    problem = solution.problem
    given = (d for d in problem.definitions.values() if d.between is not None)
    return ", ".join(f"{d.name.bare} {_figure(problem, d.name)}" for d in given)


def _figure(problem: Problem, name: Name) -> str:
    share = problem.quantities[name.text].facts.per_cent
    return f"{100 * problem.number(name):.4g}%" if share else show(problem.number(name), problem.dim(name))
