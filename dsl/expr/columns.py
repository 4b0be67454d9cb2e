"""Values of expressions at many points at once, without numpy: a column has one value a point.

`compiled(expr, Together)` gives columns of columns, to the bit what it gives of the floats one by one, at a third of
what that takes: each operation is a loop of Python's own. What a single point refuses is refused for all of them, and
so is what is not done by columns: who asks then takes the points one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

from runplan.dsl.expr.values import Functions
from runplan.dsl.types import Any


class Column:
    """One value a point, a float or what a comparison gives."""

    __slots__ = ("values",)
    __hash__ = None  # type: ignore[assignment]  # equality is told point by point

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        """Raises ValueError: what decides is one value."""
        raise ValueError("a column is neither true nor false")

    def __float__(self) -> float:
        """Raises ValueError: it is no number."""
        raise ValueError("a column is no number")

    def __add__(self, other: Any) -> Column:
        if isinstance(other, Column):
            return Column([a + b for a, b in zip(self.values, other.values, strict=True)])
        return Column([a + other for a in self.values])

    def __radd__(self, other: float) -> Column:
        return Column([other + a for a in self.values])

    def __sub__(self, other: Any) -> Column:
        if isinstance(other, Column):
            return Column([a - b for a, b in zip(self.values, other.values, strict=True)])
        return Column([a - other for a in self.values])

    def __rsub__(self, other: float) -> Column:
        return Column([other - a for a in self.values])

    def __mul__(self, other: Any) -> Column:
        if isinstance(other, Column):
            return Column([a * b for a, b in zip(self.values, other.values, strict=True)])
        return Column([a * other for a in self.values])

    def __rmul__(self, other: float) -> Column:
        return Column([other * a for a in self.values])

    def __truediv__(self, other: Any) -> Column:
        if isinstance(other, Column):
            return Column([a / b for a, b in zip(self.values, other.values, strict=True)])
        return Column([a / other for a in self.values])

    def __rtruediv__(self, other: float) -> Column:
        return Column([other / a for a in self.values])

    def __neg__(self) -> Column:
        return Column([-a for a in self.values])

    def __le__(self, other: Any) -> Column:
        return Column([a <= b for a, b in zip(self.values, _each(other), strict=False)])

    def __ge__(self, other: Any) -> Column:
        return Column([a >= b for a, b in zip(self.values, _each(other), strict=False)])

    def __lt__(self, other: Any) -> Column:
        return Column([a < b for a, b in zip(self.values, _each(other), strict=False)])

    def __gt__(self, other: Any) -> Column:
        return Column([a > b for a, b in zip(self.values, _each(other), strict=False)])

    def __eq__(self, other: object) -> Column:  # type: ignore[override]
        return Column([a == b for a, b in zip(self.values, _each(other), strict=False)])

    def __ne__(self, other: object) -> Column:  # type: ignore[override]
        return Column([a != b for a, b in zip(self.values, _each(other), strict=False)])


def _each(value: Any) -> Iterable[Any]:
    return value.values if isinstance(value, Column) else repeat(value)


def _pointwise(function: Callable[..., Any]) -> Any:
    """A function of floats that takes columns, too."""

    def of(*args: Any) -> Any:
        if not any(isinstance(arg, Column) for arg in args):
            return function(*args)
        return Column(list(map(function, *map(_each, args))))

    return staticmethod(of)


class Together:
    """The functions of columns, under the names by which `compiled` asks for them."""

    exp = _pointwise(math.exp)
    log = _pointwise(math.log)
    log10 = _pointwise(math.log10)
    sqrt = _pointwise(math.sqrt)
    absolute = _pointwise(abs)
    ceil = _pointwise(math.ceil)
    minimum = _pointwise(min)
    maximum = _pointwise(max)
    where = _pointwise(Functions.where)
    logical_and = _pointwise(lambda a, b: a and b)
    logical_or = _pointwise(lambda a, b: a or b)
    logical_not = _pointwise(lambda a: not a)

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """`base ^ exponent`; ValueError where one of them would not be real."""
        if isinstance(base, Column) and min(base.values, default=0.0) >= 0.0:  # real, whatever the exponent
            return Column([b**e for b, e in zip(base.values, _each(exponent), strict=False)])
        return _power(base, exponent)


_power = _pointwise(Functions.power).__func__
