"""The layouts that a run may have to the first of them by the time of a step, and to why the others fall out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.plan.ir import Amount
from runplan.engine.layout.layout import Layout, Room, splits
from runplan.engine.layout.memory import (
    LAYOUT_MFU,
    LAYOUT_TOKENS,
    LEAST,
    LEAST_TIME,
    MOST,
    MOST_TIME,
    ROOFLINE,
    TIME,
    USABLE,
)
from runplan.engine.layout.sheet import Sheet
from runplan.engine.problem.laid_out import Choice, Ends, Fallen, Fits, Layouts, Why

# How many are told.
FIRST = 5
# Times of steps that are this near are alike: half of 209 measured ones lie so far from what is told of them.
ALIKE = 1.12
# What a layout is good for: it is enough; it has room, and breaks what is required; it may have room; it has none.
ENOUGH, BROKEN, TIGHT, NO_ROOM = range(4)
_ALLOCATED, _WORKING, _SENDING, _EXPOSED, _BUBBLE, _ACCUMULATE, _SLOWEST = map(
    quantity,
    (
        *("allocated_memory", "working_time", "sending_time", "exposed_time", "least_bubble", "accumulate"),
        "slowest_stage",
    ),
)
_How = tuple[float, int]
_FIGURES = ("tp", "pp", "cp", "ep", "dp", "micro_batch", "accumulate")


@dataclass(frozen=True, slots=True)
class Tried:
    """A layout, and what is found of it.

    Attributes:
        least: Memory that it takes at the least, in byte, over what there is.
        pace: Seconds a token; 0 where the time of a step is not told.
        parts: What that is made of.
    """

    layout: Layout
    band: int
    least: float
    pace: float
    parts: Mapping[Why, float] = field(default_factory=dict)

    @property
    def is_by_memory(self) -> bool:
        """Whether it is not enough, so that the one that needs the least is the nearest."""
        return self.band in (BROKEN, NO_ROOM)

    @property
    def rank(self) -> tuple[int, float]:
        """What it is ordered by."""
        return self.band, self.least if self.is_by_memory else self.pace


@dataclass(frozen=True, slots=True)
class Chosen:
    """The layouts of a run in their order.

    Attributes:
        layout: The first.
        is_enough: Whether it has room for sure, and keeps what the plan requires of it.
        told: What there is to say of it and the others.
        roofline: The most that a device reaches in any of them that may have room, in FLOP a second, and in which;
            None where the time of a step is not told, or none has room.
    """

    layout: Layout
    is_enough: bool
    told: Layouts
    roofline: tuple[float, Layout] | None


def chosen(
    sheet: Sheet,
    regimes: int,
    layouts: Iterable[Layout],
    keeps: Callable[[Sheet], bool],
    *,
    is_priced: bool,
) -> Chosen | None:
    """The first of some layouts, those that cut alike after each other; None where there is none.

    Those come first that have room whatever the regime, and keep what is required; by the time a token, where that is
    told, else as they are.

    Args:
        regimes: How many there are on the sheet.
        keeps: Whether all is kept that is required, of the layout that the sheet is turned to.
    """
    best: list[Tried] = []
    fast: list[tuple[float, Layout]] = []
    tried = 0
    compared: int | None = None  # all layouts are compared under the regime that needs the most of the first
    for _, alike in groupby(layouts, key=lambda one: (*one.parts, one.dp)):
        group = list(alike)
        tried += len(group)
        if compared is None:
            sheet.turn_to(group[0])
            compared = sheet.heaviest()
        found, fastest = _best(sheet, group, compared, keeps, is_priced=is_priced)
        best.append(found)
        if fastest is not None:
            fast.append(fastest)
    if not best:
        return None
    ordered = _in_order(best)
    first = tuple(_choice(sheet, regimes, one, is_priced=is_priced) for one in ordered[:FIRST])
    told = Layouts(first, tuple(_fallen(ordered)), (), tried)
    fast.sort(key=lambda one: one[0], reverse=True)
    may = [one.layout for one in ordered[:FIRST] if one.band != NO_ROOM] + [layout for _, layout in fast[:FIRST]]
    rooflines = [_roofline(sheet, regimes, layout) for layout in may if is_priced]
    roofline = max(rooflines, key=lambda one: one[0]) if rooflines else None
    return Chosen(ordered[0].layout, ordered[0].band == ENOUGH, told, roofline)


def _roofline(sheet: Sheet, regimes: int, layout: Layout) -> tuple[float, Layout]:
    """The most that a device reaches in a layout, whatever the regime."""
    sheet.turn_to(layout)
    return max(sheet.under(regime, priced=True)[ROOFLINE] for regime in range(regimes)), layout


def _best(
    sheet: Sheet,
    group: Sequence[Layout],
    compared: int,
    keeps: Callable[[Sheet], bool],
    *,
    is_priced: bool,
) -> tuple[Tried, tuple[float, Layout] | None]:
    """The best of some layouts that cut alike, and the one of them that may have room which is fastest by a roofline.

    With smaller micro-batches there is more room; of layouts with the same, those that compute less again, and share
    out less, are faster, and the others are not looked at where these have room.
    """
    leanest = max(group, key=lambda one: (-one.micro_batch, *_how(one)))
    sheet.turn_to(leanest)
    never_sure = not sheet.has_room()
    if never_sure and not sheet.may_have_room():
        found = sheet.under(sheet.order[-1])
        return Tried(leanest, NO_ROOM, found[LEAST] / found[USABLE], 0.0), None
    best: Tried | None = None
    fastest: tuple[float, Layout] | None = None
    # What is not sure to have room, or has none, with a smaller micro-batch, is not with a larger one.
    unsure, full = set[_How](), set[_How]()
    for _, same in groupby(group, key=lambda one: one.micro_batch):
        sure: list[_How] = []
        maybe: list[_How] = []
        for one in sorted(same, key=_how):
            how = _how(one)
            if how in full or _is_beaten(how, sure) or (how in unsure and _is_beaten(how, maybe)):
                continue
            sheet.turn_to(one)
            is_sure = not never_sure and how not in unsure and sheet.has_room()
            if not is_sure:
                unsure.add(how)
                if _is_beaten(how, maybe):
                    continue
                if not sheet.may_have_room():
                    full.add(how)
                    continue
            band = TIGHT if not is_sure else ENOUGH if keeps(sheet) else BROKEN
            if band == ENOUGH:
                sure.append(how)
            found = sheet.under(compared, priced=is_priced)
            if is_priced and not _is_beaten(how, maybe) and (fastest is None or found[ROOFLINE] > fastest[0]):
                fastest = (found[ROOFLINE], one)
            maybe.append(how)
            pace = found[TIME] / found[LAYOUT_TOKENS] if is_priced else 0.0
            this = Tried(one, band, found[LEAST] / found[USABLE], pace, _parts(found) if is_priced else {})
            best = this if best is None or this.rank < best.rank else best
        if not maybe:
            break
    assert best is not None, "the leanest may have room"
    return best, fastest


def _how(one: Layout) -> _How:
    """What is computed again, and shared out: with more of either there is more room, and less speed."""
    return one.recompute, one.shard or 0


def _is_beaten(how: _How, others: Iterable[_How]) -> bool:
    """Whether another computes no more again, and shares out no more."""
    return any(other[0] <= how[0] and other[1] <= how[1] for other in others)


def _in_order(best: Sequence[Tried]) -> list[Tried]:
    """Those that are enough first, by their time; of those that are alike by what is known of it the one that cuts
    sequences less, then the one of fewer parts first: what cuts sequences fewer frameworks do."""
    rest = sorted(best, key=lambda one: one.rank)
    out: list[Tried] = []
    while rest:
        first = rest[0]
        alike = [one for one in rest if one.band == first.band and one.pace <= ALIKE * first.pace]
        if not first.is_by_memory:
            alike.sort(key=lambda one: (one.layout.cp, math.prod(one.layout.parts[:3]), one.pace))
        out += alike
        rest = [one for one in rest if one not in alike]
    return out


def _choice(sheet: Sheet, regimes: int, one: Tried, *, is_priced: bool) -> Choice:
    layout = one.layout
    sheet.turn_to(layout)
    wanted = (LEAST, _ALLOCATED, MOST, *((LEAST_TIME, TIME, MOST_TIME, LAYOUT_MFU) if is_priced else ()))
    rows: list[dict[Name, float]] = []
    for regime in range(regimes):
        found = sheet.under(regime, priced=is_priced)
        rows.append({name: found[name] for name in wanted})
    told = max(rows, key=lambda row: row[MOST])
    low, high = min(row[LEAST] for row in rows), told[MOST]
    time = mfu = None
    if is_priced:
        time = Ends(told[TIME], min(row[LEAST_TIME] for row in rows), max(row[MOST_TIME] for row in rows))
        middle = told[LAYOUT_MFU]
        mfu = Ends(middle, middle * time.value / time.high, middle * time.value / time.low)
    figures = {name: float(getattr(layout, name)) for name in _FIGURES} | {"recompute": layout.recompute}
    if layout.shard is not None:
        figures["shard"] = float(layout.shard)
    fits: Fits = "fits" if one.band <= BROKEN else "tight" if one.band == TIGHT else "does not fit"
    return Choice(figures, str(layout), fits, Ends((low + told[_ALLOCATED]) / 2, low, high), time, mfu)


def _fallen(ordered: Sequence[Tried]) -> Iterator[Fallen]:
    """Why layouts are not among the first: each in the best that it can be."""
    first = ordered[0]
    for one in ordered[FIRST:]:
        if one.band == NO_ROOM:
            yield Fallen(_called(one.layout), "memory", one.least)
        elif one.parts and first.pace:
            more = {why: part - first.parts[why] for why, part in one.parts.items()}
            yield Fallen(_called(one.layout), max(more, key=lambda why: more[why]), one.pace / first.pace)


def _parts(found: Mapping[Name, float]) -> dict[Why, float]:
    """What a token takes, by what it is that takes it."""
    tokens = found[LAYOUT_TOKENS]
    working, sending = found[_WORKING], found[_ACCUMULATE] * found[_SLOWEST] * found[_SENDING]
    return {
        "bubble": (working + sending) * found[_BUBBLE] / tokens,
        "links": (sending + found[_EXPOSED]) / tokens,
        "work": working / tokens,
    }


def _called(layout: Layout) -> str:
    """What tells a layout from others."""
    parts = zip(("tp", "pp", "cp", "ep"), layout.parts, strict=True)
    return ", ".join(f"{name} {n}" for name, n in parts if n > 1) or f"dp {layout.dp}"


def undivided(room: Room, said: Mapping[str, Amount]) -> Iterator[str]:
    """Which usual numbers of parts, that the plan leaves open, do not divide what there is."""
    tps = [n for n in (2, 4, 8) if room.heads and room.heads % n and n <= room.a_node and "tp" not in said]
    pps = [n for n in (2, 4, 8, 16, 32) if room.layers and not splits(room.layers, n) and "pp" not in said]
    for name, parts, of in (("tp", tps, f"{room.heads} heads"), ("pp", pps, f"{room.layers} layers")):
        if parts:
            yield f"{name} {', '.join(map(str, parts))} not: {of}"
