"""The least change of one figure of a plan that makes room, with the digits that it takes; each is solved."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.units.base import DATE
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.knob import Knob
from runplan.engine.solve.margin import has_other
from runplan.engine.solve.reach import reached
from runplan.engine.solve.rounding import DAY, DIGITS
from runplan.engine.solve.whole import Reached

# Changes that are tried grow fourfold: in logarithms from 2 % on, to a factor of 5e8, and in days from one on, to four
# years.
GROWS, FIRST, TRIES = 4.0, 0.02, 6
# A margin shrinks where it is less than this share of the last, and grows where that is less than this share of it.
SHRINKS = 0.98
# A figure that is aimed at beyond one that fails, and is told as that, is taken for one this share further.
HAIR = 1e-5
# Secants in a row that may leave more than half of what they search; then it is halved.
SECANTS = 3

# By how much a problem breaks what it has to keep, as `margin` tells it: at most 0 where it keeps it.
Margin = Callable[[Problem], float]


def room(
    problem: Problem, knob: Knob, margin: Margin, digits: Sequence[int] = DIGITS, *, stays: float | None = None
) -> float | None:
    """The nearest figure that makes room, to the digits that it is told with; None where none does.

    Args:
        margin: Of the problem with the change.
        digits: With how many digits it may be told, the fewest that hold.
        stays: The margin as the plan is, where nothing but what is wanted of it keeps it from having room: then it is
            solved for what it wants with each change, and else for the nearest change as well.
    """
    if stays is None and knob.freed is not None:
        freed = reached(knob.freed(problem))
        if freed.found.outcome == "infeasible":
            return None
        nearest = _nearest(knob, freed)
        if nearest is not None:
            for count in digits:
                value = knob.written.rounded(nearest, nearest < knob.now, count)
                if value != knob.now and margin(knob.at(problem, value)) <= 0.0:
                    return value
    return _Search(problem, knob, margin).found(math.inf if stays is None else stays)


def matters(problem: Problem, knob: Knob, rests: Collection[Name]) -> bool:
    """Whether another figure changes anything of what a solution, and what is wanted of it, rest on."""
    other = knob.at(problem, knob.now - DAY if knob.written.dim == DATE else knob.now * math.exp(-FIRST))
    held = any(a is not b for a, b in zip(problem.held, other.held, strict=True))
    return held or has_other(problem, other, rests)


def _nearest(knob: Knob, freed: Reached) -> float | None:
    """The figure that comes nearest to what it is, in the problem that leaves it open."""
    if not freed.is_optimal:
        return None
    value = float(value_of(knob.figure, freed.values))
    allowed = knob.more if value > knob.now else knob.less
    return value if math.isfinite(value) and allowed else None


@dataclass(frozen=True, slots=True)
class _Tried:
    """A figure, and the margin with it."""

    value: float
    margin: float


def _only_grows(tried: Sequence[_Tried]) -> bool:
    """Whether margins grow with each change, or end where there is no solution: there is nothing further on."""
    grows = [before.margin < SHRINKS * after.margin for before, after in pairwise(tried)]
    return all(grows) and (len(tried) > 2 or tried[-1].margin == math.inf)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the nearest figure, on the grid of those that can be told, by what margins tell of it."""

    problem: Problem
    knob: Knob
    margin: Margin

    def found(self, now: float) -> float | None:
        """The nearest figure that holds: by ever larger changes, and then between the last that fails and the first
        that holds.

        Args:
            now: The margin without a change.
        """
        first = _Tried(self.knob.now, now)
        ways = {up: [first] for up, sign in ((True, self.knob.more), (False, self.knob.less)) if sign}
        for rung in range(TRIES):
            for up, tried in list(ways.items()):
                value = self._rung(up, rung)
                if not self._is_beyond(tried[-1].value, value):
                    continue
                tried.append(self._at(value))
                while 0.0 < tried[-1].margin < SHRINKS * tried[-2].margin < math.inf:
                    aimed = self._aimed(up, *tried[-2:])
                    if aimed is None:
                        break
                    tried.append(self._at(aimed))
                if tried[-1].margin <= 0.0:
                    return self._between(*tried[-2:])
                if _only_grows(tried):
                    del ways[up]
        return None

    def _at(self, value: float) -> _Tried:
        return _Tried(value, self.margin(self.knob.at(self.problem, value)))

    def _rung(self, up: bool, rung: int) -> float:
        """The figure of a rung of changes that grow."""
        return self.knob.written.rounded(self._moved(GROWS**rung * (1.0 if up else -1.0)), not up)

    def _moved(self, steps: float) -> float:
        """The figure so many first steps further."""
        if self._is_date:
            return self.knob.now + steps * DAY
        return self.knob.now * math.exp(FIRST * steps)

    @property
    def _is_date(self) -> bool:
        return self.knob.written.dim == DATE

    def _is_beyond(self, last: float, value: float) -> bool:
        return value != last and (value > last) == (value > self.knob.now) and 0.0 < value < math.inf

    def _aimed(self, up: bool, before: _Tried, here: _Tried) -> float | None:
        """The figure beyond one that fails at which secants aim, no further than another rung; None beyond the last."""
        steps, sign = self._steps(here.value), 1.0 if up else -1.0
        if abs(steps) >= GROWS ** (TRIES - 1):
            return None
        ends = sorted((here.value, self._moved(max(GROWS * abs(steps), 1.0) * sign)))
        root = min(max(self._secant(before, here), ends[0]), ends[1])
        value = self.knob.written.rounded(root, not up)
        if not self._is_beyond(here.value, value):
            further = here.value + sign * HAIR * DAY if self._is_date else here.value * math.exp(sign * HAIR)
            value = self.knob.written.rounded(further, not up)
        return value if self._is_beyond(here.value, value) else None

    def _steps(self, value: float) -> float:
        """How many first steps a figure is away."""
        if self._is_date:
            return (value - self.knob.now) / DAY
        return math.log(value / self.knob.now) / FIRST

    def _secant(self, a: _Tried, b: _Tried) -> float:
        """Where the margin would be nothing, were it a line through two figures."""
        if not (math.isfinite(a.margin) and math.isfinite(b.margin)) or a.margin == b.margin:
            return math.inf
        share = b.margin / (a.margin - b.margin)
        try:
            return b.value + share * (b.value - a.value) if self._is_date else b.value * (b.value / a.value) ** share
        except OverflowError:
            return math.inf

    def _between(self, fails: _Tried, holds: _Tried) -> float:
        """The figure nearest to one that fails that holds, as far as these can be told apart."""
        turn = 0
        while (value := self._inside(fails, holds, turn)) is not None:
            turn += 1
            middle = self._at(value)
            fails, holds = (fails, middle) if middle.margin <= 0.0 else (middle, holds)
        return holds.value

    def _inside(self, fails: _Tried, holds: _Tried, turn: int) -> float | None:
        """A figure between two that can be told: by a secant, or halving; None where there is none."""
        low, high = sorted((fails.value, holds.value))
        guesses = [] if turn % (SECANTS + 1) == SECANTS else [self._secant(fails, holds)]
        guesses.append((low + high) / 2 if self._is_date else math.sqrt(low * high))
        down = holds.value < fails.value
        for guess in guesses:
            if not low <= guess <= high:
                continue
            # What is on the side that holds first: where it does, the next one that fails ends the search.
            for side in (down, not down):
                value = self.knob.written.rounded(guess, side)
                if low < value < high:
                    return value
        return None
