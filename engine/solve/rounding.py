"""A bound to a few digits on the side where it still makes room, as one would write it in a plan."""

from __future__ import annotations

import math

from runplan.dsl.units.base import DATE, GPU, PARAM, TIME, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, show


def loosened(value: float, down: bool, digits: int = 4, dim: Dim = ()) -> float:
    """A bound rounded to a few digits, in the unit that it is shown in, on the side where it still makes room."""
    if value <= 0 or not math.isfinite(value):
        return value
    unit = _shown_in(value, dim)
    scale = 10.0 ** (math.floor(math.log10(value / unit)) - (digits - 1))
    steps = value / unit / scale
    return float((math.floor(steps + 1e-9) if down else math.ceil(steps - 1e-9)) * scale * unit)


def _shown_in(value: float, dim: Dim) -> float:
    """The size of the unit that a figure is shown in: times in days or hours, prices by the hour."""
    if dim == TIME:
        return 86400.0 if value >= 2 * 86400 else 3600.0
    return 3600.0 ** dict(dim).get("second", 0.0) if dict(dim).get("GPU") else 1.0


def show_plain(value: float, dim: Dim, digits: int = 6) -> str:
    """A figure as one would write it in a plan."""
    if dim == DATE:
        return iso_date(value)
    if dim == GPU:
        return f"{value:.10g}"
    text = show(value, dim, digits).replace(",", "")
    # `tokens <= 243.1B` says it all.
    return text.split(" ")[0] if dim in (TOKEN, PARAM) else text


# A limit may be off by this much, relatively, before it counts as broken: figures are rounded by those who write them.
TOLERANCE = 1e-9
