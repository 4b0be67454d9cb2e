"""A solved plan to the layouts that it may have on its devices, under each regime that may be meant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Op, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Amount, Given, Plan, Requirement
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.formulate.measured import REACHED
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.layout.layout import FIGURES, INTERLEAVE, SHARD, USUAL, Layout, Room, layouts, leanest
from runplan.engine.layout.memory import (
    LEAST,
    LINKED,
    MOST,
    PRICED,
    ROOFLINE,
    Memory,
    coefficients,
    memory_of,
)
from runplan.engine.layout.sheet import Sheet
from runplan.engine.layout.states import States, states_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.rounding import TOLERANCE

if TYPE_CHECKING:
    from runplan.engine.layout.choose import Chosen, Wish
    from runplan.engine.problem.laid_out import Told

# Devices that share a node, and the most that are tried, where nothing says it.
_NODE, _MOST_DEVICES = 8, 1 << 20
_USUAL_LAYERS = quantity("usual_layers")
# What copies may share out: the most first.
_SHARDS = (3, 2, 1)
# The counts between a power of two and the next that are tried, in eighths of that.
_BETWEEN = (5, 6, 7)
# What bounds a layout, of a run, and what it is held to.
_OF_ROOM = frozenset((q.CONTEXT, q.BATCH, q.NODES_OF, q.LAYERS, q.HEADS, q.EXPERTS, q.GPUS, q.RATE, LINKED))
# How many layouts a check tries one by one, before it looks at all of them together.
_LOOKED_AT = 40


@dataclass(frozen=True, slots=True)
class Regime:
    """What a framework keeps, by its record."""

    record: Record
    figures: Mapping[Name, float]

    @property
    def shares(self) -> bool:
        """Whether copies of the model share anything out."""
        return self.figures.get(SHARD, 0.0) > 0


@dataclass(frozen=True, slots=True)
class Need:
    """What a layout takes of a device's memory under a regime, each quantity in base units."""

    regime: Regime
    layout: Layout
    found: Mapping[Name, float]

    @property
    def least(self) -> float:
        """What is allocated at the least, in byte."""
        return self.found[LEAST]

    @property
    def most(self) -> float:
        """What is reserved at the most, in byte."""
        return self.found[MOST]


def search_of(plan: Plan, solution: Solution, catalogue: Library, priced: tuple[Name, ...] = PRICED) -> Search | None:
    """The search for layouts of one run; None where too little is known of it.

    Args:
        priced: See `memory_of`.
    """
    known = _known(plan, solution)
    if known is None:
        return None
    states = states_of(plan, catalogue)
    others = states is not None and states.others
    memory = memory_of(known, q.EMBEDDING_PARAMS in known, q.EXPERTS in known, catalogue, states=others, priced=priced)
    batch = solution.values.get(q.BATCH)
    mention = plan.layout.regime if plan.layout is not None else None
    named = catalogue.record("regime", mention.text) if mention is not None else None
    return Search(memory, plan, catalogue, batch is not None and batch.kind == "given", states, named)


def _known(plan: Plan, solution: Solution) -> dict[Name, float] | None:
    """What is known of a run in base units; None where its devices, their memory, or the size of the model is not."""
    known = {name: value.value for name, value in solution.values.items()}
    said = plan.layout.figures.get(INTERLEAVE.text) if plan.layout is not None else None
    if isinstance(said, Given):
        known[INTERLEAVE] = said.value.value
    size = known.get(q.PARAMS, known.get(q.LAW_PARAMS))
    if size is None or not {q.GPUS, q.MEMORY} <= known.keys():
        return None
    known.setdefault(q.PARAMS, size)
    known.setdefault(q.ACTIVE_PARAMS, known[q.PARAMS])
    return known


