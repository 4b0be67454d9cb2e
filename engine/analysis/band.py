"""A solution to how much its size matters: the sizes that lose little, and the extra compute that others need."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

from runplan.dsl.dataclass import dataclass
from runplan.engine.analysis.regret import Surface, surface_of
from runplan.engine.numeric.search import crossing, least
from runplan.engine.problem.solution import Solution

# A band is the sizes whose loss is within NATS of the least at the same compute,
# or that reach the least loss with at most COMPUTE more of it.
NATS = 0.005
COMPUTE = 0.01
# The chart and the table of regret reach from the optimum over REACH to REACH times the optimum.
REACH = 8.0
POINTS = 33
# Logarithms: of the most tokens, and of how far an edge may be.
MOST, FAR = 60.0, 30.0
# What is nearer to the optimum than this, as a logarithm, is it.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Point:
    """A size at the plan's compute: its loss, and the extra compute, as a share, that it needs for the least loss.

    Attributes:
        regret: None where no compute brings this size to the least loss.
    """

    params: float
    loss: float
    regret: float | None


@dataclass(frozen=True)
class Band:
    """Sizes around the law's own optimum at the plan's compute, in params as the law counts them.

    What nothing shows of it is not worked out.

    Attributes:
        surface: The law's loss.
        compute: FLOP at which the sizes are compared.
    """

    surface: Surface
    compute: float

    @cached_property
    def _best(self) -> float:
        """The logarithm of the optimum."""
        return least(self._at, math.log(self.compute / self.surface.flop) / 2)

    @property
    def optimum(self) -> float:
        """The size of least loss, before any requirement."""
        return math.exp(self._best)

    @cached_property
    def loss(self) -> float:
        """The least loss."""
        return self._at(self._best)

    @cached_property
    def by_loss(self) -> tuple[float, float]:
        """The smallest and the largest size within NATS of the least loss."""
        return _edges(lambda log_size: self._at(log_size) - (self.loss + NATS), self._best)

    @cached_property
    def by_compute(self) -> tuple[float, float]:
        """The smallest and the largest size within COMPUTE of the least compute for the least loss."""

        def dearer(log_size: float) -> float:
            found = self._regret(log_size)
            return math.inf if found is None else found - COMPUTE

        return _edges(dearer, self._best)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """From small to large, the optimum in the middle."""
        step = 2 * math.log(REACH) / (POINTS - 1)
        sizes = (self._best - math.log(REACH) + i * step for i in range(POINTS))
        return tuple(Point(math.exp(x), self._at(x), self._regret(x)) for x in sizes)

    def tokens(self, params: float) -> float:
        """Tokens on which a size is trained with the compute at which they are compared."""
        return self.surface.tokens(params, self.compute)

    def _at(self, log_size: float) -> float:
        """The loss of a size."""
        return self.surface.at(math.exp(log_size), self.compute)

    def _regret(self, log_size: float) -> float | None:
        """The extra compute, as a share, that a size needs for the least loss; None where none is enough."""
        if abs(log_size - self._best) <= SAME:
            return 0.0
        size = math.exp(log_size)
        tokens = _tokens_for(self.surface, size, self.loss)
        return None if tokens is None else self.surface.flop * size * tokens / self.compute - 1.0


def band_of(solution: Solution) -> Band | None:
    """The band of a solved plan; None where the law has no loss surface."""
    surface = surface_of(solution)
    compute = solution.get("compute")
    if surface is None or compute is None or solution.status != "solved":
        return None
    return Band(surface, compute)


def _tokens_for(surface: Surface, size: float, wanted: float) -> float | None:
    """Tokens at which a size reaches a loss; None where none do."""

    def above(log_tokens: float) -> float:
        return surface.loss(size, math.exp(log_tokens)) - wanted

    if above(MOST) > 0.0:
        return None
    return math.exp(crossing(above, MOST, 0.0) if above(0.0) > 0.0 else 0.0)


def _edges(over: Callable[[float], float], best: float) -> tuple[float, float]:
    """How far down and up from the best something is at most 0."""

    def edge(sign: float) -> float:
        near, far = 0.0, 1.0
        while over(best + sign * far) <= 0.0 and far < FAR:
            near, far = far, far * 2
        if over(best + sign * far) > 0.0:
            far = crossing(lambda x: over(best + sign * x), near, far)
        return math.exp(best + sign * far)

    return edge(-1.0), edge(1.0)
