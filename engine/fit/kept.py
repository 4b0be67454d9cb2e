"""A table of runs to those that a fit is made of: by a condition on their figures, and without the highest losses."""

from __future__ import annotations

import numpy as np

from runplan.dsl.expr.dimensions import DimensionClash, Dimensions, is_bare
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, words
from runplan.dsl.expr.values import compiled
from runplan.dsl.syntax.parse import parse
from runplan.dsl.syntax.tree import as_node
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, View
from runplan.dsl.text.words import listing
from runplan.dsl.typed.build import Builder
from runplan.engine.fit.table import RunTable


class BadCondition(RunplanError, ValueError):
    """Raised for a condition that cannot be read, or is about what runs do not have."""


def where(table: RunTable, text: str) -> RunTable:
    """The runs of which a condition holds.

    Raises:
        BadCondition: For one that cannot be read, is about no column, or compares what cannot be compared.
    """
    node, findings = parse(View(text, Source("--where", text)), "constraint")
    builder = Builder()
    condition = builder.expr(as_node(node.children[0])) if node is not None and not findings else None
    wrong = [*findings, *builder.findings]
    if condition is None or wrong:
        raise BadCondition(f"`{text[:60]}`: {wrong[0].message}")
    for word in sorted(words(condition) - table.columns.keys()):
        (help,) = did_you_mean(word, table.columns) or [f"the runs have {listing(tuple(table.columns))}"]
        raise BadCondition(f"`{text[:60]}`: unknown name `{word}`; {help}")
    condition = _with_units(condition, table)
    try:
        Dimensions({name: column.dim for name, column in table.columns.items()}).of(condition)
    except DimensionClash as clash:
        raise BadCondition(f"`{text[:60]}`: {clash.message}") from clash
    env = {name: column.values for name, column in table.columns.items()}
    with np.errstate(all="ignore"):
        held = np.asarray(compiled(condition, np)(env))
    if held.dtype != np.bool_:
        raise BadCondition(f"`{text[:60]}` is no condition: write one such as `compute <= 1e20 FLOP`")
    return table.rows(np.broadcast_to(held, len(table)).astype(bool))


def _with_units(item: Expr, table: RunTable) -> Expr:
    """A condition in which a bare number beside a column is in the column's own unit."""
    if not isinstance(item, Op):
        return item
    args = [_with_units(arg, table) for arg in item.args]
    if item.op in COMPARISONS:
        dims = [Dimensions({n: c.dim for n, c in table.columns.items()}).of(arg) for arg in args if words(arg)]
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
