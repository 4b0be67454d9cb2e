"""The layouts that a run may have, with memory and time, to the first of them, and to why the others fall out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Amount
from runplan.engine.layout.grid import Array, Grid, grid_of, holding
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
    Memory,
)
from runplan.engine.problem import quantities as q
from runplan.engine.problem.laid_out import Choice, Ends, Fallen, Fits, Layouts, Why

# How many are told.
FIRST = 5
# Times of steps that are this near are alike: half of 209 measured ones lie so far from what is told of them.
ALIKE = 1.1
# Of a layout with room that breaks what is required, of one that is tight, and of one without room.
_BROKEN, _TIGHT, _NO_ROOM = 1, 2, 3
_ALLOCATED = quantity("allocated_memory")
# What a step is made of, as shares of its time, by what it is that takes it.
_WORKING, _SENDING, _EXPOSED, _ACCUMULATE, _SLOWEST = map(
    quantity, ("working_time", "sending_time", "exposed_time", "accumulate", "slowest_stage")
)
_BUBBLE = quantity("least_bubble")
_RECOMPUTES = {0.0: "none", 0.5: "selective", 1.0: "full"}
_FIGURES = ("tp", "pp", "cp", "ep", "dp", "micro_batch", "accumulate")


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
    memory: Memory,
    regimes: Sequence[Mapping[Name, float]],
    layouts: Sequence[Layout],
    required: Sequence[Expr],
    catalogue: Library,
) -> Chosen:
    """The first of some layouts, at least one, of which each regime makes its own.

    Those come first that have room whatever the regime, and keep what is required; by the time a token, where that is
    told, else as they are.
    """
    grid = grid_of(memory, regimes, layouts, catalogue)
    least, most, usable = grid.least(LEAST), grid.most(MOST), grid.most(USABLE)
    sure, may = most <= usable, least <= usable
    kept = sure & _kept(grid, required)
    band = np.where(kept, 0, np.where(sure, _BROKEN, np.where(may, _TIGHT, _NO_ROOM)))
    pace = grid.mean(TIME) / grid.mean(LAYOUT_TOKENS) if memory.is_priced else np.arange(len(layouts), dtype=float)
    # Where none is enough the one that needs the least is nearest.
    nearest = (band == _NO_ROOM) | ((band == _BROKEN) & ~kept.any())
    order = np.lexsort((np.where(nearest, least, pace), band))
    best = _plainest_first(layouts, pace, np.where(nearest, _NO_ROOM, band), _best_of_each(layouts, order))
    told = Layouts(
        tuple(_choice(grid, memory, i, sure[i], may[i]) for i in best[:FIRST]),
        tuple(_fallen(grid, memory, pace, best)),
        (),
        len(layouts),
    )
    first = best[0]
    return Chosen(layouts[first], bool(kept[first]), told, _roofline(grid, memory, may))


def _kept(grid: Grid, required: Sequence[Expr]) -> npt.NDArray[np.bool_]:
    """Which layouts keep what is required."""
    out = np.ones(grid.shape[1], bool)
    instead = {LEAST: grid.least(LEAST), MOST: grid.most(MOST)}
    instead[q.MEMORY_PER_GPU] = (grid.least(LEAST) + grid.most(_ALLOCATED)) / 2
    for condition in required:
        if names(condition) <= grid.found.keys():
            out &= holding(grid, condition, instead)
    return out


def _best_of_each(layouts: Sequence[Layout], order: npt.NDArray[np.intp]) -> list[int]:
    """The best of those that cut alike, in order."""
    out: dict[tuple[int, ...], int] = {}
    for i in order.tolist():
        out.setdefault(layouts[i].parts, i)
    return list(out.values())


def _plainest_first(layouts: Sequence[Layout], pace: Array, band: npt.NDArray[np.int_], best: list[int]) -> list[int]:
    """The same, but of those that are alike by what is known of their time the one of fewer parts first."""
    out: list[int] = []
    while best:
        first = best[0]
        if band[first] == _NO_ROOM:
            return [*out, *best]
        alike = [i for i in best if band[i] == band[first] and pace[i] <= ALIKE * pace[first]]
        out += sorted(alike, key=lambda i: (layouts[i].tp * layouts[i].pp * layouts[i].cp, pace[i]))
        best = [i for i in best if i not in alike]
    return out


def _choice(grid: Grid, memory: Memory, i: int, sure: bool, may: bool) -> Choice:
    layout = grid.layouts[i]
    fits: Fits = "fits" if sure else "tight" if may else "does not fit"
    low, high = float(grid.least(LEAST)[i]), float(grid.most(MOST)[i])
    middle = (low + float(grid.most(_ALLOCATED)[i])) / 2
    time = mfu = None
    if memory.is_priced:
        low_time, mid_time, high_time = (
            float(of(name)[i]) for of, name in ((grid.least, LEAST_TIME), (grid.mean, TIME), (grid.most, MOST_TIME))
        )
        time = Ends(mid_time, low_time, high_time)
        mid = float(grid.mean(LAYOUT_MFU)[i])
        mfu = Ends(mid, mid * mid_time / high_time, mid * mid_time / low_time)
    figures = {name: float(getattr(layout, name)) for name in _FIGURES}
    figures["recompute"] = layout.recompute
    if layout.shard is not None:
        figures["shard"] = float(layout.shard)
    return Choice(figures, str(layout), fits, Ends(middle, low, high), time, mfu)


def _roofline(grid: Grid, memory: Memory, may: npt.NDArray[np.bool_]) -> tuple[float, Layout] | None:
    if not memory.is_priced or not may.any():
        return None
    rates = np.where(may, grid.most(ROOFLINE), 0.0)
    best = int(rates.argmax())
    return float(rates[best]), grid.layouts[best]


def _fallen(grid: Grid, memory: Memory, pace: Array, best: Sequence[int]) -> Iterator[Fallen]:
    """Why layouts are not among the first: each in the best that it can be."""
    usable, least = grid.most(USABLE), grid.least(LEAST)
    parts = _parts_of_time(grid) if memory.is_priced else {}
    first = best[0]
    for i in best[FIRST:]:
        if least[i] > usable[i]:
            yield Fallen(_called(grid.layouts[i]), "memory", float(least[i] / usable[i]))
        elif parts:
            more = {why: float(part[i] - part[first]) for why, part in parts.items()}
            yield Fallen(_called(grid.layouts[i]), max(more, key=lambda why: more[why]), float(pace[i] / pace[first]))


def _parts_of_time(grid: Grid) -> dict[Why, Array]:
    """What a token takes, by what it is that takes it."""
    tokens, times = grid.mean(LAYOUT_TOKENS), grid.mean(_ACCUMULATE) * grid.mean(_SLOWEST)
    working, sending = grid.mean(_WORKING), times * grid.mean(_SENDING)
    bubble = grid.mean(_BUBBLE)
    return {
        "bubble": (working + sending) * bubble / tokens,
        "links": (sending + grid.mean(_EXPOSED)) / tokens,
        "work": working / tokens,
    }


def _called(layout: Layout) -> str:
    """What tells a layout from others."""
    return ", ".join(
        f"{name} {n}" for name, n in zip(("tp", "pp", "cp", "ep"), layout.parts, strict=True) if n > 1
    ) or (f"dp {layout.dp}")


def undivided(room: Room, said: Mapping[str, Amount]) -> Iterator[str]:
    """Which usual numbers of parts, that the plan leaves open, do not divide what there is."""
    tps = [n for n in (2, 4, 8) if room.heads and room.heads % n and n <= room.a_node and "tp" not in said]
    pps = [n for n in (2, 4, 8, 16, 32) if room.layers and not splits(room.layers, n) and "pp" not in said]
    for name, parts, of in (("tp", tps, f"{room.heads} heads"), ("pp", pps, f"{room.layers} layers")):
        if parts:
            yield f"{name} {', '.join(map(str, parts))} not: {of}"
