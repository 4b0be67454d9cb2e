"""A fit into how often its intervals would hold, were it true: runs made from it, and fitted again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.bootstrap import errors
from runplan.engine.fit.fit import COVERAGES, fit
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import residuals
from runplan.engine.fit.outcome import Fitted
from runplan.engine.fit.table import Floats

SETS, DRAWS, STARTS = 100, 200, 32


@dataclass(frozen=True, slots=True)
class SelfTest:
    """How fits to made runs came out.

    Attributes:
        sets: How many sets of runs were made, and fitted.
        held: By coverage, of each coordinate the share of sets whose interval held the one that they were made from.
        bias: (k), the median of what came back less what they were made from, in standard errors of a fit.
        failed: Sets of which no fit came.
    """

    sets: int
    held: Mapping[float, tuple[float, ...]]
    bias: Floats
    failed: int

    def sure(self, coverage: float) -> bool:
        """Whether the rates are those that are stated, but for chance: three standard errors below are not reached."""
        allowed = 3 * np.sqrt(coverage * (1 - coverage) / max(self.sets - self.failed, 1))
        return bool(min(self.held[coverage]) >= coverage - allowed)


def self_test(
    model: Model, fitted: Fitted, *, sets: int = SETS, bootstrap: int = DRAWS, starts: int = STARTS, seed: int = 0
) -> SelfTest:
    """Runs of the same design as those that were fitted, with errors as they showed, back into the constants.

    Args:
        model: The form over the runs of the fit.
        sets: Of runs; each is fitted from the start, with a bootstrap of its own.
    """
    theta, log = fitted.minima[0].theta, fitted.objective.log
    exact = residuals(model, log, theta[None])[0]
    wrong = errors(fitted.residuals, len(theta), seed, 0, sets)
    held: dict[float, list[list[bool]]] = {coverage: [] for coverage in COVERAGES}
    back, failed = [], 0
    for i in range(sets):
        made = _made(model, exact + wrong[i], log)
        again = fit(made, fitted.objective, starts=starts, bootstrap=bootstrap, seed=seed + 1 + i)
        if not again.minima:
            failed += 1
            continue
        back.append((again.minima[0].theta - theta) / [max(one.error, 1e-300) for one in again.known])
        for coverage, each in held.items():
            ends = [one.within[coverage] for one in again.known]
            each.append([end.low <= true <= end.high for end, true in zip(ends, theta.tolist(), strict=True)])
    rates = {c: tuple(np.mean(np.array(each), axis=0).tolist()) for c, each in held.items()}
    return SelfTest(sets, rates, np.median(np.array(back), axis=0), failed)


def _made(model: Model, more: Floats, log: bool) -> Model:
    """The model with other measurements: those that leave nothing at the optimum, and some more."""
    return model.told(model.measured * np.exp(more) if log else model.measured + more)
