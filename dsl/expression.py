"""The one expression type of plans, rules and laws: checked for dimensions, differentiated, evaluated, printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from runplan.dsl.source import Span
from runplan.dsl.units import MONEY, NONE, Dim, in_currency, show, show_dim


@dataclass(frozen=True, slots=True)
class Num:
    """A number with its dimension, in base units.

    Attributes:
        text: As it was written; empty for a number that the engine made.
        binary: Whether it was written with a binary suffix, such as `85Mi`.
    """

    value: float
    dim: Dim = NONE
    text: str = field(default="", compare=False)
    binary: bool = field(default=False, compare=False)
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A quantity, a `let`, a law's constant or input, by name."""

    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text, only ever compared with another."""

    value: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Op:
    """An operator or function over expressions.

    Attributes:
        op: One of `+ - * / ^ neg < <= > >= == != and or not if` or a function of `FUNCTIONS`.
    """

    op: str
    args: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)


Expr = Num | Ref | Text | Op

COMPARISONS = ("<=", ">=", "<", ">", "==", "!=")
# Functions by their arity. `P` is probability and `assumed` asks where a value comes from: neither is evaluated here.
FUNCTIONS = {"exp": 1, "ln": 1, "log10": 1, "sqrt": 1, "abs": 1, "min": 2, "max": 2, "P": 1, "assumed": 1}
ZERO, ONE = Num(0.0), Num(1.0)


class DimensionClash(ValueError):
    """Two dimensions that do not go together.

    Attributes:
        message: A sentence that names both.
        at: The expression to blame; None where it was made by the engine.
        left, right: The two dimensions, where there are two.
    """

    def __init__(self, message: str, at: Expr, left: Dim | None = None, right: Dim | None = None) -> None:
        super().__init__(message)
        self.message, self.at, self.left, self.right = message, at, left, right


# ---- walking


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outermost first."""
    stack: list[Expr] = [expr]
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, Op):
            stack.extend(reversed(item.args))


def names(expr: Expr) -> frozenset[str]:
    """The names that the expression mentions."""
    return frozenset(item.name for item in walk(expr) if isinstance(item, Ref))


