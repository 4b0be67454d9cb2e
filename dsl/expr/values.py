"""An expression to a function of values by name."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from runplan.dsl.expr import curve
from runplan.dsl.expr.evenly import EVENLY, level
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Text, Unbound, names, walk, words
from runplan.dsl.types import Any


class Functions:
    """The functions of plain floats. For arrays the engine passes numpy's of the same names."""

    exp = staticmethod(math.exp)
    log = staticmethod(math.log)
    log10 = staticmethod(math.log10)
    sqrt = staticmethod(math.sqrt)
    absolute = staticmethod(abs)
    ceil = staticmethod(math.ceil)
    minimum = staticmethod(min)
    maximum = staticmethod(max)

    @staticmethod
    def where(condition: bool, then: float, otherwise: float) -> float:
        """The value of an `if`, both branches being computed already."""
        return then if condition else otherwise

    @staticmethod
    def power(base: float, exponent: float) -> float:
        """`base ^ exponent`; ValueError where it would not be real."""
        if base < 0 and exponent != math.floor(exponent):  # it would be complex
            raise ValueError("a broken power of a negative number")
        return float(base**exponent)


# From values by name, or by word where the expression is not bound yet.
Evaluator = Callable[[Mapping[Any, Any]], Any]


def compiled(expr: Expr, functions: Any = Functions) -> Evaluator:
    """A function from values by name, in base units, to the expression's value.

    It raises KeyError for a name without a value and ArithmeticError or ValueError outside the domain.
    With numpy's functions it takes and gives arrays, `and`, `or`, `not` and `if` element by element; what a float
    refuses is then NaN there.
    """
    if isinstance(expr, Num):
        number = expr.value
        return lambda env: number
    if isinstance(expr, Text):
        text = expr.value
        return lambda env: text
    if isinstance(expr, (Ref, Unbound)):
        name = expr.name
        return lambda env: env[name]
    op = expr.op
    if op in curve.ORDERS:
        at, on = compiled(expr.args[0], functions), curve.evaluator(op, expr.args[1:], functions)
        return lambda env: on(at(env))
    args = tuple(compiled(arg, functions) for arg in expr.args)
    if op == EVENLY:
        return lambda env: level([arg(env) for arg in args], functions)
    if op in ("and", "or"):
        if functions is not Functions:
            both = functions.logical_and if op == "and" else functions.logical_or
            return lambda env: reduce(both, (arg(env) for arg in args))
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
    if op in _ARITHMETIC:
        return _arithmetic(op, args, expr.args)
    a, b = args
    two = _binary(op, functions)
    return lambda env: two(a(env), b(env))


# Most of what formulas do: each operand that is a figure, or a name, saves a call where a thousand draws are computed.
_ARITHMETIC = "+-*/"


def _arithmetic(op: str, args: tuple[Evaluator, ...], of: tuple[Expr, ...]) -> Evaluator:
    """A sum, a difference, a product or a quotient of floats or arrays."""
    a, b = args
    if isinstance(of[1], Num):
        c = of[1].value
        if op == "+":
            return lambda env: a(env) + c
        if op == "-":
            return lambda env: a(env) - c
        return (lambda env: a(env) * c) if op == "*" else (lambda env: a(env) / c)
    if isinstance(of[1], (Ref, Unbound)):
        n = of[1].name
        if op == "+":
            return lambda env: a(env) + env[n]
        if op == "-":
            return lambda env: a(env) - env[n]
        return (lambda env: a(env) * env[n]) if op == "*" else (lambda env: a(env) / env[n])
    if op == "+":
        return lambda env: a(env) + b(env)
    if op == "-":
        return lambda env: a(env) - b(env)
    return (lambda env: a(env) * b(env)) if op == "*" else (lambda env: a(env) / b(env))


# Computations after which making a function of an expression has paid.
_OFTEN = 2


def evaluator(expr: Expr) -> Evaluator:
    """What `compiled` gives, of plain floats, made once it turns out to be used often: most formulas are computed once
    or twice in a command, and never again.
    """
    count, function = 0, None

    def at(env: Mapping[Any, Any]) -> Any:
        nonlocal count, function
        if function is None:
            count += 1
            if count <= _OFTEN:
                return value(expr, env)
            function = compiled(expr)
        return function(env)

    return at


def function_of(expr: Expr, arguments: Sequence[Any]) -> Callable[..., float]:
    """A function of the values of some names, in their order; it raises what `compiled` raises."""
    by_name = compiled(expr)
    return lambda *values: float(by_name(dict(zip(arguments, values, strict=True))))


def value(expr: Expr, env: Mapping[Any, Any]) -> Any:
    """The value of an expression that is computed once: as `compiled` gives it, without making a function first.

    Raises:
        KeyError: For a name without a value.
        ArithmeticError, ValueError: Outside the domain.
    """
    if isinstance(expr, Num):
        return expr.value
    if isinstance(expr, (Ref, Unbound)):
        return env[expr.name]
    if isinstance(expr, Text):
        return expr.value
    op, args = expr.op, expr.args
    two = _BINARY_OF_FLOATS.get(op)  # nearly all are
    if two is not None:
        return two(value(args[0], env), value(args[1], env))
    if op in ("and", "or"):
        return (all if op == "and" else any)(value(arg, env) for arg in args)
    if op == "if":
        return value(args[1] if value(args[0], env) else args[2], env)
    if op in curve.ORDERS:
        return curve.evaluator(op, args[1:], Functions)(value(args[0], env))
    if op == EVENLY:
        return level([value(arg, env) for arg in args], Functions)
    one = _UNARY_OF_FLOATS.get(op)
    return _unary(op, Functions)(0.0) if one is None else one(value(args[0], env))


def _unary(op: str, functions: Any) -> Callable[[Any], Any]:
    if op == "neg":
        return lambda a: -a
    if op == "not":
        return (lambda a: not a) if functions is Functions else functions.logical_not
    found = {"exp": "exp", "ln": "log", "log10": "log10", "sqrt": "sqrt", "abs": "absolute", "ceil": "ceil"}.get(op)
    if found is None:
        raise ValueError(f"`{op}` has no value of its own")
    function: Callable[[Any], Any] = getattr(functions, found)
    return function


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv},
    **{"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne},
}
_FUNCTIONS_OF_TWO = {"^": "power", "min": "minimum", "max": "maximum"}


def _binary(op: str, functions: Any) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = _OPERATORS.get(op) or getattr(functions, _FUNCTIONS_OF_TWO[op])
    return found


_BINARY_OF_FLOATS = {op: _binary(op, Functions) for op in (*_OPERATORS, *_FUNCTIONS_OF_TWO)}
_UNARY_OF_FLOATS = {op: _unary(op, Functions) for op in ("neg", "not", "exp", "ln", "log10", "sqrt", "abs", "ceil")}


def not_finite(expr: Expr, values: Mapping[Any, float]) -> Expr | None:
    """The innermost part that has no finite value, of those whose names all have one."""
    for item in reversed(list(walk(expr))):
        if not isinstance(item, Op) or item.op in ("P", "assumed") or not (names(item) | words(item)) <= values.keys():
            continue
        try:
            found = float(value(item, values))
        except TypeError:  # a comparison of texts
            continue
        except (ArithmeticError, ValueError):
            return item
        if not math.isfinite(found):
            return item
    return None
