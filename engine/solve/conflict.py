"""A problem without a solution to what cannot hold together, and the smallest changes that make room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.dims import Dim
from runplan.engine.problem.problem import Aim, Limit, Problem
from runplan.engine.problem.solution import Room, Solution
from runplan.engine.solve.failed import without
from runplan.engine.solve.rounding import FAMILIAR, loosened, show_plain
from runplan.engine.solve.search import Repose, optimum_over
from runplan.engine.solve.values import dim_of, evaluate, solved


@dataclass(frozen=True, slots=True)
class _Member:
    """A given or a limit that may take part in a conflict."""

    name: str
    limit: Limit | None


def infeasible(problem: Problem, repose: Repose) -> Solution:
    """The smallest set of givens and limits that cannot hold together, and for each the change that makes room."""
    members = [_Member(name, None) for name in problem.givens if name in problem.definitions or name == "compute"]
    movable = ("require", "range", "given", "data")
    # The two ends of a range, and the parts of a chain, are one thing that the plan says.
    said = {limit.name: limit for limit in reversed(problem.limits) if limit.kind in movable}
    members += [
        _Member(name, said[name]) for name in dict.fromkeys(limit.name for limit in problem.limits) if name in said
    ]
    culprits = list(members)
    for member in members:
        trial = [m for m in culprits if m is not member]
        if not _holds_with(problem, repose, members, trial):
            culprits = trial
    conflict = tuple(room for member in culprits if (room := _room(problem, repose, member)) is not None)
    # Where the plan can be solved without the requirements that conflict, those numbers are shown.
    requires = [m.limit for m in culprits if m.limit is not None and m.limit.kind == "require"]
    base = without(problem, "infeasible", problem.findings, conflict)
    if requires:
        limits = tuple(limit for limit in problem.limits if limit not in requires)
        relaxed = replace(problem, limits=limits)
        optimum, env = optimum_over(relaxed, relaxed.aims, limits)
        if optimum.outcome == "optimal":
            found = solved(relaxed, env, (limits[i].name for i in optimum.binding))
            base = replace(found, status="infeasible", conflict=conflict, problem=problem)
    return base


def _holds_with(problem: Problem, repose: Repose, members: Sequence[_Member], kept: Sequence[_Member]) -> bool:
    """Whether the problem has a solution when only some of its givens and limits are kept."""
    loose = frozenset(m.name for m in members if m.limit is None and m not in kept)
    dropped = [m.limit.name for m in members if m.limit is not None and m not in kept]
    posed = repose(loose, {})
    limits = tuple(limit for limit in posed.limits if limit.name not in dropped or limit.kind == "capacity")
    return optimum_over(posed, (), limits)[0].outcome != "infeasible"


def _room(problem: Problem, repose: Repose, member: _Member) -> Room | None:
    if member.limit is None:
        return _room_of_given(problem, repose, member.name)
    limit = member.limit
    if limit.kind == "range":
        return _room_of_range(problem, limit)
    others = tuple(other for other in problem.limits if other is not limit)
    # How near to its bound can the left side come, all else kept?
    aim = Aim("minimize", Op("/", (limit.left, limit.right)))
    optimum, env = optimum_over(problem, (aim,), others)
    text = limit.name
    if optimum.outcome != "optimal":
        return Room(limit.name, text, limit.span, "", None, ())
    every = dict(env)
    evaluate(problem, every)
    constraint = limit.constraint
    swapped = constraint is not None and isinstance(limit.left, Expr) and _is_bound(problem, limit.left)
    bounded, bound = (limit.right, limit.left) if swapped else (limit.left, limit.right)
    new = float(compiled(bounded)(every))
    dim = dim_of(problem, bound)
    if limit.kind == "data":
        said = show_plain(loosened(new, False, 4, dim), dim)
        return Room(limit.name, limit.name, limit.span, f"{limit.name} >= {said}", new, dim)
    sign = ">=" if swapped else "<="
    said = show_plain(loosened(new, swapped, 4, dim), dim)
    return Room(limit.name, text, limit.span, f"{shown(bounded)} {sign} {said}", new, dim)


def _room_of_range(problem: Problem, limit: Limit) -> Room:
    """The nearest that a bounded figure can come to one of its ends when the range is left out."""
    ends = [other for other in problem.limits if other.name == limit.name and other.kind == "range"]
    others = tuple(other for other in problem.limits if other not in ends)
    text = f"{limit.name}: {' '.join(limit.span.text.split())}" if limit.span else limit.name
    best: tuple[float, float, Expr, Dim] | None = None
    for end in ends:
        figure, bound = (end.left, end.right) if isinstance(end.right, Num) else (end.right, end.left)
        assert isinstance(bound, Num)
        optimum, env = optimum_over(problem, (Aim("near", figure, bound),), others)
        if optimum.outcome != "optimal":
            continue
        every = dict(env)
        evaluate(problem, every)
        new = float(compiled(figure)(every))
        off = abs(math.log(new / bound.value))
        if best is None or off < best[0]:
            best = (off, new, figure, bound.dim)
            up = new > bound.value
    if best is None:
        return Room(limit.name, text, limit.span, "", None, ())
    _, new, figure, dim = best
    said = show_plain(loosened(new, not up, 4, dim), dim)
    return Room(limit.name, text, limit.span, f"{limit.name} {'>=' if up else '<='} {said}", new, dim)


def _is_bound(problem: Problem, expr: Expr) -> bool:
    """Whether an expression is a fixed bound: numbers and lets only."""
    variables = {v.name for v in problem.variables}
    return not (names(problem.expanded(expr)) & variables)


def _room_of_given(problem: Problem, repose: Repose, name: str) -> Room | None:
    given = problem.givens[name]
    posed = repose(frozenset({name}), {})
    variable = next((v for v in posed.variables if v.name == name), None)
    text = f"{FAMILIAR.get(name, name)}: {shown(given.expr)}"
    if variable is None and name not in posed.definitions and name != "compute":
        return None
    dim = given.value.dim
    target = Num(given.value.value, dim)
    aim = Aim("near", Ref(name), target)
    optimum, env = optimum_over(posed, (aim,), posed.limits)
    if optimum.outcome != "optimal":
        return Room(name, text, given.span, "", None, ())
    every = dict(env)
    evaluate(posed, every)
    new = every[name]
    up = new > given.value.value
    if name.endswith("gpus"):
        new = math.ceil(new - 1e-6) if up else max(1.0, math.floor(new + 1e-6))
    sign = ">=" if up else "<="
    said = show_plain(loosened(new, not up, 4, dim) if not name.endswith("gpus") else new, dim)
    return Room(name, text, given.span, f"{FAMILIAR.get(name, name)} {sign} {said}", new, dim)
