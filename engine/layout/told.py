"""What is found of the layouts of a run to what there is to say of them: the first, and why the others fall out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.plan.ir import Amount
from runplan.engine.layout.layout import Layout, Room, splits
from runplan.engine.layout.memory import LAYOUT_MFU, LEAST, LEAST_TIME, MOST, MOST_TIME, TIME
from runplan.engine.layout.sheet import Sheet
from runplan.engine.layout.tried import ALIKE, NO_ROOM, Tried
from runplan.engine.problem import quantities as q
from runplan.engine.problem.laid_out import Choice, Ends, Fallen

_FIGURES = ("tp", "pp", "cp", "ep", "etp", "dp", "micro_batch", "accumulate")


def choice(sheet: Sheet, regimes: int, one: Tried, *, is_priced: bool) -> Choice:
    """A layout with what it comes to, over all regimes of the sheet."""
    layout = one.layout
    sheet.turn_to(layout)
    wanted = (LEAST, q.MEMORY_PER_GPU, MOST, *((LEAST_TIME, TIME, MOST_TIME, LAYOUT_MFU) if is_priced else ()))
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
    return Choice(
        figures, str(layout), one.fits, Ends(told[q.MEMORY_PER_GPU] + (low - told[LEAST]) / 2, low, high), time, mfu
    )


def fallen(ordered: Sequence[Tried], told: Sequence[Tried]) -> Iterator[Fallen]:
    """Why layouts are not among those that are told: each in the best that it can be."""
    first = ordered[0]
    for one in ordered:
        if one in told:
            continue
        if one.band == NO_ROOM:
            yield Fallen(_called(one.layout), "memory", one.least)
        elif one.parts and first.pace:
            more = {why: part - first.parts[why] for why, part in one.parts.items()}
            alike = one.band == first.band and one.pace <= ALIKE * first.pace
            why = "alike" if alike else max(more, key=lambda why: more[why])
            yield Fallen(_called(one.layout), why, one.pace / first.pace)


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
