"""Student's t without SciPy, held to SciPy's."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

from runplan.engine.fit.student import student


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_it_reaches_as_far_as_scipy_says(coverage: float) -> None:
    for freedom in (1, 2, 3, 4, 5, 7, 10, 30, 200):
        assert student(coverage, freedom) == pytest.approx(stdtrit(freedom, (1 + coverage) / 2), rel=1e-5)
