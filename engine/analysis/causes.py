"""A solution to the figures that its values answer to: what is given or assumed, and the bounds that it keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.curve import ORDERS
from runplan.dsl.expr.name import Name, factor
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import QUANTILE, Constraint, Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.bound_knobs import chance_knobs
from runplan.engine.solve.whole import step_of

# A figure of which nothing says how far it may be off is tried at this share less and more.
AWAY = 0.1
# What makes up a whole with others of its kind.
_SHARES = frozenset((q.SHARE.text, q.MIX.text, q.MIX_START.text, q.MIX_END.text))
# Figures that are nearer to each other than this, relatively, are one.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Cause:
    """A figure that values of a solution may answer to.

    Attributes:
        of: The figure, given or assumed; or the constraint of which it is a bound.
        factor: The name of how many times the figure is what it is.
        value: In base units.
        low, high: How far down and up it is tried: over its range or its interval, else a tenth to each side; whole
            where it is whole, and no share of a whole more than all of it.
        rest: Of a share of a whole, the others, which make room for it in proportion.
        on_left: Of a bound, whether it is one from below.
        asked: Of what is asked of a probability, the problem with another bound in it, or another share.
        likely: Of that share, which no derivative tells of, what is to be likely; empty for any other figure.
    """

    of: Value | Constraint
    factor: Name
    value: float
    dim: Dim
    low: float
    high: float
    rest: tuple[Name, ...] = ()
    on_left: bool = False
    asked: Callable[[Problem, float], Problem] | None = None
    likely: str = ""

    @property
    def text(self) -> str:
        """What the figure is called, or the requirement as the plan writes it."""
        if self.likely:
            return self.likely
        return self.of.text if isinstance(self.of, Constraint) else str(self.of.name)

    @property
    def name(self) -> str:
        """The quantity, or the `let`, that it is a figure of; empty for a bound."""
        return "" if isinstance(self.of, Constraint) else self.of.name.text

    @property
    def kind(self) -> str:
        """Whether it is given or assumed."""
        return "given" if isinstance(self.of, Constraint) else self.of.kind

    @property
    def span(self) -> Span | None:
        """Where the plan, or a pack, says it."""
        return self.of.span

    def times(self, problem: Problem, by: Expr) -> Problem:
        """The problem with so many times the figure, and what it may be."""
        if self.asked is not None and isinstance(by, Num):
            problem = self.asked(problem, self.value * by.value)
        if self.likely:
            return problem
        if isinstance(self.of, Constraint):
            bound = next((c for c in problem.constraints if c.key == self.of.key), self.of)
            if self.on_left:
                return problem.replacing(replace(bound, left=_product(bound.left, by)))
            return problem.replacing(replace(bound, right=_product(bound.right, by)))
        changed = {self.of.name: by}
        left = Op("-", (Num(1.0), _product(Num(self.value), by)))
        changed |= dict.fromkeys(self.rest, Op("/", (left, Num(1.0 - self.value))))
        own = {name: problem.definitions[name] for name in changed}
        more = {name: _times(d, changed[name]) for name, d in own.items()}
        return replace(problem, definitions={**problem.definitions, **more})

    def at(self, problem: Problem, value: float) -> Problem:
        """The problem in which the figure has turned out to be another, in base units: it is uncertain no more."""
        moved = self.times(problem, Num(value / self.value))
        if isinstance(self.of, Constraint):
            return moved
        known = replace(moved.definitions[self.of.name], between=None, spread=None)
        return replace(moved, definitions={**moved.definitions, self.of.name: known})


def _times(definition: Definition, by: Expr) -> Definition:
    """So many times a figure, and its range."""
    between = definition.between
    if between is not None and isinstance(by, Num):
        between = (between[0] * by.value, between[1] * by.value)
    return replace(definition, expr=_product(definition.expr, by), between=between)


def _product(expr: Expr, by: Expr) -> Expr:
    if isinstance(expr, Num) and not names(by):
        return Num(expr.value * float(value_of(by, {})), expr.dim)
    return Op("*", (expr, by))


def causes_of(solution: Solution) -> tuple[Cause, ...]:
    """Every figure that values of a solution may answer to; dates, and figures of nothing, are none."""
    return (*_figures(solution), *_bounds(solution.problem))


def varied(problem: Problem, causes: tuple[Cause, ...]) -> Problem:
    """The problem with each figure times its factor, a name that is left open."""
    for cause in causes:
        problem = cause.times(problem, Ref(cause.factor))
    return problem


def _figures(solution: Solution) -> Iterator[Cause]:
    problem = solution.problem
    inverted = {turned.definition.name for turned in problem.inverses}
    for value in solution.values.values():
        definition = problem.definitions.get(value.name)
        if definition is None or value.kind not in ("given", "assumed") or value.name in inverted:
            continue
        # What is assumed of a figure that is given, such as another count of the params, answers for itself.
        own = not (value.by and value.kind == "assumed")
        figure = problem.is_parameter(value.name) or _is_curve(definition.expr)
        known = problem.quantities.get(value.name.text)
        # What is said in a word stands for a number that nobody turns a little.
        word = known is not None and known.facts.given is not None and bool(known.facts.given.words)
        if not own or not figure or word or value.dim == DATE or not value.value > 0.0:
            continue
        rest = _rest(problem, value.name) if value.name.text in _SHARES else ()
        if rest is not None:
            name = factor(f"{value.name.kind} {value.name.text}", value.name.scope)
            yield Cause(value, name, value.value, value.dim, *_ends(problem, definition, value.value), rest)


def _rest(problem: Problem, share: Name) -> tuple[Name, ...] | None:
    """The other shares of a whole, where it is one of figures; None where it is none, and this cannot be another."""
    if share.part("phase") or not share.part("source"):
        return None
    whole = [n for n in problem.definitions if n.text == share.text and n.part("source") and not n.part("phase")]
    if not all(map(problem.is_parameter, whole)):
        return None
    others = tuple(name for name in whole if name != share)
    together = math.fsum(map(problem.number, whole))
    return others if others and math.isclose(together, 1.0, rel_tol=SAME) else None


def _is_curve(expr: Expr) -> bool:
    """Whether a figure is read from a table: then it is assumed as a figure is."""
    return isinstance(expr, Op) and expr.op in ORDERS


def _bounds(problem: Problem) -> Iterator[Cause]:
    """Each bound that is a number of its own, of a requirement or a range."""
    for constraint in problem.constraints:
        if constraint.kind not in ("require", "range", "given"):
            continue
        if constraint.chance is not None:
            yield from chances_of(problem, constraint)
            continue
        for on_left, bound in ((True, constraint.left), (False, constraint.right)):
            if isinstance(bound, Num) and bound.dim != DATE and bound.value > 0.0:
                ends = (bound.value * (1.0 - AWAY), bound.value * (1.0 + AWAY))
                yield bound_of(constraint, bound.value, bound.dim, *ends, on_left=on_left)
                break


def bound_of(constraint: Constraint, value: float, dim: Dim, low: float, high: float, *, on_left: bool) -> Cause:
    """A side of a constraint as a figure."""
    return Cause(constraint, factor(f"bound {constraint.key}"), value, dim, low, high, on_left=on_left)


def chances_of(problem: Problem, constraint: Constraint) -> Iterator[Cause]:
    """What is asked of a probability as figures: the bound in it, and how likely it is to be."""
    assert constraint.chance is not None
    for knob in chance_knobs(problem, constraint, constraint.chance):
        now, dim, low, high = knob.now, knob.written.dim, knob.now * (1.0 - AWAY), knob.now * (1.0 + AWAY)
        if knob.freed is None:
            own = factor(f"share {constraint.key}")
            high = min(high, (1.0 + now) / 2)  # half as likely to fail
            yield Cause(constraint, own, now, dim, low, high, asked=knob.at, likely=knob.said)
        elif dim != DATE and now > 0.0:
            # Of a bound from below more of it makes no room.
            own, below = factor(f"bound {constraint.key}"), not knob.more
            yield Cause(constraint, own, now, dim, low, high, on_left=below, asked=knob.at)


def _ends(problem: Problem, definition: Definition, value: float) -> tuple[float, float]:
    """How far down and up a figure is tried."""
    if definition.between is not None:
        return definition.between
    spread = definition.spread
    low, high = (value * (math.exp(sign * QUANTILE * spread) if spread else 1.0 + sign * AWAY) for sign in (-1.0, 1.0))
    known = problem.quantities.get(definition.name.text) if definition.name.kind == "quantity" else None
    if known is None:
        return low, high
    given = known.facts.given
    step = step_of(problem, definition.name) or float(given is not None and given.whole)
    if step:
        low, high = (min(value - step, _whole(low, step)), max(value + step, _whole(high, step)))
        low = low if low > 0.0 else value
    most = min(given.most if given is not None else math.inf, 1.0 if known.facts.per_cent else math.inf)
    return low, max(value, min(high, most))


def _whole(value: float, step: float) -> float:
    return round(value / step) * step
