"""The least change of one figure of a plan that makes room, with the digits that it takes; each is solved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.base import DATE
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem, derive
from runplan.engine.solve.digits import aligned
from runplan.engine.solve.knobs import Knob
from runplan.engine.solve.reach import reached
from runplan.engine.solve.rounding import DAY, DIGITS, TOLERANCE

# Changes that are tried grow fourfold: in logarithms from 2 % on, to a factor of 5e8, and in days from one on, to four
# years.
GROWS, FIRST, TRIES = 4.0, 0.02, 6

Holds = Callable[[Problem], bool]


def makes_room(problem: Problem, broken: frozenset[str] = frozenset()) -> bool:
    """Whether a plan can be kept: it can be solved, and what its figures alone decide holds.

    Args:
        broken: Requirements that the figures break all the same.
    """
    problem = aligned(problem)
    for aimed in problem.aimed():
        found = reached(aimed)
        if found.is_optimal:
            return broken_of(problem, found.values) <= broken
        if found.found.outcome == "infeasible":
            return False
    # A plan that leaves something open leaves it open with room, too.
    return reached(problem.aiming()).is_optimal


def broken_of(problem: Problem, values: Mapping[Name, float]) -> frozenset[str]:
    """The keys of the requirements that figures alone decide, and that they break."""
    every = dict(values)
    derive(problem, every)
    return frozenset(part.key for part in problem.held if not _holds(problem, part, every))


def _holds(problem: Problem, part: Constraint | Either, values: Mapping[Name, float]) -> bool:
    """Whether all values of a solution keep a requirement that they decide; of a probability, as likely as is asked."""
    if any(one.chance for one in part.parts):
        from runplan.engine.solve.chances import keeps

        return keeps(problem, part, values)
    return part.excess(values) <= TOLERANCE


def room(problem: Problem, knob: Knob, holds: Holds, digits: Sequence[int] = DIGITS) -> float | None:
    """The nearest figure that makes room, to the digits that it is told with; None where none does.

    Args:
        holds: Whether the problem with the change is as it should be.
        digits: With how many digits it may be told, the fewest that hold.
    """
    nearest = _nearest(problem, knob)
    if nearest is not None:
        for count in digits:
            value = knob.written.rounded(nearest, nearest < knob.now, count)
            if value != knob.now and holds(knob.at(problem, value)):
                return value
    return _searched(problem, knob, holds)


def _nearest(problem: Problem, knob: Knob) -> float | None:
    """The figure at which the problem that leaves it open comes nearest to what it is."""
    if knob.freed is None:
        return None
    found = reached(knob.freed(problem))
    if not found.is_optimal:
        return None
    value = float(compiled(knob.figure)(found.values))
    allowed = knob.more if value > knob.now else knob.less
    return value if math.isfinite(value) and allowed else None


def _searched(problem: Problem, knob: Knob, holds: Holds) -> float | None:
    """The nearest figure on the grid of those that can be told, by ever larger changes, and halving the gap."""
    for fails, value in _further(knob):
        if not holds(knob.at(problem, value)):
            continue
        low, high = fails, value
        while (middle := _between(knob, low, high)) is not None:
            low, high = (low, middle) if holds(knob.at(problem, middle)) else (middle, high)
        return high
    return None


def _further(knob: Knob) -> Iterator[tuple[float, float]]:
    """Figures further and further away, each with the one before."""
    before = {True: knob.now, False: knob.now}
    for n in range(TRIES):
        for up in (up for up, sign in ((True, knob.more), (False, knob.less)) if sign):
            step = GROWS**n * (1.0 if up else -1.0)
            moved = knob.now + step * DAY if knob.written.dim == DATE else knob.now * math.exp(FIRST * step)
            value = knob.written.rounded(moved, not up)
            if value != before[up] and 0.0 < value < math.inf:
                yield before[up], value
                before[up] = value


def _between(knob: Knob, low: float, high: float) -> float | None:
    """A figure that can be told between one that fails and one that holds; None where there is none."""
    middle = (low + high) / 2 if knob.written.dim == DATE else math.sqrt(low * high)
    for down in (False, True):
        value = knob.written.rounded(middle, down)
        if min(low, high) < value < max(low, high):
            return value
    return None
