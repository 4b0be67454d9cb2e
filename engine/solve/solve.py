"""A problem to a solution: the values, what binds, or why there is none and what would make room."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.digits import as_written, holds
from runplan.engine.solve.failed import endless, gave_up, no_run, vanishing, without
from runplan.engine.solve.needed import at_needed_rate
from runplan.engine.solve.reach import reached
from runplan.engine.solve.values import solved
from runplan.engine.solve.whole import Reached


def solve(problem: Problem, *, why: bool = True) -> Solution:
    """The solution of a problem: devices whole, repeated data worth less than fresh ones.

    Args:
        why: Whether to look for what cannot hold together, and what would make room, where there is no solution.
    """
    problem = problem.settled()
    errors = {f.code for f in problem.findings if f.severity == "error"}
    if problem.is_programme and not errors:
        return solved(problem, {})
    if errors - {"C004", "L004"} or q.COMPUTE not in problem.definitions:
        return without(problem, "undecided", problem.findings)
    if "L004" in errors:
        return _but_for_the_law(problem)
    if problem.variables and not problem.goals:
        # A goal that asks for what is not known has said so already.
        return without(problem, "undecided", problem.findings) if errors else _under_determined(problem)
    best, open_ = _aimed(problem)
    if best.found.outcome == "infeasible":
        contradicting = replace(best.problem, repeats=problem.repeats)
        agreeing = at_needed_rate(contradicting) or as_written(contradicting)
        if agreeing:
            return solve(agreeing, why=why)
        if undecided := _unsaid(contradicting):
            return undecided
        return _infeasible(contradicting) if why else without(contradicting, "infeasible", ())
    if open_ and errors:
        # What it lacks may be what would determine it, and is said.
        return without(problem, "undecided", problem.findings)
    if open_:
        return _ran_off(best.problem) or endless(best.problem) or _under_determined(best.problem)
    if not best.is_optimal:
        return _ran_off(best.problem) or gave_up(best.problem)
    if none := vanishing(best.problem, best.found.values):
        return none
    out = solved(best.problem, best.found.values, best.found.binding)
    if none := no_run(best.problem, out):
        return none
    whole = {name: replace(out.values[name], note=_whole(name, real), real=real) for name, real in best.real.items()}
    return replace(
        out,
        values={**out.values, **whole},
        certainty=best.found.certainty,
        gap=best.found.gap,
        untaken=problem if problem.either else None,
    )


# What a plan that has an answer has no use for is imported for one that has none:
# docs/design/0004-what-check-does-not-import.md.


def _infeasible(problem: Problem) -> Solution:
    from runplan.engine.solve.conflict import infeasible

    return infeasible(problem)


def _under_determined(problem: Problem) -> Solution:
    from runplan.engine.solve.undetermined import under_determined

    return under_determined(problem)


def _has_least(problem: Problem) -> bool:
    from runplan.engine.solve.undetermined import has_least

    return has_least(problem)


def _unsaid(problem: Problem) -> Solution | None:
    """The plan undecided, where what is not known might keep what nothing else does; None where it makes no room."""
    keys = {one.key for one in problem.kept if one.requirement is not None and one.requirement.key in problem.unsaid}
    if not keys or not holds(problem.without(keys)):
        return None
    return without(problem, "undecided", (*problem.findings, *problem.unsaid.values()))


def _ran_off(problem: Problem) -> Solution | None:
    """Where a search ran off since the figures of the plan, as far as they are known by themselves, leave no run."""
    return no_run(problem, without(problem, "undecided", ()))


def _whole(name: Name, real: float) -> str:
    """What was made whole, and what it was: another number costs next to nothing where the loss is flat."""
    return f"in whole {_PLURALS.get(name.text, 'numbers')}: {real:.4g} before"


_PLURALS = {
    q.GPUS.text: "devices",
    q.EXPERTS.text: "experts",
    q.ACTIVE_EXPERTS.text: "experts",
    q.LAYERS.text: "layers",
    q.HIDDEN.text: "heads",
}


def _but_for_the_law(problem: Problem) -> Solution:
    """What the plan comes to without what its law does not give, where the size and the tokens are no choice of it."""
    chosen = any(problem.quantities[v.name.text].facts.decided == "run" for v in problem.variables)
    if not chosen and (problem.goals or not problem.variables):
        asked = tuple(f for f in problem.findings if f.code != "L004")
        found = solve(replace(problem, findings=asked))
        if found.status == "solved":
            return replace(found, status="undecided", findings=problem.findings)
    return without(problem, "undecided", problem.findings)


def _aimed(problem: Problem) -> tuple[Reached, bool]:
    """What is reached by the first aim of a problem that has a least value, and whether that is left open.

    Where none has, it is what is found of the first aim.
    """
    first: Reached | None = None
    unbounded = False
    for aimed in problem.aimed():
        tried = reached(aimed)
        if tried.found.outcome in ("optimal", "infeasible"):
            return tried, False
        unbounded |= tried.found.outcome == "unbounded"
        if _has_least(aimed):
            return tried, unbounded
        first = first or replace(tried, problem=aimed)
        # A goal that nothing moves leaves all to the ties, which may run down to nothing.
        unbounded |= not names(aimed.expanded(aimed.goals[0].expr)) & {v.name for v in aimed.variables}
    assert first is not None
    return first, unbounded