def substitute(expr: Expr, by: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by expressions."""
    if isinstance(expr, Ref):
        return by.get(expr.name, expr)
    if isinstance(expr, Op):
        args = tuple(substitute(arg, by) for arg in expr.args)
        return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else Op(expr.op, args, expr.span)
    return expr


def in_money(expr: Expr, currency: str, rates: Mapping[str, float]) -> Expr:
    """The expression with its figures in a currency, as far as the rates go: the value there of one of another."""
    if isinstance(expr, Num):
        return exchanged(expr, currency, rates)
    if isinstance(expr, Op) and rates:
        return Op(expr.op, tuple(in_money(arg, currency, rates) for arg in expr.args), expr.span)
    return expr


def exchanged(number: Num, currency: str, rates: Mapping[str, float]) -> Num:
    """A figure in a currency, where it is in another that has a rate; as it is written."""
    if not any(name in rates for name, _ in number.dim):
        return number
    value = number.value * math.prod(rates[name] ** e for name, e in number.dim if name in rates)
    return replace(number, value=value, dim=in_currency(number.dim, currency, rates))


def comparisons(expr: Expr) -> Iterator[Op]:
    """The comparisons that must all hold for a condition to hold; the whole condition where it is not a conjunction."""
    if isinstance(expr, Op) and expr.op == "and":
        for arg in expr.args:
            yield from comparisons(arg)
    elif isinstance(expr, Op):
        yield expr


# ---- dimensions


def said_dim(dim: Dim) -> str:
    """A dimension as it stands after `is`: `in tokens`, `in USD/GPU/second`, `a plain number`."""
    if not dim or dim == (("date", 1.0),):
        return "a date" if dim else show_dim(dim)
    text = show_dim(dim)
    return f"in {text}s" if text.isalpha() and text.islower() and text != MONEY else f"in {text}"


@dataclass(slots=True)
class Form:
    """A dimension that may still hold unknowns: exponents of base units, and of the dimensions of bare constants."""

    known: dict[str, float]
    unknown: dict[str, float]

    def scaled(self, by: float) -> Form:
        """The form of a power: every exponent multiplied by `by`."""
        return Form({k: v * by for k, v in self.known.items()}, {k: v * by for k, v in self.unknown.items()})

    def plus(self, other: Form) -> Form:
        """The form of a product: the exponents of both added."""
        return Form(_merged(self.known, other.known), _merged(self.unknown, other.unknown))

    @property
    def dim(self) -> Dim:
        """The part made of base units, whatever is still unknown left out."""
        return tuple(sorted((k, round(v, 9)) for k, v in self.known.items() if abs(v) > 1e-9))


def _merged(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    out = dict(a)
    for key, value in b.items():
        total = out.get(key, 0.0) + value
        if abs(total) > 1e-12:
            out[key] = total
        else:
            out.pop(key, None)
    return out


class Dimensions:
    """Finds the dimension of expressions, and of constants that were given without a unit.

    The dimension of an empirical constant follows from the formula that it balances (as in Kennedy's unit
    inference): in `E + A / N^alpha` with E in nat/token and N in param, A is in nat/token*param^alpha.

    Args:
        dims: The known dimensions by name.
        unknown: Names whose dimension is to be found.
        values: Values of names that stand in exponents.
    """

    def __init__(
        self,
        dims: Mapping[str, Dim],
        unknown: frozenset[str] = frozenset(),
        values: Mapping[str, float] | None = None,
    ) -> None:
        self.dims = dims
        self.unknown = unknown
        self.values = values or {}
        self.found: dict[str, Form] = {}

    def of(self, expr: Expr) -> Dim:
        """The dimension of an expression; unknowns that nothing fixes are plain numbers.

        Raises:
            DimensionClash: Where two sides do not go together.
            KeyError: For a name that is not known.
        """
        return self._settled(self._form(expr)).dim

    def constant(self, name: str) -> Dim:
        """The dimension found for a bare constant."""
        return self._settled(Form({}, {name: 1.0})).dim

    def require(self, expr: Expr, dim: Dim) -> None:
        """State that an expression has a dimension."""
        self._same(self._form(expr), Form(dict(dim), {}), expr, "the formula", "what it is declared to give")

    def _settled(self, form: Form) -> Form:
        known, unknown = dict(form.known), dict(form.unknown)
        while True:
            name = next((n for n in unknown if n in self.found), None)
            if name is None:
                return Form(known, unknown)
            by = self.found[name].scaled(unknown.pop(name))
            known, unknown = _merged(known, by.known), _merged(unknown, by.unknown)

    def _same(self, left: Form, right: Form, at: Expr, said_left: str, said_right: str) -> None:
        gap = self._settled(left.plus(right.scaled(-1.0)))
        if gap.unknown:
            name = sorted(gap.unknown)[0]
            share = gap.unknown[name]
            rest = Form(gap.known, {k: v for k, v in gap.unknown.items() if k != name})
            self.found[name] = rest.scaled(-1.0 / share)
        elif gap.dim:
            a, b = self._settled(left).dim, self._settled(right).dim
            raise DimensionClash(f"{said_left} is {said_dim(a)}, {said_right} is {said_dim(b)}", at, a, b)

    def _form(self, expr: Expr) -> Form:
        if isinstance(expr, Num):
            return Form(dict(expr.dim), {})
        if isinstance(expr, Ref):
            if expr.name in self.unknown:
                return Form({}, {expr.name: 1.0})
            return Form(dict(self.dims[expr.name]), {})
        if isinstance(expr, Text):
            raise DimensionClash("a text stands where a quantity is wanted", expr)
        op, args = expr.op, expr.args
        if op in ("*", "/"):
            return self._form(args[0]).plus(self._form(args[1]).scaled(1.0 if op == "*" else -1.0))
        if op == "neg" or op == "abs":
            return self._form(args[0])
        if op in ("+", "-", "min", "max") or op in COMPARISONS:
            if any(isinstance(arg, Text) for arg in args):
                if op not in ("==", "!="):
                    raise DimensionClash("texts are compared with == or != only", expr)
                return Form({}, {})
            left, right = self._form(args[0]), self._form(args[1])
            self._same(left, right, expr, f"`{shown(args[0])}`", f"`{shown(args[1])}`")
            return Form({}, {}) if op in COMPARISONS else left
        if op == "^":
            self._plain(args[1], "an exponent")
            base = self._settled(self._form(args[0]))
            if not base.known and not base.unknown:
                return base
            return base.scaled(self._exponent(args[1]))
        if op == "sqrt":
            return self._form(args[0]).scaled(0.5)
        if op == "if":
            self._form(args[0])
            left, right = self._form(args[1]), self._form(args[2])
            self._same(left, right, expr, f"`{shown(args[1])}`", f"`{shown(args[2])}`")
            return left
        if op in ("exp", "ln", "log10"):
            self._plain(args[0], f"what `{op}` takes")
            return Form({}, {})
        for arg in args:  # and, or, not, P
            self._form(arg)
        return Form({}, {})

    def _plain(self, expr: Expr, what: str) -> None:
        self._same(self._form(expr), Form({}, {}), expr, f"`{shown(expr)}`", what)

    def _exponent(self, expr: Expr) -> float:
        try:
            return float(compiled(expr)(self.values))
        except (KeyError, ArithmeticError, ValueError) as error:
            message = f"the exponent `{shown(expr)}` is not a fixed number, and its base has a dimension"
            raise DimensionClash(message, expr) from error


# ---- values


class Functions:
    """The functions of plain floats. For arrays the engine passes numpy's of the same names."""

    exp = staticmethod(math.exp)
    log = staticmethod(math.log)
    log10 = staticmethod(math.log10)
    sqrt = staticmethod(math.sqrt)
    absolute = staticmethod(abs)
    minimum = staticmethod(min)
    maximum = staticmethod(max)

    @staticmethod
    def where(condition: bool, then: float, otherwise: float) -> float:
        """The value of an `if`, both branches being computed already."""
        return then if condition else otherwise

    @staticmethod
    def power(base: float, exponent: float) -> float:
        """`base ^ exponent`; ValueError where it would not be real."""
        if base < 0:  # a float power of a negative number would be complex
            raise ValueError("a power of a negative number")
        return float(base**exponent)


Evaluator = Callable[[Mapping[str, Any]], Any]


def compiled(expr: Expr, functions: Any = Functions) -> Evaluator:
    """A function from values by name, in base units, to the expression's value.

    It raises KeyError for a name without a value and ArithmeticError or ValueError outside the domain.
    With numpy's functions it takes and gives arrays.
    """
    if isinstance(expr, Num):
        number = expr.value
        return lambda env: number
    if isinstance(expr, Text):
        text = expr.value
        return lambda env: text
    if isinstance(expr, Ref):
        name = expr.name
        return lambda env: env[name]
    op = expr.op
    args = tuple(compiled(arg, functions) for arg in expr.args)
    if op in ("and", "or"):
        fold = all if op == "and" else any
        return lambda env: fold(arg(env) for arg in args)
    if op == "if":
        test, then, otherwise = args
        if functions is Functions:
            return lambda env: then(env) if test(env) else otherwise(env)
        return lambda env: functions.where(test(env), then(env), otherwise(env))
    if len(args) == 1:
        (a,) = args
        one = _unary(op, functions)
        return lambda env: one(a(env))
    a, b = args
    two = _binary(op, functions)
    return lambda env: two(a(env), b(env))


def _unary(op: str, functions: Any) -> Callable[[Any], Any]:
    if op == "neg":
        return lambda a: -a
    if op == "not":
        return lambda a: not a
    found = {"exp": "exp", "ln": "log", "log10": "log10", "sqrt": "sqrt", "abs": "absolute"}.get(op)
    if found is None:
        raise ValueError(f"`{op}` has no value of its own")
    function: Callable[[Any], Any] = getattr(functions, found)
    return function


def _binary(op: str, functions: Any) -> Callable[[Any, Any], Any]:
    table: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "^": functions.power,
        "min": functions.minimum,
        "max": functions.maximum,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
    }
    return table[op]


