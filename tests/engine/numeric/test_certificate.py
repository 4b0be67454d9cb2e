"""What an infeasible problem says of itself: weights that prove it, on constraints that cannot hold together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.engine.numeric.functions import LogSum
from runplan.engine.numeric.local import Point, Smooth, linear
from runplan.engine.numeric.optimise import Optimum, minimise
from runplan.engine.numeric.phase_one import Certificate

# Halves, and gaps of at most 1: what is left of a conflict without one of its rows has room well inside |x| <= 1e3.
slope = st.sampled_from([0.0, 0.0, 0.5, 1.0, -1.0, 2.0, -0.5, 1.5])


def certificate_of(
    inequalities: Sequence[Smooth], equalities: Sequence[Smooth], start: Point
) -> tuple[Optimum, Certificate]:
    found = minimise([], inequalities, equalities, start=start)
    assert found.outcome == "infeasible" and found.certificate is not None
    return found, found.certificate


def infeasible(inequalities: Sequence[Smooth], equalities: Sequence[Smooth], start: Point) -> bool:
    return minimise([], inequalities, equalities, start=start).outcome == "infeasible"


@st.composite
def contradictions(draw: st.DrawFn) -> tuple[list[Smooth], list[Smooth], Point]:
    """A weighted sum of two to k + 1 half-spaces is empty; some of them are equalities; others are met at one point."""
    k = draw(st.integers(1, 5))
    row = st.lists(slope, min_size=k, max_size=k).filter(any)
    inside = [draw(st.floats(-10.0, 60.0)) for _ in range(k)]

    def through(a: list[float], room: float) -> Smooth:
        return linear(a, -sum(p * q for p, q in zip(a, inside, strict=True)) - room)

    rows = draw(st.lists(row, min_size=1, max_size=k))
    weights = [draw(st.sampled_from([0.5, 1.0, 3.0])) for _ in rows]
    last = [-sum(w * a[i] for w, a in zip(weights, rows, strict=True)) for i in range(k)]
    gap = draw(st.floats(1e-3, 1.0))
    equal = draw(st.integers(0, 1))
    equalities = [through(a, 0.0) for a in rows[:equal]]
    inequalities = [through(a, 0.0) for a in rows[equal:]] + [through(last, -gap)]
    inequalities += [through(draw(row), draw(st.floats(0.1, 30.0))) for _ in range(draw(st.integers(0, 5)))]
    if draw(st.booleans()):
        terms = [(draw(st.floats(-3.0, 3.0)), draw(row)) for _ in range(2)]
        shift = math.log(sum(math.exp(b + sum(p * q for p, q in zip(a, inside, strict=True))) for b, a in terms))
        inequalities.append(LogSum([(b - shift - 0.5, a) for b, a in terms], k))
    order = draw(st.permutations(inequalities))
    return order, equalities, tuple(draw(st.floats(-30.0, 80.0)) for _ in range(k))


@settings(max_examples=150, deadline=None)
@given(contradictions())
def test_the_weights_prove_it(problem: tuple[list[Smooth], list[Smooth], Point]) -> None:
    inequalities, equalities, start = problem
    found, certificate = certificate_of(inequalities, equalities, start)
    y, z = certificate.inequalities, certificate.equalities
    assert len(y) == len(inequalities) and len(z) == len(equalities)
    assert all(weight >= 0.0 for weight in y)
    assert sum(y) + sum(map(abs, z)) == pytest.approx(1.0)
    # The weighted sum of tangents: its value, less what its slope could lower it by in the box.
    here = [f(found.x) for f in [*inequalities, *equalities]]
    bound = sum(weight * f for weight, (f, _, _) in zip(y + z, here, strict=True))
    for j, at in enumerate(found.x):
        bound -= abs(sum(weight * g[j] for weight, (_, g, _) in zip(y + z, here, strict=True))) * (1e3 + abs(at))
    assert 0.0 < bound == pytest.approx(certificate.bound, rel=1e-6)
    assert certificate.bound <= found.violation * (1.0 + 1e-9)


@settings(max_examples=150, deadline=None)
@given(contradictions())
def test_what_has_no_weight_has_no_part_in_it(problem: tuple[list[Smooth], list[Smooth], Point]) -> None:
    inequalities, equalities, start = problem
    above, equal = certificate_of(inequalities, equalities, start)[1].support
    assert infeasible([inequalities[i] for i in above], [equalities[j] for j in equal], start)


@settings(max_examples=150, deadline=None)
@given(contradictions())
def test_of_lines_all_that_has_weight_is_needed(problem: tuple[list[Smooth], list[Smooth], Point]) -> None:
    inequalities, equalities, start = problem
    inequalities = [f for f in inequalities if not isinstance(f, LogSum)]
    above, equal = certificate_of(inequalities, equalities, start)[1].support
    for left_out in above:
        assert not infeasible([inequalities[i] for i in above if i != left_out], [equalities[j] for j in equal], start)
    for left_out in equal:
        assert not infeasible([inequalities[i] for i in above], [equalities[j] for j in equal if j != left_out], start)


def test_signs_say_on_which_side_an_equality_is_missed() -> None:
    for sign in (1.0, -1.0):
        certificate = certificate_of([linear([sign], 1.0)], [linear([1.0], 0.0)], (0.0,))[1]
        assert certificate.inequalities == (0.5,) and certificate.equalities == (-0.5 * sign,)
        assert certificate.bound == 0.5


def test_a_constraint_that_is_never_met_stands_alone() -> None:
    others = [linear([1.0, 0.0], -3.0), linear([0.0, -1.0], -3.0)]
    certificate = certificate_of([others[0], linear([0.0, 0.0], 1.0), others[1]], [], (5.0, 5.0))[1]
    assert certificate.support == ((1,), ()) and certificate.bound == 1.0


def test_without_variables_the_worst_constant_stands_alone() -> None:
    found = minimise([], [linear([], 1.0), linear([], 2.0)], [linear([], -3.0)], start=())
    assert found.certificate == Certificate((0.0, 0.0), (-1.0,), 3.0)
    assert minimise([], [linear([], -1.0)], start=()).certificate is None


def test_a_problem_that_is_far_off_has_one_too() -> None:
    """Phase one compares violations beyond 100 by their logarithms; the weights are those of the constraints."""
    certificate = certificate_of([linear([1.0], 500.0), linear([-3.0], 700.0)], [], (0.0,))[1]
    assert certificate.inequalities == pytest.approx((0.75, 0.25))
    assert certificate.bound == pytest.approx(550.0)


def test_a_feasible_problem_has_none() -> None:
    assert minimise([], [linear([1.0], 0.0)], start=(5.0,)).certificate is None
