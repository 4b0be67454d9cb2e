"""A solved plan to the layout that it has on its devices, the memory that this takes, and whether there is so much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Num, Ref, names, substitute
from runplan.dsl.expr.values import value
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Amount, Given, Plan, Requirement
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.engine.layout.layout import FIGURES, Layout, Room, layouts
from runplan.engine.layout.memory import LEAST, MOST, USABLE, Memory, coefficients, memory_of
from runplan.engine.layout.states import States, states_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.values import valued

FITTING = quantity("fitting_gpus")
# What a plan may say of the layout that is of serving alone.
OF_SERVING = ("serving_bits", "cache_bits")
_SHARD = quantity("shard")
# Devices that share a node, and the most that are tried, where nothing says it.
_NODE, _MOST_DEVICES = 8, 1 << 20
_ALL = 3.0  # copies share out the weights, too


@dataclass(frozen=True, slots=True)
class Regime:
    """What a framework keeps, by its record."""

    record: Record
    figures: Mapping[Name, float]

    @property
    def shares(self) -> bool:
        """Whether copies of the model share anything out."""
        return self.figures.get(_SHARD, 0.0) > 0


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


def with_memory(plan: Plan, solution: Solution, catalogue: Library) -> Solution:
    """The solution with the memory that a device needs, of one whose devices and model are known; of stages each.

    Where the plan names no regime the memory lies between the lowest and the highest of them; where it leaves the
    layout open it is that of the first that fits.
    """
    if solution.status != "solved":
        return solution
    if len(plan.stages) == 1:
        definitions, values = _found(plan, solution, catalogue)
        told = (*solution.findings, *_open(plan, solution), *(() if values else _unkept(plan, solution)))
        return replace(_with(solution, definitions, values), findings=told)
    for stage, alone in zip(solution.problem.stages, stages_of(solution), strict=True):
        definitions, values = _found(stage.plan, alone, catalogue)
        told = (*solution.findings, *(() if values else _unkept(stage.plan, alone)))
        solution = replace(solution, findings=told)
        own = {name: name.in_stage(stage.name) for name in (*values, *alone.values)}
        own = {name: named for name, named in own.items() if name in values or named in solution.values}
        solution = _with(solution, [_renamed(one, own) for one in definitions], _moved(values, own))
    return replace(solution, findings=(*solution.findings, *_open(plan, solution)))


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


def _found(plan: Plan, solution: Solution, catalogue: Library) -> tuple[Sequence[Definition], dict[Name, Value]]:
    """What is found of the memory of one run; nothing where there is not enough known to tell."""
    known = _known(solution)
    if known is None:
        return (), {}
    states = states_of(plan, catalogue)
    memory = memory_of(
        known, q.EMBEDDING_PARAMS in known, q.EXPERTS in known, catalogue, states=bool(states and states.others)
    )
    search = _Search(memory, plan, catalogue, states)
    needs = search.needs(round(known[q.GPUS]))
    if not needs:
        return (), {}
    told = max(needs, key=lambda need: need.most)
    lowest = min(needs, key=lambda need: need.least)
    definitions = tuple(_between(_definitions(solution.problem, search, told), told, lowest))
    figures = {**told.found, LEAST: lowest.least}
    values = {one.name: valued(one, figures[one.name]) for one in definitions}
    between = float(value(memory.formula(q.MEMORY_PER_GPU), figures))
    values[q.MEMORY_PER_GPU] = replace(values[q.MEMORY_PER_GPU], value=between, low=lowest.least, high=told.most)
    if not all(map(search.is_enough, needs)) and (fitting := search.fitting()) is not None:
        values[FITTING] = fitting
    return definitions, values


def _known(solution: Solution) -> dict[Name, float] | None:
    """What is known of a run in base units; None where its devices, their memory, or the size of the model is not."""
    known = {name: value.value for name, value in solution.values.items()}
    size = known.get(q.PARAMS, known.get(q.LAW_PARAMS))
    if size is None or not {q.GPUS, q.MEMORY} <= known.keys():
        return None
    known.setdefault(q.PARAMS, size)
    known.setdefault(q.ACTIVE_PARAMS, known[q.PARAMS])
    return known


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for a layout that fits, and keeps what the plan says of it."""

    memory: Memory
    plan: Plan
    catalogue: Library
    states: States | None = None

    @property
    def said(self) -> Mapping[str, Amount]:
        """What the plan says of the layout."""
        return self.plan.layout.figures if self.plan.layout is not None else {}

    def is_enough(self, need: Need) -> bool:
        """Whether a device has so much memory for sure, and all is kept that the plan requires of the layout."""
        if need.most > need.found[USABLE]:
            return False
        for requirement in self.plan.requires:
            with suppress(ArithmeticError, ValueError):
                if verdict(requirement.condition, need.found, TOLERANCE) is False and self._is_of_layout(requirement):
                    return False
        return True

    def _is_of_layout(self, requirement: Requirement) -> bool:
        """Whether what a requirement asks for changes with the layout."""
        return not names(requirement.condition) <= self.memory.known.keys()

    def needs(self, devices: int) -> tuple[Need, ...]:
        """What the first layout that is enough takes under each regime that may be meant; of a batch of too few
        sequences, as if it had more."""
        memory = replace(self.memory, known={**self.memory.known, q.GPUS: float(devices)})
        room = _room(memory.known, devices)
        for room_ in (room, replace(room, sequences=math.inf)):
            firsts = (self._first(memory, regime, room_) for regime in self.regimes(devices))
            if found := tuple(need for need in firsts if need is not None):
                return found
        return ()

    def _first(self, memory: Memory, regime: Regime, room: Room) -> Need | None:
        """The first layout that is enough; where none is, the one that needs the least; None where there is none."""
        tightest: Need | None = None
        for layout in layouts(room, self.said):
            need = Need(regime, layout, memory.at(layout, regime.figures))
            if self.is_enough(need):
                return need
            if tightest is None or need.least < tightest.least:
                tightest = need
        return tightest

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
        # What copies share out is a part of the layout, and as open as it is.
        return (replace(one, figures={**one.figures, _SHARD: _ALL}) for one in every if one.shares)

    def fitting(self) -> Value | None:
        """The fewest devices on which the run fits whatever the framework is; None where it fits on none."""
        devices = 1
        while devices <= _MOST_DEVICES:
            needs = self.needs(devices)
            if needs and all(map(self.is_enough, needs)):
                known = self.catalogue.quantities()[FITTING.text]
                source = f"the first of 1, 2, 4 and so on on which it fits: {needs[0].layout}"
                dim = known.counted.dim
                return Value(FITTING, float(devices), dim, None, None, "derived", "", (), source, known.span)
            devices *= 2
        return None


