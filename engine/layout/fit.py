"""A solved plan to the layout that it has on its devices, the memory that this takes, and whether there is so much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import value
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Given, Plan, Requirement
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.layout.added import added, names_in_stage, of_the_whole
from runplan.engine.layout.layout import FIGURES
from runplan.engine.layout.memory import (
    GLANCED,
    LAYOUT_MFU,
    LEAST,
    LEAST_TIME,
    MOST_TIME,
    PRICED,
    ROOFLINE,
    ROOFLINE_MFU,
    TIME,
)
from runplan.engine.layout.search import Need, Search, search_of
from runplan.engine.layout.states import states_of
from runplan.engine.layout.unkept import uncut, unkept
from runplan.engine.problem import quantities as q
from runplan.engine.problem.laid_out import Layouts, Told
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.values import valued

if TYPE_CHECKING:
    from runplan.engine.layout.choose import Chosen

# What a plan may say of the layout that is of serving alone.
OF_SERVING = ("serving_bits", "cache_bits")
_EMPTY: Mapping[Name, Value] = {}


@dataclass(frozen=True, slots=True)
class Look:
    """How closely the layouts of a plan are looked at.

    Attributes:
        all: Whether all of them are, for what is shown of them; else only for as long as something may be wrong.
        fitting: Whether the fewest devices on which the run fits are told, where it fits on those that there are, too.
        later: Whether those that need not be looked at are there for who asks for them: a screen with room for them.
    """

    all: bool = True
    fitting: bool = False
    later: bool = False


ALL, GLANCE, SCREEN = Look(), Look(all=False), Look(all=False, later=True)
# The parts of a plan that are laid out by themselves.
_LAID = {"stage", "pool"}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found of one run: nothing where too little is known to tell; `is_well` where it is enough to know that
    nothing is wrong."""

    definitions: Sequence[Definition] = ()
    values: Mapping[Name, Value] = _EMPTY
    layouts: Layouts | None = None
    is_well: bool = False


# What is found of runs of one plan, by all that it rests on.
Kept = dict[object, _Found]


def with_memory(
    plan: Plan, solution: Solution, catalogue: Library, look: Look = ALL, kept: Kept | None = None
) -> Solution:
    """The solution with the memory that a device needs, of one whose devices and model are known; of stages each.

    Where the plan names no regime the memory lies between the lowest and the highest of them; where it leaves the
    layout open it is that of the first that fits, by the time of a step.

    Args:
        kept: What is found of the plan under other laws, which give it the same size and tokens; it grows.
    """
    if solution.status != "solved":
        return solution
    look = _closer(plan, look, catalogue)
    if len(plan.stages) == 1:
        found = _found(plan, solution, catalogue, look, {} if kept is None else kept)
        told = (*solution.findings, *_open(plan, solution), *_missed(found, plan, solution, catalogue))
        layouts = (found.layouts,) if found.layouts is not None else ()
        return replace(added(solution, found.definitions, found.values), findings=told, layouts=layouts)
    for stage, alone in zip(solution.problem.stages, stages_of(solution), strict=True):
        found = _found(by_itself(stage.plan, "stage", stage.name), alone, catalogue, look, {})
        told = (*solution.findings, *_missed(found, stage.plan, alone, catalogue))
        laid = (found.layouts.of((("stage", stage.name),)),) if found.layouts is not None else ()
        solution = replace(solution, findings=told, layouts=(*solution.layouts, *laid))
        own = names_in_stage(stage.name, found.values, alone, solution)
        solution = added(solution, *of_the_whole(found.definitions, found.values, own))
    solution = added(solution, *most_of(solution.values, "stage", catalogue))
    return replace(solution, findings=(*solution.findings, *_open(plan, solution)))


def by_itself(plan: Plan, kind: str, part: str) -> Plan:
    """The plan of a part, a stage or a pool, with what is required of that as of a run."""
    own: list[Requirement] = []
    for one in plan.requires:
        mentioned = [name for name in names(without_lets(one.condition, plan)) if name.kind == "quantity"]
        if all(name.part(kind) == part or name == q.MEMORY_PER_GPU for name in mentioned):
            bare = {name: Ref(Name(name.text, name.kind, _outside(name, kind))) for name in mentioned}
            own.append(replace(one, condition=substitute(without_lets(one.condition, plan), bare)))
    return replace(plan, requires=tuple(own))


def _outside(name: Name, kind: str) -> tuple[tuple[str, str], ...]:
    return tuple(each for each in name.scope if each[0] != kind)


def most_of(values: Mapping[Name, Value], kind: str, catalogue: Library) -> tuple[list[Definition], dict[Name, Value]]:
    """The memory of a device of any part, the most of them: of pools, or of stages; nothing where there are none."""
    parts = [
        name for name in values if name.text == q.MEMORY_PER_GPU.text and [part for part, _ in name.scope] == [kind]
    ]
    if not parts:
        return [], {}
    expr: Expr = Ref(parts[0])
    for name in parts[1:]:
        expr = Op("max", (expr, Ref(name)))
    known = catalogue.quantities()[q.MEMORY_PER_GPU.text]
    whole = Definition(q.MEMORY_PER_GPU, known.counted.dim, expr, "derived", f"the most of all {kind}s")
    largest = max((values[name] for name in parts), key=lambda value: value.value)
    found = replace(valued(whole, largest.value), low=largest.low, high=largest.high)
    return [whole], {q.MEMORY_PER_GPU: found}


