"""The layouts that a run may have to the first of them by the time of a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.values import Evaluator
from runplan.engine.layout.layout import Layout, Room, oddity
from runplan.engine.layout.memory import LAYOUT_TOKENS, LEAST, MOST, ROOFLINE, TIME, USABLE
from runplan.engine.layout.sheet import Sheet
from runplan.engine.layout.told import choice, fallen
from runplan.engine.layout.tried import ALIKE, BROKEN, ENOUGH, FIRST, NO_ROOM, TIGHT, Tried, differing, in_order
from runplan.engine.problem.laid_out import Fits, Told, Why

_WORKING, _SENDING, _EXPOSED, _BUBBLE, _ACCUMULATE, _SLOWEST = map(
    quantity, ("working_time", "sending_time", "exposed_time", "least_bubble", "accumulate", "slowest_stage")
)
_OF_ROOM = (LEAST, MOST, USABLE)
_OF_PRICE = (TIME, LAYOUT_TOKENS, ROOFLINE, _WORKING, _SENDING, _EXPOSED, _BUBBLE, _ACCUMULATE, _SLOWEST)
# What is left of memory, as a share, where the least that may be needed is all that there is.
_NO_MORE = 1e-6
_How = tuple[float, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a layout in place of the least time.

    Attributes:
        names: The quantities that it is made of.
        of: What they come to: the less the better.
    """

    names: frozenset[Name]
    of: Evaluator


@dataclass(frozen=True, slots=True)
class Chosen:
    """The first of the layouts of a run.

    Attributes:
        layout: The first.
        is_enough: Whether it has room for sure, and keeps what the plan requires of it.
        fits: Whether it has room.
        race: All of them.
        roofline: The most that a device reaches in any of them that may have room, in FLOP a second, and in which;
            None where the time of a step is not told, or none has room.
        shorter: The same of those that cut sequences shorter than is usual, which are not among them; None where there
            are none.
    """

    layout: Layout
    is_enough: bool
    fits: Fits
    race: Race
    roofline: tuple[float, Layout] | None
    shorter: Callable[[], Chosen | None] = lambda: None


def chosen(
    sheet: Sheet,
    regimes: int,
    layouts: Iterable[Layout],
    keeps: Callable[[Sheet], bool],
    *,
    room: Room,
    is_priced: bool,
    wish: Wish | None = None,
) -> Chosen | None:
    """The first of some layouts, those that cut alike after each other; None where there is none.

    Those come first that have room whatever the regime, and keep what is required; by the time a token, where that is
    told, else as they are.

    Args:
        regimes: How many there are on the sheet.
        keeps: Whether all is kept that is required, of the layout that the sheet is turned to.
        room: What bounds them.
        wish: What they are ordered by in place of their time.
    """
    tried = list(layouts)
    if not tried:
        return None
    race = Race(sheet, regimes, tried, keeps, room, is_priced, wish)
    first = race.ordered(1)[0]
    return Chosen(first.layout, first.band == ENOUGH, first.fits, race, race.roofline(first))


