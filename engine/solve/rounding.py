"""A figure to a few digits on the side where it still makes room, as the plan writes such a figure."""

from __future__ import annotations

import math

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.text.pattern import pattern
from runplan.dsl.units.base import DATE, GPU, PARAM, TIME, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import number
from runplan.dsl.units.show import count, iso_date, show
from runplan.dsl.units.table import names as units

# A limit may be off by this much, relatively, before it counts as broken: figures are rounded by those who write them.
TOLERANCE = 1e-9
# A figure this near to one that can be written is taken for it; whether it holds is tried before it is told.
FITS = 1e-6
DAY = 86400.0
# Digits that a figure is shown with: fewer say it, unless the room is so narrow that more are needed.
DIGITS = (4, 6, 8)
_FIGURE = pattern(r"([0-9][0-9._]*(?:[eE][+-]?[0-9]+)?(?:Ki|Mi|Gi|[kKMBT](?![A-Za-z]))?) ?([^\s()+*^-]*)")


@dataclass(frozen=True, slots=True)
class Written:
    """How figures of one kind are written.

    Attributes:
        unit: As the plan writes it; empty where it writes none, or what it writes is no figure.
        factor: How much of the base units one of it is; 0 where the plan has no unit of its own for it.
        step: What it comes in whole multiples of, such as the devices of a node, or a date in days; 0 where it need not
            be whole.
    """

    dim: Dim
    unit: str = ""
    factor: float = 0.0
    step: float = 0.0

    def rounded(self, value: float, down: bool, digits: int = 4) -> float:
        """A figure on its side, to a few digits, in the unit that it is written in."""
        if self.step:
            steps = value / self.step
            return float((math.floor(steps + FITS) if down else math.ceil(steps - FITS)) * self.step)
        if value <= 0 or not math.isfinite(value):
            return value
        unit = self.factor or _shown_in(value, self.dim)
        power = math.floor(math.log10(value / unit)) - (digits - 1)
        steps = value / unit / 10.0**power
        whole = math.floor(steps + FITS) if down else math.ceil(steps - FITS)
        # Of the digits that are shown the float that is nearest, as when they are read.
        return float(f"{whole}e{power}") * unit

    def text(self, value: float, digits: int = 10) -> str:
        """A figure as one would write it in this plan."""
        if self.dim == DATE:
            return iso_date(value)
        if not self.factor:
            text = f"{value:.10g}" if self.dim == GPU else show(value, self.dim, digits).replace(",", "")
            # `tokens <= 243.1B` says it all.
            return text.split(" ")[0] if self.dim in (TOKEN, PARAM) else text
        figure = count(value / self.factor, digits).replace(",", "")
        if not self.unit or self.unit == "%":
            return f"{figure}{self.unit}"
        plural = figure != "1" and self.unit.isalpha() and self.unit.islower() and f"{self.unit}s" in units()
        return f"{figure} {self.unit}{'s' if plural else ''}"


def written(expr: Expr, dim: Dim, step: float = 0.0) -> Written:
    """How a plan writes figures where it has written this one."""
    if dim != DATE and isinstance(expr, Num) and (m := _FIGURE.fullmatch(expr.text)):
        try:
            own = number(m[1])
        except ValueError:
            own = 0.0
        if own and expr.value > 0:
            return Written(dim, m[2], expr.value / own, step)
    return unwritten(dim, step)


def unwritten(dim: Dim, step: float = 0.0) -> Written:
    """How figures are written that the plan has not written; dates to the day."""
    return Written(dim, step=DAY if dim == DATE else step)


def _shown_in(value: float, dim: Dim) -> float:
    """The size of the unit that a figure is shown in: times in days or hours, prices by the hour."""
    if dim == TIME:
        return DAY if value >= 2 * DAY else 3600.0
    return 3600.0 ** dict(dim).get("second", 0.0) if dict(dim).get("GPU") else 1.0
