"""How the model may lie on the devices: the first layouts with what they come to, and why the others fall out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from runplan.cli.show.text.content import NOTHING, Section, table
from runplan.cli.show.text.figures import apart, per_cent
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import names
from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.problem.laid_out import RECOMPUTES, Choice, Ends, Fallen, Layouts, Why
from runplan.engine.report import Report

_BYTE: Dim = unit("byte").dim
# How many a page has room for without details.
_FEW = 3
_PARTS = ("tp", "pp", "cp", "ep", "etp", "dp")
# Their product is the sequences of a step.
_BATCH = ("dp", "micro_batch", "accumulate")
_WHY: dict[Why, str] = {
    "memory": "short of memory",
    "bubble": "waiting in a pipeline",
    "links": "waiting for links",
    "work": "with more to do",
    "alike": "as fast, and like these",
}


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: Sequence[str]


def sections(report: Report, details: bool) -> Iterator[Section]:
    """The layouts under the first law, where several devices leave a choice, the plan speaks of it, or there may be no
    room; all of what is known of them among the details."""
    for layouts in report.solutions[0].layouts if report.solutions else ():
        shown = layouts.first if details else layouts.first[:_FEW]
        several = any(choice.figures["dp"] * choice.figures["tp"] * choice.figures["pp"] > 1 for choice in shown)
        if several or are_asked(report):
            columns = [one for one in _columns(shown, details) if set(one.cells) != {NOTHING}]
            rows = [[column.cells[i] for column in columns] for i in range(len(shown))]
            said = tuple(_said(layouts, details))
            heads = tuple(one.head for one in columns)
            yield Section(_title(layouts), table(rows, heads, figures=True), said=said)


def _title(layouts: Layouts) -> str:
    """As `Layout of pretrain, pool 2`."""
    of = ", ".join(f"pool {name}" if part == "pool" else name for part, name in layouts.scope)
    return f"Layout of {of}" if of else "Layout"


def are_asked(report: Report) -> bool:
    """Whether the plan speaks of how the model lies on its devices, or there may be no room for it."""
    if not report.solutions:
        return False
    first = report.solutions[0]
    known = first.problem.quantities
    plan = report.plan
    conditions = [one.condition for one in (*plan.requires, *plan.prefers)] if plan is not None else []
    asked = {name.text for condition in conditions for name in names(condition)}
    spoken = plan is not None and plan.layout is not None
    return (
        spoken
        or any(layouts.fits != "fits" for layouts in first.layouts)
        or any(text in known and known[text].facts.is_of_layout for text in asked)
    )


def _columns(shown: Sequence[Choice], details: bool) -> Iterator[_Column]:
    for i, name in enumerate(_PARTS):
        cells = [f"{choice.figures[name]:.0f}" for choice in shown]
        if i == 0 or set(cells) != {"1"}:
            yield _Column(name, cells)
    yield _Column("micro-batch", [f"{choice.figures['micro_batch']:.0f}" for choice in shown])
    if details:
        yield _Column("accumulation", [f"{choice.figures['accumulate']:.0f}" for choice in shown])
        yield _Column(
            "ZeRO", [f"{choice.figures['shard']:.0f}" if "shard" in choice.figures else NOTHING for choice in shown]
        )
    yield _Column("recompute", [RECOMPUTES[choice.figures["recompute"]] for choice in shown])
    yield _Column("memory", [_between(choice.memory, _BYTE) for choice in shown])
    if any(choice.fits != "fits" for choice in shown):
        yield _Column("fits", [choice.fits for choice in shown])
    sequences = [f"{prod(choice.figures[part] for part in _BATCH):,.0f}" for choice in shown]
    if len(set(sequences)) > 1:  # no layout reaches more than a whole number of its own: their steps are not alike
        yield _Column("batch", sequences)
    yield _Column("step", [NOTHING if choice.time is None else _middle(choice.time, TIME, details) for choice in shown])
    yield _Column("MFU", [NOTHING if choice.mfu is None else _share(choice.mfu, details) for choice in shown])


def _between(ends: Ends, dim: Dim) -> str:
    low, high = show(ends.low, dim, 3), show(ends.high, dim, 3)
    if low == high:
        return high
    (number, its_unit), (last, other) = apart(low), apart(high)
    return f"{number} \N{EN DASH} {last} {other}" if its_unit == other else f"{low} \N{EN DASH} {high}"


def _middle(ends: Ends, dim: Dim, details: bool) -> str:
    middle = show(ends.value, dim, 3)
    return f"{middle} ({_between(ends, dim)})" if details else middle


def _share(ends: Ends, details: bool) -> str:
    low, middle, high = (f"{100 * share:.0f}" for share in (ends.low, ends.value, ends.high))
    return f"{middle}% ({low} \N{EN DASH} {high}%)" if details else f"{middle}%"


def _said(layouts: Layouts, details: bool) -> Iterator[str]:
    others = [(why, [one for one in layouts.fallen if one.why == why]) for why in _WHY]
    parts = [f"{len(fallen)} {_WHY[why]}{_nearest(why, fallen) if details else ''}" for why, fallen in others if fallen]
    if parts:
        yield f"Others: {', '.join(parts)}."
    if details:
        if layouts.undivided:
            yield f"What does not divide: {'; '.join(layouts.undivided)}."
        if (mfu := layouts.first[0].mfu) is not None:
            yield f"The first has a roofline of {per_cent(mfu.high)}: products and links at the best that was measured."
        yield f"{layouts.tried:,} were tried. Where times are within 12 % the one of fewer parts comes first."


def _nearest(why: Why, fallen: Sequence[Fallen]) -> str:
    nearest = min(fallen, key=lambda one: one.by)
    return f" ({nearest.text}: {nearest.by:.2g}x)" if why == "memory" else f" ({nearest.text}: {nearest.by - 1:+.0%})"