class Race:
    """The layouts of a run, compared: bounds of those that cut alike are worked out for all of them at once, and what
    each comes to only of those that may be among the first.
    """

    def __init__(
        self,
        sheet: Sheet,
        regimes: int,
        tried: Sequence[Layout],
        keeps: Callable[[Sheet], bool],
        room: Room,
        is_priced: bool,
        wish: Wish | None = None,
    ) -> None:
        self.tried, self._wish, self._room = len(tried), wish, room
        self._sheet, self._regimes, self._keeps, self._is_priced = sheet, regimes, keeps, is_priced
        groups = [list(alike) for _, alike in groupby(tried, key=lambda one: one.cuts)]
        sheet.turn_to(tried[0])
        self._compared = sheet.heaviest()  # under the regime that needs the most of the first
        self._alike = [Alike(group, ways) for group, ways in zip(groups, self._ways(groups), strict=True)]
        if is_priced:
            self._bound()

    def _ways(self, groups: Sequence[Sequence[Layout]]) -> Iterator[frozenset[_How]]:
        """Of those that cut alike what may be computed again, and shared out, so that there may be room with the
        smallest micro-batch: with a larger one there is less."""
        small = [[one for one in group if one.micro_batch == group[0].micro_batch] for group in groups]
        rows = [one for group in small for one in group]
        may, unsure = [False] * len(rows), list(range(len(rows)))
        for regime in self._lightest():
            if unsure:
                found = self._sheet.columns([rows[i] for i in unsure], regime, (LEAST, USABLE))
                for i, least, usable in zip(unsure, found[LEAST], found[USABLE], strict=True):
                    may[i] = least <= usable
                unsure = [i for i in unsure if not may[i]]
        there = iter(may)
        for group in small:
            yield frozenset([_how(one) for one in group if next(there)])

    def _lightest(self) -> Sequence[int]:
        """The regimes, the one that needs the least of the first layout first."""
        return sorted(range(self._regimes), key=lambda regime: self._sheet.under(regime)[LEAST])

    def _bound(self) -> None:
        """The least time a token, and the highest rate, of those that cut alike: with the least that may be computed
        again, and shared out."""
        rows = [(alike, one) for alike in self._alike for one in alike.fastest()]
        if rows:
            found = self._sheet.columns([one for _, one in rows], self._compared, _OF_PRICE[:3])
            times = zip(found[TIME], found[LAYOUT_TOKENS], found[ROOFLINE], strict=True)
            for (alike, _), (time, tokens, rate) in zip(rows, times, strict=True):
                pace = -math.inf if self._wish is not None else time / tokens
                alike.pace, alike.rate = min(alike.pace, pace), max(alike.rate, rate)

    def ordered(self, count: int) -> list[Tried]:
        """The best of those that cut alike, in order, so many of them for sure; with no more of the others than these
        took to find."""
        for alike in sorted(self._alike, key=lambda alike: alike.pace):
            paces = sorted(one.best.pace for one in self._alike if one.best is not None and one.best.band == ENOUGH)
            if len(paces) >= count and alike.pace > ALIKE * paces[count - 1]:
                break
            alike.best = alike.best or self._best_of(alike)
        best = [alike.best for alike in self._alike if alike.best is not None]
        return in_order(best) if self._wish is None else sorted(best, key=lambda one: one.rank)

    def told(self, undivided: Iterable[str], shorter: Chosen | None = None) -> Told:
        """What there is to say of them, and of the first of those that cut sequences shorter than is usual."""
        ordered = self.ordered(len(self._alike))
        other = shorter.race.ordered(1)[0] if shorter is not None else None
        shown = differing(ordered, other) if self._wish is None else ordered[:FIRST]
        first = tuple(choice(self._sheet, self._regimes, one, is_priced=self._is_priced) for one in shown)
        return Told(first, tuple(fallen(ordered, shown)), tuple(undivided), self.tried)

    def roofline(self, first: Tried) -> tuple[float, Layout] | None:
        """The most that a device reaches in any layout that may have room, whatever the regime."""
        if not self._is_priced or first.band == NO_ROOM:
            return None
        best = (0.0, first.layout)
        for alike in sorted(self._alike, key=lambda alike: -alike.rate):
            if alike.rate <= best[0]:
                break
            rates = self._figures(alike)[ROOFLINE]
            for i in sorted(range(len(rates)), key=lambda i: -rates[i]):
                if rates[i] <= best[0]:
                    break
                if self._may_have_room(alike, i):
                    best = rates[i], alike.layouts[i]
        found = []
        for layout in (first.layout, best[1]):
            self._sheet.turn_to(layout)
            found += [(self._sheet.under(each, priced=True)[ROOFLINE], layout) for each in range(self._regimes)]
        return max(found, key=lambda one: one[0])

    def _figures(self, alike: Alike) -> Mapping[Name, Sequence[float]]:
        """What those that cut alike come to under the regime that they are compared by."""
        if not alike.figures:
            wanted = (*_OF_ROOM, *(_OF_PRICE if self._is_priced else ()), *(self._wish.names if self._wish else ()))
            alike.figures = self._sheet.columns(alike.layouts, self._compared, wanted)
        return alike.figures

    def _may_have_room(self, alike: Alike, i: int) -> bool:
        found = self._figures(alike)
        if found[LEAST][i] <= found[USABLE][i]:
            return True
        if _how(alike.layouts[i]) not in alike.ways:
            return False
        self._sheet.turn_to(alike.layouts[i])
        return self._sheet.may_have_room()

    def _best_of(self, alike: Alike) -> Tried:
        """The best of some layouts that cut alike."""
        sheet, layouts = self._sheet, alike.layouts
        if not alike.ways:
            lean = max(layouts, key=lambda one: (-one.micro_batch, *_how(one)))
            sheet.turn_to(lean)
            least = min(sheet.under(regime)[LEAST] for regime in range(self._regimes))
            return Tried(lean, NO_ROOM, least / sheet.under(0)[USABLE], 0.0)
        found = self._figures(alike)
        paces = [self._pace(found, i) for i in range(len(layouts))]
        order = sorted(range(len(layouts)), key=lambda i: (paces[i], layouts[i].micro_batch, *_how(layouts[i])))
        broken: list[Tried] = []
        for i in order:
            if found[MOST][i] <= found[USABLE][i]:
                sheet.turn_to(layouts[i])
                if sheet.has_room():
                    if self._keeps(sheet):
                        return self._as(alike, i, ENOUGH, paces[i])
                    broken.append(self._as(alike, i, BROKEN, paces[i]))
        if broken:
            return min(broken, key=lambda one: one.least)
        if self._wish is not None:
            i = next(i for i in order if self._may_have_room(alike, i))
            return self._as(alike, i, TIGHT, paces[i])
        chances = self._chances(layouts)
        i = min((i for i in order if chances[i] > 0), key=lambda i: (paces[i] / chances[i], -chances[i]))
        return replace(self._as(alike, i, TIGHT, paces[i]), chance=chances[i])

    def _chances(self, layouts: Sequence[Layout]) -> list[float]:
        """How likely there is room for each of some layouts: the share of what it may take, from the least of any
        regime to the most, that there is."""
        least, most, usable = [math.inf] * len(layouts), [0.0] * len(layouts), [0.0] * len(layouts)
        for regime in range(self._regimes):
            found = self._sheet.columns(layouts, regime, _OF_ROOM)
            least = list(map(min, least, found[LEAST]))
            most = list(map(max, most, found[MOST]))
            usable = found[USABLE]
        return [
            1.0 if high <= has else max(has - low, _NO_MORE * has) / (high - low) if low <= has else 0.0
            for low, high, has in zip(least, most, usable, strict=True)
        ]

    def _pace(self, found: Mapping[Name, Sequence[float]], i: int) -> float:
        """What a layout is ordered by: the less the better."""
        if self._wish is not None:
            return float(self._wish.of({name: column[i] for name, column in found.items()}))
        return found[TIME][i] / found[LAYOUT_TOKENS][i] if self._is_priced else 0.0

    def _as(self, alike: Alike, i: int, band: int, pace: float) -> Tried:
        found = {name: column[i] for name, column in self._figures(alike).items()}
        parts = _parts(found) if self._is_priced and self._wish is None else {}
        layout = alike.layouts[i]
        if self._wish is not None:  # as it is told: over all regimes, and not by the one that they are compared under
            self._sheet.turn_to(layout)
            pace = float(self._wish.of(self._sheet.over_all()))
        return Tried(layout, band, found[LEAST] / found[USABLE], pace, parts, odd=oddity(layout, self._room))


