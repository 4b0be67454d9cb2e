"""Expressions to functions of Python, as a hand would write them, for what is computed at a thousand points.

Where `compiled` makes a function for each operator, this writes the text of one for all of them. Nothing in that text
is a user's: names become letters with numbers, figures are written as Python repeats them, and all else is handed in.
What either raises, and each digit of what it gives, is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from runplan.dsl.expr import curve
from runplan.dsl.expr.evenly import EVENLY, level
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref
from runplan.dsl.expr.values import Functions, compiled
from runplan.dsl.types import Any

# Operators that Python has, and functions of what floats are computed with.
_BETWEEN = {"+", "-", "*", "/", *COMPARISONS}
_CALLED = {
    "exp": "exp",
    "ln": "log",
    "log10": "log10",
    "sqrt": "sqrt",
    "abs": "absolute",
    "ceil": "ceil",
    "min": "minimum",
    "max": "maximum",
    "^": "power",
}
# Python reads no text with more brackets in each other than some 200.
DEEPEST = 80
# What is raised where there is no value: outside a domain, and for a name, in an `env` or a function, without one.
FAILS = (ArithmeticError, ValueError, KeyError, NameError)


def function_of(expr: Expr, arguments: Sequence[Name]) -> Callable[..., float]:
    """A function of the values of some names, in their order; it raises what `compiled` raises."""
    writer = _Writer({name: f"a{i}" for i, name in enumerate(arguments)})
    try:
        text = writer.of(expr)
    except _TooDeep:
        by_name = compiled(expr)
        return lambda *values: float(by_name(dict(zip(arguments, values, strict=True))))
    named = ", ".join(f"a{i}" for i in range(len(arguments)))
    return writer.made(f"def made({named}):\n return float({text})\n")


def steps_of(steps: Iterable[tuple[Name, Expr]]) -> Callable[[dict[Name, float]], None] | None:
    """A function that adds values to those of other names, each by its formula, in order; None where one is too deep.

    What cannot be computed stays out, and what is computed from it.
    """
    writer = _Writer({})
    lines = []
    try:
        for name, expr in steps:
            text = writer.of(expr)
            lines.append(_tried(f"env[{writer.handed(name)}] = {writer.let(name)} = float({text})"))
    except _TooDeep:
        return None
    read = [_tried(f"{own} = env[{writer.handed(name)}]") for name, own in writer.read.items()]
    return writer.made("".join(("def made(env):\n", *read, *lines, " return None\n")))


def _tried(line: str) -> str:
    """A line of a function that may fail: what it sets has then no value, which whatever asks for it fails at, too."""
    return f" try: {line}\n except FAILS: pass\n"


class _TooDeep(Exception):
    """Raised where an expression has more in each other than a text may have."""


class _Writer:
    """Writes expressions as text.

    Attributes:
        known: What the text mentions, by what it is called there.
        read: What each name is called of which the value comes from outside.
    """

    def __init__(self, own: Mapping[Name, str]) -> None:
        self.known: dict[str, Any] = {"float": float, "bool": bool, "level": level, "F": Functions, "FAILS": FAILS}
        self.read: dict[Name, str] = {}
        self._own = dict(own)

    def made(self, text: str) -> Callable[..., Any]:
        """The function that a text defines."""
        exec(compile(text, "<formulas>", "exec"), self.known)
        made: Callable[..., Any] = self.known["made"]
        return made

    def handed(self, item: object) -> str:
        """What something is called that the text cannot spell."""
        own = f"h{len(self.known)}"
        self.known[own] = item
        return own

    def let(self, name: Name) -> str:
        """What a name is called once it is computed."""
        own = self._own[name] = f"v{len(self._own)}"
        return own

    def of(self, expr: Expr, depth: int = 0) -> str:
        """An expression, in brackets where it needs them."""
        if depth > DEEPEST:
            raise _TooDeep
        if isinstance(expr, Num):
            plain = type(expr.value) in (int, float) and math.isfinite(expr.value)
            return f"({expr.value!r})" if plain else self.handed(expr.value)
        if isinstance(expr, Ref):
            if expr.name not in self._own:
                self.read[expr.name] = self.let(expr.name)
            return self._own[expr.name]
        if not isinstance(expr, Op):
            return self.handed(expr.value) if hasattr(expr, "value") else self._raising(expr)
        return self._operator(expr, depth + 1)

    def _operator(self, expr: Op, depth: int) -> str:
        op = expr.op
        if op in curve.ORDERS:
            return f"{self.handed(curve.evaluator(op, expr.args[1:], Functions))}({self.of(expr.args[0], depth)})"
        args = [self.of(arg, depth) for arg in expr.args]
        if op == EVENLY:
            return f"level([{', '.join(args)}], F)"
        if op in _CALLED:
            return f"{self._function(_CALLED[op])}({', '.join(args)})"
        if op in _BETWEEN:
            return f"({args[0]} {op} {args[1]})"
        if op in ("and", "or"):
            return f"bool({f' {op} '.join(args)})"
        if op == "if":
            return f"({args[1]} if {args[0]} else {args[2]})"
        if op in ("neg", "not"):
            return f"({'-' if op == 'neg' else 'not '}{args[0]})"
        return self._raising(expr)

    def _function(self, name: str) -> str:
        self.known.setdefault(name, getattr(Functions, name))
        return name

    def _raising(self, expr: Expr) -> str:
        """What has no value, as `compiled` says it: at once, or where it is asked for."""
        return f"{self.handed(compiled(expr))}({{}})"
