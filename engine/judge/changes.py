"""What is required, and a solution breaks, to the changes of one given figure each that would keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import gap
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Op, names
from runplan.dsl.plan.ir import Requirement
from runplan.engine.problem.either import Alternative, Either
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change, Solution
from runplan.engine.solve.knob import Knob
from runplan.engine.solve.knobs import knobs_of
from runplan.engine.solve.margin import broken_of, margin, margin_at, rests_on
from runplan.engine.solve.reach import reached
from runplan.engine.solve.room import matters, room

# Digits of the changes that keep what figures alone decide, which can be worked out on the back of an envelope.
DIGITS = (3, 4, 6, 8)


def changes_for(solution: Solution, requirement: Requirement, parts: Sequence[Op]) -> list[Change]:
    """Changes to one given figure each that would keep the requirement, one of several parts of it, each solved."""
    own = [one for one in solution.problem.held if one.requirement == requirement]
    return keeping(solution, *(own or [_kept(parts)]))


def keeping(solution: Solution, *own: Constraint | Either) -> list[Change]:
    """Changes to one given figure each that would keep what is required, each solved."""
    return [knob.change(value) for knob, value in ways_of(solution, *own)]


def ways_of(solution: Solution, *own: Constraint | Either) -> Iterator[tuple[Knob, float]]:
    """The figures that would keep what is required, each by itself, and what each is changed to."""
    # What is in a conflict has its own finding and help.
    conflicting = {one.of.text for one in solution.conflict if not isinstance(one.of, Name)}
    before = solution.problem
    before = before.without({one.key for one in before.kept if one.kind == "require" and one.text in conflicting})
    values = {name: value.value for name, value in solution.values.items()}
    broken = broken_of(before, values)
    others = [one for one in before.held if one.key not in broken and one not in own]
    problem = replace(before.beginning(values, nearby=True), held=(*others, *own))
    wanted = [one.key for one in own]
    stays = margin_at(problem, values, wanted) if _has_room(problem) else None
    rests = rests_on(problem, own)
    for knob in knobs_of(problem, _sources_of(own)):
        if stays is not None and not matters(problem, knob, rests):
            continue  # the solution is the same with any other figure
        value = room(problem, knob, lambda changed: margin(changed, wanted), DIGITS, stays=stays)
        if value is not None:
            yield knob, value


def _sources_of(wanted: Iterable[Constraint | Either]) -> set[str]:
    """The sources that requirements name."""
    sides = (side for one in wanted for part in one.parts for side in (part.left, part.right))
    return {source for side in sides for name in names(side) if (source := name.part("source"))}


def _has_room(problem: Problem) -> bool:
    """Whether the plan as it is has room for all that it has to keep, if not beside what it wants."""
    if any(part.chance for part in problem.parts):
        return False
    constraints = [one for one in problem.held if isinstance(one, Constraint)]
    either = [one for one in problem.held if isinstance(one, Either)]
    kept = replace(problem, constraints=(*problem.constraints, *constraints), either=(*problem.either, *either))
    return reached(kept.aiming()).is_optimal


def _kept(parts: Sequence[Op]) -> Constraint | Either:
    """What keeps one of several comparisons."""
    ways = [way for i, part in enumerate(parts) for way in _ways(f"kept {i}", part)]
    return ways[0] if len(ways) == 1 else Either("kept", "kept", tuple(Alternative((one,)) for one in ways))


def _ways(key: str, part: Op) -> Iterator[Constraint]:
    """The ways to keep a comparison: of what leaves out a figure one to each side."""
    left, right = reversed(part.args) if part.op in (">=", ">") else part.args
    if part.op != "!=":
        yield Constraint(key, shown(part), left, right, "require", equal=part.op == "==")
        return
    off = gap(part)
    below, above = (Op("*", (right, Num(factor))) for factor in (1.0 - off, 1.0 + off))
    yield Constraint(f"{key} below", shown(part), left, below, "require", strict=True)
    yield Constraint(f"{key} above", shown(part), above, left, "require", strict=True)
