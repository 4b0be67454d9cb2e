"""A value to plain data, in the units of exchange of `dsl/units/show.py`."""

from __future__ import annotations

from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, json_unit
from runplan.engine.problem.solution import Value
from runplan.engine.problem.told import NOISE

# Digits beyond these are rounding in the solver, and may differ between machines.
DIGITS = 12


def amount(value: float, dim: Dim) -> dict[str, object]:
    """A figure in base units as `value` and `unit`; a date as its ISO form."""
    if dim == DATE:
        return {"value": iso_date(value), "unit": "date"}
    unit, factor = json_unit(dim)
    figure = float(f"{value / factor:.{DIGITS}g}")
    return {"value": 0.0 if dim == () and abs(figure) < NOISE else figure, "unit": unit}


def rounded(value: float) -> float:
    """A plain number without the solver's rounding."""
    return float(f"{value:.{DIGITS}g}") if abs(value) > NOISE else 0.0


def quantity(value: Value) -> dict[str, object]:
    """A value as an amount, with its interval where there is one; of a whole count what it was before, as `real`."""
    real = {} if value.real is None else {"real": amount(value.real, value.dim)["value"]}
    return {**amount(value.value, value.dim), **ends(value.low, value.high, value.dim), **real}


def ends(low: float | None, high: float | None, dim: Dim) -> dict[str, object]:
    """The ends of an interval; nothing where there is none, or it is none to the digits."""
    if low is None or high is None:
        return {}
    both = {"low": amount(low, dim)["value"], "high": amount(high, dim)["value"]}
    return both if both["low"] != both["high"] else {}
