"""`units.txt` to the table of units, and to pint's registry where one is asked for."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.pattern import pattern
from runplan.dsl.types import TYPE_CHECKING, Any
from runplan.dsl.units.dims import NONE, Dim, power, times
from runplan.dsl.units.traps import trap

if TYPE_CHECKING:
    import pint

    PintQuantity = pint.Quantity[float]
PATH = os.path.join(os.path.dirname(__file__), "units.txt")
MONTH = "month"


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


class UnknownUnit(RunplanError):
    """Raised for a name that is no unit.

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


# The table


@dataclass(frozen=True, slots=True)
class Table:
    """Every unit by each of its names, and which are base units and money."""

    units: dict[str, Unit]
    bases: tuple[str, ...]
    currencies: frozenset[str]


_NAME = pattern(r"[^\W\d_]\w*|%")
_PLURAL = pattern(r"[a-z][a-z_]+")


def read_table(text: str) -> Table:
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
        if _PLURAL.fullmatch(spelling) and not trap(spelling + "s"):
            units.setdefault(spelling + "s", one)
    for spelling, one in list(units.items()):
        units.setdefault(spelling.replace("_", "-"), one)
    bases = tuple(name for name, value in values.items() if value.startswith("["))
    return Table(units, bases, frozenset(name for name in bases if values[name].startswith("[currency_")))


@lru_cache(1)
def table_of_units() -> Table:
    """The table of `units.txt`: as it was read when the wheel was built, where there is one."""
    try:
        from runplan.dsl.units.unit_table import BASES, CURRENCIES, UNITS
    except ImportError:
        return _read()
    return Table({name: Unit(*one) for name, one in UNITS.items()}, BASES, frozenset(CURRENCIES))


def _read() -> Table:
    with open(PATH, encoding="utf-8") as file:
        return read_table(file.read())


def names() -> frozenset[str]:
    """Every name that a unit has, plurals and `PF-day` included."""
    return frozenset(table_of_units().units)


def currencies() -> frozenset[str]:
    """The base units that are money."""
    return table_of_units().currencies


@lru_cache(1)
def registry() -> pint.UnitRegistry[Any]:
    """The same units as a pint registry, for those who compute with pint."""
    import pint  # 0.2 s, and nothing but this needs it

    return pint.UnitRegistry(PATH)


def in_pint(value: float, dim: Dim) -> PintQuantity:
    """A value in base units as a quantity of the registry."""
    out = registry().Quantity(value)
    for name, exponent in dim:
        out = out * registry().Unit(name) ** exponent
    return out
