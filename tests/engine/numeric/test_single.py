"""A problem in one variable, as the general method has it, which is given one of two, the other being pinned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.engine.numeric.functions import LogSum, Square, Sum
from runplan.engine.numeric.local import Point, Smooth, linear
from runplan.engine.numeric.optimise import Optimum, minimise
from runplan.engine.numeric.single import single

ROWS = st.lists(st.tuples(st.floats(-3, 3), st.sampled_from((-2.0, -0.5, -0.3, 0.4, 1.0))), min_size=1, max_size=3)
LINES = st.lists(st.tuples(st.sampled_from((-1.0, -0.5, 0.0, 1.0, 2.0)), st.floats(-4, 4)), max_size=4)


def lines(rows: list[tuple[float, float]], k: int) -> list[Smooth]:
    """a x <= b each, the second of two variables having no part in it."""
    return [LogSum([(-b, [a, *[0.0] * (k - 1)])], k) for a, b in rows]


def objective(kind: str, rows: list[tuple[float, float]], k: int) -> Smooth:
    wide = [(weight, [power, *[0.0] * (k - 1)]) for weight, power in rows]
    if kind == "sum":
        return Sum([(abs(weight) + 0.1, row) for weight, row in wide], k)
    return LogSum(wide, k) if kind == "log" else Square(LogSum(wide[:1], k))


def solved(objectives: list[Smooth], limits: list[Smooth], k: int) -> Optimum:
    pinned = [] if k == 1 else [linear([0.0, 1.0], 0.0)]
    return minimise(objectives, limits, pinned, start=(0.3, 0.0)[:k])


@settings(max_examples=150)
@given(st.sampled_from(("sum", "log", "near")), ROWS, LINES, ROWS)
def test_it_ends_where_the_general_method_does(
    kind: str, rows: list[tuple[float, float]], limits: list[tuple[float, float]], ties: list[tuple[float, float]]
) -> None:
    one, two = (solved([objective(kind, rows, k), objective("log", ties, k)], lines(limits, k), k) for k in (1, 2))
    assert one.outcome == two.outcome or two.outcome == "gave-up"
    if one.outcome != "optimal" or two.outcome != "optimal":
        return
    assert one.x[0] == pytest.approx(two.x[0], rel=1e-9, abs=1e-9)
    assert one.value == pytest.approx(two.value, rel=1e-9, abs=1e-9)
    assert one.active == two.active
    if one.everywhere:
        assert sum(one.multipliers) == pytest.approx(sum(two.multipliers), rel=1e-6, abs=1e-9)


def test_two_valleys_are_not_told_apart() -> None:
    def wave(x: Point) -> tuple[float, list[float], list[list[float]]]:
        """(x^2 - 1)^2: two valleys."""
        (at,) = x
        return (at * at - 1) ** 2, [4 * at * (at * at - 1)], [[12 * at * at - 4]]

    assert single([wave], lines([(1.0, 3.0), (-1.0, 3.0)], 1), (), (0.1,)) is None


def test_a_valley_is_found_from_afar_and_to_the_last_digit() -> None:
    found = single([Sum([(2.0, [-0.3]), (3.0, [0.4])], 1)], lines([(1.0, 60.0), (-1.0, 60.0)], 1), (), (50.0,))
    assert found is not None
    # 0.6 e^-0.3x = 1.2 e^0.4x
    assert found.x == pytest.approx(-0.9902102579427790, abs=1e-14)
    assert found.held == (frozenset(),)


def test_what_is_the_same_everywhere_leaves_the_choice_to_the_next() -> None:
    found = single([linear([0.0], 5.0), linear([-1.0], 0.0)], lines([(1.0, 2.0), (1.0, 3.0)], 1), (), (0.0,))
    assert found is not None
    assert (found.x, found.multipliers, found.held) == (2.0, (0.0, 0.0), (frozenset(), frozenset({0})))


def test_from_nearby_slopes_are_looked_at_where_it_starts_and_at_the_end_below() -> None:
    asked: list[float] = []

    def bent(x: Point) -> tuple[float, list[float], list[list[float]]]:
        """-x - sin(x) / 2, which only falls, and of which no form proves it."""
        (at,) = x
        asked.append(at)
        return -at - math.sin(at) / 2, [-1.0 - math.cos(at) / 2], [[math.sin(at) / 2]]

    limits = lines([(1.0, 3.0), (-1.0, 3.0)], 1)
    near, far = (single([bent], limits, (), (1.0,), nearby=nearby) for nearby in (True, False))
    assert near == far
    assert asked[:2] == [1.0, 3.0]
    assert len(asked) > 10
