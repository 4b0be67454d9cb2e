"""A problem to the figures of it that may turn out otherwise: what the plan gives or assumes, and what it requires."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, names
from runplan.dsl.units.base import DATE
from runplan.engine.problem.parts import Constraint, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.knob import parameter_knob
from runplan.engine.solve.knobs import knobs_of
from runplan.engine.solve.rounding import Written, written

# Figures that differ by less are one.
ALIKE = 1e-9
# What is decided of a plan's run is what it is: another size is another plan.
RUN = "run"


@dataclass(frozen=True, slots=True)
class Lever:
    """A figure of one problem.

    Attributes:
        said: What the plan calls it: `mfu`, `time`, the name of a `let`, `cost <=` of a bound.
        now: Its value, in base units.
        at: The problem with another value of it.
        most: The largest value that it can have.
        about: The name that it is a value of; None of a bound.
        bounds: Of a bound what it bounds, as it is written.
    """

    said: str
    now: float
    written: Written
    at: Callable[[Problem, float], Problem]
    most: float = math.inf
    about: Name | None = None
    bounds: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """A figure that several candidates share, or that one of them has: then it goes by the name of that one.

    Attributes:
        levers: By the index of the candidate that it moves.
        of: The candidate whose alone it is; None where it is that of all that have it.
    """

    said: str
    levers: tuple[tuple[int, Lever], ...]
    of: int | None = None

    @property
    def lever(self) -> Lever:
        """The first of them, as which it is written."""
        return self.levers[0][1]

    def moved(self, problems: Sequence[Problem], value: float) -> list[Problem]:
        """The problems with another value of it, in base units."""
        out = [*problems]
        for index, lever in self.levers:
            out[index] = lever.at(out[index], value)
        return out


def inputs_of(problems: Sequence[Problem], about: Sequence[Expr] = ()) -> Iterator[Input]:
    """The figures on which a choice among plans may hang, each once where they have the same.

    Args:
        about: What the choice is made by, beside what the plans want and require.
    """
    each = [{lever.said: lever for lever in _levers(problem, about)} for problem in problems]
    for said in dict.fromkeys(said for levers in each for said in levers):
        having = tuple((i, levers[said]) for i, levers in enumerate(each) if said in levers)
        alike = all(_same(lever, having[0][1]) for _, lever in having)
        of_run = any(_is_of_run(problems[i], lever) for i, lever in having)
        if alike and (len(having) == len(problems) or not of_run):
            yield Input(said, having, None if len(having) == len(problems) else having[0][0])
        elif not of_run:
            yield from (Input(said, (one,), one[0]) for one in having)


def _same(one: Lever, other: Lever) -> bool:
    return one.written.dim == other.written.dim and math.isclose(one.now, other.now, rel_tol=ALIKE)


def _is_of_run(problem: Problem, lever: Lever) -> bool:
    known = problem.quantities.get(lever.about.text) if lever.about is not None else None
    return known is not None and known.facts.decided == RUN


def _levers(problem: Problem, about: Sequence[Expr]) -> Iterator[Lever]:
    """What a problem gives, assumes with some doubt, or bounds, as far as its solution hangs on it."""
    counted = _counted(problem, about)
    figures = {knob.said: knob for knob in knobs_of(problem) if knob.told is None and knob.written.dim != DATE}
    own = {knob.figure for knob in figures.values()}
    for knob in figures.values():
        (name,) = names(knob.figure)
        if name in counted:
            yield Lever(knob.said, knob.now, knob.written, knob.at, _most(problem, name), name)
    for name, definition in problem.definitions.items():
        if name not in counted or not isinstance(definition.expr, Num) or definition.dim == DATE:
            continue
        known = problem.quantities.get(name.text) if name.kind == "quantity" else None
        nature = known is not None and known.facts.decided == "nature"
        doubtful = definition.kind == "given" or definition.spread or definition.between
        if (name.kind == "let" or (nature and doubtful)) and not any(name in names(figure) for figure in own):
            knob = parameter_knob(problem, name, problem.said(name), "", "")
            yield Lever(knob.said, knob.now, _as_written(problem, name), knob.at, _most(problem, name), name)
    ways = {part.key for choice in problem.either for part in choice.parts if part.equal}  # what is chosen among
    for constraint in problem.parts:
        if constraint.key in ways:
            continue
        if constraint.kind == "require" and isinstance(constraint.left, Num) != isinstance(constraint.right, Num):
            yield _bound(constraint)


def _as_written(problem: Problem, name: Name) -> Written:
    """How a figure is written; a share, and what nobody wrote, in per cent."""
    definition = problem.definitions[name]
    known = problem.quantities.get(name.text)
    share = name.kind == "quantity" and known is not None and known.facts.per_cent
    return Written(definition.dim, "%", 0.01) if share else written(definition.expr, definition.dim)


def _most(problem: Problem, name: Name) -> float:
    """The largest value that a figure can have: no share of a whole is more than all of it."""
    known = problem.quantities.get(name.text) if name.kind == "quantity" else None
    if known is None:
        return math.inf
    most = known.facts.given.most if known.facts.given is not None else math.inf
    return min(most, 1.0 if known.facts.per_cent else math.inf)


def _counted(problem: Problem, about: Sequence[Expr]) -> frozenset[Name]:
    """The names that what is wanted, required and chosen by lead to."""
    constraints = problem.parts
    over: list[Expr] = [*about, *(side for c in constraints for side in (c.left, c.right))]
    over += [side for goal in problem.goals for side in (goal.expr, goal.other) if side is not None]
    return leads_to(over, problem.definitions, (c.of for c in constraints if c.of is not None))


def _bound(constraint: Constraint) -> Lever:
    """The bound of a requirement."""
    below = isinstance(constraint.left, Num)
    figure, bound = (constraint.right, constraint.left) if below else (constraint.left, constraint.right)
    assert isinstance(bound, Num), "one of both sides is"

    def at(problem: Problem, value: float) -> Problem:
        new = Num(value, bound.dim)
        return problem.replacing(replace(constraint, left=new) if below else replace(constraint, right=new))

    sign = "==" if constraint.equal else ">=" if below else "<="
    text = shown(figure)
    return Lever(f"{text} {sign}", bound.value, written(bound, bound.dim), at, bounds=text)
