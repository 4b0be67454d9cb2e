"""A solved plan to the layout that it has on its devices, the memory that this takes, and whether there is so much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Num, Ref, names, substitute
from runplan.dsl.expr.values import value
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Amount, Given, Plan, Requirement
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.engine.formulate.measured import REACHED
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.layout.choose import Chosen, chosen, undivided
from runplan.engine.layout.layout import FIGURES, INTERLEAVE, SHARD, Layout, Room, layouts, leanest
from runplan.engine.layout.memory import (
    LAYOUT_MFU,
    LEAST,
    LEAST_TIME,
    LINKED,
    MOST,
    MOST_TIME,
    ROOFLINE,
    ROOFLINE_MFU,
    TIME,
    Memory,
    coefficients,
    memory_of,
)
from runplan.engine.layout.sheet import Sheet
from runplan.engine.layout.states import States, states_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.laid_out import Layouts
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.values import valued

FITTING = quantity("fitting_gpus")
# What a plan may say of the layout that is of serving alone.
OF_SERVING = ("serving_bits", "cache_bits")
# Devices that share a node, and the most that are tried, where nothing says it.
_NODE, _MOST_DEVICES = 8, 1 << 20
# What copies may share out: the most first.
_SHARDS = (3, 2, 1)
# The counts between a power of two and the next that are tried, in eighths of that.
_BETWEEN = (5, 6, 7)
# How many layouts a check tries one by one, before it looks at all of them together.
_LOOKED_AT = 40
EMPTY: Mapping[Name, Value] = {}


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


@dataclass(frozen=True, slots=True)
class Look:
    """How closely the layouts of a plan are looked at.

    Attributes:
        all: Whether all of them are, for what is shown of them; else only for as long as something may be wrong.
        fitting: Whether the fewest devices on which the run fits are told, where it fits on those that there are, too.
    """

    all: bool = True
    fitting: bool = False


ALL, GLANCE = Look(), Look(all=False)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found of one run: nothing where too little is known to tell; `is_well` where it is enough to know that
    nothing is wrong."""

    definitions: Sequence[Definition] = ()
    values: Mapping[Name, Value] = EMPTY
    layouts: Layouts | None = None
    is_well: bool = False


def with_memory(plan: Plan, solution: Solution, catalogue: Library, look: Look = ALL) -> Solution:
    """The solution with the memory that a device needs, of one whose devices and model are known; of stages each.

    Where the plan names no regime the memory lies between the lowest and the highest of them; where it leaves the
    layout open it is that of the first that fits, by the time of a step.
    """
    if solution.status != "solved":
        return solution
    look = _closer(plan, look, catalogue)
    if len(plan.stages) == 1:
        found = _found(plan, solution, catalogue, look)
        told = (*solution.findings, *_open(plan, solution), *_missed(found, plan, solution))
        layouts = (found.layouts,) if found.layouts is not None else ()
        return replace(_with(solution, found.definitions, found.values), findings=told, layouts=layouts)
    for stage, alone in zip(solution.problem.stages, stages_of(solution), strict=True):
        found = _found(stage.plan, alone, catalogue, look)
        solution = replace(solution, findings=(*solution.findings, *_missed(found, stage.plan, alone)))
        own = {name: name.in_stage(stage.name) for name in (*found.values, *alone.values)}
        own = {name: named for name, named in own.items() if name in found.values or named in solution.values}
        solution = _with(solution, [_renamed(one, own) for one in found.definitions], _moved(found.values, own))
    return replace(solution, findings=(*solution.findings, *_open(plan, solution)))


def _closer(plan: Plan, look: Look, catalogue: Library) -> Look:
    """How closely the plan itself, or a rule that is not the library's, asks to look."""
    conditions = [one.condition for one in (*plan.requires, *plan.prefers)]
    asked = {name.text for one in conditions for name in names(without_lets(one, plan)) if not name.scope}
    of_layout = catalogue.once(_of_layout)
    everything = look.all or not asked.isdisjoint(of_layout) or catalogue.is_asked_by_others(of_layout)
    return Look(everything, look.fitting or FITTING.text in asked)


