"""What the noise of runs leaves without a value is refused, wherever the best minimum is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import TRUE, Chinchilla, chinchilla

from runplan.dsl.dataclass import replace
from runplan.engine.fit.fit import fit
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.outcome import Interval, Known, Minimum, Objective
from runplan.engine.fit.told import Near, of_minima, widened

HUBER, SQUARES = Objective(), Objective("squares")
OTHER = Near(Minimum(np.array([0.0, 3.0]), 1.1, 4), 1.0)
KNOWN = (Known(0.1, {0.8: Interval(-0.1, 0.1), 0.95: Interval(-0.2, 0.2)}),) * 2


def runs(without: str, seed: int, noise: float) -> Chinchilla:
    """Runs of a law in which one of its two figures does nothing."""
    made = chinchilla(0.0, 6, 5)
    mean = float(np.exp(np.mean(np.log(made.inputs[without]))))
    flat = made.at({**made.inputs, without: np.full(30, mean)}).predicted(TRUE[None])[0]
    return replace(made, measured=flat * np.exp(np.random.default_rng(seed).normal(0, noise, 30)))


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(["params", "tokens"]), st.integers(0, 10**6), st.sampled_from([0.001, 0.003, 0.01]))
def test_what_does_nothing_is_no_fit(without: str, seed: int, noise: float) -> None:
    found = fit(runs(without, seed, noise), SQUARES, bootstrap=0)
    wrong = {one.code for one in found.findings if one.severity == "error"}
    # By chance a term may seem to do a little: then its exponent is not one that is sure.
    assert (not found.minima and wrong <= {"F024", "F025", "F026"} and wrong) or not _sure(found.known, without)


def _sure(known: tuple[Known, ...], without: str) -> bool:
    exponent = known[3 if without == "params" else 4]
    return exponent.within[0.95].low > 0.0 and exponent.within[0.95].high < 3.0


def test_what_is_not_told_is_named_with_what_does_nothing() -> None:
    found = fit(runs("params", 0, 0.003), HUBER, bootstrap=0)
    (said,) = (one for one in found.findings if one.code == "F024")
    assert said.severity == "error" and "depends on `params` at all" in said.message and "`tokens`" not in said.message


@pytest.mark.parametrize("without", ["params", "tokens"])
def test_without_noise_what_does_nothing_is_named(without: str) -> None:
    (said,) = fit(runs(without, 0, 0.0), HUBER, bootstrap=0).findings
    assert said.code == "F024" and f"nothing depends on `{without}`:" in said.message


def test_intervals_reach_over_other_minima_within_the_noise() -> None:
    first, second = widened(KNOWN, [OTHER], {0.8: 0.9, 0.95: 2.0})
    assert first == KNOWN[0]
    assert second.within[0.8].high == pytest.approx(0.1) and second.within[0.95].high == pytest.approx(3.0)


def test_other_minima_are_said_by_what_differs() -> None:
    from runplan.engine.fit.future import NOWHERE

    coordinates = (Coordinate("E", True, -1, 1), Coordinate("alpha", False, 0, 1))
    best = Minimum(np.zeros(2), 1.0, 100)
    (said,) = of_minima(coordinates, best, KNOWN, [OTHER], NOWHERE)
    assert said.code == "F027" and "alpha = 3" in said.message and "E" not in said.message and "10 %" in said.message
    assert not [*of_minima(coordinates, best, KNOWN, [], NOWHERE)]
