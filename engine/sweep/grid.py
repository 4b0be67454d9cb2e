"""Figures over a grid: products of arrays over some of its axes each, and multiplied out only where that is needed.

What follows from given figures by products and powers, as a compute budget and the sizes and costs that follow from it,
is so over a whole grid by as much work as its axes are long. An array over a grid has a length of one along each axis
that it does not hang on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from runplan.dsl.types import Any

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Shape = tuple[int, ...]


class Grid:
    """A product of arrays over a grid, one of each shape.

    Multiplied, divided and raised to a power it stays one; in any other arithmetic it is the array that it stands for.
    """

    __slots__ = ("_whole", "factors", "scale")
    # Between an array and a product it is the product that says what comes of them.
    __array_ufunc__ = None

    def __init__(self, factors: Mapping[Shape, Array], scale: float = 1.0) -> None:
        self.factors, self.scale = factors, scale
        self._whole: Array | None = None

    @staticmethod
    def of(array: Array) -> Grid:
        """An array as a product of one."""
        return Grid({array.shape: array})

    @property
    def whole(self) -> Array:
        """The array that it is."""
        if self._whole is None:
            first, *others = sorted(self.factors.values(), key=lambda factor: factor.size) or [np.ones(())]
            self._whole = reduce(np.multiply, others, first if self.scale == 1.0 else first * self.scale)
        return self._whole

    @property
    def range(self) -> tuple[float, float]:
        """Ends between which all of it lies, zero and NaN where not all of its factors are positive."""
        low = high = 1.0
        for least, most in ((self.scale, self.scale), *((one.min(), one.max()) for one in self.factors.values())):
            if not least > 0:
                return 0.0, float("nan")
            low, high = low * float(least), high * float(most)
        return low, high

    def raised(self, exponent: float) -> Any:
        """It to a power."""
        if self.range[0] > 0:
            raised = {shape: _power(factor, exponent) for shape, factor in self.factors.items()}
            return Grid(raised, float(np.power(self.scale, exponent)))
        return np.power(self.whole, exponent)

    # ---- arithmetic

    def __mul__(self, other: Any) -> Grid:
        if isinstance(other, Grid):
            factors, scale = dict(self.factors), self.scale * other.scale
            for shape, factor in other.factors.items():
                factors[shape] = factors[shape] * factor if shape in factors else factor
            return Grid(factors, scale)
        if isinstance(other, np.ndarray) and other.ndim:
            own = self.factors.get(other.shape)
            return Grid({**self.factors, other.shape: other if own is None else own * other}, self.scale)
        return Grid(self.factors, self.scale * float(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Grid):
            return self * other._inverted()
        return self * (1.0 / other if isinstance(other, np.ndarray) else _over(1.0, float(other)))

    def __rtruediv__(self, other: Any) -> Any:
        return self._inverted() * other

    def _inverted(self) -> Grid:
        return Grid({shape: 1.0 / factor for shape, factor in self.factors.items()}, _over(1.0, self.scale))

    def __neg__(self) -> Grid:
        return Grid(self.factors, -self.scale)


def _over(a: float, b: float) -> float:
    return a / b if b else float(np.divide(a, b))


def _power(array: Array, exponent: float) -> Array:
    return np.asarray(np.sqrt(array) if exponent == 0.5 else array if exponent == 1.0 else np.power(array, exponent))


def _multiplied_out(op: str) -> Any:
    def done(self: Grid, other: Any) -> Any:
        return getattr(self.whole, op)(whole(other))

    return done


for _op in ("add", "radd", "sub", "rsub", "lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Grid, f"__{_op}__", _multiplied_out(f"__{_op}__"))
Grid.__hash__ = None  # type: ignore[assignment]


class Functions:
    """Numpy's functions, of products too: what `runplan.dsl.expr.values.compiled` is passed for figures over a grid."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)

        def done(*args: Any, **options: Any) -> Any:
            return function(*map(whole, args), **options)

        setattr(self, name, done)
        return done

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        """`base ^ exponent`."""
        if isinstance(base, Grid) and isinstance(exponent, float | int):
            return base.raised(float(exponent))
        return np.power(whole(base), whole(exponent))

    @staticmethod
    def sqrt(base: Any) -> Any:
        """The square root."""
        return base.raised(0.5) if isinstance(base, Grid) else np.sqrt(base)


FUNCTIONS = Functions()


def whole(value: Any) -> Any:
    """What a value is, multiplied out: an array, or a number."""
    return value.whole if isinstance(value, Grid) else value


def raised(value: Any, exponent: float) -> Any:
    """A value to a power."""
    return FUNCTIONS.power(value, exponent)


def product(parts: Sequence[Any]) -> Any:
    """The product of values; one of none."""
    return reduce(lambda a, b: a * b, parts, 1.0)


def is_above(value: Any, bound: float) -> Mask:
    """Where a value that is positive is greater than a bound, as far as the whole of it is not told at once."""
    low, high = range_of(value)
    return np.asarray(low > bound) if low > bound or high <= bound else np.asarray(whole(value) > bound)


def is_below(value: Any, bound: float) -> Mask:
    """Where a value is positive and less than a bound, as far as the whole of it is not told at once."""
    low, high = range_of(value)
    if low > 0 and (high < bound or low >= bound):
        return np.asarray(high < bound)
    value = whole(value)
    return np.asarray((value > 0) & (value < bound))


def range_of(value: Any) -> tuple[float, float]:
    """Ends between which all of a value lies, zero and NaN where it may not be positive."""
    if isinstance(value, Grid):
        return value.range
    if isinstance(value, np.ndarray) and value.size:
        low, high = float(value.min()), float(value.max())
    else:
        low = high = float(value)
    return (low, high) if low > 0 else (0.0, float("nan"))
