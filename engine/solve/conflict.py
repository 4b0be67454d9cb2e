"""A problem without a solution to what cannot hold together, and the smallest changes that make room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runplan.engine.problem.problem import Constraint, Problem
from runplan.engine.problem.solution import Relaxation, Solution
from runplan.engine.solve.failed import without
from runplan.engine.solve.knobs import Knob, Member, members_of
from runplan.engine.solve.reach import reached
from runplan.engine.solve.room import broken_of, makes_room, room
from runplan.engine.solve.values import solved


def infeasible(problem: Problem) -> Solution:
    """The smallest set of givens and constraints that cannot hold together, and for each the change that makes room."""
    culprits = _conflict(problem)
    shown = _shown(problem, culprits)
    broken = broken_of(problem, {name: value.value for name, value in shown.values.items()})
    conflict = tuple(_relaxation(problem, member, broken) for member in culprits)
    return replace(shown, status="infeasible", conflict=conflict, problem=problem)


def _shown(problem: Problem, culprits: Sequence[Member]) -> Solution:
    """The numbers to show: those without the requirements that conflict, where the plan can be solved without them."""
    requires = {c.key for c in problem.constraints if c.kind == "require" and any(_is_of(c, m) for m in culprits)}
    if requires:
        relaxed = reached(problem.without(requires))
        if relaxed.is_optimal:
            return solved(relaxed.problem, relaxed.found.values, relaxed.found.binding)
    return without(problem, "infeasible", problem.findings)


def _is_of(constraint: Constraint, member: Member) -> bool:
    """Whether a constraint is what a member says, or a part of it."""
    return isinstance(member.of, Constraint) and (constraint.kind, constraint.text) == (member.of.kind, member.of.text)


def _conflict(problem: Problem) -> list[Member]:
    """The members of a minimal conflict: without any one of them the others hold."""
    # The rate that the verdict rests on is kept: with another size left open there would be another.
    kept = replace(problem, agreements=()).aiming()
    members = members_of(problem)
    culprits = list(members)
    # Figures that contradict each other are to blame before what is wished for besides.
    for member in sorted(members, key=lambda m: not isinstance(m.of, Constraint)):
        trial = [m for m in culprits if m is not member]
        left = kept
        for other in members:
            left = left if other in trial else other.left_out(left)
        if reached(left).found.outcome == "infeasible":
            culprits = trial
    return culprits


def _relaxation(problem: Problem, member: Member, broken: frozenset[str]) -> Relaxation:
    """The nearest that a member can be changed to, so that all else is kept."""
    changes: list[tuple[Knob, float]] = []
    for knob in member.knobs:
        value = room(problem, knob, lambda changed: makes_room(changed, broken))
        if value is not None:
            changes.append((knob, value))
    if not changes:
        return Relaxation(member.of, member.text, member.span, "", None, ())
    (knob, value), *others = changes
    more = tuple(other.change(new) for other, new in others)
    return Relaxation(member.of, member.text, member.span, knob.change(value), value, knob.written.dim, more)
