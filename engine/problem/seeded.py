"""Figures at random, the same each time: normal ones, and orders. A wheel has the first of them ready-made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.numeric.sample import normal_quantile

if TYPE_CHECKING:  # what draws is imported where it is drawn: docs/design/0004-what-check-does-not-import.md
    from random import Random

SEED = 20240402
# What is ready-made: for so many draws, which is how many there are unless said otherwise, this many normal figures
# each, and this many orders.
DRAWS, NORMALS, ORDERS = 1000, 8, 4


def normals(count: int) -> Sequence[float]:
    """The first figures of a standard normal distribution."""
    ready = _ready()[0] if count <= DRAWS * NORMALS else None
    return ready[:count] if ready else drawn_normals(count)


def orders(length: int, count: int) -> Sequence[Sequence[int]]:
    """The first orders of so many numbers, from 0 on."""
    ready = _ready()[1] if length == DRAWS and count <= ORDERS else None
    return ready[:count] if ready else drawn_orders(length, count)


def quantiles(count: int) -> Sequence[float]:
    """Of a standard normal distribution the middle of each of so many parts that are as likely, in order."""
    ready = _ready()[2] if count == DRAWS else None
    return ready or middles(count)


def _ready() -> tuple[Sequence[float], Sequence[Sequence[int]], Sequence[float]]:
    """What the wheel has; nothing where it is none."""
    try:
        from runplan.engine.problem.seeded_table import NORMALS, ORDERS, QUANTILES
    except ImportError:
        return (), (), ()
    return NORMALS, ORDERS, QUANTILES


@lru_cache(8)
def drawn_normals(count: int) -> tuple[float, ...]:
    """See `normals`."""
    gauss = _seeded(SEED).gauss
    return tuple([gauss(0, 1) for _ in range(count)])


@lru_cache(8)
def drawn_orders(length: int, count: int) -> tuple[tuple[int, ...], ...]:
    """See `orders`."""
    random = _seeded(SEED + 1)
    return tuple([tuple(random.sample(range(length), length)) for _ in range(count)])


@lru_cache(8)
def middles(count: int) -> tuple[float, ...]:
    """See `quantiles`."""
    return tuple([normal_quantile((i + 0.5) / count) for i in range(count)])


def _seeded(seed: int) -> Random:
    from random import Random

    return Random(seed)
