"""Optima against arithmetic of fifty digits: closed forms to thirteen of them, what is searched for to nine."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st
from reports import under

from runplan.engine.problem.solution import Solution

CLOSED, SEARCHED = Decimal("1e-13"), Decimal("1e-9")
SIX = Decimal(6)
CONSTANTS = st.tuples(
    st.integers(50, 250), st.integers(100, 90000), st.integers(15, 60), st.integers(100, 90000), st.integers(15, 60)
)


def plan(law: str, constants: tuple[int, int, int, int, int], rest: str) -> str:
    e, a, p, b, q = constants
    return (
        f'law mine "Mine" {{ objective CLM of text; counts total params\n'
        f"  constants {{ E = {e / 100} nat/token; A = {a}; p = {p / 100}; B = {b}; q = {q / 100} }}\n"
        f'  loss(params N, tokens D) = {law}\n  cites "nobody" evidence seed\n}}\nuse laws mine\n{rest}'
    )


def off(solution: Solution, name: str, exact: Decimal) -> Decimal:
    return abs(Decimal(solution[name].value) / exact - 1)


@given(constants=CONSTANTS, power=st.integers(18, 26), digits=st.integers(10000, 99999))
@settings(max_examples=25, deadline=None)
def test_a_budget_of_compute_is_spent_as_in_closed_form(
    constants: tuple[int, int, int, int, int], power: int, digits: int
) -> None:
    compute = f"{digits / 10000}e{power}"
    (found,) = under(plan("E + A / N^p + B / D^q", constants, f"compute: {compute} FLOP\n")).solutions
    with localcontext() as context:
        context.prec = 50
        e, a, p, b, q = (Decimal(c) / s for c, s in zip(constants, (100, 1, 100, 1, 100), strict=True))
        pairs = Decimal(compute) / SIX
        g = (p * a / (q * b)) ** (1 / (p + q))
        params, tokens = g * pairs ** (q / (p + q)), pairs ** (p / (p + q)) / g
        loss = e + a / params**p + b / tokens**q
        for name, exact in (("params", params), ("tokens", tokens), ("loss", loss)):
            assert off(found, name, exact) <= CLOSED, name


@given(constants=CONSTANTS, power=st.integers(18, 24), digits=st.integers(10000, 99999))
@settings(max_examples=15, deadline=None)
def test_the_least_compute_for_a_loss(constants: tuple[int, int, int, int, int], power: int, digits: int) -> None:
    with localcontext() as context:
        context.prec = 50
        e, a, p, b, q = (Decimal(c) / s for c, s in zip(constants, (100, 1, 100, 1, 100), strict=True))
        pairs = Decimal(f"{digits / 10000}e{power}") / SIX
        g = (p * a / (q * b)) ** (1 / (p + q))
        # A loss that can be written: what is exact starts from it.
        excess = a / (g * pairs ** (q / (p + q))) ** p + b / (pairs ** (p / (p + q)) / g) ** q
        wanted = Decimal(f"{e + excess:.6f}")
        exponent = p * q / (p + q)
        unit = a / g**p + b * g**q
        exact = (unit / (wanted - e)) ** (1 / exponent) * SIX
        text = plan("E + A / N^p + B / D^q", constants, f"require loss <= {wanted}\nminimize compute\n")
        (found,) = under(text).solutions
        assert found.status == "solved"
        # The compute is as far off as the loss is in its last digit, times how steep it is there.
        steep = wanted / (wanted - e) / exponent
        assert off(found, "compute", exact) <= max(CLOSED, steep * Decimal("2e-16"))


def least(of: Callable[[Decimal], Decimal], low: Decimal, high: Decimal) -> Decimal:
    """Where the slope of a function of one valley is zero, by halving on it."""
    step = Decimal("1e-20")
    for _ in range(90):
        middle = (low + high) / 2
        if of(middle * (1 + step)) > of(middle * (1 - step)):
            high = middle
        else:
            low = middle
    return (low + high) / 2


@given(constants=CONSTANTS, power=st.integers(20, 24))
@settings(max_examples=5, deadline=None)
def test_what_has_no_closed_form(constants: tuple[int, int, int, int, int], power: int) -> None:
    """A surface with a third term of both: the least loss along a budget."""
    law = "E + A / N^p + B / D^q + 500 nat/token / (N / (1 param) + D / (1 token))^(p / 2)"
    (found,) = under(plan(law, constants, f"compute: 1e{power} FLOP\n")).solutions
    with localcontext() as context:
        context.prec = 50
        _, a, p, b, q = (Decimal(c) / s for c, s in zip(constants, (100, 1, 100, 1, 100), strict=True))
        pairs = Decimal(10) ** power / SIX
        third = Decimal(500)

        def excess(log: Decimal) -> Decimal:
            n = log.exp()
            d = pairs / n
            return a / n**p + b / d**q + third / (n + d) ** (p / 2)

        guess = Decimal(found["params"].value).ln()
        size = least(excess, guess * Decimal("0.98"), guess * Decimal("1.02")).exp()
        assert off(found, "params", size) <= SEARCHED
        assert off(found, "tokens", pairs / size) <= SEARCHED
