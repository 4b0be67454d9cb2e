"""The words of a command line to what is varied: `hardware.gpus=256..4096:log5` to the texts of its values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.units.parse import number, unit
from runplan.dsl.units.table import UnknownUnit

Floats = npt.NDArray[np.float64]
# At most so many values of one axis: a range of more has no use that a closer look at a part of it has not.
MOST = 10_000_000
# Digits of the values between the ends of a range.
DIGITS = 12
_RANGE = re.compile(r"(?P<low>[^.]+(?:\.[0-9]+[^.]*)?)\.\.(?P<high>.+):(?P<log>log)?(?P<count>[0-9]{1,8})")
_FIGURE = re.compile(r"([0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9]+)?(?:[KMGT]i|[kKMBT](?![A-Za-z]))?)\s*(.*)")


class CannotSweep(RunplanError):
    """Raised for what cannot be varied, or asked of each point; the message says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a plan and the texts that it is given, one after the other."""

    path: str
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def text(self, at: int) -> str:
        """The value at a place, as a plan would say it."""
        return self.texts[at]


@dataclass(frozen=True, slots=True)
class Spaced:
    """A part of a plan and a range of figures that it is given, the ends among them.

    Attributes:
        low, high: The ends, in the unit.
        count: How many figures, at least 2.
        log: Whether each is so much times the one before, or so much more.
        unit: As it stands behind each figure, a blank before it where it has one.
    """

    path: str
    low: float
    high: float
    count: int
    log: bool = False
    unit: str = ""

    def __len__(self) -> int:
        return self.count

    def number(self, at: int) -> float:
        """The figure at a place, in the unit."""
        if at in (0, self.count - 1):
            return self.high if at else self.low
        share = at / (self.count - 1)
        value = self.low * (self.high / self.low) ** share if self.log else self.low + (self.high - self.low) * share
        return float(f"{value:.{DIGITS}g}")

    def text(self, at: int) -> str:
        """The value at a place, as a plan would say it."""
        value = self.number(at)
        return f"{value:.0f}{self.unit}" if value == math.floor(value) and value < 1e15 else f"{value!r}{self.unit}"


Axis = Listed | Spaced


def axis_of(word: str, whole: bool = False) -> Axis:
    """The axis that a word says: `PATH=V1,V2`, `PATH=LOW..HIGH:N` or `PATH=LOW..HIGH:logN`.

    Where a value has a comma in it, semicolons stand between the values.

    Args:
        whole: Whether the values are whole numbers, as devices are: those between the ends of a range are rounded.

    Raises:
        CannotSweep: Where it says none.
    """
    path, sign, text = word.partition("=")
    path, text = path.strip(), text.strip()
    if not sign or not path or not text:
        raise CannotSweep(f"`{word[:60]}`: write what is varied like `hardware.gpus=256,512` or `tokens=1T..8T:log4`")
    found = _RANGE.fullmatch(text)
    if found is None:
        texts = tuple(part.strip() for part in text.split(";" if ";" in text else ","))
        if not all(texts):
            raise CannotSweep(f"`{word[:60]}`: a value is missing")
        if len(set(texts)) < len(texts):
            again = next(one for one in texts if texts.count(one) > 1)
            raise CannotSweep(f"`{word[:60]}`: `{again}` stands there twice")
        return Listed(path, texts)
    axis = _spaced(word, path, found)
    return _rounded(axis) if whole else axis


def _spaced(word: str, path: str, found: re.Match[str]) -> Spaced:
    """The range that a word says.

    Raises:
        CannotSweep: Where its ends, or how many figures there are, cannot be used.
    """
    ends = [_FIGURE.fullmatch(found[end].strip()) for end in ("low", "high")]
    low, high = ends
    if low is None or high is None or low[2].startswith("-") or high[2].startswith("-"):  # as of a date
        raise CannotSweep(f"`{word[:60]}`: a range is of figures; list anything else: `{path}=A,B`")
    if low[2] and low[2] != high[2]:
        raise CannotSweep(f"`{word[:60]}`: write both ends in one unit, `{low[2]}` or `{high[2]}`")
    if low[1][-1].isdigit() and not high[1][-1].isdigit():
        raise CannotSweep(f"`{word[:60]}`: write both ends in full, as in `{low[1]}{high[1][-1]}..{high[0]}`")
    try:
        first, last = number(low[1]), number(high[1])
    except ValueError as error:
        raise CannotSweep(f"`{word[:60]}`: {error}") from error
    count, log = int(found["count"]), bool(found["log"])
    if not 2 <= count <= MOST:
        raise CannotSweep(f"`{word[:60]}`: a range has 2 to {MOST:,} figures, its ends among them")
    if first == last:
        raise CannotSweep(f"`{word[:60]}`: both ends are `{low[1]}`: write `{path}={found['high'].strip()}`")
    if log and not (first > 0 and last > 0):
        raise CannotSweep(f"`{word[:60]}`: equal ratios need two ends above zero; leave out `log`")
    unit = high[2] if high[2] in ("", "%") else f" {high[2]}"
    return Spaced(path, first, last, count, log, unit)


def _rounded(axis: Spaced) -> Axis:
    """The axis in whole numbers, each once."""
    texts = (f"{round(axis.number(at))}{axis.unit}" for at in range(len(axis)))
    return Listed(axis.path, tuple(dict.fromkeys(texts)))


def figure_of(text: str) -> tuple[float, str] | None:
    """The number and the unit of a text that is a figure; None for another, such as a date."""
    found = _FIGURE.fullmatch(text)
    if found is None:
        return None
    try:
        if found[2]:
            unit(found[2])
        return number(found[1]), found[2]
    except (ValueError, UnknownUnit):
        return None


@lru_cache(8)
def numbers(axis: Axis) -> tuple[Floats, str] | None:
    """The figures of an axis, in the unit that all have; None where they have none, or several."""
    if isinstance(axis, Spaced):
        return np.array([axis.number(at) for at in range(len(axis))]), axis.unit.strip()
    figures = [figure for text in axis.texts if (figure := figure_of(text)) is not None]
    units = {unit for _, unit in figures}
    if len(figures) < len(axis) or len(units) > 1:
        return None
    return np.array([figure for figure, _ in figures]), units.pop()


def multiples(axis: Axis) -> Floats | None:
    """The figures of an axis in base units, as far as their unit alone says; None where that is none."""
    found = numbers(axis)
    if found is None:
        return None
    figures, text = found
    try:
        return figures * (unit(text).factor if text else 1.0)
    except UnknownUnit:
        return None


def places(axes: Sequence[Axis], point: int) -> tuple[int, ...]:
    """Which value of each axis a point has: the last axis changes first."""
    found = []
    for axis in reversed(axes):
        point, at = divmod(point, len(axis))
        found.append(at)
    return tuple(reversed(found))
