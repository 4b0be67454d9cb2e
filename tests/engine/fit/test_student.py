"""Quantiles of Student's t are SciPy's."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

from runplan.engine.fit.student import quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 200, 201, 5_000])
@pytest.mark.parametrize("share", [0.75, 0.9, 0.975, 0.9995])
def test_quantiles(freedom: int, share: float) -> None:
    assert quantile(freedom, share) == pytest.approx(stdtrit(freedom, share), rel=1e-8)
