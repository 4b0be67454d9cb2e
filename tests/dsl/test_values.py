"""Expressions to values: once, by a function, on floats and on arrays alike; and curves through tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from derivative import derivative
from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.evenly import evenly
from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref, joined
from runplan.dsl.expr.values import compiled, function_of, value

X, Y = quantity("tokens"), quantity("params")
ROWS = [(Num(1e9), Num(0.3)), (Num(3e9), Num(0.45)), (Num(1e10), Num(0.4)), (Num(1e11), Num(0.42))]


def numbers(depth: int) -> st.SearchStrategy[Expr]:
    leaf: st.SearchStrategy[Expr] = st.sampled_from([Ref(X), Ref(Y), Num(2.0), Num(0.5)])
    if not depth:
        return leaf
    inner = numbers(depth - 1)
    two = st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(["+", "*", "/", "min", "max"]), inner, inner)
    one = st.builds(lambda op, a: Op(op, (a,)), st.sampled_from(["sqrt", "ln", "exp", "abs"]), leaf)
    tests = conditions(inner)
    choice = st.builds(lambda test, a, b: Op("if", (test, a, b)), tests, inner, inner)
    shared = st.builds(lambda a, b: evenly(a, [(Num(3.0), Num(1.0)), (Ref(Y), Num(4.0)), (Num(1.0), b)]), inner, inner)
    curved = st.builds(lambda a: curve(a, ROWS), st.sampled_from([Ref(X), Ref(Y)]))
    return st.one_of(leaf, two, one, choice, shared, curved)


def conditions(sides: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    compared = st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(COMPARISONS), sides, sides)
    both = st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(["and", "or"]), compared, compared)
    return st.one_of(compared, both, st.builds(lambda a: Op("not", (a,)), both))


POINTS = st.lists(st.tuples(st.floats(0.1, 20), st.floats(0.1, 20)), min_size=1, max_size=5)


@given(numbers(2) | conditions(numbers(1)), POINTS)
def test_an_array_has_the_values_of_its_floats(expr: Expr, points: list[tuple[float, float]]) -> None:
    xs, ys = (np.array(column) for column in zip(*points, strict=True))
    with np.errstate(all="ignore"):
        found = np.broadcast_to(compiled(expr, np)({X: xs, Y: ys}), xs.shape)
    for (x, y), got in zip(points, found, strict=True):
        try:
            wanted = compiled(expr)({X: x, Y: y})
        except (ArithmeticError, ValueError):
            continue
        assert got == pytest.approx(wanted, rel=1e-12, nan_ok=True)
        assert value(expr, {X: x, Y: y}) == wanted


def _found(function: Callable[[], object]) -> object:
    try:
        return repr(function())
    except (ArithmeticError, ValueError) as error:
        return type(error)


@given(numbers(2) | conditions(numbers(1)), st.floats(-20, 20), st.floats(0.1, 20))
def test_a_function_of_an_expression_has_its_value_to_the_digit(expr: Expr, x: float, y: float) -> None:
    wanted = _found(lambda: float(value(expr, {X: x, Y: y})))
    assert _found(lambda: float(compiled(expr)({X: x, Y: y}))) == wanted
    assert _found(lambda: function_of(expr, (X, Y))(x, y)) == wanted


@given(st.floats(5e8, 5e11))
def test_a_curve_lies_between_the_rows_beside_it(x: float) -> None:
    found = value(curve(Ref(X), ROWS), {X: x})
    inner = [(a, b) for a, b in itertools.pairwise(ROWS) if a[0].value <= x <= b[0].value]
    ends = [row[1].value for pair in inner for row in pair] or [ROWS[0 if x < 1e9 else -1][1].value]
    assert min(ends) * (1 - 1e-12) <= found <= max(ends) * (1 + 1e-12)


def test_a_curve_goes_through_its_rows_without_a_corner() -> None:
    on = curve(Ref(X), ROWS)
    slope = derivative(on, X)
    for size, mfu in ROWS:
        assert value(on, {X: size.value}) == pytest.approx(mfu.value, rel=1e-14)
        before, after = (value(slope, {X: size.value * (1 + e)}) * size.value for e in (-1e-7, 1e-7))
        assert before == pytest.approx(after, abs=1e-5)


@given(st.floats(math.log(1.1e9), math.log(0.9e11)))
def test_the_slope_of_a_curve_is_its_derivative(at: float) -> None:
    x, step = math.exp(at), 1e-5
    on = curve(Ref(X), ROWS)
    near = [value(on, {X: x * math.exp(side)}) for side in (-step, step)]
    wanted = (near[1] - near[0]) / (2 * step)
    assert value(derivative(on, X), {X: x}) * x == pytest.approx(wanted, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 20)), min_size=1, max_size=5), st.floats(0.01, 1.0))
def test_what_is_seen_evenly_makes_up_the_whole(parts: list[tuple[float, float]], share: float) -> None:
    whole = share * sum(amount * limit for amount, limit in parts)
    level = value(evenly(Num(whole), [(Num(amount), Num(limit)) for amount, limit in parts]), {})
    assert sum(amount * min(level, limit) for amount, limit in parts) == pytest.approx(whole, rel=1e-9)
    alike = value(evenly(Num(2 * whole), [(Num(amount), Num(1.0)) for amount, _ in parts]), {})
    assert alike == pytest.approx(2 * whole / sum(amount for amount, _ in parts)), "beyond all limits it goes on"


def test_many_parts_are_joined_no_deeper_than_they_must_be() -> None:
    parts = [Num(float(i)) for i in range(1, 1001)]

    def depth(expr: Expr) -> int:
        return 1 + max(map(depth, expr.args)) if isinstance(expr, Op) else 0

    assert depth(joined("+", parts)) == 10
    assert compiled(joined("+", parts))({}) == 500500
    assert shown(joined("+", parts[:5])) == "1 + 2 + 3 + 4 + 5"
