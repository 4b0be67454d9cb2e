"""A solution to how much its size matters: the sizes that lose little, and the extra compute that others need."""

from __future__ import annotations

import math
from collections.abc import Callable

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


@dataclass(frozen=True, slots=True)
class Point:
    """A size at the plan's compute: its loss, and the extra compute, as a share, that it needs for the least loss.

    Attributes:
        regret: None where no compute brings this size to the least loss.
    """

    params: float
    loss: float
    regret: float | None


@dataclass(frozen=True, slots=True)
class Band:
    """Sizes around the law's own optimum at the plan's compute, in params as the law counts them.

    Attributes:
        compute: FLOP at which the sizes are compared.
        flop: FLOP a param and token.
        optimum: The size of least loss, before any requirement.
        by_loss: Smallest and largest size within NATS of the least loss.
        by_compute: Smallest and largest size within COMPUTE of the least compute for the least loss.
        points: From small to large.
    """

    compute: float
    flop: float
    optimum: float
    loss: float
    by_loss: tuple[float, float]
    by_compute: tuple[float, float]
    points: tuple[Point, ...]

    def tokens(self, params: float) -> float:
        """Tokens on which a size is trained with the compute at which they are compared."""
        return self.compute / self.flop / params


def band_of(solution: Solution) -> Band | None:
    """The band of a solved plan; None where the law has no loss surface."""
    surface = surface_of(solution)
    compute = solution.get("compute")
    if surface is None or compute is None or solution.status != "solved":
        return None

    def at(log_size: float) -> float:
        return surface.at(math.exp(log_size), compute)

    best = least(at, math.log(compute / surface.flop) / 2)
    lowest = at(best)

    def regret(log_size: float) -> float | None:
        size = math.exp(log_size)
        tokens = _tokens_for(surface, size, lowest)
        return None if tokens is None else surface.flop * size * tokens / compute - 1.0

    def dearer(log_size: float) -> float:
        found = regret(log_size)
        return math.inf if found is None else found - COMPUTE

    step = 2 * math.log(REACH) / (POINTS - 1)
    sizes = [best - math.log(REACH) + i * step for i in range(POINTS)]
    return Band(
        compute,
        surface.flop,
        math.exp(best),
        lowest,
        _edges(lambda x: at(x) - (lowest + NATS), best),
        _edges(dearer, best),
        tuple(_point(surface, math.exp(x), compute, regret(x) if abs(x - best) > 1e-9 else 0.0) for x in sizes),
    )


def _point(surface: Surface, size: float, compute: float, regret: float | None) -> Point:
    return Point(size, surface.at(size, compute), regret)


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
