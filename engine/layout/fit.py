"""A solved plan to the layout that it has on its devices, the memory that this takes, and whether there is so much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Amount, Given, Plan
from runplan.dsl.units.dims import NONE
from runplan.engine.layout.layout import DP, Layout, Room, layouts
from runplan.engine.layout.memory import LEAST, MOST, Memory, coefficients, memory_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value

USABLE, FITTING = quantity("usable_memory"), quantity("fitting_gpus")
_SHARD = quantity("shard")
_NODE = 8  # devices that share a node, where nothing says it
_LAID_OUT = "the first layout on which it fits"


@dataclass(frozen=True, slots=True)
class _Regime:
    """What a framework keeps, by its record."""

    record: Record
    figures: Mapping[Name, float]

    @property
    def shares(self) -> bool:
        """Whether copies of the model share anything out."""
        return self.figures.get(_SHARD, 0.0) > 0


@dataclass(frozen=True, slots=True)
class _Need:
    """A layout under a regime, and what of memory it takes."""

    regime: _Regime
    layout: Layout
    found: Mapping[Name, float]

    @property
    def least(self) -> float:
        return self.found[LEAST]

    @property
    def most(self) -> float:
        return self.found[MOST]


def with_memory(plan: Plan, solution: Solution, catalogue: Library) -> Solution:
    """The solution with the memory that a device needs, of one whose devices and model are known.

    Where the plan names no regime the memory lies between the lowest and the highest of them; where it leaves the
    layout open it is that of the first that fits.
    """
    v = solution.values
    size = next((name for name in (q.PARAMS, q.LAW_PARAMS) if name in v), None)
    if solution.status != "solved" or size is None or q.GPUS not in v or quantity("memory") not in v or plan.stages[1:]:
        return solution
    known = {name: value.value for name, value in v.items()}
    known.setdefault(q.PARAMS, known[size])
    known.setdefault(q.ACTIVE_PARAMS, known[q.PARAMS])
    for name, known_quantity in catalogue.quantities().items():
        if name.startswith("usual_") and isinstance(known_quantity.formula, Num):
            known.setdefault(quantity(name), known_quantity.formula.value)
    devices = round(known[q.GPUS])
    shaped = q.ATTENTION_PARAMS in known and q.EMBEDDING_PARAMS in known
    memory = memory_of(known, shaped, q.EXPERTS in known, catalogue)
    said = plan.layout.figures if plan.layout is not None else {}
    regimes = tuple(_regimes(plan, catalogue, devices))
    usable = _usable(memory, catalogue)
    needs = [need for regime in regimes if (need := _first(memory, regime, devices, known, said, usable)) is not None]
    if not needs:
        return solution
    found = dict(_told(solution, memory, needs, usable, catalogue))
    return replace(solution, values={**solution.values, **found})


def _regimes(plan: Plan, catalogue: Library, devices: int) -> Iterator[_Regime]:
    """The regime that the plan names; else all that share out over several devices, or that are for one."""
    named = plan.layout.regime if plan.layout is not None else None
    if named is not None:
        record = catalogue.record("regime", named.text)
        assert record is not None, "lowering lets no unknown regime pass"
        yield _Regime(record, coefficients(record))
        return
    for record in catalogue.records("regime"):
        regime = _Regime(record, coefficients(record))
        if regime.shares == (devices > 1):
            yield regime
