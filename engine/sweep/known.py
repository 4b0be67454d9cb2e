"""A problem over a grid with the regions of it that are known, to its solutions in these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num
from runplan.dsl.types import Any
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.proofs import ENDLESS
from runplan.engine.solve.search import optimum_of
from runplan.engine.sweep.grid import Array, Mask, whole
from runplan.engine.sweep.posed import Posed, Region
from runplan.engine.sweep.regions import Curved
from runplan.engine.sweep.straight import Straight, straight

# Regions of one problem; points of others are solved one by one.
MOST = 24
# A grid of one point.
HERE: Mask = np.ones(1, dtype=np.bool_)

Env = Mapping[Name, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """Points of a grid that are solved alike.

    Attributes:
        env: Of each variable and each name that is varied, its values over the grid.
        where: Which points these are; the others have no values here that count.
    """

    env: dict[Name, Any]
    where: Mask


class Known:
    """A problem over a grid, with the regions of it that are known."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.posed = Posed(problem)
        self.curved = Curved(self.posed)
        self.regions: list[tuple[Region, Straight | None]] = []

    def solved(self, env: Env, wanted: Mask) -> Iterator[Piece]:
        """The points of a grid, of those that are wanted, that lie in regions which are known."""
        figures = self.posed.forms.figures(env)
        left, beside = wanted, None
        for region, form in self.regions:
            if not left.any():
                break
            if form is None:
                beside = beside or _Beside(self.curved, figures, wanted)
                left = left & ~beside.taken(region, left)
                continue
            values, good = form.solved(self.posed, env, figures)
            good = good & left
            if good.any():
                yield Piece({**env, **values}, good)
                left = left & ~good
        if beside is not None and beside.found.any():
            yield Piece({**env, **beside.values}, beside.found)

    def learn(self, at: Mapping[Name, float]) -> None:
        """Take in the region of the solution at a point, where it is in none that is known, and can be told."""
        here = {name: np.array([value]) for name, value in at.items()}
        if len(self.regions) >= MOST or any(True for _ in self.solved(here, HERE)):
            return
        found = optimum_of(at_point(self.problem, at))
        if not found.is_optimal or found.certainty != "convex" or found.taken:
            return
        x = [math.log(found.values[name]) for name in self.posed.variables]
        region = self.curved.region(x, found.held, self.posed.forms.figures(here))
        for form in (straight(self.posed, region, at), None):
            self.regions.append((region, form))
            if any(True for _ in self.solved(here, HERE)):
                return
            self.regions.pop()


class _Beside:
    """The points of a grid whose regions are no products of powers: each by itself, where it is wanted.

    Attributes:
        values: Of the variables; NaN where nothing is found.
        found: Where something is.
    """

    def __init__(self, curved: Curved, figures: Env, wanted: Mask) -> None:
        self._curved = curved
        self._figures = {name: np.asarray(whole(value)) for name, value in figures.items() if name in curved.figures}
        self._shape = np.broadcast_shapes(wanted.shape, *(value.shape for value in self._figures.values()))
        self.found: Mask = np.zeros(self._shape, dtype=np.bool_)
        self.values: dict[Name, Array] = {name: np.full(self._shape, np.nan) for name in curved.variables}

    def taken(self, region: Region, left: Mask) -> Mask:
        """Where a region has the solution, of points that are left."""
        at = np.flatnonzero(np.broadcast_to(left, self._shape))
        x, good = self._curved.solved(region, flat(self._figures, self._shape, at), len(at))
        good &= np.abs(x).max(axis=0, initial=0.0) < ENDLESS
        taken = np.zeros(self._shape, dtype=np.bool_)
        taken.flat[at[good]] = True
        for value, own in zip(self.values.values(), x, strict=True):
            value.flat[at[good]] = np.exp(own[good])
        self.found |= taken
        return taken


def flat(figures: Mapping[Name, Any], shape: tuple[int, ...], at: Array) -> dict[Name, Array]:
    """Figures over a grid at some of its points, by their numbers."""
    return {name: np.broadcast_to(whole(value), shape).reshape(-1)[at] for name, value in figures.items()}


def at_point(problem: Problem, at: Mapping[Name, float]) -> Problem:
    """The problem of one point."""
    own = {name: Definition(name, (), Num(value), "given") for name, value in at.items()}
    return replace(problem, definitions={**problem.definitions, **own})
