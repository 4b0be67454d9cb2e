"""A draw follows from its number alone, and intervals hold at the rate that they state."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from surfaces import TRUE, Chinchilla, chinchilla

from runplan.engine.fit.bootstrap import Resampled, counts, drawn, errors, resampled
from runplan.engine.fit.covariance import local
from runplan.engine.fit.fit import fit
from runplan.engine.fit.objective import residual_slopes, residuals, total
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.search import searched
from runplan.engine.scatter.here import here as in_this_process
from runplan.engine.scatter.processes import processes

HUBER, SQUARES = Objective(), Objective("squares")
FEW, MANY = chinchilla(0.01, 4, 4), chinchilla(0.01, 8, 8)


def work_of(runs: Chinchilla) -> Resampled:
    theta = searched(runs, HUBER).minima[0].theta
    return resampled(runs, HUBER, theta, local(runs, HUBER, theta), 7, None)


@pytest.mark.parametrize("runs", [FEW, MANY])
def test_draws_do_not_depend_on_how_they_are_cut(runs: Chinchilla) -> None:
    work = work_of(runs)
    whole = work(0, 60)
    assert np.array_equal(np.concatenate([work(0, 1), work(1, 37), work(37, 60)]), whole)
    with in_this_process() as workers:
        assert np.array_equal(drawn(work, 60, workers), whole)
    assert np.array_equal(pickle.loads(pickle.dumps(work))(0, 60), whole)


def test_processes_make_the_same_draws() -> None:
    work = work_of(MANY)
    with processes(2) as workers:
        assert np.array_equal(drawn(work, 60, workers), work(0, 60))


def test_runs_of_a_group_are_drawn_together() -> None:
    drawn_counts = counts(np.array([0, 0, 1, 2, 2, 2]), 3, 0, 500)
    assert (drawn_counts[:, 0] == drawn_counts[:, 1]).all() and (drawn_counts[:, 3] == drawn_counts[:, 5]).all()
    assert (drawn_counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    np.testing.assert_allclose(drawn_counts.mean(axis=0), 1, atol=0.15)


def test_errors_are_as_large_as_the_residuals_show() -> None:
    left = np.random.default_rng(0).normal(0, 0.02, 60)
    found = errors(left, 5, 1, 0, 4000)
    width = 1.06 * 60**-0.2
    assert found.std() == pytest.approx(left.std() * np.sqrt(60 / 55 * (1 + width**2)), rel=0.05)
    assert np.array_equal(errors(left, 5, 1, 2000, 4000), found[2000:])


def test_a_draw_is_the_minimum_of_its_own_sum() -> None:
    draw, weights = work_of(MANY)(3, 4)[0], counts(np.arange(64), 7, 3, 4)[0]
    kept = np.repeat(np.arange(64), weights.astype(int))
    best = searched(MANY.rows(kept), HUBER).minima[0]
    assert total(HUBER, residuals(MANY.rows(kept), True, draw[None]))[0] == pytest.approx(best.value, rel=1e-9)


@pytest.mark.parametrize(("sizes", "objective"), [(4, SQUARES), (8, HUBER)])
def test_intervals_hold_at_the_rate_that_they_state(sizes: int, objective: Objective) -> None:
    sets, held = 40, {0.8: 0, 0.95: 0}
    for seed in range(sets):
        found = fit(chinchilla(0.01, sizes, sizes, seed), objective, starts=24, bootstrap=100)
        for true, known in zip(TRUE, found.known, strict=True):
            for coverage, within in known.within.items():
                held[coverage] += within.low <= true <= within.high
    # The coordinates of a set are not independent of each other: about sets / 2 of them count.
    for coverage, count in held.items():
        assert abs(count / (5 * sets) - coverage) <= 3 * np.sqrt(coverage * (1 - coverage) / sets)


def test_a_forecast_to_first_order_is_as_uncertain_as_the_draws_say() -> None:
    """Also where some draws have no level at all, whose logarithm may then be anything."""
    runs = chinchilla(0.02, 4, 4, 3)
    found = fit(runs, SQUARES, bootstrap=500)
    at = runs.at({"params": np.array([3e9]), "tokens": np.array([6e10])})
    _, slopes = residual_slopes(at, True, found.minima[0].theta[None])
    to_first_order = float(np.sqrt(slopes[0, :, 0] @ found.covariance @ slopes[0, :, 0]))
    low, high = np.quantile(np.log(at.predicted(found.draws)[:, 0]), [0.1, 0.9])
    assert to_first_order * 2.563 == pytest.approx(high - low, rel=0.25)
