"""A point to others around it, spread evenly: where a search that may end at a local minimum begins again."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.engine.numeric.local import Point

# How far from the first point the others lie, at most, in logarithms: a factor of a thousand either way.
REACH = 7.0
# Bases of the Halton sequence (Halton 1960), one a coordinate; more coordinates than this share them.
BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def around(start: Point, count: int) -> Iterator[Point]:
    """So many points (k) around a point (k), the same each time."""
    for index in range(1, count + 1):
        shares = (_radical_inverse(index + i // len(BASES), BASES[i % len(BASES)]) for i in range(len(start)))
        yield tuple(at + REACH * (2.0 * share - 1.0) for at, share in zip(start, shares, strict=True))


def _radical_inverse(index: int, base: int) -> float:
    """The digits of a number mirrored at the point."""
    share, place = 0.0, 1.0 / base
    while index:
        index, digit = divmod(index, base)
        share += digit * place
        place /= base
    return share
