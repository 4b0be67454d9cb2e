"""What follows from many points at once is, to the bit, what follows from each of them."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.expr.columns import Column, Together
from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.evenly import evenly
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.dims import NONE
from runplan.engine.problem.following import Following
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.points import Points

A, B, C = map(Name, "abc")
FIGURES = st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 40.0, 1e200, math.inf])
LEAVES = st.one_of(FIGURES.map(Num), st.sampled_from([A, B, C]).map(Ref))
ONE = ("neg", "exp", "ln", "log10", "sqrt", "abs", "ceil")
TWO = ("+", "-", "*", "/", "^", "min", "max")
TESTS = ("<=", ">=", "<", ">", "==", "!=")


def _grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    tests = st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(TESTS), inner, inner)
    tests = st.one_of(
        tests,
        tests.map(lambda test: Op("not", (test,))),
        st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(("and", "or")), tests, tests),
    )
    return st.one_of(
        st.builds(lambda op, a: Op(op, (a,)), st.sampled_from(ONE), inner),
        st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(TWO), inner, inner),
        st.builds(lambda test, a, b: Op("if", (test, a, b)), tests, inner, inner),
        inner.map(lambda x: curve(x, [(Num(1.0), Num(2.0)), (Num(3.0), Num(5.0)), (Num(9.0), Num(6.0))])),
        st.builds(lambda v, a: evenly(v, [(a, Num(2.0)), (Num(1.0), Num(4.0))]), inner, inner),
    )


EXPRESSIONS: st.SearchStrategy[Expr] = st.recursive(LEAVES, _grown, max_leaves=8)
POINTS = st.lists(st.fixed_dictionaries({A: FIGURES, B: FIGURES, C: FIGURES}), min_size=2, max_size=5)


def _same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(EXPRESSIONS, POINTS)
def test_columns_give_what_floats_do(expr: Expr, points: list[dict[Name, float]]) -> None:
    columns = {name: Column([at[name] for at in points]) for name in (A, B, C)}
    try:
        found = compiled(expr, Together)(columns)
    except (ArithmeticError, ValueError):
        return
    each = compiled(expr)
    expected = [each(at) for at in points]
    assert _same(list(found) if isinstance(found, Column) else [found] * len(points), expected)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=5), POINTS)
def test_what_follows_from_many_points_follows_from_each(exprs: list[Expr], points: list[dict[Name, float]]) -> None:
    names = [Name(f"d{i}") for i in range(len(exprs))]
    after = [Op("+", (expr, Ref(name))) for expr, name in zip(exprs, names, strict=True)]  # of those that may not be
    of = {name: Definition(name, NONE, expr, "derived") for name, expr in zip(names, exprs, strict=True)}
    of |= {(n := Name(f"e{i}")): Definition(n, NONE, expr, "derived") for i, expr in enumerate(after)}
    following = Following(of, [A, B, C])
    found = following.together(Points.of_rows(points)).rows()
    assert [sorted(map(repr, one.items())) for one in found] == [
        sorted(map(repr, following(at).items())) for at in points
    ]


def test_what_only_some_points_have_follows_there() -> None:
    following = Following({B: Definition(B, NONE, Op("*", (Ref(C), Ref(A))), "derived")}, [A, C])
    found = following.together(Points.of_rows([{A: 1.0}, {A: 2.0, C: 5.0}]))
    assert list(found.rows()) == [{A: 1.0}, {A: 2.0, C: 5.0, B: 10.0}]
    assert (list(found.column(B)), found.told(B)) == ([None, 10.0], [10.0])


ROWS = st.lists(st.dictionaries(st.sampled_from([A, B, C]), FIGURES), max_size=6)


@given(ROWS, ROWS)
def test_points_are_their_rows(rows: list[dict[Name, float]], more: list[dict[Name, float]]) -> None:
    points = Points.of_rows(rows)
    assert list(points.rows()) == rows
    assert [list(points.column(name)) for name in (A, B)] == [[row.get(name) for row in rows] for name in (A, B)]
    assert list(points.rows([A])) == [{name: value for name, value in row.items() if name == A} for row in rows]
    assert points.only(range(1, len(rows), 2)) == Points.of_rows(rows[1::2])
    assert Points.one_after_the_other([points, Points.of_rows(more)]) == Points.of_rows([*rows, *more])
