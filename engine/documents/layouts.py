"""The layouts of a solution as data: what `plan.solve/v1` has of them."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import json_unit
from runplan.engine.problem.laid_out import RECOMPUTES, Choice, Ends, Layouts

_BYTE: Dim = unit("byte").dim
_DIGITS = 6


def layouts_of(layouts: Sequence[Layouts]) -> dict[str, object]:
    """The layouts of a run, or of each of its pools; those of its stages are told where these are."""
    whole = [layouts_document(one) for one in layouts if not one.scope]
    pools = [{"pool": int(one.scope[0][1]), **layouts_document(one)} for one in layouts if _is_of_pool(one)]
    return {**({"layouts": whole[0]} if whole else {}), **({"pool_layouts": pools} if pools else {})}


def _is_of_pool(layouts: Layouts) -> bool:
    return [part for part, _ in layouts.scope] == ["pool"]


def layouts_document(layouts: Layouts) -> dict[str, object]:
    """The first layouts, and why the others fall out: by how much more memory than there is, or time than the first."""
    return {
        "first": [_choice(choice) for choice in layouts.first],
        "others": [{"layout": one.text, "why": one.why, "by": _rounded(one.by)} for one in layouts.fallen],
        "undivided": list(layouts.undivided),
        "tried": layouts.tried,
    }


def _choice(choice: Choice) -> dict[str, object]:
    figures: dict[str, object] = {name: round(n) for name, n in choice.figures.items() if name != "recompute"}
    out = {**figures, "recompute": RECOMPUTES[choice.figures["recompute"]], "fits": choice.fits}
    told = {
        "memory_per_gpu": (choice.memory, _BYTE),
        "layout_time": (choice.time, TIME),
        "layout_mfu": (choice.mfu, NONE),
    }
    return {**out, **{name: _ends(ends, dim) for name, (ends, dim) in told.items() if ends is not None}}


def _ends(ends: Ends, dim: Dim) -> dict[str, object]:
    name, factor = json_unit(dim)
    figures = {key: _rounded(getattr(ends, key) / factor) for key in ("value", "low", "high")}
    return {"value": figures["value"], "unit": name, "low": figures["low"], "high": figures["high"]}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
