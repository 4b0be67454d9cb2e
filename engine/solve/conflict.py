"""A problem without a solution to what cannot hold together, and the smallest changes that make room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.dims import Dim
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Constraint, Goal, Problem, derive
from runplan.engine.problem.solution import Relaxation, Solution
from runplan.engine.solve.failed import without
from runplan.engine.solve.rounding import loosened, show_plain
from runplan.engine.solve.search import agreed, optimum_of
from runplan.engine.solve.values import dim_of, solved

# What can be moved by itself; of a capacity its givens can.
MOVABLE = ("require", "range", "given", "data")


@dataclass(frozen=True, slots=True)
class _Member:
    """A figure of the plan, or constraints that it states as one thing, that may take part in a conflict."""

    given: Name | None
    constraints: tuple[Constraint, ...] = ()


def infeasible(problem: Problem) -> Solution:
    """The smallest set of givens and constraints that cannot hold together, and for each the change that makes room."""
    culprits = _conflict(problem)
    conflict = tuple(_relaxation(problem, member) for member in culprits)
    base = without(problem, "infeasible", problem.findings, conflict)
    # Where the plan can be solved without the requirements that conflict, those numbers are shown.
    requires = {c.key for member in culprits for c in member.constraints if c.kind == "require"}
    if requires:
        relaxed = agreed(problem.without(requires))
        found = optimum_of(relaxed)
        if found.is_optimal:
            shown_ = solved(relaxed, found.values, found.binding)
            base = replace(shown_, status="infeasible", conflict=conflict, problem=problem)
    return base


def _conflict(problem: Problem) -> list[_Member]:
    """The members of a minimal conflict: without any one of them the others hold."""
    givens = [name for name in problem.givens if name in problem.definitions]
    members = [_Member(name) for name in givens]
    # The two ends of a range, and the parts of a chain, are one thing that the plan says.
    said: dict[tuple[str, str], list[Constraint]] = {}
    for constraint in problem.constraints:
        if constraint.kind in MOVABLE and not (constraint.kind == "given" and constraint.of in givens):
            said.setdefault((constraint.kind, constraint.text), []).append(constraint)
    members += [_Member(None, tuple(constraints)) for constraints in said.values()]
    culprits = list(members)
    for member in members:
        trial = [m for m in culprits if m is not member]
        if not _holds_with(problem, members, trial):
            culprits = trial
    return culprits


def _holds_with(problem: Problem, members: Sequence[_Member], kept: Sequence[_Member]) -> bool:
    """Whether the problem has a solution when only some of its givens and constraints are kept."""
    left = [m for m in members if m not in kept]
    loose = {m.given for m in left if m.given is not None}
    dropped = {c.key for m in left for c in m.constraints}
    return optimum_of(problem.loosened(loose).without(dropped).aiming()).outcome != "infeasible"


def _relaxation(problem: Problem, member: _Member) -> Relaxation:
    if member.given is not None:
        return _of_given(problem, member.given)
    constraint = member.constraints[0]
    if constraint.kind == "range":
        return _of_range(problem, member.constraints)
    return _of_bound(problem, constraint)


def _of_bound(problem: Problem, constraint: Constraint) -> Relaxation:
    """How near to its bound the left side can come, all else kept; of what has no bound, what may be said instead."""
    if constraint.kind == "given" and constraint.of is None:
        return Relaxation(constraint, constraint.text, constraint.span, constraint.otherwise, None, ())
    nearest = Goal("minimize", Op("/", (constraint.left, constraint.right)))
    every = _values(problem.without({constraint.key}).aiming(nearest))
    if every is None:
        return Relaxation(constraint, constraint.text, constraint.span, "", None, ())
    swapped = constraint.requirement is not None and _is_bound(problem, constraint.left)
    bounded, bound = (constraint.right, constraint.left) if swapped else (constraint.left, constraint.right)
    new = float(compiled(bounded)(every))
    dim = dim_of(problem, bound)
    if constraint.kind == "data":
        change = f"{constraint.text} >= {show_plain(loosened(new, False, 4, dim), dim)}"
    else:
        figure = show_plain(loosened(new, swapped, 4, dim), dim)
        change = f"{shown(bounded)} {'>=' if swapped else '<='} {figure}"
    return Relaxation(constraint, constraint.text, constraint.span, change, new, dim)


def _values(problem: Problem) -> dict[Name, float] | None:
    """All values at a problem's optimum; None where it has none."""
    problem = agreed(problem)
    found = optimum_of(problem)
    if not found.is_optimal:
        return None
    every = dict(found.values)
    derive(problem.settled(), every)
    return every


def _of_range(problem: Problem, ends: Sequence[Constraint]) -> Relaxation:
    """The nearest that a bounded figure can come to one of its ends when the range is left out."""
    first = ends[0]
    text = f"{first.text}: {' '.join(first.span.text.split())}" if first.span else first.text
    best: tuple[float, float, bool, Dim] | None = None
    for end in ends:
        figure, bound = (end.left, end.right) if isinstance(end.right, Num) else (end.right, end.left)
        assert isinstance(bound, Num)
        every = _values(problem.without({e.key for e in ends}).aiming(Goal("near", figure, bound)))
        if every is None:
            continue
        new = float(compiled(figure)(every))
        off = abs(math.log(new / bound.value))
        if best is None or off < best[0]:
            best = (off, new, new > bound.value, bound.dim)
    if best is None:
        return Relaxation(first, text, first.span, "", None, ())
    _, new, up, dim = best
    change = f"{first.text} {'>=' if up else '<='} {show_plain(loosened(new, not up, 4, dim), dim)}"
    return Relaxation(first, text, first.span, change, new, dim)


def _is_bound(problem: Problem, expr: Expr) -> bool:
    """Whether an expression is a fixed bound: numbers and lets only."""
    variables = {v.name for v in problem.variables}
    return not (names(problem.expanded(expr)) & variables)


def _of_given(problem: Problem, name: Name) -> Relaxation:
    """The nearest to a given figure that it can be, all else kept."""
    given = problem.givens[name]
    said, dim = problem.said(name), given.value.dim
    text = f"{said}: {shown(given.expr)}"
    free = problem.loosened({name}).keeping_decided()
    every = _values(free.aiming(Goal("near", Ref(name), Num(given.value.value, dim))))
    if every is None:
        return Relaxation(name, text, given.span, "", None, ())
    new = every[name]
    up = new > given.value.value
    if name.text == q.GPUS.text:
        new = math.ceil(new - 1e-6) if up else max(1.0, math.floor(new + 1e-6))
        figure = show_plain(new, dim)
    else:
        figure = show_plain(loosened(new, not up, 4, dim), dim)
    return Relaxation(name, text, given.span, f"{said} {'>=' if up else '<='} {figure}", new, dim)
