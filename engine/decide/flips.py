"""A choice and the figures that it hangs on to where it changes: for each figure, the nearest value on either side.

A change is looked for in steps of a factor of 1.4, up to eight times more and an eighth. It is told to three digits on
the side of the new choice, and solved there and a digit before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.engine.decide.levers import Input

# How far a figure is moved, and in what steps.
FAR, STEP = 8.0, math.sqrt(2.0)
# How near the change is found, as a share: within a step of the last digit that it is told with; more digits, where so
# few tell no sides apart.
NEAR, DIGITS = 2e-4, (3, 4)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen; None where nothing that holds is left.

    Attributes:
        broken: From the index of another to what it requires and does not keep; empty where it is no more than worse.
    """

    index: int | None
    broken: Callable[[int], str] = lambda index: ""


@dataclass(frozen=True, slots=True)
class Flip:
    """Where a choice changes.

    Attributes:
        at: The value on the side of the other choice, in base units; `before` that on the side of the present one.
        choose: What is chosen there; None where nothing holds.
        broken: What the present choice does not keep there; empty where the other is better.
    """

    input: Input
    at: float
    before: float
    choose: int | None
    broken: str = ""

    @property
    def below(self) -> bool:
        """Whether it is at less than there is now."""
        return self.at < self.input.lever.now

    @property
    def far(self) -> float:
        """How far that is from what there is now, as a logarithm."""
        return abs(math.log(self.at / self.input.lever.now))


# What is chosen at a value of a figure.
Choose = Callable[[Input, float], Chosen]


def flips_of(now: int | None, inputs: Iterable[Input], choose: Choose, sure: Choose | None = None) -> Iterator[Flip]:
    """Where each figure changes what is chosen now, the nearest on either side; each is tried on both sides.

    Args:
        sure: By what a change is tried on both sides, where it is looked for in a quicker way; no other is told.
    """
    for each in inputs:
        for down in (True, False):
            found = _flip(now, each, choose, sure or choose, down)
            if found is not None:
                yield found


def nearest(flips: Iterable[Flip]) -> tuple[Flip, ...]:
    """Changes, the nearest first."""
    return tuple(sorted(flips, key=lambda flip: (round(flip.far, 6), flip.input.said, flip.at)))


def _flip(now: int | None, moved: Input, choose: Choose, sure: Choose, down: bool) -> Flip | None:
    lever = moved.lever
    near = lever.now
    if near <= 0 or not math.isfinite(near):
        return None
    for step in range(1, round(math.log(FAR) / math.log(STEP)) + 1):
        far = min(lever.now * STEP ** (-step if down else step), lever.most)
        if lever.written.step:
            far = max(lever.written.rounded(far, down), lever.written.step)
        if far == near:
            return None
        if choose(moved, far).index != now:
            return _told(now, moved, choose, sure, near, far)
        near = far
    return None


def _told(now: int | None, moved: Input, choose: Choose, sure: Choose, near: float, far: float) -> Flip | None:
    """The change between two values, to few digits, with another choice on each side."""
    lever, down = moved.lever, far < near
    least = NEAR if not lever.written.step else lever.written.step / max(near, far)
    while abs(far / near - 1.0) > least * 1.0001:
        middle = math.sqrt(near * far)
        if lever.written.step:
            middle = lever.written.rounded(middle, down)
            if middle in (near, far):
                middle = lever.written.rounded(math.sqrt(near * far), not down)
            if middle in (near, far):
                break
        near, far = (middle, far) if choose(moved, middle).index == now else (near, middle)
    for digits in DIGITS:
        at, before = (lever.written.rounded(end, side, digits) for end, side in ((far, down), (near, not down)))
        there = sure(moved, at)
        if there.index != now and sure(moved, before).index == now and at > 0:
            return Flip(moved, at, before, there.index, "" if now is None else there.broken(now))
    return None
