"""A solution to what holds it back: what a little more of each limit is worth, and what the limit costs in all.

What is at stake is the first goal of the plan. The price of a limit is the derivative of that goal by the limit, in
the units that people count in: a million dollars, a week, a hundred billion tokens. Beside it stands what comes of so
much more where the plan is solved anew, counts being real.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import DATE, TIME, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import json_unit
from runplan.dsl.units.table import currencies
from runplan.engine.analysis.causes import Cause, bound_of, causes_of, chances_of
from runplan.engine.analysis.sensitivity import Sensitivity, best, sensitivity_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.values import dim_of

# Times are counted in these, the longest that is at most half of what there is.
_TIMES = tuple(unit(text).factor for text in ("week", "day", "hour"))
# Of money and of tokens never more at once than this.
_MONEY, _TOKENS = 1e6, 1e11
# Of those it is the most that is at most this share of what there is, of anything else the power of ten.
_HALF, _TENTH = 0.5, 0.1
# What can be said otherwise.
LOOSE = frozenset(("require", "range", "given", "budget", "data"))
# A loss goes in hundredths.
_LOSS, _NATS = 0.01, unit("nat/token").dim


@dataclass(frozen=True, slots=True)
class Price:
    """What more of a limit is worth.

    Attributes:
        text: The limit: a figure of the plan by its name, or a requirement as the plan writes it.
        now, more: What it is, and what is added to it, in base units; less than nothing where less of it makes room,
            and None of a cap on data: what more of each source is worth stands at the source.
        dim: Of `more`; `now` may be a date.
        change: By how much the goal changes for `more`, by its derivative; None where nothing is to be had.
        solved: What the goal comes to with `more`, the plan solved anew; None where it cannot be.
        without: What it comes to without the limit; None for a figure, and where nothing else stops it.
        source: The source of data that there is more of; empty where it is none.
    """

    text: str
    span: Span | None
    now: float
    more: float | None
    dim: Dim
    change: float | None
    solved: float | None
    without: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """What the limits of a plan are worth by its goal.

    Attributes:
        goal: As a plan writes it.
        name: The quantity that it is; None where it is a formula.
        value: What it comes to, counts being real, in base units.
        rises: Whether it is to be large.
        prices: What matters most first; sources of data behind, in the plan's order.
    """

    goal: str
    name: Name | None
    value: float
    dim: Dim
    rises: bool
    prices: tuple[Price, ...]


def worth_of(solution: Solution) -> Worth | None:
    """What the limits of a solved plan are worth; None where its first goal is no amount, or nothing moves it."""
    problem = solution.problem
    goal = next(iter(problem.goals), None)
    if solution.status != "solved" or goal is None or goal.sense == "near":
        return None
    found = sensitivity_of(solution)
    if found is None or not names(found.part.expanded(goal.expr)) & {v.name for v in problem.variables}:
        return None
    limits = (*_limits(found), *_figures(solution))
    found = found.about(limits)
    asked = _Asked(solution, found, goal.expr)
    prices = [price for limit in limits if (price := asked.price(limit)) is not None]
    if not any(map(_is_of_cost, found.binding)):
        prices += asked.money(limits)
    # Sources of data stay in the plan's order.
    order = sorted(prices, key=lambda price: (bool(price.source), 0.0 if price.source else -abs(price.change or 0.0)))
    name = goal.expr.name if isinstance(goal.expr, Ref) else None
    dim, rises = dim_of(problem, goal.expr), goal.sense == "maximize"
    return Worth(shown(goal.expr), name, found.at(goal.expr), dim, rises, tuple(order))


def _is_of_cost(constraint: Constraint) -> bool:
    return q.COST in names(constraint.left) | names(constraint.right)


class _Asked:
    """What is asked of each limit: by how much the goal changes with more of it."""

    def __init__(self, solution: Solution, found: Sensitivity, goal: Expr) -> None:
        self.solution, self.found, self.goal = solution, found, goal
        self.slopes = {slope.cause.factor: slope for slope in found.slopes(goal)}

    def price(self, limit: Cause) -> Price | None:
        """The price of a limit; None where it is none, but for a source of data: there it is told."""
        source = "" if isinstance(limit.of, Constraint) else limit.of.name.part("source")
        if source and not isinstance(limit.of, Constraint):
            there = self.solution.values[Name(q.AVAILABLE.text, scope=limit.of.name.scope)]
            now, dim = there.value, there.dim
        else:
            now, dim = limit.value, limit.dim
        step = _step(now, dim, bool(source)) * (-1.0 if limit.on_left else 1.0)
        slope = self.slopes.get(limit.factor)
        speed = 0.0 if slope is None else slope.less if limit.on_left else slope.more
        own = limit.on_left is False and Ref(Name(limit.name)) == self.goal
        if own or (not speed and not source and not self._is_of_data(limit)):
            return None
        priced = self._priced(limit, said(self.solution, limit), now, step, TIME if dim == DATE else dim, speed)
        if isinstance(limit.of, Constraint):
            without = best(self.found.problem.without({limit.of.key}), self.goal)
            priced = replace(priced, without=without)
            return replace(priced, more=None, change=None, solved=None) if self._is_of_data(limit) else priced
        return replace(priced, source=source)

    def _is_of_data(self, limit: Cause) -> bool:
        return isinstance(limit.of, Constraint) and limit.of.kind == "data"

    def money(self, limits: Sequence[Cause]) -> list[Price]:
        """What more money is worth that is spent on the hardware which gives most for it."""
        cost = self.solution.quantity(q.COST.text)
        if cost is None or not cost.value > 0.0:
            return []
        step, out = _step(cost.value, cost.dim, False), []
        dearer = {slope.cause.factor: slope.more for slope in self.found.slopes(Ref(q.COST))}
        for limit in limits:
            more, slope = dearer.get(limit.factor), self.slopes.get(limit.factor)
            if more and more > 0.0 and slope is not None and slope.more and not isinstance(limit.of, Constraint):
                text = f"{q.COST.text}, for more {self.solution.problem.said(limit.of.name)}"
                by = limit.value * step / more
                spent = self._priced(limit, text, limit.value, by, limit.dim, slope.more)
                out.append(replace(spent, now=cost.value, more=step, dim=cost.dim))
        return sorted(out, key=lambda price: -abs(price.change or 0.0))[:1]

    def _priced(self, limit: Cause, text: str, now: float, step: float, dim: Dim, speed: float | None) -> Price:
        moved = limit.times(self.found.problem, Num(1.0 + step / now))
        change = None if speed is None else speed * step / now
        return Price(text, limit.span, now, step, dim, change, best(moved, self.goal))


def said(solution: Solution, limit: Cause) -> str:
    """A limit as the plan says it."""
    return limit.text if isinstance(limit.of, Constraint) else solution.problem.said(limit.of.name)


def _limits(found: Sensitivity) -> Iterator[Cause]:
    """The bounds that bind: of requirements, ranges, budgets, and what there is of data."""
    problem = found.part
    free = {v.name for v in problem.variables}
    for constraint in found.binding:
        if constraint.equal or constraint.kind not in LOOSE:
            continue
        if constraint.chance is not None:
            yield from (one for one in chances_of(found.problem, constraint) if not one.likely)
            continue
        for on_left, side in ((False, constraint.right), (True, constraint.left)):
            bound = problem.expanded(side)
            if not names(bound) & free:
                value = float(value_of(bound, {}))
                if value > 0.0:
                    yield bound_of(constraint, value, dim_of(problem, side), value, value, on_left=on_left)
                break


def _figures(solution: Solution) -> Iterator[Cause]:
    """What there is of hardware and of data, as the plan gives it."""
    quantities = solution.problem.quantities
    for cause in causes_of(solution):
        if isinstance(cause.of, Constraint) or cause.kind != "given" or cause.of.name.kind != "quantity":
            continue
        name, facts = cause.of.name, quantities[cause.of.name.text].facts
        hardware = facts.decided == "hardware" and facts.knob
        if hardware or (name.part("source") and name.text in (q.AVAILABLE.text, q.AMOUNT.text)):
            yield cause


def _step(value: float, dim: Dim, of_source: bool) -> float:
    """How much more of something people would ask for, in base units."""
    if dim == DATE:
        return _TIMES[0]
    if dim == TIME:
        return next((step for step in _TIMES if step <= _HALF * value), value * _HALF)
    if dim == _NATS:
        return _LOSS
    factor = json_unit(dim)[1]
    money = len(dim) == 1 and dim[0][0] in currencies()
    share = 1.0 if of_source else _HALF if money or dim == TOKEN else _TENTH
    step = factor * 10.0 ** math.floor(math.log10(share * value / factor) + 1e-9)
    return min(step, _MONEY if money else _TOKENS if of_source else math.inf)