def _of_layout(catalogue: Library) -> frozenset[str]:
    """What the layout decides, by name."""
    return frozenset(text for text, known in catalogue.quantities().items() if known.facts.is_of_layout)


def _missed(found: _Found, plan: Plan, solution: Solution) -> Iterable[Finding]:
    return () if found.values or found.is_well else _unkept(plan, solution)


def _open(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """What a plan leaves open of a framework: what that keeps is known, and not solved for."""
    for name, amount in plan.layout.figures.items() if plan.layout is not None else ():
        if name in OF_SERVING and plan.outer.inference is None:
            message = f"`{name}` is of serving, and the plan does not say what is served"
            help = ["add `inference: 2T tokens`", f"leave `{name}` out"]
            yield finding("C001", message, amount.span, help=help, laws=(solution.law,))
        elif quantity(name) not in FIGURES and not isinstance(amount, Given):
            message = f"`{name}` is what the framework keeps: it is read as one value only"
            yield finding("C009", message, amount.span, help=["give one value, or leave it out"], laws=(solution.law,))


def _unkept(plan: Plan, solution: Solution) -> Iterator[Finding]:
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
    made = " x ".join(map(str, stated))
    message = f"the layout does not go with {there:,} devices: {made or layout.span.text} does not divide them"
    if "dp" in layout.figures and math.prod(stated) > 1:
        message = f"the layout is for {math.prod(stated):,} devices, {made}, and there are {there:,}"
    also = [Label(pool.span, "the devices are here") for pool in plan.outer.hardware[:1]]
    help = ["leave `dp` open: `dp ?`", f"have {math.prod(stated):,} devices"] if "dp" in layout.figures else []
    yield finding("C001", message, layout.span, also=also, help=help, laws=(solution.law,))


def _with(solution: Solution, definitions: Iterable[Definition], values: Mapping[Name, Value]) -> Solution:
    more = {one.name: one for one in definitions}
    problem = replace(solution.problem, definitions={**solution.problem.definitions, **more})
    return replace(solution, problem=problem, values={**solution.values, **values})


def _renamed(definition: Definition, own: Mapping[Name, Name]) -> Definition:
    """A definition of a stage as one of the whole plan."""
    by = {name: Ref(named) for name, named in own.items()}
    return replace(definition, name=own[definition.name], expr=substitute(definition.expr, by))


def _moved(values: Mapping[Name, Value], own: Mapping[Name, Name]) -> dict[Name, Value]:
    """Values of a stage as those of the whole plan."""

    def moved(one: Value) -> Value:
        return replace(one, name=own[one.name], inputs=tuple(own.get(name, name) for name in one.inputs))

    return {own[name]: moved(one) for name, one in values.items()}


def is_enough(plan: Plan, solution: Solution, catalogue: Library) -> bool:
    """Whether the devices of a solved run have room for some layout for sure, with what the plan requires of it."""
    search = _search_of(plan, solution, catalogue)
    return search is not None and search.is_enough(round(search.memory.known[q.GPUS]))


def _search_of(plan: Plan, solution: Solution, catalogue: Library) -> _Search | None:
    known = _known(plan, solution)
    if known is None:
        return None
    states = states_of(plan, catalogue)
    others = states is not None and states.others
    memory = memory_of(known, q.EMBEDDING_PARAMS in known, q.EXPERTS in known, catalogue, states=others)
    batch = solution.values.get(q.BATCH)
    return _Search(memory, plan, catalogue, batch is not None and batch.kind == "given", states)


def _found(plan: Plan, solution: Solution, catalogue: Library, look: Look) -> _Found:
    """What is found of the memory of one run, and of the time of its steps."""
    search = _search_of(plan, solution, catalogue)
    if search is None:
        return _Found()
    memory, devices = search.memory, round(search.memory.known[q.GPUS])
    if not look.all and search.is_well(devices):
        return _Found(is_well=True)
    if (one := search.chosen(devices)) is None:
        return _Found()
    needs = search.needs(devices, one.layout)
    told = max(needs, key=lambda need: need.most)
    lowest = min(needs, key=lambda need: need.least)
    definitions = tuple(_between(_definitions(solution.problem, search, told), told, lowest, one))
    figures = {**told.found, LEAST: lowest.least, **(_rooflines(one, told))}
    values = {each.name: valued(each, figures[each.name]) for each in definitions}
    between = float(value(memory.formula(q.MEMORY_PER_GPU), figures))
    values[q.MEMORY_PER_GPU] = replace(values[q.MEMORY_PER_GPU], value=between, low=lowest.least, high=told.most)
    if TIME in values:
        low, high = min(need.found[LEAST_TIME] for need in needs), max(need.found[MOST_TIME] for need in needs)
        values[TIME] = replace(values[TIME], low=low, high=high)
        mfu, time = values[LAYOUT_MFU].value, values[TIME].value
        values[LAYOUT_MFU] = replace(values[LAYOUT_MFU], low=mfu * time / high, high=mfu * time / low)
    if (look.fitting or not one.is_enough) and (fitting := search.fitting()) is not None:
        values[FITTING] = fitting
    return _Found(definitions, values, search.told(one, devices))


def _rooflines(one: Chosen, told: Need) -> dict[Name, float]:
    """The most that a device reaches in any layout, and what share of the peak that is."""
    if one.roofline is None:
        return {}
    return {ROOFLINE: one.roofline[0], ROOFLINE_MFU: one.roofline[0] / told.found[q.PEAK]}


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
class _Search:
    """The search for a layout that fits, and keeps what the plan says of it.

    Attributes:
        is_kept: Whether the plan says the batch.
    """

    memory: Memory
    plan: Plan
    catalogue: Library
    is_kept: bool = False
    states: States | None = None

    @property
    def said(self) -> Mapping[str, Amount]:
        """What the plan says of the layout."""
        return self.plan.layout.figures if self.plan.layout is not None else {}

    def on(self, devices: int) -> Memory:
        """The memory of the model on so many devices."""
        return replace(self.memory, known={**self.memory.known, q.GPUS: float(devices)})

    def rooms(self, devices: int) -> Iterator[Room]:
        """What bounds layouts; where none is left, what bounds them where the batch need not be kept to the last
        sequence, and of a batch of too few sequences, as if it had more."""
        room = _room(self.memory.known, devices, self.is_kept, () if "shard" in self.said else self.shards(devices))
        yield room
        if room.is_kept:
            yield replace(room, is_kept=False)
        yield replace(room, is_kept=False, sequences=math.inf)

    def shards(self, devices: int) -> tuple[int, ...]:
        """What copies may share out: what they do is a part of the layout, where no regime is named."""
        if devices == 1:
            return ()
        stages = {round(regime.figures.get(SHARD, 0.0)) for regime in self.regimes(devices)}
        named = self.plan.layout is not None and self.plan.layout.regime is not None
        # What shares out the weights may as well keep those that it has gathered.
        return _SHARDS if not named else _SHARDS[:2] if stages == {_SHARDS[0]} else ()

    def is_well(self, devices: int) -> bool:
        """Whether the first layouts that are tried show that nothing is wrong: one is enough, and gives the rate that
        the plan states."""
        stated = self.memory.known[q.RATE] if self._states_rate() and self.memory.is_priced else 0.0
        sheet = self.sheet(devices)
        for _ in islice(self._enough(sheet, next(self.rooms(devices))), _LOOKED_AT):
            if not stated or sheet.under(sheet.order[0], priced=True)[ROOFLINE] >= stated:
                return True
        return False

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
        needs = [dict(sheet.under(regime, priced=True)) for regime in range(len(sheet.order))]
        found = {**max(needs, key=lambda need: need[MOST]), LEAST: min(need[LEAST] for need in needs)}
        found[q.MEMORY_PER_GPU] = float(value(self.memory.formula(q.MEMORY_PER_GPU), found))
        for requirement in required:
            with suppress(ArithmeticError, ValueError):
                if verdict(without_lets(requirement.condition, self.plan), found, TOLERANCE) is False:
                    return False
        return True

    def _states_rate(self) -> bool:
        pools = (pool for stage in self.plan.stages for pool in stage.hardware)
        return q.RATE in self.memory.known and any(name.text in pool.figures for pool in pools for name in REACHED)

    def chosen(self, devices: int) -> Chosen | None:
        """The layouts in their order; None where there is none."""
        count, is_priced = len(self.regimes(devices)), self.memory.is_priced
        for room in self.rooms(devices):
            one = chosen(self.sheet(devices), count, layouts(room, self.said), self.keeps, is_priced=is_priced)
            if one is not None:
                return one
        return None

    def told(self, one: Chosen, devices: int) -> Layouts:
        """What there is to say of the layouts."""
        return replace(one.told, undivided=tuple(undivided(next(self.rooms(devices)), self.said)))

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
        named = self.plan.layout.regime if self.plan.layout is not None else None
        record = self.catalogue.record("regime", named.text) if named is not None else None
        if record is not None:
            return (Regime(record, coefficients(record)),)
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
        fewer = (devices * eighths // 8 for eighths in _BETWEEN if devices >= 2 * _NODE)
        devices = next((n for n in fewer if n % _NODE == 0 and self.is_enough(n)), devices)
        one = self.chosen(devices)
        known = self.catalogue.quantities()[FITTING.text]
        source = f"the first of 1, 2, 4 and so on, and of nodes between, on which it fits: {one.layout if one else ''}"
        dim = known.counted.dim
        return Value(FITTING, float(devices), dim, None, None, "derived", "", (), source, known.span)


def _every(catalogue: Library) -> tuple[Regime, ...]:
    """All regimes but those that are taken only where a plan names them."""
    records = (record for record in catalogue.records("regime") if not record.text("aside"))
    return tuple(Regime(record, coefficients(record)) for record in records)


def _room(known: Mapping[Name, float], devices: int, is_kept: bool, shards: tuple[int, ...]) -> Room:
    context, batch = known.get(q.CONTEXT, 0.0), known.get(q.BATCH, math.inf)
    return Room(
        devices=devices,
        a_node=round(known.get(LINKED, known.get(q.NODES_OF, _NODE))),
        layers=round(known.get(q.LAYERS, 0.0)),
        heads=round(known.get(q.HEADS, 0.0)),
        experts=round(known.get(q.EXPERTS, 0.0)),
        sequences=batch / context if context else math.inf,
        context=context,
        is_kept=is_kept,
        shards=shards,
    )


# ---- what is told


def _definitions(problem: Problem, search: _Search, need: Need) -> Iterator[Definition]:
    """The memory under a layout and a regime as a problem has it: the layout's figures, the regime's, what follows."""
    record, facts, said, states = need.regime.record, problem.quantities, search.said, search.states
    for name, figure in {**need.regime.figures, **need.layout.figures}.items():
        number, stated, entry = Num(figure, facts[name.text].counted.dim), said.get(name.text), record.entry(name.text)
        if isinstance(stated, Given):
            yield Definition(name, number.dim, number, "given", "plan", stated.span)
        elif states is not None and name in states.figures:
            yield Definition(name, number.dim, number, states.kind, states.source, states.span)
        elif name in need.layout.figures:
            yield Definition(name, number.dim, number, "derived", f"the first layout: {need.layout}")
        else:
            source = f"{record.name}: {record.text('source')}"
            yield Definition(name, number.dim, number, "derived", source, entry.span if entry else None)
    for step in search.memory.steps:
        known = facts[step.name.text]
        yield Definition(step.name, known.counted.dim, step.formula, "derived", known.title, known.span)


def _between(definitions: Iterable[Definition], told: Need, lowest: Need, one: Chosen) -> Iterator[Definition]:
    """The definitions, with what the regime that needs the least makes of the least, and the best of any layout."""
    best = one.roofline
    for each in definitions:
        if each.name == LEAST and lowest is not told:
            source = f"{lowest.regime.record.name} needs the least: {lowest.regime.record.text('source')}"
            yield replace(each, expr=Num(lowest.least, each.dim), source=source)
        elif each.name == q.MEMORY_PER_GPU and lowest is not told:
            note = f"no regime is named: up to {told.regime.record.name}, which needs the most"
            yield replace(each, note=note)
        elif each.name == ROOFLINE and best is not None and (best[1] != told.layout or lowest is not told):
            source = f"the most of {one.told.tried:,} layouts: {best[1]}"
            yield replace(each, expr=Num(best[0], each.dim), source=source)
        else:
            yield each
