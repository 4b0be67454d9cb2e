"""Runs that cannot tell the constants of a form are refused with the reason, and what is doubtful is said."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import TRUE, Chinchilla, chinchilla

from runplan.dsl.dataclass import replace
from runplan.engine.fit.fit import fit
from runplan.engine.fit.outcome import Fitted, Objective

HUBER, SQUARES = Objective(), Objective("squares")


def codes(found: Fitted) -> set[str]:
    return {one.code for one in found.findings}


def of(params: object, tokens: object, noise: float = 0.003) -> Chinchilla:
    runs = chinchilla().at({"params": np.asarray(params, dtype=float), "tokens": np.asarray(tokens, dtype=float)})
    wrong = np.random.default_rng(0).normal(0, noise, len(runs.measured))
    return replace(runs, measured=runs.predicted(TRUE[None])[0] * np.exp(wrong))


SIZES = np.logspace(7, 9.5, 12)


@pytest.mark.parametrize(
    ("runs", "code", "says"),
    [
        (of([1e8, 1e9], [2e9, 2e10]), "F020", "2 runs cannot tell 5 constants"),
        (of(SIZES[:5], 1e18 / SIZES[:5]), "F020", "5 runs cannot tell 5 constants"),
        (replace(chinchilla(), measured=np.full(30, 2.5)), "F021", "all 30 runs gave the same, 2.5"),
        (of(SIZES, 20 * SIZES), "F023", "`tokens` is 20 times `params`"),
        (of(SIZES, 3 * SIZES**1.2), "F023", "to the power of 1.20"),
        (of(np.full(12, 1e8), SIZES * 20), "F022", "`params` has one value over 12 runs"),
        (of(np.tile([1e8, 1e9], 6), SIZES * 20), "F022", "`params` has 2 values over 12 runs"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(runs: Chinchilla, code: str, says: str) -> None:
    found = fit(runs, HUBER)
    assert code in codes(found) and not found.minima and not found.known
    told = next(one for one in found.findings if one.code == code)
    assert says in told.message and told.severity == "error" and tuple(told.help)


def test_a_level_that_may_be_nothing_is_open_below() -> None:
    runs = of(np.tile(SIZES[:4], 4), np.repeat(SIZES[:4], 4) * 3, noise=0.02)
    found = fit(runs, SQUARES, bootstrap=100)
    level = found.known[0]
    assert not level.identified and level.within[0.8].low == -np.inf
    (told,) = (one for one in found.findings if one.code == "F024")
    assert any("most would help a run of" in line for line in told.help)


def test_a_good_ladder_leaves_no_doubt() -> None:
    runs = chinchilla(0.003, 8, 8)
    assert codes(fit(runs, HUBER, bootstrap=100, sizes=np.exp(runs.params + runs.tokens))) <= {"F029"}


def test_a_run_that_stands_apart_is_named_and_kept() -> None:
    runs = chinchilla(0.003, 8, 8)
    found = fit(replace(runs, measured=runs.measured * np.where(np.arange(64) == 17, 1.3, 1)), HUBER, bootstrap=0)
    (told,) = (one for one in found.findings if one.code == "F029")
    assert "run 18 (+" in told.message.replace("(-", "(+") and len(found.residuals) == 64


def test_repeats_tell_misfit_from_noise() -> None:
    runs = chinchilla(0.003, 6, 6)
    twice = runs.rows(np.repeat(np.arange(36), 2))
    again = twice.measured * np.exp(np.random.default_rng(1).normal(0, 0.003, 72))
    found = fit(replace(twice, measured=again), SQUARES, bootstrap=0)
    assert found.noise == pytest.approx(0.003, rel=0.3) and found.lack_of_fit is not None
    bent = again * np.exp(0.01 * np.sin(2 * twice.params))
    off = fit(replace(twice, measured=bent), SQUARES, bootstrap=0)
    assert off.lack_of_fit is not None and off.lack_of_fit[1] < 1e-4 and "F028" in codes(off)


def test_what_bends_is_told_without_repeats() -> None:
    runs = chinchilla(0.002, 9, 9)
    bent = replace(runs, measured=runs.measured * np.exp(0.02 * np.sin(1.5 * runs.params)))
    assert "F028" in codes(fit(bent, SQUARES, bootstrap=0))
