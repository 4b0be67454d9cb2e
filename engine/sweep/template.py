"""A problem in which some figures are arrays to its values over a grid: the way of `solve`, on arrays.

What has no such way, and each point that it does not settle, is left to the solver of single plans.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Ref, names
from runplan.dsl.types import Any
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.stretches import stretches
from runplan.engine.solve.reach import ONCE
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.search import optimum_of
from runplan.engine.sweep.conflicts import Conflicts, Why
from runplan.engine.sweep.counted import Counted, is_fit
from runplan.engine.sweep.grid import Array, Mask
from runplan.engine.sweep.known import Env, Piece, at_point
from runplan.engine.sweep.told import Told

# A stage of fewer tokens is looked at by the solver of single plans: it may be none.
SOME_TOKENS = 1e6
# Points whose regions are looked for, one after the other, in vain, before no more are; each so far, as a share of the
# points that are left, from the one before: those beside each other are in vain together.
TRIED = 6
APART = (math.sqrt(5.0) - 1.0) / 2.0
# Of what is compared with a bound by a tolerance: nearer to it than this share of the tolerance is too near to tell.
NEAR = 0.5


class Found(NamedTuple):
    """What a problem comes to over a grid. Arrays are as long as one where they hang on an axis no more.

    Attributes:
        solved: Where it is solved on arrays, however that came out.
        figures: What is asked; NaN where it has no value.
        sure: Where all of it is sure.
        wanted: Where the condition holds.
        broken: Where each requirement is broken that the givens decide, by its text.
    """

    solved: Mask
    figures: list[Array]
    sure: Mask
    wanted: Mask
    broken: list[tuple[str, Mask]]


class Template:
    """A problem in which some figures are names, to be given arrays."""

    def __init__(self, problem: Problem, asked: Sequence[Expr], where: Expr | None) -> None:
        self.problem = problem
        self._asked = tuple(asked)
        self._where = where
        self._once = Counted(problem)
        again = problem.repeating()
        # What bends between its stretches is solved point by point.
        self._again = Counted(again) if problem.repeats and len(stretches(again)) == 1 else None
        self._told = {id(one): Told(one) for one in (problem, again)}
        self.conflicts = Conflicts(self._once.real)
        self._held = tuple(one for one in problem.held if isinstance(one, Constraint))

    @staticmethod
    def of(problem: Problem, asked: Sequence[Expr], where: Expr | None) -> Template | None:
        """The template of a problem; None where it is solved otherwise than on arrays."""
        wanted = frozenset[Name]().union(*map(names, asked), names(where) if where is not None else ())
        known = problem.definitions.keys() | {v.name for v in problem.variables}
        otherwise = (
            any(f.severity == "error" for f in problem.findings)
            or q.COMPUTE not in problem.definitions
            or (problem.variables and not problem.goals)
            or problem.either
            or problem.inverses
            or len(stretches(problem)) > 1
            or problem.unsaid
            or problem.is_of_chance
            or any(d.between is not None for d in problem.definitions.values())
            or any(not isinstance(one, Constraint) or one.chance for one in problem.held)
            or not is_fit(problem)
            or (q.INFERENCE_TOKENS in problem.definitions and not wanted <= known)
        )
        return None if otherwise else Template(problem, asked, where)

    # ---- solving

    def learn(self, env: Env, count: int, why: Callable[[int], Why]) -> None:
        """Take in the regions of some points, one after the other, until there is none whose region is new.

        Args:
            env: Of each name that is varied, its values at these points.
            why: What is wrong at a point.
        """
        tried: set[int] = set()
        known, vain = 0, 0
        while vain < TRIED:
            left = np.ones(count, dtype=np.bool_)
            for piece, _ in self._pieces(env):
                left &= ~piece.where
            left &= self.conflicts.found(env, left) < 0
            new = [int(at) for at in np.flatnonzero(left) if int(at) not in tried]
            if not new:
                return
            here = new[int(len(new) * (APART * len(tried) % 1.0))]
            tried.add(here)
            vain = 0 if self._known > known else vain + 1
            known = self._known
            at = {name: float(value[here]) for name, value in env.items()}
            if optimum_of(at_point(self.problem, at)).outcome == "infeasible":
                self.conflicts.learn(at, env, left, here, why)
                continue
            self._once.learn(at)
            if self._again is not None:
                self._again.learn(at)

    @property
    def _known(self) -> int:
        """How many regions are known."""
        return self._once.known + len(self.conflicts.every) + (self._again.known if self._again else 0)

    def _pieces(self, env: Env) -> Iterator[tuple[Piece, Told]]:
        """What of a grid is solved on arrays, with what tells of it."""
        again = np.asarray(False)
        told = self._told[id(self.problem)]
        for piece in self._once.solved(env, np.asarray(True)):
            where = piece.where
            if self.problem.repeats:
                passes = self._passes(piece.env)
                where = where & ((passes <= 1.0 + NEAR * (ONCE - 1.0)) | (passes > 1.0 + 2.0 * (ONCE - 1.0)))
                again = again | (where & (passes > ONCE))
                where = where & ~(passes > ONCE)
            yield Piece(piece.env, self._some(piece, where, told)), told
        if self._again is not None and again.any():
            told = self._told[id(self._again.problem)]
            for piece in self._again.solved(env, again):
                yield Piece(piece.env, self._some(piece, piece.where, told)), told

    def _some(self, piece: Piece, where: Mask, told: Told) -> Mask:
        """Where each stage has tokens, of points."""
        for constraint in self.problem.constraints:
            if constraint.kind == "some":
                where = where & (told.figures(constraint.right, dict(piece.env)) > SOME_TOKENS)
        return where

    def _passes(self, env: dict[Name, Any]) -> Array:
        """How often the source is seen that is seen most often."""
        most, told, env = np.zeros(()), self._told[id(self.problem)], dict(env)
        for name in self.problem.sources:
            passes = told.figures(Ref(q.EPOCHS.of("source", name)), env)
            most = np.maximum(most, np.nan_to_num(passes, nan=0.0))
        return most

    # ---- telling

    def found(self, env: Env) -> Found:
        """What the problem comes to over a grid, of the values of what is varied."""
        no: Mask = np.asarray(False)
        figures: list[Array] = [np.asarray(np.nan) for _ in self._asked]
        solved, sure, wanted = no, no, no
        broken = [(one.text, no) for one in self._held]
        with np.errstate(all="ignore"):
            for piece, told in self._pieces(env):
                where, env = piece.where, piece.env
                if not where.any():
                    continue
                told.off_the_line(env)
                for at, expr in enumerate(self._asked):
                    figures[at] = _put(told.figures(expr, env), where, figures[at])
                solved, certain = solved | where, where
                wanted = wanted | (where if self._where is None else where & told.holds(self._where, env))
                for at, one in enumerate(self._held):
                    excess = told.excess(one, env)
                    broken[at] = (one.text, broken[at][1] | (where & (excess > TOLERANCE)))
                    certain = certain & ((excess <= TOLERANCE * NEAR) | (excess > TOLERANCE / NEAR))
                sure = sure | certain
        return Found(solved, figures, sure, wanted, broken)


def _put(values: Array, where: Mask, others: Array) -> Array:
    """Values where they count, and are numbers; others elsewhere."""
    if not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, np.nan)
    return values if where.all() else np.where(where, values, others)
