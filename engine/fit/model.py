"""What a fit knows of a form: its predictions and their slopes, for many sets of constants at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.table import Floats


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One number that a fit looks for: a constant, or the logarithm of one that is positive.

    Attributes:
        constant: The name of the constant.
        log: Whether it is the logarithm of it.
        low, high: Where a search starts between; the optimum may lie beyond.
        elsewhere: What it came to for other runs: where all are known, a search starts from there, too.
    """

    constant: str
    log: bool
    low: float
    high: float
    elsewhere: float | None = None


class Model(Protocol):
    """A form over the runs that it is fitted to: coordinates into predictions, in the unit of what was measured."""

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """K of them, in order."""

    @property
    def measured(self) -> Floats:
        """What the runs gave, (n)."""

    @property
    def log(self) -> bool:
        """Whether residuals are of the logarithm of what was measured, as of losses."""

    @property
    def linear(self) -> tuple[bool, ...]:
        """Of each coordinate, whether its constant enters the prediction linearly once the others are held.

        Jointly with the other linear ones: they are what variable projection may eliminate. It is the constant that is
        linear, also where the coordinate is the logarithm of it: E, A and B of E + A/N^alpha + B/D^beta, in either.
        """

    @property
    def inputs(self) -> Mapping[str, Floats]:
        """What it predicts from, by the names of quantities, (n) each, above zero where a logarithm says more."""

    def at(self, inputs: Mapping[str, Floats]) -> Model:
        """The same form over other runs, which are yet to be measured."""

    def told(self, measured: Floats) -> Model:
        """The same form over the same runs, which gave something else."""

    def predicted(self, theta: Floats) -> Floats:
        """(s, k) coordinates into (s, n) predictions; NaN or infinite where there is none."""

    def slopes(self, theta: Floats) -> tuple[Floats, Floats]:
        """(s, k) coordinates into (s, n) predictions and (s, k, n) derivatives of them by the coordinates."""

    def rows(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> Model:
        """The same form over some of the runs."""
