"""A job to boxes of its grid, each with a problem in which what is varied there is a name: formulated once, for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.logic import affirmed
from runplan.dsl.expr.name import Name
from runplan.dsl.types import Any
from runplan.dsl.units.parse import unit
from runplan.dsl.units.table import UnknownUnit
from runplan.engine.pipeline import Read
from runplan.engine.solve.conflict import conflicting, core_of
from runplan.engine.solve.solve import solve
from runplan.engine.sweep.axes import Axis, Spaced
from runplan.engine.sweep.conflicts import Why
from runplan.engine.sweep.grid import Grid
from runplan.engine.sweep.handles import Guard, Handle, Opaque, Path, Unlike, differences, named, placed
from runplan.engine.sweep.job import Floats
from runplan.engine.sweep.point import Solver
from runplan.engine.sweep.template import Template

# A problem is formulated for boxes of at least so many points; fewer are solved one by one as soon.
LEAST = 48
# Boxes of one job.
MOST = 64
# Of an axis with more values not each is read by itself.
LONG = 256
# Points of a box whose regions are taken in.
SAMPLED = 256

# An axis of a grid that is shorter is taken together with the one before it.
WIDE = 64

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Slot:
    """A figure of the plan that an axis sets.

    Attributes:
        path: Where in the plan it stands.
        table: What it is for each value of the axis, in base units.
    """

    axis: int
    path: Path
    name: Name
    table: Floats


@dataclass(frozen=True, slots=True)
class Box:
    """Points of a grid: some values of each axis; with a template a law, None where its law has none.

    Attributes:
        places: Of each axis, the places of its values.
        slots: The figures that are varied in it.
    """

    places: tuple[Places, ...]
    slots: tuple[Slot, ...]
    templates: tuple[Template | None, ...] = ()

    @property
    def size(self) -> int:
        """How many points it has."""
        return int(np.prod([len(some) for some in self.places]))

    def at(self, points: Sequence[Places]) -> dict[Name, Any]:
        """Of each name that is varied, its values at points, by their places on each axis."""
        return {slot.name: slot.table[points[slot.axis]] for slot in self.slots}

    def env(self, each: Sequence[Places]) -> tuple[dict[Name, Any], tuple[int, ...]]:
        """Of each name that is varied, its values over the grid of some places of each axis, and that grid's shape.

        What axes that change fast have in a row is one axis of it: arrays that are long go by faster.
        """
        inner = len(each) - 1
        while inner > 0 and np.prod([len(some) for some in each[inner:]]) < WIDE:
            inner -= 1
        last = tuple(len(some) for some in each[inner:])
        shape = (*(len(some) for some in each[:inner]), int(np.prod(last)))

        def spread(axis: int, values: Floats) -> Any:
            if len(values) == 1:
                return float(values[0])
            if axis < inner:
                return Grid.of(values.reshape([-1 if at == axis else 1 for at in range(len(shape))]))
            own = values.reshape([-1 if at == axis else 1 for at in range(inner, len(each))])
            return Grid.of(np.broadcast_to(own, last).reshape([1] * inner + [-1]))

        return {slot.name: spread(slot.axis, slot.table[each[slot.axis]]) for slot in self.slots}, shape


def boxes_of(solver: Solver) -> tuple[Box, ...]:
    """The boxes of a job; what is in none is solved point by point."""
    job = solver.job
    if job.size < LEAST * len(job.laws):
        return ()
    slots: list[Slot] = []
    apart = set[int]()
    for at in range(len(job.axes)):
        found = _slots(solver, at)
        if found is None:
            apart.add(at)
        else:
            slots += found
    paths = [slot.path for slot in slots]
    apart |= {slot.axis for slot in slots if paths.count(slot.path) > 1}
    while True:
        try:
            return tuple(_formulated(solver, slots, apart))
        except Opaque as opaque:
            apart.add(opaque.axis)


def _formulated(solver: Solver, slots: Sequence[Slot], apart: set[int]) -> Iterator[Box]:
    """Boxes with their templates.

    Raises:
        Opaque: Where a figure is worked with while a problem is formulated.
    """
    axes = solver.job.axes
    own = tuple(slot for slot in slots if slot.axis not in apart)
    each = [[np.array([at]) for at in range(len(axis))] if i in apart else [np.arange(len(axis))]
            for i, axis in enumerate(axes)]  # fmt: skip
    if np.prod([float(len(some)) for some in each]) > MOST:
        return
    waiting = deque(Box(tuple(places), own) for places in product(*each))
    for _ in range(MOST):
        if not waiting:
            return
        box = waiting.popleft()
        if box.size < LEAST:
            continue
        made, rest = _made(solver, box)
        if made is None or not any(made.templates):
            return  # nor has another box one, as a rule
        waiting.extend(rest)
        yield made


def _made(solver: Solver, box: Box) -> tuple[Box | None, list[Box]]:
    """What of a box one formulation is for, with its templates, and the rest of it."""
    job = solver.job
    first = tuple(int(some[0]) for some in box.places)
    read = solver.read(job.settings_of(first))
    if read.plan is None or not _is_apart(solver, box, read):
        return None, []
    guards: list[Guard] = []
    handles = {s.path: Handle(s.axis, s.name, float(s.table[first[s.axis]]), guards) for s in box.slots}
    problems = list(replace(read, plan=placed(read.plan, handles)).problems())
    valid, rest = _split(box, guards)
    templates = []
    for law, problem in enumerate(problems):
        where = None if job.where is None else affirmed(job.where)
        template = Template.of(named(problem, {}), [asked.expr for asked in job.asked], where)
        if template is not None:
            at = _sample(valid)
            env, count = valid.at(at), len(at[0])
            try:
                template.learn(env, count, _why(solver, at, law))
                template.found(env)
            except ValueError:  # an operator that has no value, or no derivative, on arrays
                template = None
        templates.append(template)
    return replace(valid, templates=tuple(templates)), rest


def _why(solver: Solver, at: Sequence[Places], law: int) -> Callable[[int], Why]:
    """Why a point of a sample has no solution."""
    axes = solver.job.axes

    def why(place: int) -> Why:
        places = [int(some[place]) for some in at]
        problem = list(solver.read(solver.job.settings_of(places)).problems())[law]
        contradicting = solve(problem, why=False).problem
        said = tuple(axis.text(one) for axis, one in zip(axes, places, strict=True))
        return Why("; ".join(conflicting(contradicting)), said, core_of(contradicting))

    return why


def _split(box: Box, guards: Sequence[Guard]) -> tuple[Box, list[Box]]:
    """The points of a box at which all guards come out as they did, and boxes of the others."""
    good = [np.ones(len(some), dtype=np.bool_) for some in box.places]
    by_name = {slot.name: slot for slot in box.slots}
    for guard in guards:
        slot = by_name[guard.name]
        table = slot.table[box.places[slot.axis]].tolist()
        good[slot.axis] &= np.array([guard.holds(value) == guard.outcome for value in table])
    valid = tuple(some[mask] for some, mask in zip(box.places, good, strict=True))
    rest = []
    for at, (some, mask) in enumerate(zip(box.places, good, strict=True)):
        if not mask.all():
            rest.append(replace(box, places=(*valid[:at], some[~mask], *box.places[at + 1 :])))
    return replace(box, places=valid), rest


def _is_apart(solver: Solver, box: Box, read: Read) -> bool:
    """Whether each figure of a plan hangs on its own axis alone, and nothing else on any: at the corners of a box.

    What plans are refused for, and what becomes of several figures together, shows where these are at their ends.
    """
    tables = {slot.path: slot for slot in box.slots}
    ends = [sorted({int(some[0]), int(some[len(some) // 2]), int(some[-1])}) for some in box.places]
    corners = product(*((some[0], some[-1]) for some in ends))
    for places in (*corners, tuple(some[len(some) // 2] for some in ends)):
        other = solver.read(solver.job.settings_of(places)).plan
        if other is None:
            return False
        try:
            found = differences(read.plan, other)
        except Unlike:
            return False
        for path, value in found.items():
            if path not in tables or tables[path].table[places[tables[path].axis]] != value:
                return False
    return True


def _sample(box: Box) -> list[Places]:
    """The places of some points of a box: its corners, and others spread over it."""
    wide = max(2, int(SAMPLED ** (1 / max(1, sum(len(some) > 1 for some in box.places)))))
    some = [places[np.unique(np.linspace(0, len(places) - 1, wide).round().astype(np.int64))] for places in box.places]
    return [grid.ravel() for grid in np.meshgrid(*some, indexing="ij")]


# ---- what an axis sets


def _slots(solver: Solver, at: int) -> list[Slot] | None:
    """The figures of the plan that an axis sets; None where it sets something else, or not all of its values do."""
    axis = solver.job.axes[at]
    tried = range(len(axis)) if len(axis) <= LONG else np.linspace(0, len(axis) - 1, 16).round().astype(int).tolist()
    plans = [solver.read(solver.job.settings_of(_other(solver.job.axes, at, place))).plan for place in tried]
    if any(plan is None for plan in plans):
        return None
    try:
        found = [differences(plans[0], plan) for plan in plans]
    except Unlike:
        return None
    slots: list[Slot] = []
    names: dict[bytes, Name] = {}
    for path in dict.fromkeys(path for some in found for path in some):
        first = _figure(plans[0], path)
        table = np.array([some.get(path, first) for some in found], dtype=np.float64)
        if len(axis) > LONG:
            assert isinstance(axis, Spaced), "a list of so many values is none that anybody writes"
            whole = _multiples(axis)
            if whole is None or not (whole[list(tried)] == table).all():
                return None
            table = whole
        name = names.setdefault(table.tobytes(), Name(f"{axis.path} {len(names)}", "varied"))
        slots.append(Slot(at, path, name, table))
    return slots


def _multiples(axis: Spaced) -> Floats | None:
    """The figures of a long axis in base units, as far as its unit alone says; None where that is none."""
    try:
        factor = unit(axis.unit.strip()).factor if axis.unit.strip() else 1.0
    except UnknownUnit:
        return None
    return np.array([axis.number(at) for at in range(len(axis))]) * factor


def _other(axes: Sequence[Axis], at: int, place: int) -> tuple[int, ...]:
    return tuple(place if i == at else 0 for i in range(len(axes)))


def _figure(value: Any, path: Path) -> float:
    """The figure at a path."""
    for part in path:
        value = getattr(value, str(part)) if hasattr(value, "__fields__") else value[part]
    return float(value)
