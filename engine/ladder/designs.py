"""A budget and a family's sizes into the runs of a design: which size on how many tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.ladder.sizes import Sizes
from runplan.engine.ladder.surface import Surface

Design = Literal["isoflop", "ratio", "L", "best"]
# What each is, in words.
DESIGNS: Mapping[Design, str] = {
    "isoflop": "sizes around the best of each of several budgets",
    "ratio": "several sizes, each at the same few tokens a param",
    "L": "sizes at one amount of data, and amounts of data at one size",
    "best": "the runs of least expected width of the flagship's forecast, by the slopes of its law",
}
# How many budgets, and sizes of each: Chinchilla's and Llama 3's have 9 and 10 of 5 to 10, far apart as here.
BUDGETS, SIZES = 4, 5
# From budget to budget, as from 1e20 to 3.2e20 FLOP; from size to size around the best; along a line of an L.
_BETWEEN_BUDGETS, _BETWEEN_SIZES = 10**0.5, 1.6
# Tokens a param, as shares of what the law asks for at the budget of the largest of the runs.
_RATIOS = (0.25, 1.0, 4.0)
_FEWEST_SIZES = 3
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Run:
    """A size and its tokens.

    Attributes:
        size: Its place among the sizes.
        budget: Of which budget it is, in FLOP; None where the design has none.
    """

    size: int
    tokens: float
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """What a design is made within.

    Attributes:
        total: FLOP of all runs together, at most.
        budgets, sizes: How many of each.
    """

    sizes_there: Sizes
    surface: Surface
    total: float
    budgets: int = BUDGETS
    sizes: int = SIZES

    def compute(self, runs: Sequence[Run]) -> float:
        """FLOP of runs together."""
        law = self.sizes_there.law
        return float(sum(self.surface.flop * law[run.size] * run.tokens for run in runs))

    def spread(self, middle: float, count: int, step: float) -> list[int]:
        """So many shapes around a size, each about so many times the one before; fewer where there are no more."""
        asked = middle * step ** (np.arange(count) - (count - 1) / 2)
        return self.distinct(asked.tolist())

    def distinct(self, sizes: Sequence[float]) -> list[int]:
        """The shapes nearest to sizes, each once, in order."""
        return sorted({self.sizes_there.nearest(size) for size in sizes})


def isoflop(room: Room) -> tuple[Run, ...]:
    """Runs of a few budgets, each of several sizes around the law's best for it.

    Raises:
        NoLadder: Where the budget is too small for three sizes.
    """
    for budgets in range(room.budgets, 0, -1):
        shares = _BETWEEN_BUDGETS ** np.arange(budgets)
        # Of a budget near the smallest model there may be fewer sizes, and then more for the others.
        largest = room.total / room.sizes / shares.sum()
        found = [(c, room.spread(float(room.surface.best(c)[0]), room.sizes, _BETWEEN_SIZES)) for c in largest * shares]
        if all(len(places) >= _FEWEST_SIZES for _, places in found):
            scale = room.total / sum(c * len(places) for c, places in found)
            law, flop = room.sizes_there.law, room.surface.flop
            return tuple(Run(p, c * scale / flop / law[p], c * scale) for c, places in found for p in places)
    raise _too_small(room)


def ratio(room: Room) -> tuple[Run, ...]:
    """Runs of several sizes, each on the same few tokens a param.

    Raises:
        NoLadder: Where the budget is too small for three sizes.
    """
    count = max(_FEWEST_SIZES, round(room.budgets * room.sizes / len(_RATIOS)))

    def made(largest: float) -> list[Run]:
        tokens = largest / room.surface.flop / float(room.surface.best(largest)[0])
        asked = tokens / float(room.surface.best(largest)[0])
        sizes = float(room.surface.best(largest)[0]) / _BETWEEN_SIZES ** np.arange(count)
        law = room.sizes_there.law
        return [Run(p, r * asked * law[p]) for p in room.distinct(sizes.tolist()) for r in _RATIOS]

    return _within(room, made)


def ell(room: Room) -> tuple[Run, ...]:
    """A line of sizes on one amount of data, and a line of data at one size, from the corner where they meet.

    Raises:
        NoLadder: Where the budget is too small for three sizes.
    """
    count = max(_FEWEST_SIZES, (room.budgets * room.sizes + 1) // 2)

    def made(corner: float) -> list[Run]:
        size = float(room.surface.best(corner)[0])
        places = room.distinct((size * _BETWEEN_SIZES ** np.arange(count)).tolist())
        tokens = corner / room.surface.flop / room.sizes_there.law[places[0]]
        across = [Run(place, tokens) for place in places]
        return [*across, *(Run(places[0], tokens * _BETWEEN_SIZES**i) for i in range(1, count))]

    return _within(room, made)


def _within(room: Room, made: Callable[[float], list[Run]]) -> tuple[Run, ...]:
    """The largest design of a kind, by the compute that it is told by, that stays within the budget."""
    low, high = np.log(room.total) - 20.0, np.log(room.total)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if room.compute(made(float(np.exp(middle)))) <= room.total else (low, middle)
    runs = made(float(np.exp(low)))
    if len({run.size for run in runs}) < _FEWEST_SIZES or room.compute(runs) > room.total:
        raise _too_small(room)
    return tuple(runs)


def _too_small(room: Room) -> NoLadder:
    least = room.sizes_there.params[0]
    return NoLadder(
        "budget",
        f"{room.total:.3g} FLOP is too small for three sizes of {room.sizes_there.family.name}, the smallest of which "
        f"has {least:.3g} params: take a larger `--share`, or a family of a smaller vocabulary by `--family`",
    )


def candidates(room: Room, most: float, ratios: Sequence[float]) -> Iterator[Run]:
    """Runs that a design may be made of: sizes evenly apart, each on tokens evenly apart.

    Args:
        most: FLOP of one of them, at most.
        ratios: Tokens a param.
    """
    law, flop = room.sizes_there.law, room.surface.flop
    asked = np.geomspace(law[0], law[-1], 2 + round(np.log(law[-1] / law[0]) / np.log(_BETWEEN_SIZES)))
    for place in room.distinct(asked.tolist()):
        for each in ratios:
            if flop * law[place] ** 2 * each <= most:
                yield Run(place, each * float(law[place]))


def as_fitted(room: Room, runs: Sequence[Run]) -> tuple[Run, ...]:
    """Those of runs that lie within what the law was fitted to; all where too few do."""
    fitted = room.surface.law.fitted
    sizes, tokens = (fitted.get(name, (0.0, np.inf)) for name in ("params", "tokens"))
    kept = [
        run
        for run in runs
        if sizes[0] <= room.sizes_there.law[run.size] <= sizes[1] and tokens[0] <= run.tokens <= tokens[1]
    ]
    return tuple(kept if len({run.size for run in kept}) >= _FEWEST_SIZES else runs)
