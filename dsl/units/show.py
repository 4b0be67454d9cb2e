"""A value in base units to the text that a reader expects."""

from __future__ import annotations

import math
from functools import lru_cache

from runplan.dsl.units.base import DATE
from runplan.dsl.units.calendar import day_of
from runplan.dsl.units.dims import MONEY, Dim, over, power
from runplan.dsl.units.parse import unit
from runplan.dsl.units.table import currencies, table_of_units

# ---- dimensions


def said_dim(dim: Dim) -> str:
    """A dimension as it stands after `is`: `in tokens`, `in USD/GPU/second`, `a plain number`."""
    if not dim or dim == (("date", 1.0),):
        return "a date" if dim else show_dim(dim)
    text = show_dim(dim)
    return f"in {text}s" if text.isalpha() and text.islower() and text != MONEY else f"in {text}"


# Writing

# Each list is one dimension, the smaller unit first: a value is shown in the largest one that it fills.
_LADDERS = (
    ("B", "kB", "MB", "GB", "TB", "PB", "EB"),
    ("B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"),
    ("B/GPU", "kB/GPU", "MB/GPU", "GB/GPU", "TB/GPU"),
    ("FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s", "ZFLOP/s"),
    ("FLOP/s/GPU", "kFLOP/s/GPU", "MFLOP/s/GPU", "GFLOP/s/GPU", "TFLOP/s/GPU", "PFLOP/s/GPU"),
    ("Wh", "kWh", "MWh", "GWh", "TWh"),
    ("W", "kW", "MW", "GW"),
    ("W/GPU", "kW/GPU"),
    ("gCO2eq", "kgCO2eq", "tCO2eq"),
    ("gCO2eq/kWh",),
    ("GPU-hours",),
)
_MONEY_PER = ("GPU/hour", "hour", "kWh")
_SPOKEN = {"watt_hour": "Wh"}
_PLURALS = frozenset(("token", "param", "character", "byte", "sequence", "step", "epoch", "node"))
# A duration that is whole in these, and so long that people count in them; 90 days are 90 days.
_LONG = (("year", 365, 1.0), ("month", 30, 6.0))
_DURATIONS = (("day", 2.0), ("hour", 2.0), ("minute", 2.0), ("second", 0.0))
_LARGE = (("T", 1e12), ("B", 1e9), ("M", 1e6))


@lru_cache(1)
def _ladders() -> dict[Dim, tuple[tuple[str, float], ...]]:
    ladders = [*_LADDERS, *((f"{code}/{per}",) for code in sorted(currencies()) for per in _MONEY_PER)]
    return {unit(rungs[0]).dim: tuple((r, unit(r).factor) for r in rungs) for rungs in ladders}


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _figure(value: float, digits: int) -> str:
    """A number: rounded to the digits, whole with separators from there to a million, then with `e`."""
    r = _rounded(value, digits)
    if r == 0:
        return "0"
    if not 1e-4 <= abs(r) < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}"
    if abs(r) >= 10**digits:
        return f"{value:,.0f}" if abs(r) >= 1e4 else f"{value:.0f}"
    return f"{r:.{digits}g}"


def count(value: float, digits: int) -> str:
    """A number, with M, B or T from a million on."""
    r = _rounded(value, digits)
    for suffix, scale in _LARGE:
        if scale <= abs(r) < 1e15:
            return _figure(r / scale, digits) + suffix
    return _figure(value, digits)


def _money(value: float, digits: int) -> str:
    if abs(value) < 0.01 or round(abs(value), 2) >= 1e6:
        return count(value, digits)
    cents = 2 if abs(value) < 1000 else min(2, max(0, digits - len(f"{abs(value):.0f}")))
    text = f"{value:,.{cents}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration(value: float, digits: int) -> str:
    days = value / 86400
    for name, length, least in _LONG:
        n = round(days / length) if abs(days) < 1e9 else 0
        if abs(n) >= least and abs(days - n * length) <= 1e-9 * abs(days):
            return _counted(count(n, digits), name)
    for name, least in _DURATIONS:
        n_of = value / unit(name).factor
        if abs(n_of) >= least * (1 - 1e-9) or math.isclose(abs(n_of), 1, rel_tol=1e-9):
            return _counted(count(n_of, digits), name)
    raise AssertionError("a duration is at least 0 seconds")


def _counted(figure: str, name: str) -> str:
    return f"{figure} {name}" if figure in ("1", "-1") else f"{figure} {name}s"


