"""Forms of scaling laws, written out by hand: what fits are tried on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, replace
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.table import Floats


@dataclass(frozen=True, slots=True)
class Chinchilla:
    """E + A / N^alpha + B / D^beta, in log E, log A, log B, alpha, beta; sizes and tokens are logarithms."""

    params: Floats
    tokens: Floats
    measured: Floats
    log: bool = True
    coordinates: tuple[Coordinate, ...] = (
        Coordinate("E", True, -2.0, 1.5),
        Coordinate("A", True, 0.0, 15.0),
        Coordinate("B", True, 0.0, 15.0),
        Coordinate("alpha", False, 0.05, 1.0),
        Coordinate("beta", False, 0.05, 1.0),
    )
    linear: tuple[bool, ...] = (True, True, True, False, False)

    def predicted(self, theta: Floats) -> Floats:
        e, a, b, alpha, beta = theta.T[:, :, None]
        found: Floats = np.exp(e) + np.exp(a - alpha * self.params) + np.exp(b - beta * self.tokens)
        return found

    def slopes(self, theta: Floats) -> tuple[Floats, Floats]:
        e, a, b, alpha, beta = theta.T[:, :, None]
        n, d = np.exp(a - alpha * self.params), np.exp(b - beta * self.tokens)
        slopes = np.empty((len(theta), 5, len(self.measured)))
        slopes[:, 0], slopes[:, 1], slopes[:, 2] = np.exp(e), n, d
        np.multiply(n, -self.params, out=slopes[:, 3])
        np.multiply(d, -self.tokens, out=slopes[:, 4])
        return slopes[:, 0] + n + d, slopes

    @property
    def inputs(self) -> Mapping[str, Floats]:
        return {"params": np.exp(self.params), "tokens": np.exp(self.tokens)}

    def at(self, inputs: Mapping[str, Floats]) -> Chinchilla:
        params, tokens = np.log(inputs["params"]), np.log(inputs["tokens"])
        return replace(self, params=params, tokens=tokens, measured=np.full(len(params), np.nan))

    def told(self, measured: Floats) -> Chinchilla:
        return replace(self, measured=measured)

    def rows(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> Chinchilla:
        return replace(self, params=self.params[kept], tokens=self.tokens[kept], measured=self.measured[kept])


TRUE = np.array([0.6, 6.2, 7.7, 0.35, 0.37])


def chinchilla(noise: float = 0.0, sizes: int = 6, budgets: int = 5, seed: int = 0) -> Chinchilla:
    """Runs over a grid of sizes and budgets, of a surface whose coordinates are `TRUE`."""
    budget, params = np.meshgrid(np.logspace(18, 21, budgets), np.logspace(-0.8, 0.8, sizes), indexing="ij")
    size = np.log((params * np.sqrt(budget / 6) / 4).ravel())
    tokens = np.log(budget.ravel() / 6) - size
    runs = Chinchilla(size, tokens, np.ones_like(size))
    wrong = np.random.default_rng(seed).normal(0, noise, len(size)) if noise else 0.0
    return replace(runs, measured=runs.predicted(TRUE[None])[0] * np.exp(wrong))
