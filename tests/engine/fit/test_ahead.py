"""What a fit says of runs that are yet to be made holds as often as it states, and which of them would help most."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import TRUE, chinchilla

from runplan.engine.fit.ahead import ahead
from runplan.engine.fit.drift import Prior, bend_chance, drift_of, prior_of
from runplan.engine.fit.fisher import beyond
from runplan.engine.fit.fit import fit
from runplan.engine.fit.future import Cut, Future, future
from runplan.engine.fit.next_run import next_run
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats

HUBER, SQUARES = Objective(), Objective("squares")


def compute(of: Mapping[str, Floats]) -> Floats:
    return 6 * of["params"] * of["tokens"]


def test_the_next_run_narrows_what_is_forecast() -> None:
    runs = chinchilla(0.01, 5, 5)
    found = fit(runs, SQUARES, bootstrap=0)
    aim = {"params": np.array([5e10]), "tokens": np.array([1e12])}
    best = next_run(runs, found, aim, compute)
    assert best is not None and best.after < 0.98 * best.before and best.cost <= 1
    more = runs.at({name: np.append(of, best.inputs[name]) for name, of in runs.inputs.items()})
    true = more.predicted(found.minima[0].theta[None])[0]
    again = fit(more.told(np.append(runs.measured, true[-1])), SQUARES, bootstrap=0)
    wide = [float(ahead(one, runs.at(aim), np.zeros(1)).constants[0]) for one in (found, again)]
    assert wide[1] < wide[0]


def test_what_smaller_runs_tell_of_larger_is_in_the_forecast() -> None:
    runs = chinchilla(0.005, 6, 8)
    sizes = compute(runs.inputs)
    theta = fit(runs, SQUARES, bootstrap=0).minima[0].theta
    good = future(runs, SQUARES, theta, sizes)
    bent = runs.told(runs.measured * (1 + 0.05 * (np.log(sizes / sizes.min()) / 7) ** 3))
    bad = future(bent, SQUARES, theta, sizes)
    assert good.error is not None and bad.error is not None
    assert good.error < 0.02 < bad.error
    right, found = (fit(each, SQUARES, bootstrap=100, sizes=sizes) for each in (runs, bent))
    assert right.drift is not None and found.drift is not None and found.drift > 2 * right.drift
    at = runs.at({"params": np.array([1e10]), "tokens": np.array([2e11])})
    near, far = (ahead(found, at, np.array([distance])) for distance in (0.0, 3.0))
    assert far.low[0] < near.low[0] < near.values[0] < near.high[0] < far.high[0]


def test_right_forms_are_seldom_doubted_for_what_larger_runs_came_out_to_be() -> None:
    sets = [(noise, sizes, seed) for noise in (0.003, 0.01) for sizes in (4, 5) for seed in range(3)]
    doubted = 0
    for noise, sizes, seed in sets:
        runs = chinchilla(noise, sizes, 5, seed)
        doubted += future(runs, HUBER, TRUE, compute(runs.inputs)).missed is not None
    assert doubted <= 1


def test_a_form_is_not_doubted_for_how_figures_are_rounded() -> None:
    """Params are whole numbers: of the smallest runs that is the most, and nothing else may be left."""
    runs = chinchilla(0.0, 5, 5)
    sizes = compute(runs.inputs)
    rounded = np.exp(1e-8 * np.maximum(np.log(1e20 / sizes), 0))
    assert future(runs.told(runs.measured * rounded), HUBER, TRUE, sizes).missed is None


def test_a_fit_that_leaves_too_few_runs_over_to_tell_the_noise_forecasts_none() -> None:
    """A loss with a corner goes through as many runs as there are constants, of which two are no residuals then."""
    runs, sizes = chinchilla(0.003, 5, 5), np.full(25, 10.0)
    for few, told in ((7, False), (8, True)):
        sizes[:few] = 1.0
        assert bool(future(runs, HUBER, TRUE, sizes).cuts) == told
    assert future(runs.rows(np.arange(18)), SQUARES, TRUE, sizes[:18]).cuts


@pytest.mark.parametrize("seed", range(2))
def test_a_form_that_the_smallest_or_largest_runs_do_not_keep_is_doubted(seed: int) -> None:
    runs = chinchilla(0.005, 5, 5, seed)
    sizes = compute(runs.inputs)
    small = np.exp(0.1 * np.maximum(np.log(1e19 / sizes), 0))
    large = np.exp(0.05 * np.maximum(np.log(sizes / 5e19), 0))
    for off in (small, large):
        missed = future(runs.told(runs.measured * off), HUBER, TRUE, sizes).missed
        assert missed is not None and missed.error > 1.5 * missed.expected


def test_a_forecast_holds_at_the_rate_that_it_states() -> None:
    held, sets = 0, 40
    for seed in range(sets):
        runs = chinchilla(0.01, 5, 5, seed)
        large = np.arange(25) >= 20  # the largest budget
        below, above = runs.rows(~large), runs.rows(large)
        found = fit(below, SQUARES, starts=16, bootstrap=60)
        told = ahead(found, above.at(above.inputs), np.zeros(large.sum()))
        held += int(((told.low <= above.measured) & (above.measured <= told.high)).sum())
    assert abs(held / (5 * sets) - 0.8) < 0.12


def test_a_form_is_doubted_by_what_it_leaves_and_not_by_noise() -> None:
    """Of a right form any chance is as likely; one that bends by no more than the noise is wrong for sure."""
    chances, drifts = [], []
    for seed in range(8):
        runs = chinchilla(0.003, 5, 5, seed)
        found = fit(runs, SQUARES, bootstrap=0)
        theta, sizes = found.minima[0].theta, compute(runs.inputs)
        chances.append(bend_chance(runs, theta, found.residuals) or 0.0)
        prior = prior_of(runs, theta, found.covariance, found.residuals, sizes, 0.4)
        drifts.append(drift_of(prior, ()) / prior.scale)
    assert bend_chance(runs.rows(np.arange(6)), theta, found.residuals[:6]) is None  # nothing is left to tell
    assert min(chances) > 0.005 and 0.3 < np.mean(chances) < 0.7
    u, v = (np.log(of / of.mean()) for of in runs.inputs.values())
    bent = runs.told(runs.measured * np.exp(0.003 * u * v))
    off = fit(bent, SQUARES, bootstrap=0)
    theta = off.minima[0].theta
    assert (bend_chance(bent, theta, off.residuals) or 0.0) < 1e-4
    prior = prior_of(bent, theta, off.covariance, off.residuals, sizes, 0.4)
    doubted = drift_of(prior, ()) / prior.scale
    assert prior.holds < 0.001 and np.median(drifts) < doubted < 1.5


def test_a_drift_is_what_cuts_show_of_it() -> None:
    far = np.array([1.0, 2.0, 3.0])

    def drift(errors: Floats, variance: float, cuts: int = 4, holds: float = 0.0) -> float:
        made = [Cut(errors, far, variance * np.eye(3), 20)] * cuts
        return drift_of(Prior(0.01, holds), [cut.trend for cut in made])

    assert drift(0 * far, 1e-10) < 1e-3  # hit, and surely
    assert 0.009 < drift(0 * far, 1.0) < 0.013  # hit by chance: as before any run was seen
    assert drift(0 * far, 1.0, holds=0.9) == pytest.approx(0.0, abs=1e-6)  # and of a form that may well hold none
    assert 0.03 < drift(0.05 * far, 1e-10, holds=0.9) < 0.07  # off by a twentieth for each e-fold
    assert drift(0.05 * far, 1e-10, cuts=1) > 0.015
    assert drift_of(Prior(0.0), ()) == 0.0
    lone = np.array([0.001, -0.001, 0.001, -0.001, 0.0, 0.001, 0.1])
    cut = Cut(lone, np.linspace(1.0, 2.0, 7), 1e-6 * np.eye(7), 20)
    np.testing.assert_allclose(cut.held[:-1], lone[:-1], atol=1e-15)
    assert cut.held[-1] < 0.006 and cut.scatter < 3e-6
    aside = Future([Cut(np.array([0.1, -0.2, 0.1]), far, 1e-8 * np.eye(3), 20)])
    assert abs(aside.cuts[0].trend[0]) < 0.01 and 0.1 < aside.scatter < 0.16


@settings(max_examples=40)
@given(st.floats(1e-3, 1e3), st.integers(1, 200), st.integers(1, 200))
def test_fishers_f_is_that_of_its_density(ratio: float, freedom: int, other: int) -> None:
    from scipy.stats import f

    assert beyond(ratio, freedom, other) == pytest.approx(f.sf(ratio, freedom, other), rel=1e-9, abs=1e-300)
