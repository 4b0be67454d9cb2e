"""What is found of each layout to the order in which they come, and to those that are told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field
from runplan.engine.layout.layout import Layout
from runplan.engine.problem.laid_out import Fits, Why

# How many are told.
FIRST = 5
# Times of steps that are this near are alike: half of 209 measured ones lie so far from what is told of them.
ALIKE = 1.12
# How much more time than the fastest a layout may take that is told for being of another kind: five of six published
# ones lie within.
_OTHERWISE = 1.3
# What a layout is good for: it is enough; it has room, and breaks what is required; it may have room; it has none.
ENOUGH, BROKEN, TIGHT, NO_ROOM = range(4)


@dataclass(frozen=True, slots=True)
class Tried:
    """A layout, and what is found of it.

    Attributes:
        least: Memory that it takes at the least, in byte, over what there is.
        pace: Seconds a token, or what is wanted in place of that; 0 where the time of a step is not told.
        parts: What that is made of.
        chance: How likely it has room: where the memory that there is lies between the least that it may take and the
            most.
        odd: How much it has of what few published runs have.
    """

    layout: Layout
    band: int
    least: float
    pace: float
    parts: Mapping[Why, float] = field(default_factory=dict)
    chance: float = 1.0
    odd: float = 0.0

    @property
    def fits(self) -> Fits:
        """Whether it has room."""
        return "fits" if self.band <= BROKEN else "tight" if self.band == TIGHT else "does not fit"

    @property
    def is_by_memory(self) -> bool:
        """Whether it is not enough, so that the one that needs the least is the nearest."""
        return self.band in (BROKEN, NO_ROOM)

    @property
    def hoped(self) -> float:
        """Seconds a token that are to be hoped for: of one that has no room nothing comes."""
        return self.pace / self.chance

    @property
    def rank(self) -> tuple[int, float, float]:
        """What it is ordered by."""
        return (self.band, self.least, 0.0) if self.is_by_memory else (self.band, self.hoped, -self.chance)


def in_order(best: Sequence[Tried]) -> list[Tried]:
    """Those that are enough first, by their time; of those that are alike by what is known of it the one that has less
    of what few runs have, then the one of fewer parts, then the one whose experts lie on more devices: each of them has
    less to keep, and products of more tokens an expert."""
    rest = sorted(best, key=lambda one: one.rank)
    out: list[Tried] = []
    while rest:
        first = rest[0]
        within = [one.band == first.band and one.hoped <= ALIKE * first.hoped for one in rest]
        alike = [first, *(one for one, is_alike in zip(rest[1:], within[1:], strict=True) if is_alike)]
        if not first.is_by_memory:
            alike.sort(key=_of_alike)
        out += alike
        rest = [one for one, is_alike in zip(rest[1:], within[1:], strict=True) if not is_alike]
    return out


def _of_alike(one: Tried) -> tuple[float, int, int, float]:
    return one.odd, math.prod(one.layout.parts[:3]), -one.layout.ep, one.hoped


def differing(ordered: Sequence[Tried], shorter: Tried | None = None) -> list[Tried]:
    """The ones that are told of some in order: those that differ in kind, as how fast each is is not known to the last
    per cent, and as frameworks differ in what they do.

    They differ in their parts, of a mixture of experts, which lie where others cut, in the number of parts of the
    layers; of a fifth each in kind: one that cuts nothing and has copies alone, and one that cuts sequences shorter
    than is usual, where it is enough and as fast.

    Args:
        shorter: The first of those that cut sequences shorter than is usual, which are not among the ordered.
    """
    enough = [one for one in ordered if one.band == ENOUGH and one.pace]
    near = [one for one in enough if one.pace <= _OTHERWISE * min(one.pace for one in enough)]
    shares = any(one.layout.ep > 1 for one in enough)
    cut: Callable[[Layout], object] = (lambda one: one.pp) if shares else (lambda one: one.parts)
    told = list(ordered[:1])
    for kind, most in ((cut, FIRST - 1), (lambda one: one.parts[:3] == (1, 1, 1), FIRST)):
        told += _other(near, told, kind)[: most - len(told)]
    if shorter is not None and shorter.band == ENOUGH and enough:
        is_alike = shorter.pace <= ALIKE * min(one.pace for one in enough)
        told += [shorter][: FIRST - len(told) if is_alike else 0]
    told += _other(ordered, told, lambda one: one.parts)[: FIRST - len(told)]
    return [one for one in (*ordered, shorter) if one is not None and one in told]


def _other(some: Sequence[Tried], told: Sequence[Tried], kind: Callable[[Layout], object]) -> list[Tried]:
    """The first of some of each kind that none of those that are told is of."""
    first: dict[object, Tried] = {}
    for one in some:
        first.setdefault(kind(one.layout), one)
    there = {kind(one.layout) for one in told}
    return [one for of, one in first.items() if of not in there]