def _every(catalogue: Library) -> tuple[Regime, ...]:
    """All regimes but those that are taken only where a plan names them."""
    records = (record for record in catalogue.records("regime") if not record.text("aside"))
    return tuple(Regime(record, coefficients(record)) for record in records)


def _room(known: Mapping[Name, float], devices: int) -> Room:
    context, batch = known.get(q.CONTEXT, 0.0), known.get(q.BATCH, math.inf)
    return Room(
        devices=devices,
        a_node=round(known.get(q.NODES_OF, _NODE)),
        layers=round(known.get(q.LAYERS, 0.0)),
        heads=round(known.get(q.HEADS, 0.0)),
        experts=round(known.get(q.EXPERTS, 0.0)),
        sequences=batch / context if context else math.inf,
        context=context,
    )


# ---- what is told


def _definitions(problem: Problem, search: _Search, need: Need) -> Iterator[Definition]:
    """The memory under a layout and a regime as a problem has it: the layout's figures, the regime's, what follows."""
    record, facts, said, states = need.regime.record, problem.quantities, search.said, search.states
    for name, figure in {**need.layout.figures, **need.regime.figures}.items():
        number, stated, entry = Num(figure, facts[name.text].counted.dim), said.get(name.text), record.entry(name.text)
        if isinstance(stated, Given):
            yield Definition(name, number.dim, number, "given", "plan", stated.span)
        elif states is not None and name in states.figures:
            yield Definition(name, number.dim, number, states.kind, states.source, states.span)
        elif name in FIGURES:
            yield Definition(name, number.dim, number, "derived", f"the first layout that fits: {need.layout}")
        else:
            source = f"{record.name}: {record.text('source')}"
            yield Definition(name, number.dim, number, "derived", source, entry.span if entry else None)
    for step in search.memory.steps:
        known = facts[step.name.text]
        yield Definition(step.name, known.counted.dim, step.formula, "derived", known.title, known.span)


def _between(definitions: Iterable[Definition], told: Need, lowest: Need) -> Iterator[Definition]:
    """The definitions, with what the regime that needs the least makes of the least."""
    for one in definitions:
        if one.name == LEAST and lowest is not told:
            source = f"{lowest.regime.record.name} needs the least: {lowest.regime.record.text('source')}"
            yield replace(one, expr=Num(lowest.least, one.dim), source=source)
        elif one.name == q.MEMORY_PER_GPU and lowest is not told:
            note = f"no regime is named: up to {told.regime.record.name}, which needs the most"
            yield replace(one, note=note)
        else:
            yield one
