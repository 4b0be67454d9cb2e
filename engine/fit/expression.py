"""The formula of a law over its constants and the figures of runs, as a model that a fit can be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.tree import Expr, Op, words
from runplan.dsl.expr.values import compiled
from runplan.dsl.types import Any
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.slopes import folded, slope
from runplan.engine.fit.table import Floats


@dataclass(frozen=True)
class FormulaModel:
    """A formula over constants and figures of runs: a `Model`.

    Attributes:
        body: Over the names of the constants and of the inputs.
        inputs: By name, (n), as the formula counts them.
    """

    coordinates: tuple[Coordinate, ...]
    measured: Floats
    log: bool
    body: Expr
    inputs: Mapping[str, Floats]

    def __reduce__(self) -> tuple[type[FormulaModel], tuple[object, ...]]:
        """As it was made: what is worked out of it is worked out again where it is sent to."""
        return FormulaModel, (self.coordinates, self.measured, self.log, self.body, self.inputs)

    @cached_property
    def linear(self) -> tuple[bool, ...]:
        """Of each coordinate, whether its constant enters linearly, jointly with the others that do."""
        found = jointly_linear(self.body, self._names)
        return tuple(name in found for name in self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(c.constant for c in self.coordinates)

    @cached_property
    def _folded(self) -> tuple[Expr, Mapping[str, Any]]:
        return folded(self.body, self._names, self.inputs)

    @cached_property
    def _function(self) -> Any:
        return compiled(self._folded[0], np)

    def constants(self, theta: Floats) -> dict[str, Floats]:
        """(s, k) coordinates into the values of constants, (s, 1) each."""
        return {c.constant: _value(c, theta[:, i : i + 1]) for i, c in enumerate(self.coordinates)}

    def theta(self, constants: Mapping[str, float]) -> Floats:
        """(k), the coordinates of some values of the constants; NaN for one that has none."""
        with np.errstate(all="ignore"):
            return np.array(
                [np.log(constants[c.constant]) if c.log else constants[c.constant] for c in self.coordinates]
            )

    def predicted(self, theta: Floats) -> Floats:
        """(s, k) coordinates into (s, n) predictions."""
        with np.errstate(all="ignore"):
            found = self._function({**self.constants(theta), **self._folded[1]})
        return _wide(found, len(theta), len(self.measured))

    def slopes(self, theta: Floats) -> tuple[Floats, Floats]:
        """(s, k) coordinates into (s, n) predictions and (s, k, n) derivatives."""
        constants, n = self.constants(theta), len(self.measured)
        places = {name: i for i, name in enumerate(self._names)}
        with np.errstate(all="ignore"):
            found = slope(self._folded[0], {**constants, **self._folded[1]}, places)
            out = np.zeros((len(theta), len(places), n))
            for place, by in found.by.items():
                # By the logarithm of a constant it is the constant times that by the constant.
                out[:, place] = by * constants[self._names[place]] if self.coordinates[place].log else by
        return _wide(found.value, len(theta), n), out

    def rows(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> FormulaModel:
        """The same formula over some of the runs."""
        inputs = {name: values[kept] for name, values in self.inputs.items()}
        return replace(self, measured=self.measured[kept], inputs=inputs)

    def at(self, inputs: Mapping[str, Floats]) -> FormulaModel:
        """The same formula at other figures, of which nothing is measured."""
        (count,) = {len(values) for values in inputs.values()} or {1}
        return replace(self, measured=np.full(count, np.nan), inputs=inputs)

    def told(self, measured: Floats) -> FormulaModel:
        """The same formula over the same runs, which gave something else."""
        return replace(self, measured=measured)


def _value(coordinate: Coordinate, column: Floats) -> Floats:
    if not coordinate.log:
        return column
    with np.errstate(over="ignore"):
        return np.exp(column)


def _wide(found: Any, sets: int, runs: int) -> Floats:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(found, dtype=float), (sets, runs)))


def jointly_linear(body: Expr, constants: Sequence[str]) -> frozenset[str]:
    """The constants in which a formula is a sum of terms with one of them each, the others held; as many as are so."""
    found: frozenset[str] = frozenset()
    for name in constants:
        if _affine(body, found | {name}):
            found |= {name}
    return found


def _affine(item: Expr, over: frozenset[str]) -> bool:
    if words(item).isdisjoint(over) or not isinstance(item, Op):
        return True
    held = [arg for arg in item.args if words(arg).isdisjoint(over)]
    if item.op in ("+", "-", "neg"):
        return all(_affine(arg, over) for arg in item.args)
    if item.op == "*":
        return len(held) == 1 and all(_affine(arg, over) for arg in item.args)
    if item.op == "/":
        return words(item.args[1]).isdisjoint(over) and _affine(item.args[0], over)
    if item.op == "if":
        return words(item.args[0]).isdisjoint(over) and all(_affine(arg, over) for arg in item.args[1:])
    return False


def moving(body: Expr, constants: Sequence[str]) -> Iterator[str]:
    """Those of the constants that stand in a formula, in their order."""
    own = words(body)
    return (name for name in constants if name in own)
