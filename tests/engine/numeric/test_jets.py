"""Derivatives that travel with the values, against those written out and against differences."""

from __future__ import annotations

import math

import pytest
from derivative import derivative
from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.evenly import evenly
from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.expr.values import value
from runplan.engine.numeric.functions import any_form, limit

X, Y = quantity("tokens"), quantity("params")
ROWS = [(Num(0.5), Num(0.3)), (Num(2.0), Num(0.45)), (Num(4.0), Num(0.4)), (Num(9.0), Num(0.42))]


def formulas(depth: int) -> st.SearchStrategy[Expr]:
    leaf: st.SearchStrategy[Expr] = st.sampled_from([Ref(X), Ref(Y), Num(2.0), Num(0.5)])
    if not depth:
        return leaf
    inner = formulas(depth - 1)
    ops = st.sampled_from(["+", "-", "*", "/", "^", "min", "max"])
    two = st.builds(lambda op, a, b: Op(op, (a, b)), ops, inner, inner)
    one = st.builds(lambda op, a: Op(op, (a,)), st.sampled_from(["sqrt", "ln", "log10", "exp", "neg"]), inner)
    choice = st.builds(lambda a, b, c: Op("if", (Op("<", (a, b)), b, c)), inner, inner, inner)
    curved = st.builds(lambda a: curve(a, ROWS), st.sampled_from([Ref(X), Ref(Y)]))
    return st.one_of(leaf, two, one, choice, curved)


@given(formulas(3), st.floats(-1.0, 1.5), st.floats(-1.0, 1.5))
def test_they_are_those_written_out(expr: Expr, x: float, y: float) -> None:
    env = {X: math.exp(x), Y: math.exp(y)}
    first = [derivative(expr, name) for name in (X, Y)]
    try:
        wanted = float(value(expr, env))
        slopes = [env[name] * float(value(d, env)) for name, d in zip((X, Y), first, strict=True)]
        mixed = env[X] * env[Y] * float(value(derivative(first[0], Y), env))
        bend = env[X] ** 2 * float(value(derivative(first[0], X), env)) + slopes[0]
    except (ArithmeticError, ValueError):
        return
    if not max(map(abs, (wanted, *slopes, mixed, bend))) < 1e12:
        return
    found, gradient, hessian = any_form(expr, [X, Y])((x, y))
    size = 1e-7 * (1.0 + max(map(abs, (wanted, *slopes, mixed, bend))))
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert gradient == pytest.approx(slopes, rel=1e-7, abs=size)
    assert [hessian[0][1], hessian[1][0]] == pytest.approx([mixed, mixed], rel=1e-6, abs=size)
    assert hessian[0][0] == pytest.approx(bend, rel=1e-6, abs=size)


@given(st.floats(0.2, 2.2), st.floats(-1.0, 1.0))
def test_what_is_seen_evenly_rises_as_its_differences_do(x: float, y: float) -> None:
    """Also where an amount and a limit move along."""
    parts: list[tuple[Expr, Expr]] = [
        (Num(3.0), Num(1.0)),
        (Ref(Y), Num(4.0)),
        (Num(1.0), Op("+", (Num(1.5), Op("*", (Ref(X), Num(0.1)))))),
    ]
    function = any_form(evenly(Ref(X), parts), [X, Y])
    step = 1e-6
    _, gradient, hessian = function((x, y))
    ends = [(function((x + a, y + b)), function((x - a, y - b))) for a, b in ((step, 0.0), (0.0, step))]
    for i, (above, below) in enumerate(ends):
        if any(abs(p - q) > 0.01 for p, q in zip(above[1], below[1], strict=True)):
            continue  # it bends in between
        assert (above[0] - below[0]) / (2 * step) == pytest.approx(gradient[i], rel=1e-4, abs=1e-6)
        for j in range(2):
            assert (above[1][j] - below[1][j]) / (2 * step) == pytest.approx(hessian[i][j], rel=1e-3, abs=1e-4)


def test_a_table_is_compared_by_its_logarithm() -> None:
    """As a difference of values it would be of any scale, and hundreds of steps from its end."""
    table = curve(Ref(quantity("x")), [(Num(1.0), Num(1e22)), (Num(10.0), Num(3e22)), (Num(100.0), Num(2e23))])
    found = limit(Ref(quantity("y")), table, [quantity("x"), quantity("y")])((math.log(20.0), math.log(1e22)))
    assert found[0] == pytest.approx(math.log(1e22 / value(table, {quantity("x"): 20.0})))
    assert found[1][1] == pytest.approx(1.0)


def test_what_is_rounded_up_is_flat() -> None:
    found, gradient, hessian = any_form(Op("ceil", (Op("*", (Ref(X), Num(3.0))),)), [X])((0.3,))
    assert (found, gradient[0], hessian[0][0]) == (5.0, 0.0, 0.0)
