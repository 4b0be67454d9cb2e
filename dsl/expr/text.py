"""An expression to the text that it was written as, or would be."""

from __future__ import annotations

from collections.abc import Callable

from runplan.dsl.expr.curve import ORDERS
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref, Text, Unbound
from runplan.dsl.units.show import show

# ---- printing

_LEVEL = {
    "if": 0,
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(COMPARISONS, 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "neg": 7,
    "^": 8,
}


def shown(expr: Expr) -> str:
    """The expression as it was written, or as one would write it where the engine made it."""
    span = expr.span
    if span is not None:
        return span.said
    if isinstance(expr, Num):
        return expr.text or show(expr.value, expr.dim, 6)
    if isinstance(expr, Ref):
        return str(expr.name)
    if isinstance(expr, Unbound):
        return expr.name
    if isinstance(expr, Text):
        return f'"{expr.value}"'
    op, args = expr.op, expr.args
    if op in ORDERS:
        return f"{op.replace('_', ' of the ')}({shown(args[0])})"
    if op == "if":
        return f"if {shown(args[0])} then {shown(args[1])} else {shown(args[2])}"
    level = _LEVEL.get(op)
    if level is None:
        return f"{op}({', '.join(shown(arg) for arg in args)})"
    if len(args) == 1:
        return f"{'-' if op == 'neg' else op + ' '}{_inside(args[0], level)}"
    if op in ("and", "or"):
        return f" {op} ".join(_inside(arg, level) for arg in args)
    # `a - (b - c)` keeps its brackets, `a + b - c` needs none.
    left = _inside(args[0], level + (op == "^"))
    right = _inside(args[1], level + (op in ("-", "/")))
    return f"{left}^{right}" if op == "^" else f"{left} {op} {right}"


def _inside(expr: Expr, level: int) -> str:
    text = shown(expr)
    own = _LEVEL.get(expr.op, 9) if isinstance(expr, Op) else 9
    return f"({text})" if own < level else text


def with_figures(expr: Expr, text_of: Callable[[Name], str | None]) -> str:
    """The expression with texts in the place of names, each operand in the brackets that it needs.

    Args:
        text_of: The text of a name; None where the name stays.
    """
    if isinstance(expr, Ref):
        return text_of(expr.name) or str(expr.name)
    if not isinstance(expr, Op):
        return shown(expr)
    texts = [with_figures(arg, text_of) for arg in expr.args]
    # What is written out as an operand keeps its brackets by its own operator; a figure with a unit binds as a product.
    parts = tuple(_written(arg, text, expr.op, i) for i, (arg, text) in enumerate(zip(expr.args, texts, strict=True)))
    return shown(Op(expr.op, parts))


def _written(expr: Expr, text: str, op: str, at: int) -> Expr:
    outer = _LEVEL.get(op)
    if outer is None:
        return Unbound(text)
    own = _LEVEL.get(expr.op, 9) if isinstance(expr, Op) else 9
    tight = outer > _LEVEL["*"] and " " in text
    needs = own < outer + (at > 0 and op in ("-", "/")) or tight or text.startswith("-")
    return Unbound(f"({text})" if needs else text)
