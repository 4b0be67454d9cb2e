"""Values over an axis to the cells that they fall into, and to round values on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.cli.show.text.content import PlotAxis
from runplan.dsl.dataclass import dataclass
from runplan.dsl.units.base import DATE, TIME
from runplan.dsl.units.show import json_unit

# Of an axis with equal ratios: one over less than this has its ticks evenly apart.
SPAN = 5.0
# Ticks on an axis with equal steps, about.
TICKS = 5
# What an axis is longer than the points that are on it, at each end, as a share.
MARGIN = 0.03
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from end to end, in what is even on it: the value, or its logarithm."""

    axis: PlotAxis
    low: float
    high: float

    @staticmethod
    def over(axis: PlotAxis, values: Sequence[float]) -> Scale:
        """The axis over values, with a margin."""
        at = [math.log(value) if axis.logarithmic else value for value in values]
        margin = MARGIN * (max(at) - min(at)) or MARGIN * max(map(abs, at)) or 1.0
        return Scale(axis, min(at) - margin, max(at) + margin)

    def place(self, value: float, cells: int) -> int:
        """Which of so many cells a value falls into."""
        at = math.log(value) if self.axis.logarithmic else value
        return min(max(round((at - self.low) / (self.high - self.low) * (cells - 1)), 0), cells - 1)

    def ticks(self) -> list[float]:
        """Round values on it, in the unit that people count it in."""
        unit = DAY if self.axis.dim in (TIME, DATE) else json_unit(self.axis.dim)[1]
        low, high = ((math.exp(end) if self.axis.logarithmic else end) / unit for end in (self.low, self.high))
        if self.axis.logarithmic and high / low >= SPAN:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            # Over many decades only the first digit of each.
            digits = (1, 2, 5) if len(powers) < TICKS else (1,)
            found = [digit * 10.0**power for power in powers for digit in digits]
        else:
            step = _round((high - low) / TICKS)
            found = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
        return [tick * unit for tick in found if low <= tick <= high]


def _round(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))
