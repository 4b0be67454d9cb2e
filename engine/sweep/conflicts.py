"""What cannot hold together at many points, and how that is told at each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.search import optimum_of
from runplan.engine.sweep.grid import Mask
from runplan.engine.sweep.known import MOST, Env, Known, at_point, flat
from runplan.engine.sweep.regions import Conflict

# Further off, in logarithms, nothing of a plan is.
FAR = 70.0


@dataclass(frozen=True, slots=True)
class Why:
    """Why a point has no solution.

    Attributes:
        text: What cannot hold together, in words.
        said: The values of the axes there.
        core: The keys of the constraints that these words are of.
    """

    text: str
    said: tuple[str, ...]
    core: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reason:
    """What cannot hold together at points, in words.

    Attributes:
        pieces: The words between the values of axes.
        axes: Which axis' value stands behind each piece but the last.
    """

    pieces: tuple[str, ...]
    axes: tuple[int, ...]

    @staticmethod
    def of(text: str, said: Sequence[str]) -> Reason:
        """The words in which the values of axes, as they are said, stand for any value of these."""
        marks = [re.escape(one) for one in said]
        found = list(re.finditer("|".join(rf"(?<![\w.])({mark})(?![\w.])" for mark in marks), text))
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
        return Reason(pieces, tuple(match.lastindex - 1 for match in found if match.lastindex))

    def text(self, said: Sequence[str]) -> str:
        """The words at values of all axes."""
        return "".join(
            piece + (said[axis] if axis >= 0 else "") for piece, axis in zip(self.pieces, (*self.axes, -1), strict=True)
        )


class Conflicts:
    """What is known of a problem to be at odds at points."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._problem: Problem = known.problem
        self._limits = limits(known.problem)
        self._wishes = frozenset(at for at, one in enumerate(self._limits) if one.kind == "require")
        self.every: list[tuple[Conflict, Reason]] = []

    def found(self, env: Env, some: Mask) -> npt.NDArray[np.int64]:
        """Which conflict keeps points of a grid from having a solution, of some; -1 where none that is known does."""
        figures = self._known.posed.forms.figures(env) if self.every else {}
        found = np.full(some.shape, -1, dtype=np.int64)
        for at, (conflict, _) in enumerate(self.every):
            left = np.flatnonzero(some & (found < 0))
            if len(left):
                here = flat(figures, some.shape, left)
                found.flat[left[self._known.curved.at_odds(conflict, here, len(left), self._wishes)[1]]] = at
        return found

    def learn(self, at: Mapping[Name, float], env: Env, left: Mask, point: int, why: Callable[[int], Why]) -> None:
        """Take in what cannot hold together at a point, where its words are those of other points, too.

        Args:
            left: Points of a grid of one axis, this among them.
        """
        found = optimum_of(at_point(self._problem, at).aiming())
        assumed = any(d.kind == "assumed" and name.text == q.MFU.text for name, d in self._problem.definitions.items())
        if found.certainty != "convex" or assumed or len(self.every) >= MOST:
            return
        told = why(point)
        conflict = self._conflict(told.core, at)
        if conflict is None:
            return
        self.every.append((conflict, Reason.of(told.text, told.said)))
        alike = np.flatnonzero(self.found(env, left) == len(self.every) - 1)
        # Other points show whether the words are rightly taken apart, where nothing else is at odds there.
        others = [int(alike[len(alike) * part // 8]) for part in range(8)] if len(alike) else []
        each = map(why, (other for other in dict.fromkeys(others) if other != point))
        if len(alike) > 1 and not any(self.every[-1][1].text(one.said) == one.text for one in each):
            self.every.pop()

    def _conflict(self, keys: Collection[str], at: Mapping[Name, float]) -> Conflict | None:
        """Constraints that are at odds at a point, with where they are broken alike; None where that is not found."""
        places = [place for place, one in enumerate(self._limits) if one.key in keys]
        equal = [place for place in places if self._limits[place].equal]
        figures = self._known.posed.forms.figures({name: np.array([value]) for name, value in at.items()})
        start = tuple(math.log(v.start) for v in self._problem.variables)
        far = [(), *((at,) for at in range(len(start)))]
        for signs, off, end in product(product((1, -1), repeat=len(equal)), far, (FAR, -FAR)):
            sign = dict(zip(equal, signs, strict=True))
            begin = (*(end if at in off else x for at, x in enumerate(start)), 1.0)
            conflict = Conflict(begin, tuple((place, sign.get(place, 1)) for place in places), off)
            z, good = self._known.curved.at_odds(
                conflict, flat(figures, (1,), np.zeros(1, dtype=np.int64)), 1, self._wishes
            )
            if bool(good[0]):
                return replace(conflict, start=tuple(z[:, 0].tolist()))
        return None


def limits(problem: Problem) -> tuple[Constraint, ...]:
    """The constraints of a problem in the order in which it is posed over arrays: equalities last."""
    return (*(c for c in problem.constraints if not c.equal), *(c for c in problem.constraints if c.equal))
