"""Units and numbers as text into factors and dimensions, and values of a dimension back into text."""

from __future__ import annotations

import math
import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pint

PATH = Path(__file__).with_name("units.txt")
MONTH = "month"

Dim = tuple[tuple[str, float], ...]
NONE: Dim = ()
# The dimension of what could not be read: it has its finding, and goes with nothing.
UNKNOWN: Dim = (("?", 1.0),)
# The dimension of money where no plan says yet in which currency.
MONEY = "currency"
USUAL_MONEY = "USD"


@dataclass(frozen=True, slots=True)
class Unit:
    """How much of the base units one of it is."""

    factor: float
    dim: Dim


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in base units, and its dimension."""

    value: float
    dim: Dim


class UnknownUnit(Exception):
    """A name that is no unit.

    Attributes:
        name: The part of the text that is to blame.
        suggestions: The nearest names, best first; empty where there is a hint.
        hint: What to write instead, where the name is a known trap.
    """

    def __init__(self, name: str, suggestions: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(name, suggestions, hint)
        self.name = name
        self.suggestions = suggestions
        self.hint = hint

    def __str__(self) -> str:
        said = f"`{self.name}` is not a unit"
        if self.hint:
            return f"{said}: {self.hint}"
        if self.suggestions:
            return f"{said}: did you mean {' or '.join(f'`{s}`' for s in self.suggestions)}?"
        return said


# ---------------------------------------------------------------------------------------------------
# Dimensions


@lru_cache(4096)
def _exponent(e: float) -> float:
    """The exponent without the noise of float sums: a small fraction or short decimal where it is one."""
    if not math.isfinite(e):
        raise ValueError("an exponent must be finite")
    for below in range(1, 13):
        if abs(e * below - round(e * below)) < 1e-11:
            return round(e * below) / below
    short = round(e, 8)
    return short if abs(e - short) < 1e-11 else round(e, 14)


def _dim(exponents: dict[str, float]) -> Dim:
    return tuple(sorted((name, s) for name, e in exponents.items() if (s := _exponent(e))))


def times(a: Dim, b: Dim) -> Dim:
    """The dimension of a product."""
    if not a or not b:
        return a or b
    sums = dict(a)
    for name, e in b:
        sums[name] = sums.get(name, 0.0) + e
    return _dim(sums)


def over(a: Dim, b: Dim) -> Dim:
    """The dimension of a quotient."""
    return times(a, tuple((name, -e) for name, e in b))


def power(a: Dim, exponent: float) -> Dim:
    """The dimension of a power; the exponent may be any real number."""
    return _dim({name: e * exponent for name, e in a})


def in_currency(dim: Dim, currency: str, converted: Container[str]) -> Dim:
    """A dimension with money that is of no currency yet, or of one that is converted, in the one that is at hand."""
    out = NONE
    for name, e in dim:
        out = times(out, ((currency if name == MONEY or name in converted else name, e),))
    return out


# ---------------------------------------------------------------------------------------------------
# The table


class _Table(NamedTuple):
    units: dict[str, Unit]
    bases: tuple[str, ...]
    currencies: frozenset[str]


_NAME = re.compile(r"[^\W\d_]\w*|%")
_PLURAL = re.compile(r"[a-z][a-z_]+")


def read_table(text: str) -> _Table:
    """What a file of definitions defines; a line of another form than ours is a ValueError."""
    values: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for number_of_line, line in enumerate(text.splitlines(), 1):
        name, *rest = (part.strip() for part in line.partition("#")[0].split("="))
        if not rest:
            if name:
                raise ValueError(f"units.txt:{number_of_line}: not a definition: {name}")
            continue
        values[name] = rest[0]
        for spelling in (name, *(alias for alias in rest[1:] if alias != "_")):
            if spelling in spellings or not _NAME.fullmatch(spelling):
                fault = "is defined twice" if spelling in spellings else "cannot be a name"
                raise ValueError(f"units.txt:{number_of_line}: `{spelling}` {fault}")
            spellings[spelling] = name
    found: dict[str, Unit] = {}

    def resolve(name: str, chain: tuple[str, ...] = ()) -> Unit:
        if name in found:
            return found[name]
        if name not in values or name in chain:
            raise ValueError(f"units.txt: `{chain[-1]}` rests on `{name}`, which is not defined")
        factor, dim = 1.0, NONE
        if values[name].startswith("["):
            dim = ((name, 1.0),)
        else:
            # Only products and quotients, left to right: `60 * second`, `watt_hour / hour`.
            words = re.split(r"\s*([*/])\s*", "* " + values[name])[1:]
            for operator, word in zip(words[::2], words[1::2], strict=True):
                sign = -1 if operator == "/" else 1
                if word[:1].isdigit():
                    part = Unit(float(word), NONE)
                else:
                    part = resolve(spellings.get(word, word), (*chain, name))
                factor, dim = factor * part.factor**sign, times(dim, power(part.dim, sign))
        found[name] = Unit(factor, dim)
        return found[name]

    units = {spelling: resolve(name) for spelling, name in spellings.items()}
    for spelling, one in list(units.items()):
        if _PLURAL.fullmatch(spelling) and not _trap(spelling + "s"):
            units.setdefault(spelling + "s", one)
    for spelling, one in list(units.items()):
        units.setdefault(spelling.replace("_", "-"), one)
    bases = tuple(name for name, value in values.items() if value.startswith("["))
    return _Table(units, bases, frozenset(name for name in bases if values[name].startswith("[currency_")))


@lru_cache(1)
def _table() -> _Table:
    return read_table(PATH.read_text(encoding="utf-8"))


def names() -> frozenset[str]:
    """Every name that a unit has, plurals and `PF-day` included."""
    return frozenset(_table().units)


def currencies() -> frozenset[str]:
    """The base units that are money."""
    return _table().currencies


@lru_cache(1)
def registry() -> pint.UnitRegistry[Any]:
    """The same units as a pint registry, for those who compute with pint."""
    import pint  # 0.2 s, and nothing but this needs it

    return pint.UnitRegistry(str(PATH))


# ---------------------------------------------------------------------------------------------------
# Reading a unit

_JOIN = "join it to the number: `10T tokens`"
_MONEY = "write the currency's code after the number: `30M USD`"
_MASS = "write `tCO2eq` for emissions"
_TRAPS = {
    "m": "write `min`, `month`, or join `M` to the number: `30M USD`",
    **dict.fromkeys(("k", "K", "M", "T", "Ki", "Mi", "Gi"), _JOIN),
    "G": "write `B` for 1e9, joined to the number: `7B params`",
    "P": "write the number in full (`1e15`), or a unit such as `PFLOP` or `PB`",
    "b": "write `bit` or `B` (a byte); 1e9 is a `B` joined to the number: `7B params`",
    "PF": "write `PF-day` for an amount or `PFLOP/s` for a rate",
    **dict.fromkeys("$€£¥₩₹", _MONEY),
    **dict.fromkeys(("t", "ton", "tons", "tonne", "tonnes", "kg", "g", "CO2", "CO2eq"), _MASS),
}
_FLOPS = re.compile(r"([kmgtpez]?)flops", re.IGNORECASE)
_BITS = re.compile(r"([kMGT]?)(b|bps)")


def _trap(name: str) -> str | None:
    """What to write instead of a name that means several things, or another one than it seems."""
    if hint := _TRAPS.get(name):
        return hint
    if m := _FLOPS.fullmatch(name):
        prefix = "k" if m[1] in ("k", "K") else m[1].upper()
        return f"write `{prefix}FLOP` for an amount or `{prefix}FLOP/s` for a rate"
    if m := _BITS.fullmatch(name):
        return f"write `{m[1]}bit{'/s' if m[2] == 'bps' else ''}`; bytes are `{m[1]}B`"
    if name[:1] in "$€£¥₩₹" and name:
        return _MONEY
    return None


_SPLIT = re.compile(r"([*·/])")
_HYPHEN = re.compile(r"(?<!\^)-")
_POWER = re.compile(r"([^^]*)\^(-?[0-9]{1,3}(?:\.[0-9]+)?)")


def _unknown(name: str, text: str, after: str) -> UnknownUnit:
    if not name or re.search(r"\s", text):
        return UnknownUnit(text, (), "write a unit as one word, such as `hour` or `USD/GPU/hour`")
    if hint := _trap(name):
        return UnknownUnit(name, (), hint)
    suggestions = suggest(name)
    if after and not suggestions and name.isidentifier():
        return UnknownUnit(name, (), f"if it is a name of the plan, put blanks round the `{after}`")
    return UnknownUnit(name, suggestions)


def suggest(name: str) -> tuple[str, ...]:
    """The names nearest to one that is no unit, best first, at most three and no two of them one unit."""
    import difflib  # only on the way to an error

    units = _table().units
    near = [n for n in sorted(units) if n.casefold() == name.casefold()]
    if not near and len(name) <= 40:
        by_fold: dict[str, str] = {}
        for n in sorted(units):
            by_fold.setdefault(n.casefold(), n)
        near = [by_fold[n] for n in difflib.get_close_matches(name.casefold(), sorted(by_fold), 5, 0.75)]
    return tuple({units[n]: n for n in reversed(near)}.values())[::-1][:3]


@lru_cache(4096)
def unit(text: str) -> Unit:
    """The unit that a text without blanks names, such as `USD/GPU/hour`.

    `*`, `·` and `/` go from left to right; a hyphen multiplies and binds tighter, so `USD/GPU-hour` is
    a price of a GPU-hour. A name may carry a real exponent (`FLOP^0.35`), and the first may be `1`.

    Raises:
        UnknownUnit: A part of it is no unit.
    """
    units = _table().units
    parts = _SPLIT.split(text)
    factor, dim = 1.0, NONE
    for i in range(0, len(parts), 2):
        before = parts[i - 1] if i else ""
        sign = -1.0 if before == "/" else 1.0
        if parts[i] == "1" and not i:
            continue
        # `PF-day` is one name; `GPU-hour` is two.
        m = _POWER.fullmatch(parts[i])
        words = [parts[i]] if (m[1] if m else parts[i]) in units else _HYPHEN.split(parts[i])
        for word in words:
            m = _POWER.fullmatch(word)
            name, exponent = (m[1], float(m[2]) * sign) if m else (word, sign)
            one = units.get(name)
            if one is None:
                raise _unknown(name, text, before or ("-" if len(words) > 1 else ""))
            try:
                factor, dim = factor * one.factor**exponent, times(dim, power(one.dim, exponent))
            except OverflowError:
                factor = math.inf
            if not 0 < factor < math.inf:
                raise UnknownUnit(text, (), "write a smaller exponent")
    # FLOP/s-day is read as FLOP/(s-day): nobody means that.
    if len(parts) > 1 and dict(dim).get("second") == -2 and re.search(r"FLOP/s(ec)?-", text):
        raise UnknownUnit(text, (), "write `PF-day` for a day at 1e15 FLOP/s")
    return Unit(factor, dim)


# ---------------------------------------------------------------------------------------------------
# Reading a number

_DECIMAL = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "T": 12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = re.compile(rf"({_DIGITS}(?:\.{_DIGITS})?)(?:[eE]([+-]?[0-9]{{1,4}}))?(Ki|Mi|Gi|[kKMBT]?)")


def number(text: str) -> float:
    """The value of a number such as `10T`, `1_000`, `3e-4` or `85Mi`.

    Raises:
        ValueError: It is none, or one that no float holds.
    """
    m = _NUMBER.fullmatch(text)
    if not m:
        raise ValueError(f"`{text}` is not a number")
    digits, exponent, suffix = m[1].replace("_", ""), int(m[2] or 0), m[3]
    # The suffix goes into the exponent, so that 2.3T is the float nearest to 2.3e12.
    value = float(f"{digits}e{exponent + _DECIMAL.get(suffix, 0)}") * _BINARY.get(suffix, 1.0)
    if math.isinf(value) or (value == 0 and digits.strip("0.")):
        raise ValueError(f"`{text}` is too {'large' if value else 'small'} a number")
    return value


def is_binary(text: str) -> bool:
    """Whether a number is written with a binary suffix, as in `85Mi`."""
    m = _NUMBER.fullmatch(text)
    return bool(m and m[3] in _BINARY)


# ---------------------------------------------------------------------------------------------------
# Writing

# Each list is one dimension, the smaller unit first: a value is shown in the largest one that it fills.
_LADDERS = (
    ("B", "kB", "MB", "GB", "TB", "PB", "EB"),
    ("B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"),
    ("B/GPU", "kB/GPU", "MB/GPU", "GB/GPU", "TB/GPU"),
    ("FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s", "ZFLOP/s"),
    ("FLOP/s/GPU", "kFLOP/s/GPU", "MFLOP/s/GPU", "GFLOP/s/GPU", "TFLOP/s/GPU", "PFLOP/s/GPU"),
    ("Wh", "kWh", "GWh", "TWh"),
    ("W", "kW", "MW", "GW"),
    ("W/GPU", "kW/GPU"),
    ("gCO2eq", "kgCO2eq", "tCO2eq"),
    ("gCO2eq/kWh",),
    ("GPU-hours",),
)
_MONEY_PER = ("GPU/hour", "hour", "kWh")
_SPOKEN = {"watt_hour": "Wh"}
_PLURALS = frozenset(("token", "param", "character", "byte", "sequence", "step", "epoch", "node"))
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


def _count(value: float, digits: int) -> str:
    """A number, with M, B or T from a million on."""
    r = _rounded(value, digits)
    for suffix, scale in _LARGE:
        if scale <= abs(r) < 1e15:
            return _figure(r / scale, digits) + suffix
    return _figure(value, digits)


def _money(value: float, digits: int) -> str:
    if abs(value) < 0.01 or round(abs(value), 2) >= 1e6:
        return _count(value, digits)
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def _duration(value: float, digits: int) -> str:
    days = value / 86400
    for name, length in (("year", 365), ("month", 30)):
        n = round(days / length) if abs(days) < 1e9 else 0
        if n and abs(days - n * length) <= 1e-9 * abs(days):
            return _counted(_count(n, digits), name)
    for name, least in _DURATIONS:
        n_of = value / unit(name).factor
        if abs(n_of) >= least * (1 - 1e-9) or math.isclose(abs(n_of), 1, rel_tol=1e-9):
            return _counted(_count(n_of, digits), name)
    raise AssertionError("a duration is at least 0 seconds")


def _counted(figure: str, name: str) -> str:
    return f"{figure} {name}" if figure in ("1", "-1") else f"{figure} {name}s"


def show_dim(dim: Dim) -> str:
    """A dimension in base units, such as `USD/GPU/second`, `token/param` or `a plain number`."""
    return _spelled(dim) or "a plain number"


def _spelled(dim: Dim, plural: bool = False) -> str:
    rank = {name: i for i, name in enumerate(_table().bases)}
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

    Figures are rounded to `digits` significant digits; whole ones below a million are given in full, and
    so is money to the cent.
    """
    value = float(value)
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    value += 0.0  # no -0
    if ladder := _ladders().get(dim):
        for name, factor in reversed(ladder):
            n = value / factor
            if not math.isfinite(n):
                break
            if abs(_rounded(n, digits)) >= 1 or factor == ladder[0][1]:
                return _one(f"{_count(n, digits)} {name}")
    base = dim[0][0] if len(dim) == 1 and dim[0][1] == 1 else ""
    if base in currencies():
        return f"{_money(value, digits)} {base}"
    if base == "second":
        return _duration(value, digits)
    if not dim:
        return _figure(value, digits)
    above = [name for name, e in dim if e > 0]
    counted = above[0] if len(above) == 1 and dict(dim)[above[0]] == 1 else ""
    figure = _count(value, digits) if counted in _PLURALS | {"GPU"} else _figure(value, digits)
    if not above:
        return figure + _spelled(dim)[1:]
    return f"{figure} {_spelled(dim, plural=counted in _PLURALS and figure not in ('1', '-1'))}"


def _one(text: str) -> str:
    return "1 GPU-hour" if text == "1 GPU-hours" else text


# The unit that a dimension has in JSON, where it is not the base unit.
_JSON = ("GPU*hour", "kWh", "W", "gCO2eq/kWh")


@lru_cache(1024)
def json_unit(dim: Dim) -> tuple[str, float]:
    """The unit that a dimension has in JSON, and what to divide a value in base units by."""
    if not dim:
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
