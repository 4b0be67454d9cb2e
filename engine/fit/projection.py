"""Values of what enters a form otherwise into the constants that enter it linearly: variable projection."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import Loss, residuals, target
from runplan.engine.fit.table import Floats

# How often weights are taken anew from the residuals that the last ones left.
ROUNDS = 2
# What a positive constant contributes, of what was measured, where the runs would rather have it negative.
LEAST = 1e-3


def projected(model: Model, loss: Loss, log: bool, theta: Floats) -> tuple[Floats, Floats]:
    """(s, k) coordinates with the linear ones replaced by those that fit best to first order, and (s) their values.

    G. H. Golub and V. Pereyra, The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose
    Variables Separate, SIAM J. Numer. Anal. 10 (1973). A residual of a logarithm is not linear in the constants: to
    first order it is the difference over what was measured, and the weights are those of the loss.
    """
    together = max(4, 40_000 // (theta.shape[1] * len(model.measured)))
    found, values = theta.copy(), np.empty(len(theta))
    with np.errstate(all="ignore"):
        for start in range(0, len(theta), together):
            some = slice(start, start + together)
            found[some], values[some] = _projected(model, loss, log, theta[some])
    return found, np.where(np.isfinite(values), values, np.inf)


def _projected(model: Model, loss: Loss, log: bool, theta: Floats) -> tuple[Floats, Floats]:
    linear = np.flatnonzero(model.linear)
    if not len(linear):
        return theta, loss.values(residuals(model, log, theta)).sum(axis=1)
    positive = np.array([model.coordinates[i].log for i in linear])
    at = theta.copy()
    at[:, linear] = np.where(positive, 0.0, 1.0)
    predicted, slopes = model.slopes(at)
    basis = slopes[:, linear]
    offset = predicted - basis.sum(axis=1)
    scale = 1 / model.measured if log else np.ones_like(model.measured)
    columns, wanted = basis * scale, (model.measured - offset) * scale
    least = LEAST * np.abs(model.measured * scale).mean() / np.abs(columns).max(axis=2)
    weight = np.ones_like(wanted)
    for _ in range(ROUNDS):
        constants = _least_squares(columns, wanted, weight, positive)
        constants = np.where(positive, np.maximum(constants, least), constants)
        predicted = offset + np.matmul(constants[:, None, :], basis)[:, 0]
        left = (np.log(predicted) if log else predicted) - target(model, log)
        weight = _numbers(loss.majorants(left))
    at[:, linear] = np.where(positive, np.log(np.where(positive, constants, 1.0)), constants)
    return at, loss.values(left).sum(axis=1)


def _least_squares(columns: Floats, wanted: Floats, weight: Floats, positive: NDArray[np.bool_]) -> Floats:
    """(s, c, n) columns and (s, n) values into (s, c) constants, none below zero that has to be positive."""
    weighted = columns * weight[:, None, :]
    gram = np.matmul(weighted, columns.transpose(0, 2, 1))
    right = np.matmul(weighted, wanted[:, :, None])[:, :, 0]
    size = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    gram = _numbers(gram / (size[:, :, None] * size[:, None, :])) + 1e-12 * np.eye(len(positive))
    right = _numbers(right / size)
    found = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    bad = np.flatnonzero((found[:, positive] <= 0).any(axis=1))
    if len(bad):
        found[bad] = _not_negative(gram[bad], right[bad], positive)
    return found / size


def _numbers(values: Floats) -> Floats:
    """Values with 0 in place of NaN and the largest figure in place of infinity; most have neither."""
    return values if np.isfinite(values.sum()) else np.nan_to_num(values)


def _not_negative(gram: Floats, right: Floats, positive: NDArray[np.bool_]) -> Floats:
    """The best of the solutions with some of the positive constants left out, of which none is negative."""
    found, lowest = np.zeros_like(right), np.zeros(len(right))
    choices, always = np.flatnonzero(positive).tolist(), np.flatnonzero(~positive).tolist()
    for count in range(0 if always else 1, len(choices)):  # of none nothing is to be solved: all are zero
        for some in combinations(choices, count):
            kept = np.array(sorted((*always, *some)))
            part = np.linalg.solve(gram[:, kept[:, None], kept], right[:, kept, None])[:, :, 0]
            value = -0.5 * (part * right[:, kept]).sum(axis=1)
            better = np.flatnonzero((value < lowest) & (part[:, positive[kept]] >= 0).all(axis=1))
            found[better] = 0.0
            found[better[:, None], kept] = part[better]
            lowest[better] = value[better]
    return found
