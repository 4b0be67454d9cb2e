"""A number or a unit as it is written to its value, with what was meant where there is none."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from runplan.dsl.text.pattern import pattern
from runplan.dsl.units.dims import NONE, power, times
from runplan.dsl.units.table import Unit, UnknownUnit, table_of_units
from runplan.dsl.units.traps import spelled_out, trap

_SPLIT = pattern(r"([*·/])")
_HYPHEN = pattern(r"(?<!\^)-")
_POWER = pattern(r"([^^]*)\^(-?[0-9]{1,3}(?:\.[0-9]+)?)")


def _unknown(name: str, text: str, after: str) -> UnknownUnit:
    if not name or re.search(r"\s", text):
        return UnknownUnit(text, (), "write a unit as one word, such as `hour` or `USD/GPU/hour`")
    if hint := spelled_out(text):
        return UnknownUnit(text, (), hint)
    if hint := trap(name):
        return UnknownUnit(name, (), hint)
    suggestions = suggest(name)
    if after and not suggestions and name.isidentifier():
        return UnknownUnit(name, (), f"if it is a name of the plan, put blanks round the `{after}`")
    return UnknownUnit(name, suggestions)


def suggest(name: str) -> tuple[str, ...]:
    """The names nearest to one that is no unit, best first, at most three and no two of them one unit."""
    import difflib  # only on the way to an error

    units = table_of_units().units
    near = [n for n in sorted(units) if n.casefold() == name.casefold()]
    if not near and len(name) <= 40:
        by_fold: dict[str, str] = {}
        for n in sorted(units):
            by_fold.setdefault(n.casefold(), n)
        near = [by_fold[n] for n in difflib.get_close_matches(name.casefold(), sorted(by_fold), 5, 0.75)]
        near = [n for n in near if not _of_another_size(name, n)]
    return tuple({units[n]: n for n in reversed(near)}.values())[::-1][:3]


def _of_another_size(word: str, name: str) -> bool:
    """Whether a unit is a multiple of one that a word may be of, and not by the prefix that the word has."""
    units = table_of_units().units
    is_multiple = name[1:] in units and units[name[1:]].dim == units[name].dim
    has_prefix = word[1:].casefold() == name.casefold() and any(n[1:] == name for n in units)
    return has_prefix or (is_multiple and word[:1].casefold() != name[:1].casefold())


@lru_cache(4096)
def unit(text: str) -> Unit:
    """The unit that a text without blanks names, such as `USD/GPU/hour`.

    `*`, `·` and `/` go from left to right; a hyphen multiplies and binds tighter, so `USD/GPU-hour` is
    a price of a GPU-hour. A name may carry a real exponent (`FLOP^0.35`), and the first may be `1`.

    Raises:
        UnknownUnit: A part of it is no unit.
    """
    units = table_of_units().units
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
        raise UnknownUnit(text, (), spelled_out(text) or "write `PF-day` for a day at 1e15 FLOP/s")
    return Unit(factor, dim)


# Reading a number

_DECIMAL = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "T": 12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = pattern(rf"({_DIGITS}(?:\.{_DIGITS})?)(?:[eE]([+-]?[0-9]{{1,4}}))?(Ki|Mi|Gi|Ti|[kKMBT]?)")


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


def is_number(text: str) -> bool:
    """Whether a text is a number and nothing else: no unit, and no per cent."""
    return _NUMBER.fullmatch(text.strip()) is not None


def is_binary(text: str) -> bool:
    """Whether a number is written with a binary suffix, as in `85Mi`."""
    m = _NUMBER.fullmatch(text)
    return bool(m and m[3] in _BINARY)
