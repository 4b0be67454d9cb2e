"""The least compute for a loss, against the closed form of two power laws; and choices that cost the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.analysis.regret import Surface, least_compute
from runplan.engine.comparison.compare import compared_laws
from runplan.engine.pipeline import report_of

EXPONENTS = st.floats(0.1, 0.6)


@given(a=EXPONENTS, b=EXPONENTS, scale=st.floats(0.5, 2.0), compute=st.floats(1e17, 1e26), off=st.floats(0.05, 20.0))
def test_the_least_compute_of_two_power_laws(a: float, b: float, scale: float, compute: float, off: float) -> None:
    """Hoffmann et al. 2022, arXiv:2203.15556, equation 4: the best size is G (C / 6) ^ (b / (a + b))."""
    size_scale, token_scale, floor = 400.0 * scale, 400.0, 1.7
    surface = Surface(lambda n, d: floor + size_scale * n**-a + token_scale * d**-b, 6.0)
    both = (a * size_scale / (b * token_scale)) ** (1 / (a + b))

    def best(spent: float) -> float:
        return float(both * (spent / 6) ** (b / (a + b)))

    size = off * best(compute)
    reached = surface.at(size, compute)
    power = a * b / (a + b)  # the least loss falls so with compute
    expected = compute * ((reached - floor) / (surface.at(best(compute), compute) - floor)) ** (-1 / power)
    found = least_compute(surface, reached, compute, size)
    if compute / expected > math.exp(60.0):
        return
    assert found == pytest.approx(expected, rel=1e-7)


def test_of_choices_that_cost_the_same_the_first_is_taken() -> None:
    """A bound that decides the size for each law leaves nothing to choose: no rounding tells the choices apart."""
    text = "hardware: 1000 x H100 for 6 months at 40% MFU\ndata: 100T tokens\nrequire tokens / params >= 100\n"
    laws = ("chinchilla", "llama3", "kaplan")
    comparison = compared_laws(report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, laws=laws, draws=20))
    assert comparison.worst(0) == pytest.approx(comparison.worst(1), rel=1e-9)
    assert comparison.least_worst == 0
