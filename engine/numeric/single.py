"""A problem in one variable whose limits are lines to its minimum: an interval, and where on it slopes turn.

Such are most plans: the size, or the tokens, or the time is what is left to find. Slopes are looked at all over the
interval, so that no search from elsewhere finds another minimum that these do not tell of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass
from runplan.engine.numeric.curvature import is_convex_form, is_straight_form
from runplan.engine.numeric.local import Point, Smooth, value_at
from runplan.engine.numeric.starts import REACH
from runplan.engine.numeric.subproblem import FAR

# Points between the ends, or around the start, at which slopes are looked at where no form says that there is one
# valley.
SAMPLES = 9
# Newton's method within a bracket: it doubles the digits a step, and halves the bracket where it does not.
STEPS = 200
# A step that is shorter than this, in units in the last place, is none.
LAST_PLACE = 4e-16


@dataclass(frozen=True, slots=True)
class Single:
    """A minimum in one variable; see `Optimum` for what its attributes mean."""

    x: float
    multipliers: tuple[float, ...]
    held: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class _End:
    """An end of the interval, and the inequality that it is of, with its slope; -1 where an equality pins it."""

    at: float
    of: int = -1
    slope: float = 0.0


def single(
    objectives: Sequence[Smooth],
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth],
    start: Point,
    *,
    nearby: bool = False,
) -> Single | None:
    """The minimum; None where the form, or the number of valleys, is another, or there is none: that is to be searched.

    Arguments are those of `minimise`, of a point of one variable. With `nearby` slopes are looked at where it starts
    and at the end towards which it falls from there alone, where there are two.
    """
    ends = _ends(inequalities, equalities)
    if ends is None:
        return None
    low, high = ends
    held: list[frozenset[int]] = []
    multipliers = [0.0] * len(inequalities)
    x = min(max(start[0], low.at), high.at)
    for objective in objectives:
        slopes = _slopes(objective, low.at, high.at, start, nearby=nearby)
        if slopes is None:
            return None
        if not any(slope or bend for _, slope, bend in slopes):
            held.append(frozenset())
            continue  # it is the same everywhere: the next one chooses
        found = _valley(objective, slopes, low.at, high.at)
        if found is None:
            return None
        x, slope = found
        end = next((end for end in (low, high) if slope and x == end.at), None)
        holds = end is not None and end.of >= 0
        held.append(frozenset((end.of,)) if end is not None and holds else frozenset())
        if end is not None and holds and len(held) == 1:
            multipliers[end.of] = -slope / end.slope
        break
    return Single(x, tuple(multipliers), tuple(held)) if abs(x) <= FAR else None


def _ends(inequalities: Sequence[Smooth], equalities: Sequence[Smooth]) -> tuple[_End, _End] | None:
    """The interval that lines leave; None where a limit is none, or where they leave nothing."""
    low, high = _End(-math.inf), _End(math.inf)
    for i, function in enumerate((*inequalities, *equalities)):
        found = value_at(function, (0.0,)) if is_straight_form(function) else None
        if found is None:
            return None
        constant, (slope,), _ = found
        equal = i >= len(inequalities)
        if not slope:
            if equal or constant > 0.0:
                return None
            continue
        end = _End(-constant / slope, -1) if equal else _End(-constant / slope, i, slope)
        if (equal or slope > 0.0) and (end.at < high.at or (equal and end.at == high.at)):
            high = end
        if (equal or slope < 0.0) and (end.at > low.at or (equal and end.at == low.at)):
            low = end
    return (low, high) if low.at <= high.at else None


_Slope = tuple[float, float, float]


def _slopes(objective: Smooth, low: float, high: float, start: Point, *, nearby: bool) -> list[_Slope] | None:
    """Points from the lowest to the highest, each with the first and second derivative there; None where one has none.

    Of what is convex by its form the ends tell all, where they are finite.
    """
    at = {end for end in (low, high) if math.isfinite(end)}
    if nearby and len(at) == 2:
        here = _slope_at(objective, min(max(start[0], low), high))
        if here is None:
            return None
        x, slope, _ = here
        at = ({high} if slope < 0.0 else {low} if slope > 0.0 else at) - {x}
        out = [here, *(_slope_at(objective, end) for end in at)]
    else:
        if (len(at) < 2 and low < high) or not is_convex_form(objective):
            first, last = max(low, start[0] - REACH), min(high, start[0] + REACH)
            at |= {first + (last - first) * (i + 1) / (SAMPLES + 1) for i in range(SAMPLES)} if first < last else set()
        out = [_slope_at(objective, x) for x in at]
    found = [one for one in out if one is not None]
    return sorted(found) if len(found) == len(out) else None


def _slope_at(objective: Smooth, x: float) -> _Slope | None:
    """A point with the first and second derivative there; None where it has none."""
    found = value_at(objective, (x,))
    if found is None:
        return None
    _, (slope,), ((bend,),) = found
    return x, slope, bend


def _valley(objective: Smooth, slopes: Sequence[_Slope], low: float, high: float) -> tuple[float, float] | None:
    """The bottom of the one valley that slopes tell of, and the slope there; None where they tell of none, or more."""
    falls = [slope < 0.0 for _, slope, _ in slopes]
    count = sum(falls)
    if not all(falls[:count]) or sum(slope == 0.0 for _, slope, _ in slopes) > 1:
        return None
    if count == len(falls):
        x, slope, _ = slopes[-1]
        return (x, slope) if x == high else None
    x, slope, _ = slopes[count]
    if not slope:
        return x, slope
    if not count:
        return (x, slope) if x == low else None
    return _turn(objective, slopes[count - 1], slopes[count])


def _turn(objective: Smooth, below: _Slope, above: _Slope) -> tuple[float, float] | None:
    """Where a slope turns between a point at which it falls and one at which it rises: Newton's method, bracketed."""
    low, high = below[0], above[0]
    x, slope, bend = min(below, above, key=lambda one: abs(one[1]))
    for _ in range(STEPS):
        next_ = x - slope / bend if bend > 0.0 else math.inf
        if not low < next_ < high:
            next_ = (low + high) / 2
        if abs(next_ - x) <= LAST_PLACE * max(1.0, abs(x)):
            return x, 0.0
        found = value_at(objective, (next_,))
        if found is None:
            return None
        x, (_, (slope,), ((bend,),)) = next_, found
        if not slope:
            return x, 0.0
        low, high = (x, high) if slope < 0.0 else (low, x)
    return None