class Alike:
    """Layouts that cut alike.

    Attributes:
        ways: What may be computed again and shared out, so that there may be room.
        pace, rate: No more than the time a token of any of them that may have room, and no less than its rate.
        figures: What each comes to, once that is asked for.
        best: The first of them, once that is known.
    """

    def __init__(self, layouts: Sequence[Layout], ways: frozenset[_How]) -> None:
        self.layouts, self.ways = layouts, ways
        self.pace, self.rate = math.inf, 0.0
        self.figures: Mapping[Name, Sequence[float]] = {}
        self.best: Tried | None = None

    def fastest(self) -> Iterator[Layout]:
        """Those of them that no other of the same micro-batch is faster than for sure."""
        ways = {how for how in self.ways if not any(_is_less(other, how) for other in self.ways)}
        return (one for one in self.layouts if _how(one) in ways)


def _how(one: Layout) -> _How:
    """What is computed again, and shared out: with more of either there is more room, and less speed."""
    return one.recompute, one.shard or 0


def _is_less(how: _How, other: _How) -> bool:
    """Whether it computes no more again, and shares out no more, than another that it is not."""
    return how != other and how[0] <= other[0] and how[1] <= other[1]


def _parts(found: Mapping[Name, float]) -> dict[Why, float]:
    """What a token takes, by what it is that takes it."""
    tokens = found[LAYOUT_TOKENS]
    working, sending = found[_WORKING], found[_ACCUMULATE] * found[_SLOWEST] * found[_SENDING]
    return {
        "bubble": (working + sending) * found[_BUBBLE] / tokens,
        "links": (sending + found[_EXPOSED]) / tokens,
        "work": working / tokens,
    }