def _closer(plan: Plan, look: Look, catalogue: Library) -> Look:
    """How closely the plan itself, or a rule that is not the library's, asks to look."""
    asked = asked_of_layout(plan, catalogue)
    everything = look.all or bool(asked) or catalogue.is_asked_by_others(decided_by_layout(catalogue))
    everything |= look.later and _is_spoken_of(plan, catalogue)
    return replace(look, all=everything, fitting=look.fitting or q.FITTING_GPUS.text in asked)


def _is_spoken_of(plan: Plan, catalogue: Library) -> bool:
    """Whether a screen tells of the layout, or of what is assumed for it, whatever comes out."""
    states = states_of(plan, catalogue)
    return plan.layout is not None or (states is not None and states.kind == "assumed")


def asked_of_layout(plan: Plan, catalogue: Library) -> frozenset[str]:
    """What a plan requires something of, prefers or wants that the layout decides."""
    conditions = (one.condition for one in (*plan.requires, *plan.prefers))
    return of_layout(plan, (*conditions, *(goal.expr for goal in plan.goals)), catalogue)


def of_layout(plan: Plan, asked: Iterable[Expr], catalogue: Library) -> frozenset[str]:
    """What expressions of a plan name that the layout decides, of the run, a stage or a pool."""
    mentioned = {name for one in asked for name in names(without_lets(one, plan))}
    return decided_by_layout(catalogue) & {n.text for n in mentioned if {part for part, _ in n.scope} <= _LAID}


def decided_by_layout(catalogue: Library) -> frozenset[str]:
    """What the layout decides, by name."""
    return catalogue.once(_decided_by_layout)


def _decided_by_layout(catalogue: Library) -> frozenset[str]:
    return frozenset(text for text, known in catalogue.quantities().items() if known.facts.is_of_layout)


def _missed(found: _Found, plan: Plan, solution: Solution, catalogue: Library) -> Iterable[Finding]:
    return (uncut if found.values or found.is_well else unkept)(plan, solution, catalogue)


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


def is_enough(plan: Plan, solution: Solution, catalogue: Library) -> bool:
    """Whether the devices of a solved run, or of each of its stages, have room for some layout for sure, with what the
    plan requires of it."""
    if len(plan.stages) == 1:
        return _is_enough(plan, solution, catalogue)
    pairs = zip(solution.problem.stages, stages_of(solution), strict=True)
    return all(_is_enough(by_itself(stage.plan, "stage", stage.name), alone, catalogue) for stage, alone in pairs)


def _is_enough(plan: Plan, solution: Solution, catalogue: Library) -> bool:
    search = search_of(plan, solution, catalogue)
    return search is not None and search.is_enough(round(search.memory.known[q.GPUS]))


def _found(plan: Plan, solution: Solution, catalogue: Library, look: Look, kept: Kept) -> _Found:
    """What is found of the memory of one run, and of the time of its steps."""
    search = search_of(plan, solution, catalogue, PRICED if look.all else GLANCED)
    if search is None:
        return _Found()
    key = search.rests_on()
    if key not in kept:
        is_well = not look.all and search.is_well(round(search.memory.known[q.GPUS]))
        if is_well:
            layouts = _later(plan, solution, catalogue) if look.later else None
            kept[key] = _Found(layouts=layouts, is_well=True)
        else:
            kept[key] = _searched(plan, solution, catalogue, look)
    return kept[key]


def _later(plan: Plan, solution: Solution, catalogue: Library) -> Layouts:
    """The layouts of a run of which all is well, none of them looked at until something of them is asked for."""

    def told() -> Told:
        search = search_of(plan, solution, catalogue)
        devices = round(solution.values[q.GPUS].value)
        one = search.chosen(devices) if search is not None else None
        return search.told(one, devices) if search is not None and one is not None else Told()

    return Layouts("fits", told)


def _searched(plan: Plan, solution: Solution, catalogue: Library, look: Look) -> _Found:
    search = search_of(plan, solution, catalogue)
    assert search is not None, "as much is known of it as at a glance"
    memory, devices = search.memory, round(search.memory.known[q.GPUS])
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
        values[q.FITTING_GPUS] = fitting
    leanest = (need.regime for need in sorted(needs, key=lambda need: need.most))
    regime = search.enough_under(devices, leanest) if one.fits == "tight" else ""
    return _Found(definitions, values, Layouts(one.fits, lambda: search.told(one, devices), regime=regime))


def _rooflines(one: Chosen, told: Need) -> dict[Name, float]:
    """The most that a device reaches in any layout, and what share of the peak that is."""
    if one.roofline is None:
        return {}
    return {ROOFLINE: one.roofline[0], ROOFLINE_MFU: one.roofline[0] / told.found[q.PEAK]}


# ---- what is told


def _definitions(problem: Problem, search: Search, need: Need) -> Iterator[Definition]:
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
            source = f"the most of {one.race.tried:,} layouts: {best[1]}"
            yield replace(each, expr=Num(best[0], each.dim), source=source)
        else:
            yield each
