"""An expression to its symbolic derivative, which derivatives by rule are held to."""

from __future__ import annotations

import math

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Unbound, walk

ZERO, ONE = Num(0.0), Num(1.0)


def add(a: Expr, b: Expr) -> Expr:
    """The sum, with zeros left out."""
    if isinstance(a, Num) and a.value == 0.0:
        return b
    if isinstance(b, Num) and b.value == 0.0:
        return a
    return Op("+", (a, b))


def multiply(a: Expr, b: Expr) -> Expr:
    """The product, with zeros and ones left out and numbers multiplied out."""
    if (isinstance(a, Num) and a.value == 0.0) or (isinstance(b, Num) and b.value == 0.0):
        return ZERO
    if isinstance(a, Num) and a.value == 1.0 and not a.dim:
        return b
    if isinstance(b, Num) and b.value == 1.0 and not b.dim:
        return a
    if isinstance(a, Num) and isinstance(b, Num) and not a.dim and not b.dim:
        return Num(a.value * b.value)
    return Op("*", (a, b))


def derivative(expr: Expr, name: Name | str) -> Expr:
    """The symbolic derivative by a name, or by a word; dimensions are not kept, the values are.

    Raises:
        ValueError: For what has no derivative, such as a comparison.
    """
    if isinstance(expr, Ref | Unbound):
        return ONE if expr.name == name else ZERO
    if not isinstance(expr, Op) or not _mentions(expr, name):
        return ZERO
    op, args = expr.op, expr.args
    if op in ("+", "-"):
        right = derivative(args[1], name)
        return add(derivative(args[0], name), right if op == "+" else multiply(Num(-1.0), right))
    if op == "neg":
        return multiply(Num(-1.0), derivative(args[0], name))
    if op == "*":
        return add(multiply(derivative(args[0], name), args[1]), multiply(args[0], derivative(args[1], name)))
    if op == "/":
        top, bottom = args
        first = Op("/", (derivative(top, name), bottom)) if _mentions(top, name) else ZERO
        if not _mentions(bottom, name):
            return first
        second = Op("/", (multiply(top, derivative(bottom, name)), Op("*", (bottom, bottom))))
        return add(first, multiply(Num(-1.0), second))
    if op == "^":
        base, exponent = args
        out: Expr = ZERO
        if _mentions(base, name):
            lowered = Op("^", (base, Op("-", (exponent, ONE))))
            out = multiply(multiply(exponent, lowered), derivative(base, name))
        if _mentions(exponent, name):
            out = add(out, multiply(multiply(expr, Op("ln", (base,))), derivative(exponent, name)))
        return out
    if op == "exp":
        return multiply(expr, derivative(args[0], name))
    if op in ("ln", "log10"):
        inner = Op("/", (derivative(args[0], name), args[0]))
        return inner if op == "ln" else multiply(Num(1 / math.log(10)), inner)
    if op == "sqrt":
        return Op("/", (derivative(args[0], name), multiply(Num(2.0), expr)))
    if op == "if":
        return Op("if", (args[0], derivative(args[1], name), derivative(args[2], name)))
    if op in ("min", "max"):
        test = Op("<=" if op == "min" else ">=", args)
        return Op("if", (test, derivative(args[0], name), derivative(args[1], name)))
    if op in ("curve", "curve_slope"):
        slope = Op("curve_slope" if op == "curve" else "curve_bend", args)
        rise = multiply(slope, Op("/", (derivative(args[0], name), args[0])))
        return multiply(expr, rise) if op == "curve" else rise
    raise ValueError(f"`{op}` has no derivative")


def _mentions(expr: Expr, name: Name | str) -> bool:
    return any(isinstance(item, Ref | Unbound) and item.name == name for item in walk(expr))
