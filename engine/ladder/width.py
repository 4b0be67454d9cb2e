"""A design into how wide the forecast of the flagship will be that its runs lead to."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.table import Floats
from runplan.engine.ladder.surface import Surface
from runplan.engine.problem.parts import QUANTILE

# A direction of the constants in which the runs tell less than this share of what they tell elsewhere is not told.
_BLIND = 1e-12
_STEP = 1e-3


@dataclass(frozen=True, slots=True)
class Width:
    """How well runs will tell the flagship, to first order in their noise.

    Attributes:
        loss: Standard error of the logarithm of the flagship's loss; infinite where the runs do not tell it.
        size: Of the logarithm of the size that is best at the flagship's compute.
    """

    loss: float
    size: float

    def ends(self, middle: float, of: float) -> tuple[float, float]:
        """The 80 % interval of a value with a standard error of its logarithm."""
        far = float(np.exp(QUANTILE * of))
        return middle / far, middle * far


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be told: the flagship's loss, and the size that is best at its compute.

    Attributes:
        loss, size: (k) derivatives of their logarithms by the law's coordinates.
    """

    surface: Surface
    loss: Floats
    size: Floats

    @staticmethod
    def of(surface: Surface, size: float, tokens: float, compute: float) -> Target:
        """That of a size on tokens, with a compute."""
        step = _STEP * np.eye(len(surface.centre))
        moved = surface.best(compute, np.concatenate([surface.centre + step, surface.centre - step]))
        up, down = np.split(np.log(moved), 2)
        slopes = surface.slopes(np.array([size]), np.array([tokens]))[0]
        return Target(surface, slopes, (up - down) / (2 * _STEP))

    def width(self, params: Floats, tokens: Floats, noise: float) -> Width:
        """What (n) runs tell of it, each with a standard deviation of the logarithm of its loss."""
        slopes = self.surface.slopes(params, tokens)
        scale = np.linalg.norm(slopes, axis=0)
        if len(slopes) < len(scale) or not scale.all():
            return Width(np.inf, np.inf)
        _, found, rows = np.linalg.svd(slopes / scale, full_matrices=False)
        if found[-1] ** 2 <= _BLIND * found[0] ** 2:
            return Width(np.inf, np.inf)
        errors = [float(noise * np.linalg.norm(rows @ (of / scale) / found)) for of in (self.loss, self.size)]
        return Width(*errors)
