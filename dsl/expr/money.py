"""Figures in one currency to another, by the rates that a plan declares."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.units.dims import in_currency


def in_money(expr: Expr, currency: str, rates: Mapping[str, float]) -> Expr:
    """The expression with its figures in a currency, as far as the rates go: the value there of one of another."""
    if not rates:
        return expr
    if isinstance(expr, Num):
        return exchanged(expr, currency, rates)
    if isinstance(expr, Op):
        return Op(expr.op, tuple(in_money(arg, currency, rates) for arg in expr.args), expr.span)
    return expr


def exchanged(number: Num, currency: str, rates: Mapping[str, float]) -> Num:
    """A figure in a currency, where it is in another that has a rate; as it is written."""
    if not any(name in rates for name, _ in number.dim):
        return number
    value = number.value * math.prod(rates[name] ** e for name, e in number.dim if name in rates)
    return replace(number, value=value, dim=in_currency(number.dim, currency, rates))
