"""A fit into the run that would help a forecast most, for what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np

from runplan.engine.fit.covariance import spread
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import residual_slopes
from runplan.engine.fit.outcome import Fitted, NextRun
from runplan.engine.fit.table import Floats

# Figures that are tried of each input, from below the least to above the largest of the runs by a factor.
TRIED, BEYOND = 25, 2.0


def next_run(
    model: Model, fitted: Fitted, aim: Mapping[str, Floats], cost: Callable[[Mapping[str, Floats]], Floats]
) -> NextRun | None:
    """The run that leaves the least variance of a forecast, no dearer than the dearest there is.

    Nor is it cheaper than half of them: the form is trusted where runs showed it, and small runs are the first of which
    it does not hold.

    The design of least variance where it matters, one run at a time: V. Fedorov, Theory of Optimal Experiments (1972),
    chapter 2. None where no run takes a hundredth off the error.

    Args:
        aim: What is to be forecast: one run or several, whose variances are added.
        cost: Of inputs, in any unit.
    """
    theta, covariance, log = fitted.minima[0].theta, fitted.covariance, fitted.objective.log
    noise = max(spread(fitted.residuals, len(theta)), 1e-12)
    axes = [
        np.geomspace(values.min() / BEYOND, values.max() * BEYOND, TRIED)
        if (values > 0).all()
        else np.linspace(values.min(), values.max(), TRIED)
        for values in model.inputs.values()
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    tried = {name: values.ravel() for name, values in zip(model.inputs, grid, strict=True)}
    spent, there = cost(tried), cost(model.inputs)
    most = float(there.max())
    allowed = (spent <= most * (1 + 1e-9)) & (spent >= np.median(there))
    for (x, u), (y, v) in combinations(model.inputs.items(), 2):
        if (u > 0).all() and (v > 0).all():
            ratio, seen = tried[x] / tried[y], u / v
            allowed &= (ratio >= seen.min() / BEYOND**2) & (ratio <= seen.max() * BEYOND**2)
    tried = {name: values[allowed] for name, values in tried.items()}
    slopes, wanted = (_slopes(model, log, theta, at) for at in (tried, aim))
    left = np.array([covariance @ one for one in wanted.T])
    before = float(sum(one @ side for one, side in zip(wanted.T, left, strict=True)))
    own = (slopes * (covariance @ slopes)).sum(axis=0)
    less = ((left @ slopes) ** 2).sum(axis=0) / (noise**2 + own)
    less = np.where(np.isfinite(less), less, 0.0)
    best = int(np.argmax(less)) if len(less) else 0
    after = before - float(less[best]) if len(less) else before
    if not 0 <= after <= before * 0.98:
        return None
    inputs = {name: float(values[best]) for name, values in tried.items()}
    return NextRun(inputs, before**0.5, after**0.5, float(spent[allowed][best]) / most)


def _slopes(model: Model, log: bool, theta: Floats, at: Mapping[str, Floats]) -> Floats:
    found: Floats = residual_slopes(model.at(at), log, theta[None])[1][0]
    return found


def next_by_size(model: Model, fitted: Fitted) -> NextRun | None:
    """The run that would help most to forecast ten times the largest, in size and tokens alike; of a form by both."""
    if not {"params", "tokens"} <= model.inputs.keys():
        return None
    largest = int(np.argmax(model.inputs["params"] * model.inputs["tokens"]))
    powers = {"params": 0.5, "tokens": 0.5}
    aim = {name: values[[largest]] * 10 ** powers.get(name, 0.0) for name, values in model.inputs.items()}
    return next_run(model, fitted, aim, lambda of: of["params"] * of["tokens"])
