"""All layouts of a run under all regimes that may be meant, at once, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.packs.library import Library
from runplan.engine.layout.layout import Layout
from runplan.engine.layout.memory import Memory, Step

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Quantities of layouts.

    Attributes:
        layouts: The columns.
        found: By name in base units, of shape (regimes, layouts), or what broadcasts to it.
    """

    layouts: Sequence[Layout]
    found: Mapping[Name, Array]
    shape: tuple[int, int]

    def all(self, name: Name) -> Array:
        """A quantity, of shape (regimes, layouts)."""
        return np.broadcast_to(np.asarray(self.found[name], float), self.shape)

    def least(self, name: Name) -> Array:
        """The least over the regimes, of shape (layouts,)."""
        return np.asarray(self.all(name).min(axis=0))

    def most(self, name: Name) -> Array:
        """The most over the regimes, of shape (layouts,)."""
        return np.asarray(self.all(name).max(axis=0))

    def mean(self, name: Name) -> Array:
        """The mean over the regimes, of shape (layouts,)."""
        return np.asarray(self.all(name).mean(axis=0))


def grid_of(
    memory: Memory, regimes: Sequence[Mapping[Name, float]], layouts: Sequence[Layout], catalogue: Library
) -> Grid:
    """What layouts take under regimes."""
    env: dict[Name, object] = dict(memory.known)
    for name in regimes[0]:
        env[name] = np.array([[regime[name]] for regime in regimes])
    rows = [layout.figures for layout in layouts]
    for name in rows[0]:
        env[name] = np.array([[row[name] for row in rows]])
    with np.errstate(all="ignore"):
        for name, of in _over_arrays(memory.steps, catalogue):
            if name not in env:
                env[name] = of(env)
    found = {name: np.asarray(value, float) for name, value in env.items()}
    return Grid(layouts, found, (len(regimes), len(layouts)))


def holding(grid: Grid, condition: Expr, instead: Mapping[Name, Array]) -> npt.NDArray[np.bool_]:
    """Where a condition holds, of shape (layouts,).

    Args:
        instead: Quantities over all regimes together, of shape (layouts,).
    """
    env = {**{name: grid.all(name)[0] for name in grid.found}, **instead}
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(compiled(condition, np)(env), bool), grid.shape[1:])


def _over_arrays(steps: tuple[Step, ...], catalogue: Library) -> Sequence[tuple[Name, Evaluator]]:
    """The formulas of steps as functions of arrays, made once: the steps of a kind of model are kept, too."""
    kept = catalogue.once(_kept)
    if id(steps) not in kept:
        kept[id(steps)] = (steps, [(step.name, compiled(step.formula, np)) for step in steps])
    return kept[id(steps)][1]


def _kept(catalogue: Library) -> dict[int, tuple[tuple[Step, ...], Sequence[tuple[Name, Evaluator]]]]:
    """Of steps by which they are: beside them, as they must live for as long as they are told by that."""
    return {}
