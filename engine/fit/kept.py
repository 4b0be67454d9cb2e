"""A table of runs to those that a fit is made of: by a condition on their figures, and without the highest losses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.dimensions import DimensionClash, Dimensions, is_bare
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, words
from runplan.dsl.expr.values import compiled
from runplan.dsl.syntax.parse import parse
from runplan.dsl.syntax.tree import as_node
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, View
from runplan.dsl.text.words import counted, cut, listing
from runplan.dsl.typed.build import Builder
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.fit.read.words import squashed
from runplan.engine.fit.table import Column, RunTable

_WORD = re.compile(r"""(?<![\w.])([A-Za-z_]\w*)\s*(==?|!=)\s*("[^"]*"|'[^']*'|[^\s()<>=!"',]+)""")
_EQUAL = re.compile(r"(?<![<>=!])=(?!=)")
MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """Which runs a condition holds of.

    Attributes:
        held: By run.
        open: Those that lack a figure that it is about, of which it does not hold either.
    """

    held: NDArray[np.bool_]
    open: NDArray[np.bool_]


class BadCondition(RunplanError, ValueError):
    """Raised for a condition that cannot be read, or is about what runs do not have."""


def where(columns: Mapping[str, Column], cells: Mapping[str, Sequence[str]], text: str) -> Kept:
    """The runs of which a condition holds.

    Args:
        columns: Their figures, by quantity.
        cells: What the file has under each of its headers: words are compared as they stand, `objective = CLM`.

    Raises:
        BadCondition: For one that cannot be read, is about no column, compares what cannot be compared, or holds of no
            run.
    """
    figures = {**{c.header: c for c in columns.values() if c.header.isidentifier()}, **columns}
    said, figures = _of_words(text, figures, cells)
    node, findings = parse(View(said, Source("--where", said)), "constraint")
    builder = Builder()
    condition = builder.expr(as_node(node.children[0])) if node is not None and not findings else None
    wrong = [*findings, *builder.findings]
    if condition is None or wrong:
        raise BadCondition(f"`{text[:60]}`: {wrong[0].message}")
    for word in sorted(words(condition) - figures.keys(), key=said.find):
        own = _numbers(word, cells)
        if own is None:
            there = tuple(dict.fromkeys((*columns, *cells)))
            (help,) = did_you_mean(word, there) or [f"the runs have {listing(there)}"]
            raise BadCondition(f"`{text[:60]}`: unknown name `{word}`; {help}")
        figures[word] = own
    dims = {name: column.dim for name, column in figures.items()}
    condition = _with_units(condition, dims)
    try:
        Dimensions(dims).of(condition)
    except DimensionClash as clash:
        raise BadCondition(f"`{text[:60]}`: {clash.message}") from clash
    env = {name: figures[name].values for name in words(condition)}
    with np.errstate(all="ignore"):
        held = np.asarray(compiled(condition, np)(env))
    if held.dtype != np.bool_:
        raise BadCondition(f"`{text[:60]}` is no condition: write one such as `compute <= 1e20 FLOP`")
    count = len(next(iter(cells.values()), ()))
    open_ = np.zeros(count, bool)
    for values in env.values():
        open_ |= np.isnan(values)
    kept = np.broadcast_to(held, count) & ~open_
    if not kept.any():
        raise BadCondition(f"`{text[:60]}` holds of none of {counted(count, 'run')}")
    return Kept(kept, open_)


def _of_words(
    text: str, figures: Mapping[str, Column], cells: Mapping[str, Sequence[str]]
) -> tuple[str, dict[str, Column]]:
    """A condition with each comparison of a column of words made one of figures, 1 where it holds; and those figures.

    Raises:
        BadCondition: For a word that no run has.
    """
    by_name = {squashed(header): column for header, column in cells.items()}
    made = dict(figures)

    def told(m: re.Match[str]) -> str:
        name, sign, value = m[1], m[2], m[3].strip("\"'")
        column = by_name.get(squashed(name))
        if name in figures or column is None:
            return m[0]
        own = [cell.strip().casefold() for cell in column]
        if value.casefold() not in own:
            there = tuple(dict.fromkeys(cell.strip() for cell in column if cell.strip()))
            (help,) = did_you_mean(value, there) or [f"there is {listing(there[:MOST_NAMED])}"]
            raise BadCondition(f"`{text[:60]}`: no run has `{cut(value)}` as `{name}`; {help}")
        same = np.array([cell == value.casefold() for cell in own])
        key = f"is_so_{len(made)}"
        made[key] = Column(key, "", NONE, np.where(same == (sign != "!="), 1.0, 0.0))
        return f"{key} == 1"

    return _EQUAL.sub("==", _WORD.sub(told, text)), made


def _numbers(name: str, cells: Mapping[str, Sequence[str]]) -> Column | None:
    """A column that is no quantity as plain numbers; None where it has anything else."""
    for header, column in cells.items():
        if squashed(header) == squashed(name):
            try:
                return Column(
                    name, header, NONE, np.array([float(cell) if cell.strip() else np.nan for cell in column])
                )
            except ValueError:
                return None
    return None


def _with_units(item: Expr, known: Mapping[str, Dim]) -> Expr:
    """A condition in which a bare number beside a column is in the column's own unit."""
    if not isinstance(item, Op):
        return item
    args = [_with_units(arg, known) for arg in item.args]
    if item.op in COMPARISONS:
        dims = [Dimensions(known).of(arg) for arg in args if words(arg)]
        args = [
            Num(arg.value, dims[0]) if dims and isinstance(arg, Num) and not arg.dim and is_bare(arg) else arg
            for arg in args
        ]
    return Op(item.op, tuple(args), item.span)


def without_highest(table: RunTable, count: int, column: str) -> RunTable:
    """The runs but for those of the highest figures of a column; of two alike the later one goes first."""
    order = np.argsort(table.values(column), kind="stable")
    kept = np.zeros(len(table), bool)
    kept[order[: max(len(table) - count, 0)]] = True
    return table.rows(kept)
