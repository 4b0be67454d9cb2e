"""The cells of a column into figures: decimal commas, thousands, units in cells, and what is no figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.words import cut
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import Unit, UnknownUnit
from runplan.engine.fit.read.moments import duration, moment
from runplan.engine.fit.read.words import Sort, squashed
from runplan.engine.fit.table import Floats

MISSING = frozenset(("", "na", "n/a", "#n/a", "null", "none", "-", "--", "—", "\u2013", "?", "tbd", "missing", "."))
NOT_FINITE = frozenset(
    ("nan", "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity", "1.#inf", "1.#qnan", "#num!")
)
# Which sign is that of decimals: what cells say, beyond doubt; `either` where all of them can be read both ways.
Style = Literal["point", "comma", "either", "both", "none"]
_FIGURE = pattern(
    r"([+-]?(?:\d[\d.,_' \u00a0\u202f]*|[.,]\d+))"
    r"(?:([eE][+-]?\d+)|(?:\s*[x\u00d7*]\s*10\s*(?:\^|\*\*)\s*([+-]?\d+)))?\s*(.*)"
)
_APART = pattern(r"(?<=\d)[_' \u00a0\u202f](?=\d{3}(?!\d))")
_COMMAS = pattern(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_POINTS = pattern(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")


# What is written otherwise than as a number.
_OF_TIME: Mapping[str, Callable[[str], float | None]] = {"clock": moment, "time": duration}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell that gives no figure.

    Attributes:
        reason: In a few words that several cells may share.
        text: What it says, cut.
    """

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Figures:
    """A column as figures.

    Attributes:
        values: In base units; NaN where there is none.
        dim: Of the values.
        missing: Places of cells that say nothing.
        wrong: By place.
        units: Whether cells say units of their own.
    """

    values: Floats
    dim: Dim
    missing: tuple[int, ...] = ()
    wrong: Mapping[int, Wrong] = field(default_factory=dict)
    units: bool = False


def style_of(cells: Sequence[str]) -> Style:
    """What the cells of a column tell of the sign of decimals."""
    comma = point = either = False
    for cell in cells:
        if "," not in cell and "." not in cell:
            continue
        m = _FIGURE.fullmatch(cell.strip())
        if m is None:
            continue
        text = m[1].rstrip(" ,.")
        if "," in text and "." in text:
            last = max(text.rfind(","), text.rfind("."))
            comma, point = comma or text[last] == ",", point or text[last] == "."
        elif "," in text:
            if not _COMMAS.fullmatch(text):
                comma = comma or text.count(",") == 1
            elif text.count(",") > 1:
                point = True
            else:
                either = True
        elif text.count(".") > 1:
            comma = comma or _POINTS.fullmatch(text) is not None
        elif not _POINTS.fullmatch(text):
            point = True
    if comma and point:
        return "both"
    return "comma" if comma else "point" if point else "either" if either else "none"


def figures(cells: Sequence[str], sort: Sort, unit: Unit, decimal: str) -> Figures:
    """The figures of a column.

    Args:
        unit: Of a cell that says none.
        decimal: The sign of decimals.
    """
    factor, dim = unit.factor, unit.dim
    if decimal == ".":
        try:
            values = np.fromiter(map(float, cells), float, len(cells))
        except ValueError:
            pass
        else:
            if np.isfinite(values).all():
                return Figures(values * factor, dim)
    values = np.full(len(cells), np.nan)
    missing: list[int] = []
    wrong: dict[int, Wrong] = {}
    known: dict[str, Unit | str] = {}
    for i, cell in enumerate(cells):
        try:
            plain = float(cell) if decimal == "." else float(cell.replace(".", "x").replace(",", "."))
        except ValueError:
            pass
        else:
            if np.isfinite(plain):
                values[i] = plain * factor
            else:
                wrong[i] = Wrong("NaN" if plain != plain else "infinite", cut(cell))
            continue
        text = cell.strip()
        lower = text.lower()
        if lower in MISSING:
            missing.append(i)
        elif lower in NOT_FINITE:
            wrong[i] = Wrong("NaN" if "nan" in lower else "infinite", cut(text))
        else:
            found = _one(text, sort, unit, decimal, known)
            if isinstance(found, Wrong):
                wrong[i] = found
            else:
                values[i] = found
    return Figures(values, dim, tuple(missing), wrong, bool(known))


def _one(text: str, sort: Sort, unit: Unit, decimal: str, known: dict[str, Unit | str]) -> float | Wrong:
    """The figure of a cell that is more than a plain number, in base units."""
    read = _OF_TIME.get(sort.name)
    if read is not None and (seconds := read(text)) is not None:
        return seconds
    m = _FIGURE.fullmatch(text)
    number = None if m is None else _number(m[1], m[2] or (f"e{m[3]}" if m[3] else ""), decimal)
    if m is None or number is None:
        return Wrong("no number", cut(text))
    own = unit
    if said := m[4]:
        if not squashed(said):
            return Wrong(f"`{cut(said)}` is no unit", cut(text))
        if said not in known:
            known[said] = _unit(said, sort)
        found = known[said]
        if isinstance(found, str):
            return Wrong(found, cut(text))
        own = found
    if own.dim != unit.dim:
        return Wrong(f"{said_dim(own.dim)} and not {said_dim(unit.dim)}", cut(text))
    return number * own.factor if np.isfinite(number) else Wrong("infinite", cut(text))


def _unit(text: str, sort: Sort) -> Unit | str:
    try:
        return sort.unit(text)
    except UnknownUnit as error:
        return str(error)


def _number(text: str, exponent: str, decimal: str) -> float | None:
    """A number with its thousands parted or not; None where the signs are not where a number has them."""
    text = _APART.sub("", text.strip())
    other = "," if decimal == "." else "."
    if other in text:
        whole, _, rest = text.partition(decimal)
        groups = _COMMAS if other == "," else _POINTS
        if not groups.fullmatch(whole) or other in rest:
            return None
        text = text.replace(other, "")
    try:
        return float(text.replace(decimal, ".") + exponent)
    except ValueError:
        return None


def decimal_of(styles: Sequence[Style], own: Style) -> str:
    """The sign of decimals of a column, by its own cells, then by those of the others; empty where both can be."""
    if own in ("point", "comma"):
        return "." if own == "point" else ","
    told = {style for style in styles if style in ("point", "comma")}
    if own == "either":
        return "" if len(told) != 1 else "." if told == {"point"} else ","
    return "." if own == "both" or told != {"comma"} else ","


def read_one_way(cells: Sequence[str], sort: Sort, unit: Unit) -> str:
    """The sign of decimals by which all figures of a column lie where such do; empty where neither or both do.

    Of counts both may: `1,234` may be billions.
    """
    if sort.counted:
        return ""
    low, high = sort.between or (0.0, np.inf)
    read = {decimal: figures(cells, sort, unit, decimal).values for decimal in (".", ",")}
    fit = [d for d, values in read.items() if ((values >= low) & (values <= high))[np.isfinite(values)].all()]
    return fit[0] if len(fit) == 1 else ""


def has_signs(cells: Sequence[str]) -> bool:
    """Whether any cell has a comma, or points between thousands; without either points are those of decimals."""
    whole = "\n".join(cells)
    return "," in whole or re.search(r"\d\.\d{3}\.\d", whole) is not None
