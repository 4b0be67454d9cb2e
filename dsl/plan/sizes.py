"""Figures of what is counted one by one, sequences and nodes, to what those hold: tokens, GPUs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.plan.ir import Given
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.units.base import GPU, NODE, SEQUENCE, TOKEN
from runplan.dsl.units.dims import Dim, over, power, times

# What one of each holds, and what a plan says of it.
_HOLDS = {"sequence": (SEQUENCE, TOKEN, "tokens"), "node": (NODE, GPU, "GPUs")}
# What to add where a plan does not say it.
NOT_SAID = {
    "sequence": "say it in the model's block: `model { params: 7B; context: 4096 tokens }`",
    "node": "add `in nodes of 8` to the hardware",
}


def held(dim: Dim) -> Dim:
    """A dimension in what sequences and nodes hold: in tokens, in GPUs."""
    for unit, (counted, content, _) in _HOLDS.items():
        if exponent := dict(dim).get(unit):
            dim = times(dim, power(over(content, counted), exponent))
    return dim


def sized(
    expr: Expr, dim: Dim, wanted: Collection[Dim], sizes: Mapping[str, Given | str]
) -> tuple[Expr, Dim] | Finding:
    """A figure of sequences or nodes as one of tokens or GPUs, where those are wanted; any other as it is.

    `12 nodes` is 96 GPUs in nodes of 8, and `20 USD/node/hour` 2.50 USD/GPU/hour.

    Returns:
        The expression and its dimension; a finding where it is not said how much one of them is.
    """
    for unit, (counted, content, plural) in _HOLDS.items():
        exponent = dict(dim).get(unit, 0.0)
        meant = times(dim, power(over(content, counted), exponent))
        if dim in wanted or abs(exponent) != 1.0 or not meant or meant not in wanted:
            continue
        size = sizes[unit]
        if isinstance(size, str):
            assert expr.span is not None, "it is written in a plan"
            message = f"`{shown(expr)}` counts {unit}s; how many {plural} each has is not said"
            return finding("C004", message, expr.span, help=[size])
        each = Num(size.value.value, over(content, counted), f"{shown(size.expr)}/{unit}")
        return Op("*" if exponent > 0 else "/", (expr, each), expr.span), meant
    return expr, dim
