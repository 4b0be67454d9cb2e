"""A problem to a solution: the values, what binds, or why there is none and what would make room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runplan.dsl.expr.tree import names
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Constraint, Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.conflict import infeasible
from runplan.engine.solve.failed import endless, gave_up, without
from runplan.engine.solve.search import Found, agreed, optimum_of
from runplan.engine.solve.undetermined import has_least, under_determined
from runplan.engine.solve.values import solved
from runplan.engine.solve.whole import counts, whole_gpus

# More passes over a source than this are a repeat; less is rounding.
ONCE = 1.0 + 1e-9


def solve(problem: Problem) -> Solution:
    """The solution of a problem, devices whole.

    What repeats are worth makes a loss no lower, and changes nothing until there is one: the problem without it is a
    relaxation, and its solution, where it repeats nothing, is that of the whole problem.
    """
    found = _solve(problem.settled())
    if found.status == "undecided" or not problem.repeats or not _repeats(found):
        return found
    starts = tuple(replace(v, start=found.get(v.name) or v.start) for v in problem.variables)
    return _solve(replace(problem, variables=starts).repeating().settled())


def _repeats(solution: Solution) -> bool:
    """Whether any source is seen more than once."""
    return any((solution.get(q.EPOCHS.of("source", name)) or 0.0) > ONCE for name in solution.sources)


def _solve(problem: Problem) -> Solution:
    errors = {f.code for f in problem.findings if f.severity == "error"}
    if errors - {"C004", "L004"} or q.COMPUTE not in problem.definitions:
        return without(problem, "undecided", problem.findings)
    if "L004" in errors:
        return _but_for_the_law(problem)
    if problem.variables and not problem.goals:
        # A goal that asks for what is not known has said so already.
        return without(problem, "undecided", problem.findings) if errors else under_determined(problem)
    problem, found, open_ = _aimed(problem)
    if found.outcome == "infeasible":
        return infeasible(problem)
    if open_:
        return endless(problem) or under_determined(problem)
    if found.outcome != "optimal":
        return gave_up(problem)
    whole = whole_gpus(problem, found.values)
    if whole is not None:
        return _held(problem, _solve(problem.fixed(whole, "held for whole devices")), found.binding)
    return solved(problem, found.values, found.binding)


def _but_for_the_law(problem: Problem) -> Solution:
    """What the plan comes to without what its law does not give, where the size and the tokens are no choice of it."""
    chosen = any(problem.quantities[v.name.text].facts.decided == "run" for v in problem.variables)
    if not chosen and (problem.goals or not problem.variables):
        asked = tuple(f for f in problem.findings if f.code != "L004")
        found = _solve(replace(problem, findings=asked))
        if found.status == "solved":
            return replace(found, status="undecided", findings=problem.findings)
    return without(problem, "undecided", problem.findings)


def _aimed(problem: Problem) -> tuple[Problem, Found, bool]:
    """The problem with the first of its aims that has a least value, what is found, and whether that is left open.

    Where none has, it is the problem with its first aim.
    """
    first: tuple[Problem, Found] | None = None
    unbounded = False
    for aimed in problem.aimed():
        tried = agreed(aimed)
        found = optimum_of(tried)
        if found.outcome in ("optimal", "infeasible"):
            return tried, found, False
        unbounded |= found.outcome == "unbounded"
        if has_least(tried):
            return tried, found, unbounded
        first = first or (aimed, found)
        # A goal that nothing moves leaves all to the ties, which may run down to nothing.
        unbounded |= not names(aimed.expanded(aimed.goals[0].expr)) & {v.name for v in aimed.variables}
    assert first is not None
    return *first, unbounded


def _held(problem: Problem, found: Solution, binding: Iterable[Constraint]) -> Solution:
    """A solution with whole GPUs held, told by the problem before they were: what is solved there is solved."""
    binding = tuple(binding)
    if found.status != "solved":
        texts = tuple(dict.fromkeys(constraint.text for constraint in binding))
        return replace(found, problem=problem, binding=texts, active=frozenset(c.key for c in binding))
    # With other devices another size is found, and the rate is that of this one.
    problem = problem.at({a.parameter: found.values[a.parameter].value for a in problem.agreements})
    out = solved(problem, {v.name: found.values[v.name].value for v in problem.variables}, binding)
    whole = {name: replace(out.values[name], note="in whole devices") for name in counts(problem)}
    return replace(out, values={**out.values, **whole})
