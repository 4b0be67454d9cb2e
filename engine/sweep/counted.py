"""Solutions over a grid with counts of devices and of experts whole, as `engine/solve/whole.py` makes those of a plan.

Rounded up, the run stays as it was found, and what else is open is found with that. Where a constraint forbids it,
whole counts are looked for by the solver of single plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.whole import EXACT, WHOLE, counts, node_of, step_of
from runplan.engine.sweep.grid import Array, Mask, whole
from runplan.engine.sweep.known import HERE, Env, Known, Piece
from runplan.engine.sweep.told import Told

# What is compared with `WHOLE` is left to the solver of single plans where it is nearer to it than by this factor.
NEAR = 2.0


def is_fit(problem: Problem) -> bool:
    """Whether counts are made whole here: none is a choice of the run itself, and their nodes are of known sizes."""
    own = counts(problem)
    nodes = [problem.definitions[node_of(name)].expr for name in own if node_of(name) in problem.definitions]
    of_the_run = problem.quantities.decided_by("run")
    return all(isinstance(node, Num) for node in nodes) and not any(name.text in of_the_run for name in own)


class Counted:
    """A problem over a grid with the regions of it that are known, its counts whole.

    Attributes:
        real: The same with counts that need not be whole.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.real = Known(problem)
        self._steps = {name: step_of(problem, name) for name in counts(problem)}
        of_the_run = problem.quantities.decided_by("run")
        rest = tuple(v for v in problem.variables if v.name not in self._steps and v.name.text not in of_the_run)
        # With the counts and the run held: their names are figures, as those that are varied.
        self._rest = Known(replace(problem, variables=rest)) if self._steps and rest else None
        self._told = Told(problem)

    @property
    def known(self) -> int:
        """How many regions are known."""
        return len(self.real.regions) + (len(self._rest.regions) if self._rest else 0)

    def solved(self, env: Env, wanted: Mask) -> Iterator[Piece]:
        """The points of a grid, of those that are wanted, that lie in regions which are known."""
        for piece in self.real.solved(env, wanted):
            if not self._steps:
                yield piece
                continue
            rounded, stays = self._rounded(piece)
            if stays.where.any():
                yield stays
            if rounded.where.any():
                yield from self._rest.solved(rounded.env, rounded.where) if self._rest else (rounded,)

    def learn(self, at: Mapping[Name, float]) -> None:
        """Take in the region of the solution at a point, where it is in none that is known, and can be told."""
        self.real.learn(at)
        if self._rest is None:
            return
        for piece in self.real.solved({name: np.array([value]) for name, value in at.items()}, HERE):
            rounded, _ = self._rounded(piece)
            if rounded.where.any():
                held = {name: value for name, value in rounded.env.items() if name not in self._rest.posed.variables}
                self._rest.learn({name: float(np.ravel(whole(value))[0]) for name, value in held.items()})

    def _rounded(self, piece: Piece) -> tuple[Piece, Piece]:
        """The points of a piece at which counts are rounded up, and those at which all are whole already."""
        up: dict[Name, Array] = {}
        exact: dict[Name, Array] = {}
        off: Mask = np.asarray(False)
        sure = piece.where
        for name, step in self._steps.items():
            value = np.asarray(whole(piece.env[name]))
            real = value / step
            nearest, least = np.round(real), np.maximum(1.0, np.ceil(real - WHOLE))
            near = np.abs(real - nearest)
            off = off | (np.abs(least - real) > WHOLE)
            sure = sure & ((near <= WHOLE / NEAR) | (near > WHOLE * NEAR))
            up[name] = least * step
            exact[name] = np.where(np.isclose(nearest * step, value, rtol=EXACT, atol=0.0), nearest * step, value)
        rounded, stays = {**piece.env, **up}, {**piece.env, **exact}
        return Piece(rounded, sure & off & self._keeps(rounded)), Piece(stays, sure & ~off)

    def _keeps(self, env: Env) -> Mask:
        """Where values of the variables keep every constraint."""
        known, keeps = dict(env), np.asarray(True)
        for one in self.problem.kept:
            assert isinstance(one, Constraint), "a problem with choices has no template"
            keeps = keeps & (self._told.excess(one, known) <= TOLERANCE)
        return keeps
