"""Figures of samples are those of Python's own module."""

from __future__ import annotations

from statistics import NormalDist, fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.engine.numeric.sample import deviation, mean, normal_quantile

SHARES = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)
VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20)


@given(st.one_of(SHARES, st.floats(1e-12, 0.1), st.floats(1e-300, 1e-12)))
def test_the_quantile_of_the_normal_distribution_to_the_bit(share: float) -> None:
    assert normal_quantile(share) == NormalDist().inv_cdf(share)


@given(VALUES)
def test_mean_and_deviation(values: list[float]) -> None:
    assert mean(values) == fmean(values)
    assert deviation(values) == pytest.approx(pstdev(values), rel=1e-9, abs=1e-9 * max(map(abs, values)))
