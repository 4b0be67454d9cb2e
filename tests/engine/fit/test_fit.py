"""Constants come back from the runs that they made, by any objective, and a minimum is one by its slope."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import TRUE, chinchilla

from runplan.dsl.dataclass import replace
from runplan.engine.fit.fit import fit
from runplan.engine.fit.objective import residual_slopes, residuals, target, total
from runplan.engine.fit.outcome import Objective

HUBER, SQUARES, ABSOLUTE = Objective(), Objective("squares"), Objective("absolute")
LINEAR = Objective("squares", log=False)


@pytest.mark.parametrize("objective", [HUBER, SQUARES, ABSOLUTE, LINEAR])
def test_without_noise_the_constants_come_back(objective: Objective) -> None:
    found = fit(chinchilla(), objective, bootstrap=0)
    np.testing.assert_allclose(found.minima[0].theta, TRUE, rtol=1e-6)


def test_a_twentieth_of_the_runs_ten_per_cent_off_moves_huber_by_less_than_noise() -> None:
    runs = chinchilla(noise=0.003, sizes=8, budgets=8)
    wrong = runs.measured.copy()
    wrong[::20] *= 1.1
    off, true = (fit(replace(runs, measured=m), HUBER, bootstrap=0).minima[0].theta for m in (wrong, runs.measured))
    assert (np.abs(off - true) <= [known.error for known in fit(runs, HUBER, bootstrap=200).known]).all()


@pytest.mark.parametrize("objective", [HUBER, SQUARES])
def test_a_minimum_has_no_slope(objective: Objective) -> None:
    runs = chinchilla(noise=0.01)
    best = fit(runs, objective, bootstrap=0).minima[0]
    predicted, slopes = residual_slopes(runs, True, best.theta[None])
    left = predicted[0] - target(runs, True)
    pulls = np.clip(left, -objective.delta, objective.delta) if objective.kind == "huber" else 2 * left
    assert np.abs(slopes[0] @ pulls).max() <= 1e-10 * np.abs(slopes[0] * pulls).sum(axis=1).max()
    assert best.value == pytest.approx(float(total(objective, residuals(runs, True, best.theta[None]))[0]), rel=1e-14)


def test_the_least_absolute_sum_passes_through_as_many_runs_as_there_are_constants() -> None:
    runs = chinchilla(noise=0.01)
    found = fit(runs, ABSOLUTE, bootstrap=0)
    assert (np.abs(found.residuals) < 1e-10).sum() == 5
    shaken = found.minima[0].theta + np.random.default_rng(0).normal(0, 1e-3, (200, 5))
    assert (total(ABSOLUTE, residuals(runs, True, shaken)) > found.minima[0].value).all()


def test_every_start_lies_in_the_basin_of_a_minimum() -> None:
    found = fit(chinchilla(noise=0.01), HUBER, starts=200, bootstrap=0)
    assert found.starts == 200 and sum(minimum.starts for minimum in found.minima) == 200