def not_finite(expr: Expr, values: Mapping[str, float]) -> Expr | None:
    """The innermost part that has no finite value, of those whose names all have one."""
    for item in reversed(list(walk(expr))):
        if not isinstance(item, Op) or item.op in ("P", "assumed") or not names(item) <= values.keys():
            continue
        try:
            value = float(compiled(item)(values))
        except TypeError:  # a comparison of texts
            continue
        except (ArithmeticError, ValueError):
            return item
        if not math.isfinite(value):
            return item
    return None


# ---- derivatives


def add(a: Expr, b: Expr) -> Expr:
    """The sum, with zeros left out."""
    if isinstance(a, Num) and a.value == 0.0:
        return b
    if isinstance(b, Num) and b.value == 0.0:
        return a
    return Op("+", (a, b))


def joined(op: str, parts: Iterable[Expr | str]) -> Expr:
    """One expression of several, or names of them, by a binary operator or function; at least one."""
    return reduce(lambda a, b: Op(op, (a, b)), (Ref(part) if isinstance(part, str) else part for part in parts))


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


def derivative(expr: Expr, name: str) -> Expr:
    """The symbolic derivative by a name; dimensions are not kept, the values are.

    Raises:
        ValueError: For what has no derivative, such as a comparison.
    """
    if isinstance(expr, Ref):
        return ONE if expr.name == name else ZERO
    if not isinstance(expr, Op) or name not in names(expr):
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
        first = Op("/", (derivative(top, name), bottom)) if name in names(top) else ZERO
        if name not in names(bottom):
            return first
        second = Op("/", (multiply(top, derivative(bottom, name)), Op("*", (bottom, bottom))))
        return add(first, multiply(Num(-1.0), second))
    if op == "^":
        base, exponent = args
        out: Expr = ZERO
        if name in names(base):
            lowered = Op("^", (base, Op("-", (exponent, ONE))))
            out = multiply(multiply(exponent, lowered), derivative(base, name))
        if name in names(exponent):
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
    raise ValueError(f"`{op}` has no derivative")


# ---- printing

_LEVEL = {
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
        return " ".join(span.text.split())
    if isinstance(expr, Num):
        return expr.text or show(expr.value, expr.dim, 6)
    if isinstance(expr, Ref):
        return expr.name
    if isinstance(expr, Text):
        return f'"{expr.value}"'
    op, args = expr.op, expr.args
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
