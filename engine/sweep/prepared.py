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
from runplan.engine.read import Read
from runplan.engine.solve.conflict import conflicting, core_of
from runplan.engine.solve.solve import solve
from runplan.engine.sweep.axes import Axis, Spaced, multiples
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
# Of a list with more values, and of a range with more, not each is read by itself but so many.
LONG, SHORT = 256, 8
READ_OF_LIST, READ_OF_RANGE = 16, 4
# Points of a box whose regions are taken in.
SAMPLED = 256

# An axis of a grid that is shorter is taken together with the one before it.
WIDE = 64

Places = npt.NDArray[np.int64]


class Plans:
    """The plan of a job at points of its grid, as it is read, each once."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self._known: dict[tuple[int, ...], Read] = {}

    def at(self, places: Sequence[int]) -> Read:
        """The plan at some value of each axis, by its places."""
        key = tuple(map(int, places))
        if key not in self._known:
            self._known[key] = self.solver.read(self.solver.job.settings_of(key))
        return self._known[key]


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
                return values[0]  # of numpy's, which divides by zero as arrays do
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
    plans = Plans(solver)
    slots: list[Slot] = []
    apart = set[int]()
    for at in range(len(job.axes)):
        found = _slots(plans, at)
        if found is None:
            apart.add(at)
        else:
            slots += found
    paths = [slot.path for slot in slots]
    apart |= {slot.axis for slot in slots if paths.count(slot.path) > 1}
    while True:
        try:
            return tuple(_formulated(plans, slots, apart))
        except Opaque as opaque:
            apart.add(opaque.axis)


def _formulated(plans: Plans, slots: Sequence[Slot], apart: set[int]) -> Iterator[Box]:
    """Boxes with their templates.

    Raises:
        Opaque: Where a figure is worked with while a problem is formulated.
    """
    axes = plans.solver.job.axes
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
        made, rest = _made(plans, box)
        if made is None or not any(made.templates):
            return  # nor has another box one, as a rule
        waiting.extend(rest)
        yield made


def _made(plans: Plans, box: Box) -> tuple[Box | None, list[Box]]:
    """What of a box one formulation is for, with its templates, and the rest of it."""
    job = plans.solver.job
    first = tuple(int(some[0]) for some in box.places)
    read = plans.at(first)
    if read.plan is None or plans.solver.look(read.plan) is not None or not _is_apart(plans, box, read):
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
                with np.errstate(all="ignore"):
                    template.learn(env, count, _why(plans.solver, at, law))
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


def _is_apart(plans: Plans, box: Box, read: Read) -> bool:
    """Whether each figure of a plan hangs on its own axis alone, and nothing else on any: at the corners of a box.

    What plans are refused for, and what becomes of several figures together, shows where these are at their ends.
    """
    tables = {slot.path: slot for slot in box.slots}
    ends = [sorted({int(some[0]), int(some[len(some) // 2]), int(some[-1])}) for some in box.places]
    corners = product(*((some[0], some[-1]) for some in ends))
    for places in (*corners, tuple(some[len(some) // 2] for some in ends)):
        other = plans.at(places).plan
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
    some = [
        places[sorted({*np.linspace(0, len(places) - 1, wide).round().astype(int).tolist()})] for places in box.places
    ]
    return [grid.ravel() for grid in np.meshgrid(*some, indexing="ij")]


# ---- what an axis sets


def _slots(plans: Plans, at: int) -> list[Slot] | None:
    """The figures of the plan that an axis sets; None where it sets something else, or not all of its values do."""
    axis = plans.solver.job.axes[at]
    longest, few = (SHORT, READ_OF_RANGE) if isinstance(axis, Spaced) else (LONG, READ_OF_LIST)
    found = None
    if len(axis) > longest:
        whole = multiples(axis)
        tried = np.linspace(0, len(axis) - 1, few).round().astype(int).tolist()
        found = None if whole is None else _tables(plans, at, tried)
        if found and whole is not None:
            alike = all((whole[tried] == table).all() for table in found.values())
            found = dict.fromkeys(found, whole) if alike else None
    if found is None and len(axis) <= LONG:
        found = _tables(plans, at, range(len(axis)))
    if found is None:
        return None
    names: dict[bytes, Name] = {}
    for table in found.values():
        names.setdefault(table.tobytes(), Name(f"{axis.path} {len(names)}", "varied"))
    return [Slot(at, path, names[table.tobytes()], table) for path, table in found.items()]


def _tables(plans: Plans, at: int, tried: Sequence[int]) -> dict[Path, Floats] | None:
    """The figures that some values of an axis set, of each value; None where they set something else."""
    read = [plans.at(_other(plans.solver.job.axes, at, place)).plan for place in tried]
    if any(plan is None for plan in read):
        return None
    try:
        found = [differences(read[0], plan) for plan in read]
    except Unlike:
        return None
    return {
        path: np.array([some.get(path, _figure(read[0], path)) for some in found], dtype=np.float64)
        for path in dict.fromkeys(path for some in found for path in some)
    }


def _other(axes: Sequence[Axis], at: int, place: int) -> tuple[int, ...]:
    return tuple(place if i == at else 0 for i in range(len(axes)))


def _figure(value: Any, path: Path) -> float:
    """The figure at a path."""
    for part in path:
        value = getattr(value, str(part)) if hasattr(value, "__fields__") else value[part]
    return float(value)
