"""A layout that a plan states, and that its devices or its model cannot have, to why, and to what is near it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Amount, Given, Plan, Within
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.engine.layout.layout import layouts
from runplan.engine.layout.search import search_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution

# What a plan may say of which device has what.
_CUTS = ("tp", "pp", "cp", "ep", "etp", "dp")


def unkept(plan: Plan, solution: Solution, catalogue: Library) -> Iterator[Finding]:
    """Why nothing is made of the layout that a plan states."""
    layout, devices = plan.layout, solution.values.get(q.GPUS)
    if layout is None:
        return
    if any(name.text == q.MEMORY.text and name.part("pool") for name in solution.values):
        return  # each pool has one of its own
    if devices is None or q.MEMORY not in solution.values:
        message = "of the layout nothing is made: it is of one kind of devices, whose count and memory are known"
        help = ["say which they are: `hardware: 64 x H100 for 30 days`", "leave the layout out"]
        yield finding("C004", message, layout.span, help=help, laws=(solution.law,))
        return
    parts = [layout.figures[name] for name in ("tp", "pp", "cp", "dp") if name in layout.figures]
    stated = [round(part.value.value) for part in parts if isinstance(part, Given)]
    there = round(devices.value)
    made = " x ".join(map(str, stated)) or layout.span.text.removeprefix("layout").lstrip(": ")
    message = f"the layout does not go with {there:,} devices: {made} does not divide them"
    if "dp" in layout.figures and math.prod(stated) > 1:
        message = f"the layout is for {math.prod(stated):,} devices, {made}, and there are {there:,}"
    also = [Label(pool.span, "the devices are here") for pool in plan.outer.hardware[:1]]
    help = list(_instead(plan, solution, catalogue))
    if "dp" in layout.figures and math.prod(stated) > 1:
        help.append(f"have {math.prod(stated):,} devices")
    yield finding("C001", message, layout.span, also=also, help=help, laws=(solution.law,))


def uncut(plan: Plan, solution: Solution, catalogue: Library) -> Iterator[Finding]:
    """Why the model cannot be cut as the layout states: into more parts than it has layers, or not by its heads or its
    experts, which it may not even have."""
    said = plan.layout.figures if plan.layout is not None else {}
    stated = {name: amount for name, amount in said.items() if isinstance(amount, Given)}
    parts = {name: round(amount.value.value) for name, amount in stated.items()}
    layers, heads, experts = (_count(solution, name) for name in (q.LAYERS, q.HEADS, q.EXPERTS))
    why = {
        "tp": f"{heads} heads cannot be cut into {parts.get('tp')} parts" if heads % parts.get("tp", 1) else "",
        "pp": f"{layers} layers cannot be cut into {parts.get('pp')} parts" if 0 < layers < parts.get("pp", 1) else "",
        "ep": f"{experts} experts cannot be shared out over {parts.get('ep')}" if experts % parts.get("ep", 1) else "",
    }
    if not why["pp"] and 0 < layers < parts.get("pp", 1) * parts.get("interleave", 1):
        why["interleave"] = f"{layers} layers have not {parts['interleave']} parts for each of {parts.get('pp', 1)}"
    if not experts and _is_dense(solution):
        why |= {name: "the model has no experts" for name in ("ep", "etp") if parts.get(name, 1) > 1}
    for name, message in why.items():
        if message:
            help = list(_instead(plan, solution, catalogue, (name,)))
            yield finding("C001", message, stated[name].span, help=help, laws=(solution.law,))


def _count(solution: Solution, name: Name) -> int:
    return round(solution.values[name].value) if name in solution.values else 0


def _is_dense(solution: Solution) -> bool:
    size, active = (solution.values.get(name) for name in (q.PARAMS, q.ACTIVE_PARAMS))
    return size is None or active is None or active.value >= size.value


def _instead(plan: Plan, solution: Solution, catalogue: Library, figures: Iterable[str] = _CUTS) -> Iterator[str]:
    """Of each figure, where another would do with all that is said beside it, the nearest that does."""
    search = search_of(plan, solution, catalogue)
    if search is None:
        return
    devices, there = round(search.memory.known[q.GPUS]), False
    for name in figures:
        if name in search.said and name in _CUTS:
            room = next(search.rooms(devices))
            others = {key: amount for key, amount in search.said.items() if key != name}
            may = sorted({getattr(one, name) for one in layouts(room, others)})
            near = _nearest(search.said[name], may)
            there |= bool(near)
            if near:
                yield f"write {' or '.join(f'`{name} {n}`' for n in near)}"
    if not there:
        yield "leave the layout out" if figures is _CUTS else f"leave `{next(iter(figures))}` out"


def _nearest(said: Amount, may: list[int]) -> list[int]:
    """The ones on both sides of what is said."""
    ends = (said, said) if isinstance(said, Given) else (said.low, said.high) if isinstance(said, Within) else ()
    low, high = [end.value.value if end is not None else math.nan for end in ends] or (math.nan, math.nan)
    below, above = [n for n in may if n < low], [n for n in may if n > high]
    return [*below[-1:], *above[:1]]
