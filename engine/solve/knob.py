"""A figure of a plan that can be changed by itself, and one thing that it says, with the ways to say it otherwise."""

from __future__ import annotations

from collections.abc import Callable, Collection

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Ref
from runplan.dsl.plan.ir import Requirement
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change
from runplan.engine.solve.instead import Spot, put
from runplan.engine.solve.rounding import Written, written
from runplan.engine.solve.whole import step_of

# More than any plan has of anything, in base units.
ENOUGH = 1e30
Way = Callable[[Problem], Problem]


@dataclass(frozen=True, slots=True)
class Knob:
    """A figure that can be changed by itself.

    Attributes:
        said: What stands before the figure where a change is told: `tokens`, `data web`, `cost`.
        figure: The quantity that it is a figure of.
        now: Its value, in base units.
        more: The sign that tells of more of it, such as `>=`; empty where more of it makes no room.
        less: The same for less of it.
        at: The problem with another value of it.
        freed: The problem in which it is left open, and comes as near to what it is as it can; None where it can only
            be tried.
        spot: Where the figure stands in the plan; None where it stands nowhere by itself.
        told: The change, where it is more than this figure.
    """

    said: str
    figure: Expr
    now: float
    written: Written
    more: str
    less: str
    at: Callable[[Problem, float], Problem]
    freed: Way | None
    spot: Spot | None = None
    told: Callable[[float], Change] | None = None

    def change(self, value: float) -> Change:
        """The change as one would write it."""
        if self.told:
            return self.told(value)
        if self.spot:
            return put(self.spot, self.written.text(value), self.compared(value), self._of)
        return Change(self.compared(value), self.compared(value))

    def compared(self, value: float) -> str:
        """What it is to be, in words: `tokens <= 703.4B`."""
        return f"{self.said} {self.more if value > self.now else self.less} {self.written.text(value)}"

    @property
    def _of(self) -> str:
        """The stage or the pool that it is a figure of, where there are several."""
        if not isinstance(self.figure, Ref):
            return ""
        scope = tuple(part for part in self.figure.name.scope if part[0] in ("stage", "pool"))
        return str(Name("", scope=scope)).removesuffix(".")


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that the plan says, which may take part in a conflict.

    Attributes:
        left_out: The problem as if the plan did not say it.
        knobs: The ways to say it otherwise.
    """

    of: Constraint | Either | Name
    text: str
    span: Span | None
    left_out: Way
    knobs: tuple[Knob, ...]

    @property
    def requirement(self) -> Requirement | None:
        """The requirement that it is, if it is one."""
        return None if isinstance(self.of, Name) else self.of.requirement


def loosened(name: Name) -> Way:
    """Without a figure of the plan."""
    return lambda problem: problem.loosened({name})


def without(keys: Collection[str]) -> Way:
    """Without some of what is kept."""
    return lambda problem: problem.without(keys)


def given_knob(problem: Problem, name: Name) -> Knob:
    """A figure of the plan that may be more or less."""
    value = problem.givens[name].value
    expr = problem.givens[name].expr
    if isinstance(expr, Ref) and expr.name in problem.definitions:
        expr = problem.definitions[expr.name].expr
    step = step_of(problem, name)
    as_written = written(_num(expr, value.value, value.dim), value.dim, step)

    said = problem.said(name)
    opened = left_open(name, Num(value.value, value.dim))
    at = problem.givens[name].span
    spot = Spot(at, at)
    return Knob(said, Ref(name), value.value, as_written, ">=", "<=", lambda p, v: p.given({name: v}), opened, spot)


def _num(expr: Expr, value: float, dim: Dim) -> Num:
    """A figure of the plan as a number that says how it is written."""
    return Num(value, dim, shown(expr)) if isinstance(expr, Num) else Num(value, dim)


def parameter_knob(problem: Problem, name: Name, said: str, more: str, less: str) -> Knob:
    """A figure that can be tried at other values, and is not left open."""
    definition = problem.definitions[name]
    assert isinstance(definition.expr, Num)
    number = definition.expr
    as_written = written(number, definition.dim)
    opened = None if definition.dim == DATE else left_open(name, number)
    spot = Spot(definition.span, definition.span) if definition.kind == "given" and definition.span else None
    return Knob(said, Ref(name), number.value, as_written, more, less, lambda p, v: p.at({name: v}), opened, spot)


def left_open(name: Name, now: Num) -> Way:
    """The problem that comes as near to a figure as it can, where that is left open."""
    near = Goal("near", Ref(name), Num(now.value, now.dim))
    return lambda problem: problem.loosened({name}).keeping_decided().aiming(near)
