"""The points of a sweep to blocks that are solved together, each a grid of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass

# The most rows of a block, where a point has not more.
MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Block:
    """Points one after the other that are a grid.

    Attributes:
        start, stop: Their numbers; `stop` is not among them.
        sides: Of each axis, which of its values they have.
    """

    start: int
    stop: int
    sides: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """All points of a grid in blocks: of one axis a stretch, of those before it one value, and of those after it all.

    In which block a point is, and where in it, follows from its number alone: functions of arrays may differ in the
    last bit by where in an array an element is.

    Attributes:
        sizes: How long each axis is; the last changes first.
        axis: The one that is cut.
        length: How many of its values a block has.
    """

    sizes: tuple[int, ...]
    axis: int
    length: int

    @staticmethod
    def of(sizes: Sequence[int], rows: int = 1) -> Blocks:
        """The blocks of a grid; at least one axis.

        Args:
            rows: How many rows each point has.
        """
        axis, most = len(sizes) - 1, max(1, MOST // rows)
        while axis > 0 and math.prod(sizes[axis:]) <= most:
            axis -= 1
        fitting = max(1, most // math.prod(sizes[axis + 1 :]))
        pieces = -(-sizes[axis] // fitting)
        return Blocks(tuple(sizes), axis, -(-sizes[axis] // pieces))

    def at(self, point: int) -> Block:
        """The block in which a point is."""
        inner, cut = math.prod(self.sizes[self.axis + 1 :]), self.sizes[self.axis]
        outer, at = divmod(point // inner, cut)
        low = at - at % self.length
        high = min(low + self.length, cut)
        before = []
        for size in reversed(self.sizes[: self.axis]):
            outer, place = divmod(outer, size)
            before.append(range(place, place + 1))
        start = (point // inner - at + low) * inner
        sides = (*reversed(before), range(low, high), *map(range, self.sizes[self.axis + 1 :]))
        return Block(start, start + (high - low) * inner, sides)
