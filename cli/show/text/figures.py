"""Figures as every report writes them: a value with its unit, its interval, a share in per cent."""

from __future__ import annotations

import re

from runplan.cli.show.text.content import NOTHING
from runplan.cli.show.text.quantities import Known, is_share, spoken
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, show
from runplan.engine.problem.solution import Value
from runplan.engine.problem.told import NOISE

# A figure of three digits may be off by half of this share.
_NEAR = 0.01
_UNITS = re.compile(r" (?:params?|tokens?|steps?|epochs?|nodes?|GPUs?|GPU-hours?)$")


def figure(name: str, value: float, dim: Dim, known: Known) -> str:
    """A quantity's value as reports write it: by the word that plans have for it, a share in per cent, a date as its
    day, a loss to the third decimal."""
    if (word := spoken(name, value, known)) is not None:
        return word
    if dim == DATE:
        return iso_date(value)
    if not dim and is_share(name, known):
        return per_cent(value)
    if name == "loss":
        return f"{value:.3f}"
    if name.endswith("learning_rate") and 0 < value < 0.1:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    if name == "steps":
        return f"{value:,.0f}"
    if name == "hours_per_day":
        return f"{value / 3600:.4g} hours"
    return show(value, dim)


def per_cent(share: float) -> str:
    """A share in per cent to three digits, or as many more as keep it from being all of it."""
    if abs(share) <= NOISE or abs(share - 1) <= NOISE:
        return f"{100 * round(share)}%"
    if share >= 10:
        return f"{100 * share:,.0f}%"
    return next((text for digits in range(3, 12) if (text := f"{100 * share:.{digits}g}%") != "100%"), "100%")


def bare(text: str) -> str:
    """A figure without the unit that its row names."""
    return _UNITS.sub("", text)


def interval(name: str, value: Value, known: Known) -> str:
    """The ends of a quantity's interval, in brackets; empty where it has none, or none that shows."""
    if value.low is None or value.high is None:
        return ""
    return between(name, value.value, (value.low, value.high), value.dim, known)


def between(name: str, middle: float, ends: tuple[float, float], dim: Dim, known: Known) -> str:
    """The ends of a figure's interval, in brackets; empty where they do not show."""
    said = bare(figure(name, middle, dim, known))
    low, high = (bare(figure(name, end, dim, known)) for end in ends)
    if low == said == high:
        return ""
    if name != "loss":
        # An end that is near the middle has as many digits: with fewer it might lie on the wrong side.
        low, high = (
            text if abs(end - middle) <= _NEAR * abs(middle) else _short(name, end, dim, known)
            for text, end in zip((low, high), ends, strict=True)
        )
    return f"({from_to(low, high)})"


def apart(figure: str) -> tuple[str, str]:
    """A figure that is shown as its number and its unit, which may be none."""
    number, _, unit = figure.partition(" ")
    return number, unit


def unit_of(dim: Dim) -> str:
    """The unit in which figures of a dimension are shown that are near one."""
    return apart(show(1.0, dim))[1]


def from_to(low: str, high: str) -> str:
    """Two figures as the ends of a range: a unit that both have is said once."""
    _, unit = apart(high)
    return f"{low.removesuffix(f' {unit}') if unit else low} {NOTHING} {high}"


def _short(name: str, value: float, dim: Dim, known: Known) -> str:
    exact = dim == DATE or is_share(name, known) or name == "learning_rate"
    return bare(figure(name, value, dim, known) if exact else show(value, dim, 3))


def part(share: float) -> str:
    """A share in per cent to one decimal, so that a column of them lines up."""
    return f"{100 * share:.1g}%" if 0 < share < 0.0005 else f"{100 * share:.1f}%"