def show_dim(dim: Dim) -> str:
    """A dimension in base units, such as `USD/GPU/second`, `token/param` or `a plain number`."""
    return _spelled(dim) or "a plain number"


def _spelled(dim: Dim, plural: bool = False) -> str:
    rank = {name: i for i, name in enumerate(table_of_units().bases)}
    above: list[str] = []
    below: list[str] = []
    for name, e in sorted(dim, key=lambda pair: (rank.get(pair[0], len(rank)), pair[0])):
        word = _SPOKEN.get(name, name) + ("" if abs(e) == 1 else f"^{abs(e):g}")
        (above if e > 0 else below).append(word)
    if plural:
        above = [f"{above[0]}s"]
    return "/".join([("*".join(above) or ("1" if below else "")), *below])


def show(value: float, dim: Dim, digits: int = 4) -> str:
    """A value in base units as people write it, such as `226.5B params`, `6 months` or `30M USD`.

    Figures are rounded to `digits` significant digits; whole ones below a million are given in full, and so is money:
    to the cent below a thousand.
    """
    value = float(value)
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    value += 0.0  # no -0
    if dim == DATE:
        return iso_date(value)
    if ladder := _ladders().get(dim):
        for name, factor in reversed(ladder):
            n = value / factor
            if not math.isfinite(n):
                break
            if abs(_rounded(n, digits)) >= 1 or factor == ladder[0][1]:
                return _one(f"{count(n, digits)} {name}")
    base = dim[0][0] if len(dim) == 1 and dim[0][1] == 1 else ""
    if base in currencies():
        return f"{_money(value, digits)} {base}"
    if base == "second":
        return _duration(value, digits)
    if not dim:
        return _figure(value, digits)
    above = [name for name, e in dim if e > 0]
    counted = above[0] if len(above) == 1 and dict(dim)[above[0]] == 1 else ""
    figure = count(value, digits) if counted in _PLURALS | {"GPU"} else _figure(value, digits)
    if not above:
        return figure + _spelled(dim)[1:]
    return f"{figure} {_spelled(dim, plural=counted in _PLURALS and figure not in ('1', '-1'))}"


def percent(share: float) -> str:
    """A share as people write it: `12.3 %`, `1210 %`."""
    return f"{show(100.0 * share, (), 3)} %"


def _one(text: str) -> str:
    return "1 GPU-hour" if text == "1 GPU-hours" else text


# What is counted one by one, and has no unit in JSON.
_COUNTS = frozenset(("step", "epoch", "node"))
# The unit that a dimension has in JSON, where it is not the base unit.
_JSON = ("GPU*hour", "kWh", "W", "gCO2eq/kWh")


def iso_date(value: float) -> str:
    """A point in time, in seconds since 1970, as its day in UTC; of a year beyond 9999 with its sign (ISO 8601-1)."""
    year, month, day = day_of(value)
    return f"{year:04d}-{month:02d}-{day:02d}" if 0 <= year <= 9999 else f"{year:+06d}-{month:02d}-{day:02d}"


def iso_time(value: float) -> str:
    """A point in time, in seconds since 1970, as its minute in UTC."""
    minute = round(value / 60)
    return f"{iso_date(60.0 * minute)} {minute // 60 % 24:02d}:{minute % 60:02d}"


@lru_cache(1024)
def json_unit(dim: Dim) -> tuple[str, float]:
    """The unit that a dimension has in JSON, and what to divide a value in base units by."""
    if not dim or (len(dim) == 1 and dim[0][1] == 1 and dim[0][0] in _COUNTS):
        return "1", 1.0
    for name in (*_JSON, *(f"{code}/{per}" for code in sorted(currencies()) for per in _MONEY_PER)):
        if unit(name).dim == dim:
            return name, unit(name).factor
    return _spelled(dim), 1.0


def mismatch(left: Dim, right: Dim, factor_on: str = "right") -> str | None:
    """What would make two dimensions that differ equal, where it is one step; None where it is not."""
    if left == right:
        return None
    this, other = (right, left) if factor_on == "right" else (left, right)
    if this == power(other, -1):
        return f"invert the {factor_on} side"
    missing = over(other, this)
    if len(missing) != 1:
        return None
    name, e = missing[0]
    word = _spelled(((name, abs(e)),))
    verb = "multiply" if e > 0 else "divide"
    return f"{verb} the {factor_on} side by {'an' if word[0] in 'aeio' else 'a'} `{word}` factor"
