"""The sides of a comparison to rows: a quantity in every column, and how far apart the columns are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.money import exchanged
from runplan.dsl.expr.tree import Num
from runplan.dsl.text.words import enumerated
from runplan.dsl.types import TypeVar
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.problem.told import NOISE, applying
from runplan.engine.report import Report

TOKENS_PER_PARAM = "tokens_per_param"
# Figures nearer to each other than this are the same: what is left is rounding in the solver.
SAME = 1e-6

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Column:
    """One side of a comparison: a plan under a law.

    Attributes:
        name: What tells it from the other sides: the law, or the plan.
        beyond: How many times each quantity lies outside the range of the runs that the law was fitted to;
            without those inside.
    """

    name: str
    report: Report
    solution: Solution
    beyond: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """A quantity in every column.

    Attributes:
        values: In base units; None where a column has none.
        dims: Of each value: money is in the currency of its own plan.
        spread: The largest over the smallest of the columns that are solved; None where that says nothing.
        within: The widest of the 80 % intervals of these columns, as a ratio of its ends; None where none has one.
    """

    quantity: str
    values: tuple[float | None, ...]
    dims: tuple[Dim, ...]
    spread: float | None
    within: float | None = None


def row(columns: Sequence[Column], name: str) -> Row | None:
    """A quantity in every column; None where no column has it."""
    if name == TOKENS_PER_PARAM:
        return _tokens_per_param(columns)
    found = [applying(column.solution, name) for column in columns]
    if not any(found):
        return None
    values = tuple(value.value if value else None for value in found)
    dims = tuple(value.dim if value else NONE for value in found)
    spread = _spread(columns, values, dims) if name not in ("loss", "perplexity") or not losses(columns) else None
    # A date has no ratio to another.
    if DATE in dims:
        return Row(name, values, dims, spread if spread == 1.0 else None)
    return Row(name, values, dims, spread, _widest(columns, name, found))


def _tokens_per_param(columns: Sequence[Column]) -> Row | None:
    pairs = [(column.solution.get("tokens"), column.solution.get("params")) for column in columns]
    values = tuple(tokens / params if tokens and params else None for tokens, params in pairs)
    dims = (NONE,) * len(columns)
    return Row(TOKENS_PER_PARAM, values, dims, _spread(columns, values, dims)) if any(values) else None


def _spread(columns: Sequence[Column], values: Sequence[float | None], dims: Sequence[Dim]) -> float | None:
    """The largest over the smallest of the columns that are solved; None of fewer than two."""
    counted = [
        Num(value, dim)
        for value, dim, column in zip(values, dims, columns, strict=True)
        if value is not None and column.solution.status == "solved"
    ]
    return _ratio_in_one(counted, columns) if len(counted) > 1 else None


def _widest(columns: Sequence[Column], name: str, found: Sequence[Value | None]) -> float | None:
    """The widest interval of the columns that are solved, as a ratio of its ends; None where none has one."""
    # What memory is needed lies between bounds, which are no interval.
    if name == q.MEMORY_PER_GPU.text or _is_remainder(columns, name):
        return None
    own = (value for value, column in zip(found, columns, strict=True) if value and column.solution.status == "solved")
    return max((v.high / v.low for v in own if v.low and v.high and v.low > NOISE), default=None)


def _is_remainder(columns: Sequence[Column], name: str) -> bool:
    """Whether a quantity is what is left of a whole: it may be next to nothing, and no ratio of its ends says much."""
    known = columns[0].solution.problem.quantities.get(name)
    return known is not None and known.facts.per_cent and known.facts.decided != "nature"


def _ratio_in_one(counted: Sequence[Num], columns: Sequence[Column]) -> float | None:
    """The ratio of figures in one unit; of money of several currencies by a rate that one of the plans declares."""
    if len({number.dim for number in counted}) == 1:
        return _ratio([number.value for number in counted])
    ratios = []
    for plan in (column.report.plan for column in columns):
        assert plan is not None, "what has a solution has a plan"
        converted = [exchanged(number, plan.currency, plan.rates) for number in counted]
        if len({number.dim for number in converted}) == 1:
            ratios.append(_ratio([number.value for number in converted]))
    # Plans that declare two rates for one currency do not say which of them compares them.
    agree = {None if ratio is None else float(f"{ratio:.6g}") for ratio in ratios}
    return ratios[0] if len(agree) == 1 else None


def _ratio(values: Sequence[float]) -> float | None:
    """The largest over the smallest; None where they differ and a ratio to next to nothing would say so."""
    low, high = min(values), max(values)
    if high - low <= SAME * abs(high) or high - low <= NOISE:
        return 1.0
    return high / low if low > NOISE else None


def of_money(columns: Sequence[Column]) -> str:
    """What must be known of costs that are in several currencies; empty where they are in one."""
    there = [c for c in columns if q.COST in c.solution.values and c.solution.status == "solved"]
    found = row(there, q.COST.text) if there else None
    if found is None or len(set(found.dims)) == 1:
        return ""
    said = enumerated(list(dict.fromkeys(name for dim in found.dims for name, _ in dim)))
    if found.spread is None:
        return f"costs are in {said}: no plan declares a rate between them, or they disagree about it"
    return f"costs are in {said}: their spread is by the rate that the plans declare"


def losses(columns: Sequence[Column]) -> str:
    """Why the losses must not be compared: not one corpus, or a law that names none; empty where they may be."""
    having = [column for column in columns if q.LOSS in column.solution.values]
    corpora = grouped((column.solution.problem.law.corpus, column) for column in having)
    if len(having) < 2 or (len(corpora) == 1 and "" not in corpora):
        return ""
    parts = [
        f"{listed(names)} on {corpus}" if corpus else f"{listed(names)} {verb(names, 'names', 'name')} no corpus"
        for corpus, names in corpora.items()
    ]
    return f"the losses are not comparable: {'; '.join(parts)}"


def grouped(pairs: Iterable[tuple[Key, Column]]) -> dict[Key, list[str]]:
    """The laws that share a key, each once."""
    out: dict[Key, list[str]] = {}
    for key, column in pairs:
        names = out.setdefault(key, [])
        if column.solution.law not in names:
            names.append(column.solution.law)
    return out


def times(factor: float) -> str:
    """A factor as people write it."""
    return f"{show(factor, (), 3)}x"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a`, `b` and `c`."""
    return enumerated([f"`{name}`" for name in names])


def verb(names: Sequence[str], one: str, several: str) -> str:
    """The word that goes with one name, or with several."""
    return one if len(names) == 1 else several
