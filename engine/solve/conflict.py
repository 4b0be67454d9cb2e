"""A problem without a solution to what cannot hold together, and the smallest changes that make room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.engine.numeric.optimise import Outcome
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint, Otherwise
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change, Relaxation, Solution
from runplan.engine.solve.digits import holds
from runplan.engine.solve.failed import without
from runplan.engine.solve.instead import Spot, put
from runplan.engine.solve.knob import Knob, Member
from runplan.engine.solve.knobs import members_of
from runplan.engine.solve.margin import broken_of, makes_room, margin
from runplan.engine.solve.reach import reached
from runplan.engine.solve.room import room
from runplan.engine.solve.values import solved
from runplan.engine.solve.why import why

# Conflicts that a plan is told of at once.
CONFLICTS = 3


def infeasible(problem: Problem) -> Solution:
    """What cannot hold together, and for each the change that makes room.

    A plan may have several conflicts, so that no change of one figure makes room. Each is told then with the changes
    that end it.
    """
    found = _conflicts(problem)
    shown = _shown(problem, [member for members in found for member in members])
    broken = broken_of(problem, {name: value.value for name, value in shown.values.items()})
    conflicts = _told(problem, found, broken)
    if len(found) == 1 and not any(one.change for one in conflicts[0]) and (more := _beside(problem, found[0])):
        conflicts = _told(problem, [*found, *more], broken)
    first = conflicts[0]
    if len(conflicts) > 1:
        first = tuple(replace(one, change=None, value=None, others=()) for one in first)
    reasons = tuple(why(problem, conflict) for conflict in conflicts)
    return replace(
        shown, status="infeasible", conflict=first, conflicts=tuple(conflicts), reasons=reasons, problem=problem
    )


def conflicting(problem: Problem) -> tuple[str, ...]:
    """What cannot hold together in a problem that has no solution, as the plan says it."""
    return tuple(member.text for member in _conflict(problem))


def core_of(problem: Problem) -> frozenset[str]:
    """The keys of constraints that cannot hold together, of those of the conflict that `conflicting` tells."""
    told = {member.text for member in _conflict(problem)}
    for member in members_of(problem):
        if member.text not in told:
            problem = member.left_out(problem)
    for constraint in problem.constraints:
        fewer = problem.without({constraint.key})
        if not holds(fewer):
            problem = fewer
    return frozenset(constraint.key for constraint in problem.constraints)


def beside(problem: Problem, conflicts: Sequence[Sequence[Relaxation]]) -> Solution:
    """The numbers of a problem that has no solution beside conflicts that are known."""
    return replace(
        _shown(problem, [one for conflict in conflicts for one in conflict]), status="infeasible", problem=problem
    )


def _conflicts(problem: Problem) -> list[list[Member]]:
    """Minimal conflicts, each of what the ones before it leave."""
    found: list[list[Member]] = []
    while len(found) < CONFLICTS:
        members = _conflict(problem)
        found.append(members)
        for member in members:
            problem = member.left_out(problem)
        if not members or can_hold(problem, ()):
            break
    return found


def _beside(problem: Problem, members: Sequence[Member]) -> list[list[Member]]:
    """The conflicts that some members of one are in as well, each of what is left without one of the others."""
    found: dict[tuple[str, ...], list[Member]] = {}
    for member in members:
        left = member.left_out(problem)
        if not can_hold(left, ()):
            other = _conflict(left)
            found[tuple(m.text for m in other)] = other
    return list(found.values())[: CONFLICTS - 1]


def _told(problem: Problem, found: Sequence[Sequence[Member]], broken: frozenset[str]) -> list[tuple[Relaxation, ...]]:
    """Each conflict with the changes that end it, the others being ended otherwise."""
    told = []
    for members in found:
        apart = _apart(problem, found, members)
        told.append(tuple(_relaxation(apart, member, broken) for member in members))
    return told


def _shown(problem: Problem, culprits: Sequence[Member | Relaxation]) -> Solution:
    """The numbers to show: those without the requirements that conflict, where the plan can be solved without them."""
    requires = {c.key for c in problem.kept if c.kind == "require" and any(_is_of(c, m) for m in culprits)}
    if requires:
        relaxed = reached(problem.without(requires))
        if relaxed.is_optimal:
            return solved(relaxed.problem, relaxed.found.values, relaxed.found.binding)
    return without(problem, "infeasible", problem.findings)


def _is_of(one: Constraint | Either, member: Member | Relaxation) -> bool:
    """Whether a constraint or a choice is what a member says, or a part of it."""
    return not isinstance(member.of, Name) and (one.kind, one.text) == (member.of.kind, member.of.text)


def _conflict(problem: Problem) -> list[Member]:
    """The members of a minimal conflict: without any one of them the others hold."""
    members = members_of(problem)
    needed: set[str] = set()
    culprits = _fewer(problem, members, members, needed)
    # What could not be told to be infeasible beside much else may be beside little.
    while len(fewer := _fewer(problem, members, culprits, needed)) < len(culprits):
        culprits = fewer
    return culprits


def _fewer(problem: Problem, members: Sequence[Member], culprits: Sequence[Member], needed: set[str]) -> list[Member]:
    """The culprits less each, one after the other, without which the others cannot hold together either.

    Args:
        needed: The texts of those without which the others were seen to hold, as fewer of them do as well; it grows.
    """
    left = list(culprits)
    # Figures that contradict each other are to blame before what is wished for besides.
    for member in sorted(culprits, key=lambda m: isinstance(m.of, Name)):
        trial = [m for m in left if m is not member]
        kept = set(map(id, trial))
        left_out = [m for m in members if id(m) not in kept]
        outcome = _outcome(problem, left_out) if member.text not in needed else "optimal"
        if outcome == "infeasible":
            left = trial
        elif outcome == "optimal":
            needed.add(member.text)
    return left


def can_hold(problem: Problem, left_out: Sequence[Member]) -> bool:
    """Whether the plan has any solution where it does not say some of what it says."""
    return _outcome(problem, left_out) != "infeasible"


def _outcome(problem: Problem, left_out: Sequence[Member]) -> Outcome:
    """What comes of looking for any solution of a plan that does not say some of what it says."""
    for member in left_out:
        problem = member.left_out(problem)
    return reached(problem.aiming()).found.outcome


def _relaxation(problem: Problem, member: Member, broken: frozenset[str]) -> Relaxation:
    """The nearest that a member can be changed to, so that all else is kept; or what may be said in its place."""
    if isinstance(member.of, Constraint) and member.of.otherwise:
        otherwise = member.of.otherwise
        change = None
        if member.span is not None and makes_room(_otherwise(problem, member.of, otherwise), broken):
            change = put(Spot(member.span, member.span), otherwise.new, otherwise.text)
        return Relaxation(member.of, member.text, member.span, change, None, ())
    changes = list(_ways(problem, member, broken))
    if not changes:
        return Relaxation(member.of, member.text, member.span, None, None, ())
    (knob, value), *others = changes
    more = tuple(other.change(new) for other, new in others)
    return Relaxation(member.of, member.text, member.span, knob.change(value), value, knob.written.dim, more)


def _ways(problem: Problem, member: Member, broken: frozenset[str]) -> Iterator[tuple[Knob, float]]:
    """The figures of a member, and the nearest that each can be changed to so that all else is kept."""
    for knob in member.knobs if can_hold(problem, [member]) else ():
        value = room(problem, knob, lambda changed: margin(changed, (), broken))
        if value is not None:
            yield knob, value


def with_another(problem: Problem, conflict: Sequence[Relaxation]) -> tuple[Change, ...]:
    """Two changes that end a conflict together: of what is required, which no change by itself keeps, and of what else
    stands against that, such as the time behind a deadline; none where there are no such.
    """
    texts = {one.text for one in conflict}
    stuck = {one.text for one in conflict if one.change is None}
    for member in (one for one in members_of(problem) if one.text in stuck and one.requirement):
        left = member.left_out(problem)
        if can_hold(left, ()):
            continue
        shown = _shown(left, conflict)
        broken = broken_of(left, {name: value.value for name, value in shown.values.items()})
        for other in (one for one in _conflict(left) if one.text not in texts):
            for knob, value in _ways(left, other, broken):
                changed = knob.at(problem, value)
                own = next(one for one in members_of(changed) if one.text == member.text)
                for mine, new in _ways(changed, own, broken):
                    return mine.change(new), knob.change(value)
    return ()


def way_out(problem: Problem) -> tuple[Knob, float] | None:
    """A figure, and what it can be changed to, so that a conflict of a problem ends, the others being ended otherwise;
    None where none will do.
    """
    found = _conflicts(problem)
    shown = _shown(problem, [member for members in found for member in members])
    broken = broken_of(problem, {name: value.value for name, value in shown.values.items()})
    alone = next(_ways_out(problem, found, broken), None)
    if alone is None and len(found) == 1 and (more := _beside(problem, found[0])):
        return next(_ways_out(problem, [*found, *more], broken), None)
    return alone


def _ways_out(
    problem: Problem, found: Sequence[Sequence[Member]], broken: frozenset[str]
) -> Iterator[tuple[Knob, float]]:
    for members in found:
        apart = _apart(problem, found, members)
        # What the budget of a folder says is not for the plan to say otherwise.
        for member in (one for one in members if not (one.requirement and one.requirement.budget)):
            yield from _ways(apart, member, broken)


def _apart(problem: Problem, found: Sequence[Sequence[Member]], members: Sequence[Member]) -> Problem:
    """The problem with one of its conflicts, the others being ended otherwise."""
    own = {member.text for member in members}
    for other in (member for others in found for member in others if member.text not in own):
        problem = other.left_out(problem)
    return problem


def _otherwise(problem: Problem, constraint: Constraint, instead: Otherwise) -> Problem:
    """The problem that says something else in the place of a constraint."""
    new = replace(constraint, left=instead.left, right=instead.right, equal=False, otherwise=None)
    definitions = {**problem.definitions}
    definitions[instead.name] = replace(definitions[instead.name], expr=instead.expr)
    constraints = tuple(new if c.key == constraint.key else c for c in problem.constraints)
    return replace(problem, definitions=definitions, constraints=constraints)
