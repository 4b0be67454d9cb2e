"""A solved plan that needs more memory than there is to the size, or to the devices, with which it has enough."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Ref
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.units.base import GPU, PARAM
from runplan.engine.layout.fit import is_enough
from runplan.engine.layout.short import broken, is_short
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.values import valued

FITTING_SIZE = quantity("fitting_params")
_SIZES = (q.PARAMS, q.LAW_PARAMS, q.ACTIVE_PARAMS)
_MOST_DEVICES = 1 << 20
# The counts between a power of two and the next that are tried, in eighths of that.
_EIGHTHS = (5, 6, 7, 8)
# A size is found to so much, and not looked for below so small a part of the one that is too large.
_NEAR, _SMALLEST = 1.005, 1e-4


def bounded(plan: Plan, solution: Solution, laid: Solution, catalogue: Library) -> Problem | None:
    """The problem with what keeps a requirement on memory that its solution breaks: at least so many devices where
    their count is to be found, else at most such a size; None where nothing is broken, or nothing would keep it.

    Args:
        laid: The solution with the memory that it takes.
    """
    asked = next(broken(plan, laid, catalogue), None)
    if asked is None or solution.status != "solved":
        return None
    chosen = {variable.name for variable in solution.problem.variables}
    text = asked.span.text.removeprefix("require").strip()
    left: Expr
    right: Expr
    if q.GPUS in chosen and (devices := _devices(plan, solution, catalogue)) is not None:
        left, right = Num(devices, GPU), Ref(q.GPUS)
    elif _is_chosen(solution) and (size := _size(plan, solution, catalogue)) is not None:
        name = next(name for name in _SIZES if name in chosen)
        left, right = Ref(name), Num(size, PARAM)
    else:
        return None
    kept = Constraint(f"memory {asked.key}", text, left, right, "require", asked.span, requirement=asked)
    return replace(solution.problem, constraints=(*solution.problem.constraints, kept))


def with_size(plan: Plan, solution: Solution, laid: Solution, catalogue: Library) -> Solution:
    """The solution with the memory that it takes, and with the largest size that fits, where one was chosen that may
    not."""
    if not is_short(laid) or not _is_chosen(solution):
        return laid
    size = _size(plan, solution, catalogue)
    if size is None:
        return laid
    known = catalogue.quantities()[FITTING_SIZE.text]
    found = Definition(FITTING_SIZE, known.counted.dim, Num(size, PARAM), "derived", known.title, known.span)
    return replace(laid, values={**laid.values, FITTING_SIZE: valued(found, size)})


def _is_chosen(solution: Solution) -> bool:
    """Whether the size alone of the model is to be found."""
    chosen = {variable.name for variable in solution.problem.variables}
    return not chosen.isdisjoint(_SIZES) and q.EMBEDDING_PARAMS not in solution.values


def _would_be_enough(plan: Plan, solution: Solution, figures: dict[Name, float], catalogue: Library) -> bool:
    """Whether a device has enough memory for sure where some figures are others, and what is required of it is kept."""
    values = {name: replace(v, value=figures.get(name, v.value)) for name, v in solution.values.items()}
    return is_enough(plan, replace(solution, values=values, findings=()), catalogue)


def _devices(plan: Plan, solution: Solution, catalogue: Library) -> float | None:
    """The fewest devices that are enough, of those tried: more than there are."""
    there, octave = round(solution.values[q.GPUS].value), 1
    while octave <= _MOST_DEVICES:
        for eighth in _EIGHTHS:
            devices = octave * eighth / 8
            more = devices > there and devices == round(devices)
            if more and _would_be_enough(plan, solution, {q.GPUS: devices}, catalogue):
                return float(devices)
        octave *= 2
    return None


def _size(plan: Plan, solution: Solution, catalogue: Library) -> float | None:
    """The largest size that is enough; None where none is."""
    sizes = {name: solution.values[name].value for name in _SIZES if name in solution.values}

    def fits(share: float) -> bool:
        return _would_be_enough(plan, solution, {name: size * share for name, size in sizes.items()}, catalogue)

    too_large, enough = 1.0, 0.5
    while not fits(enough):
        too_large, enough = enough, enough / 2
        if enough < _SMALLEST:
            return None
    while too_large / enough > _NEAR:
        middle = (too_large * enough) ** 0.5
        too_large, enough = (too_large, middle) if fits(middle) else (middle, enough)
    return next(sizes[name] for name in _SIZES if name in sizes) * enough