@dataclass(frozen=True, slots=True)
class Search:
    """The search for a layout that fits, and keeps what the plan says of it.

    Attributes:
        is_kept: Whether the plan says the batch.
        named: The regime that the plan names; None where it names none.
    """

    memory: Memory
    plan: Plan
    catalogue: Library
    is_kept: bool = False
    states: States | None = None
    named: Record | None = None

    @property
    def said(self) -> Mapping[str, Amount]:
        """What the plan says of the layout."""
        return self.plan.layout.figures if self.plan.layout is not None else {}

    def rests_on(self) -> tuple[object, ...]:
        """All on which the layouts rest beside the plan: runs that have it in common have their layouts in common."""
        required = (names(without_lets(one.condition, self.plan)) for one in self.plan.requires)
        asked = self.memory.asked.union(_OF_ROOM, *required) & self.memory.known.keys()
        return id(self.memory.steps), self.is_kept, frozenset((name, self.memory.known[name]) for name in asked)

    def on(self, devices: int) -> Memory:
        """The memory of the model on so many devices."""
        return replace(self.memory, known={**self.memory.known, q.GPUS: float(devices)})

    def rooms(self, devices: int) -> Iterator[Room]:
        """What bounds layouts; where none is left, what bounds them where the batch need not be kept to the last
        sequence, and of a batch of too few sequences, as if it had more."""
        room = _room(self.memory, devices, self.is_kept, () if "shard" in self.said else self.shards(devices))
        micro_batch = self.said.get("micro_batch")
        if devices == 1 and isinstance(micro_batch, Given) and not room.is_kept:
            # Nobody says the batch: a step of one device is what the plan says that it passes.
            room = replace(room, sequences=micro_batch.value.value)
        yield room
        if room.is_kept:
            yield replace(room, is_kept=False)
        yield replace(room, is_kept=False, sequences=math.inf)

    def shards(self, devices: int) -> tuple[int, ...]:
        """What copies may share out: what they do is a part of the layout, where no regime is named."""
        if devices == 1:
            return ()
        stages = {round(regime.figures.get(SHARD, 0.0)) for regime in self.regimes(devices)}
        # What shares out the weights may as well keep those that it has gathered.
        return _SHARDS if self.named is None else _SHARDS[:2] if stages == {_SHARDS[0]} else ()

    def is_well(self, devices: int) -> bool:
        """Whether the first layouts that are tried show that nothing is wrong: one is enough, and gives the rate that
        the plan states."""
        stated = self.memory.known[q.RATE] if self._states_rate() and self.memory.is_priced else 0.0
        sheet = self.sheet(devices)
        for _ in islice(self._enough(sheet, next(self.rooms(devices))), _LOOKED_AT):
            if not stated or sheet.under(sheet.order[0], priced=True)[ROOFLINE] >= stated:
                return True
        return False

    def enough_under(self, devices: int, regimes: Iterable[Regime]) -> str:
        """The first of some regimes under which there is a layout that is enough, by name; nothing where the plan
        names one, or where there is none under any."""
        records = (one.record for one in regimes if self.named is None)
        return next((one.name for one in records if replace(self, named=one).is_enough(devices)), "")

    def is_enough(self, devices: int) -> bool:
        """Whether there is a layout that is enough."""
        for room in self.rooms(devices):
            if next(leanest(room, self.said), None) is not None:
                return next(self._enough(self.sheet(devices), room), None) is not None
        return False

    def _enough(self, sheet: Sheet, room: Room) -> Iterator[Layout]:
        """Layouts that have room for sure, and keep what the plan requires: those that need little are tried first."""
        for layout in leanest(room, self.said):
            sheet.turn_to(layout)
            if sheet.has_room() and self.keeps(sheet):
                yield layout

    def sheet(self, devices: int) -> Sheet:
        """A page for layouts on so many devices."""
        return Sheet(self.on(devices), [regime.figures for regime in self.regimes(devices)], self.catalogue)

    def keeps(self, sheet: Sheet) -> bool:
        """Whether all is kept that the plan requires of the layout, which is told over all regimes."""
        required = [one for one in self.plan.requires if self._is_of_layout(one)]
        if not required:
            return True
        found = sheet.over_all()
        for requirement in required:
            with suppress(ArithmeticError, ValueError):
                if verdict(without_lets(requirement.condition, self.plan), found, TOLERANCE) is False:
                    return False
        return True

    def _states_rate(self) -> bool:
        pools = (pool for stage in self.plan.stages for pool in stage.hardware)
        return q.RATE in self.memory.known and any(name.text in pool.figures for pool in pools for name in REACHED)

    def chosen(self, devices: int) -> Chosen | None:
        """The layouts in their order; None where there is none.

        Sequences are cut into parts shorter than usual only where no other layout is enough.
        """
        for room in self.rooms(devices):
            usual = self._chosen(devices, replace(room, shortest=USUAL))
            if usual is not None and (usual.is_enough or room.context < USUAL):
                return replace(usual, shorter=partial(self._shorter, devices, room))
            if (one := self._chosen(devices, room)) is not None:
                return one
        return None

    def _shorter(self, devices: int, room: Room) -> Chosen | None:
        """The same of those that cut sequences into as many parts as any run does; None where that is usual, or where
        the plan says how many there are."""
        parts = 1 << int(math.log2(max(1.0, room.context / room.shortest)))
        if "cp" in self.said or parts == 1 or room.context / parts >= USUAL:
            return None
        return self._chosen(devices, replace(room, least_cp=parts))

    def _chosen(self, devices: int, room: Room) -> Chosen | None:
        # What a check of layouts that fit has no use for: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.layout.choose import chosen

        count, is_priced = len(self.regimes(devices)), self.memory.is_priced
        every = layouts(room, self.said)
        sheet, wish = self.sheet(devices), self.wish()
        return chosen(sheet, count, every, self.keeps, room=room, is_priced=is_priced, wish=wish)

    def wish(self) -> Wish | None:
        """What the plan wants of the layout itself, where its goal is that; None where the fastest is wanted."""
        if not self.plan.goals:
            return None
        goal = self.plan.goals[0]
        expr = without_lets(goal.expr, self.plan)
        told = {step.name for step in self.memory.steps}
        if not names(expr) or not names(expr) <= told:
            return None
        from runplan.engine.layout.choose import Wish

        return Wish(names(expr), compiled(expr if goal.sense == "minimize" else Op("neg", (expr,))))

    def told(self, one: Chosen, devices: int) -> Told:
        """What there is to say of the layouts."""
        from runplan.engine.layout.told import undivided

        return one.race.told(undivided(next(self.rooms(devices)), self.said), one.shorter())

    def _is_of_layout(self, requirement: Requirement) -> bool:
        """Whether what a requirement asks for changes with the layout."""
        return not names(requirement.condition) <= self.memory.known.keys()

    def needs(self, devices: int, layout: Layout) -> tuple[Need, ...]:
        """What a layout takes under each regime that may be meant."""
        memory = self.on(devices)
        return tuple(Need(one, layout, memory.at(layout, one.figures)) for one in self.regimes(devices))

    def regimes(self, devices: int) -> tuple[Regime, ...]:
        """The regime that the plan names; else all that share out over several devices, or that are for one; each with
        what the plan itself says of it."""
        own = {quantity(name): stated.value.value for name, stated in self.said.items() if isinstance(stated, Given)}
        stated = {name: figure for name, figure in own.items() if name not in FIGURES}
        states = self.states.figures if self.states is not None else {}
        return tuple(replace(one, figures={**one.figures, **states, **stated}) for one in self._meant(devices))

    def _meant(self, devices: int) -> Iterable[Regime]:
        if self.named is not None:
            return (Regime(self.named, coefficients(self.named)),)
        every = self.catalogue.once(_every)
        if devices == 1:
            return (regime for regime in every if not regime.shares)
        return (regime for regime in every if regime.shares)

    def fitting(self) -> Value | None:
        """The fewest devices on which the run fits whatever the framework is; None where it fits on none."""
        devices = 1
        while devices <= _MOST_DEVICES and not self.is_enough(devices):
            devices *= 2
        if devices > _MOST_DEVICES:
            return None
        node = _node(self.memory)
        fewer = (devices * eighths // 8 for eighths in _BETWEEN if devices >= 2 * node)
        devices = next((n for n in fewer if n % node == 0 and self.is_enough(n)), devices)
        one = self.chosen(devices)
        known = self.catalogue.quantities()[q.FITTING_GPUS.text]
        source = f"the first of 1, 2, 4 and so on, and of nodes between, on which it fits: {one.layout if one else ''}"
        dim = known.counted.dim
        return Value(q.FITTING_GPUS, float(devices), dim, None, None, "derived", "", (), source, known.span)


def _every(catalogue: Library) -> tuple[Regime, ...]:
    """All regimes but those that are taken only where a plan names them."""
    records = (record for record in catalogue.records("regime") if not record.text("aside"))
    return tuple(Regime(record, coefficients(record)) for record in records)


def _node(memory: Memory) -> int:
    """The devices that the links of a node join."""
    return round(memory.known.get(LINKED, memory.known.get(q.NODES_OF, _NODE)))


def _room(memory: Memory, devices: int, is_kept: bool, shards: tuple[int, ...]) -> Room:
    known = memory.known
    context, batch = known.get(q.CONTEXT, 0.0) or memory.usual(q.USUAL_CONTEXT), known.get(q.BATCH, math.inf)
    return Room(
        devices=devices,
        a_node=_node(memory),
        layers=round(known.get(q.LAYERS, 0.0)),
        heads=round(known.get(q.HEADS, 0.0)),
        experts=round(known.get(q.EXPERTS, 0.0)),
        sequences=batch / context,
        context=context,
        is_kept=is_kept,
        shards=shards,
        deepest=max(1, int(known.get(q.LAYERS, 0.0) or memory.usual(_USUAL_LAYERS))),
    )
