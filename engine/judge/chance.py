"""A requirement that holds in the middle of what is assumed to how likely it is to fail.

A plan is judged at the middle. That says nothing of how often it fails: half of the runs are slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.logic import parts, ways
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, walk
from runplan.dsl.expr.values import compiled
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.units.show import json_unit, percent, show
from runplan.engine.formulate.probable import is_chance
from runplan.engine.judge.requirements import Broken, broken_parts, sides_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.natural import natural
from runplan.engine.problem.parts import QUANTILE, Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.likely import Likelihood, Likely
from runplan.engine.solve.rounding import written
from runplan.engine.solve.values import dim_of, number_of
from runplan.engine.solve.whole import step_of

# Where it fails in fewer draws than this, nothing is said.
SELDOM = 0.10
# What binds is kept to this much.
KEPT = 1e-6
DIGITS = 3

Values = Mapping[Name, float]


def may_miss(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """What is required or preferred, holds, and fails in a tenth of the draws or more (H011)."""
    problem = natural(solution.problem)
    if solution.status != "solved" or not problem.deviates:
        return
    values, worst = _all(solution), _all(solution.worst or solution)
    for requirement in (*plan.requires, *plan.prefers):
        if any(map(is_chance, walk(requirement.condition))) or broken_parts(requirement, worst, KEPT):
            continue
        drawn = _Drawn(solution.problem.settled(), values, requirement.condition)
        if drawn.hangs and 1.0 - drawn.likelihood.share >= SELDOM:
            yield _finding(plan, solution, drawn, requirement)


def _all(solution: Solution) -> Values:
    return {name: value.value for name, value in solution.values.items()}


@dataclass(frozen=True)
class _Drawn:
    """What is required at what is chosen, and at draws of what is uncertain."""

    problem: Problem
    values: Values
    condition: Expr

    @cached_property
    def likely(self) -> Likely:
        """The condition over what is uncertain."""
        return Likely.of(self.problem, self.condition)

    @cached_property
    def likelihood(self) -> Likelihood:
        """How likely it is to hold."""
        return self.likely.likelihood(self.values)

    @cached_property
    def hangs(self) -> bool:
        """Whether it hangs on something that is assumed."""
        return bool(self.likely.over & {*natural(self.problem).deviates}) and self.likely.is_told(self.values)


# ---- saying it


def _finding(plan: Plan, solution: Solution, drawn: _Drawn, requirement: Requirement) -> Finding:
    problem, fails = natural(solution.problem), 1.0 - drawn.likelihood.share
    data: dict[str, float | str] = {"share": round(fails, 3)}
    missed = _missed(plan, drawn)
    side, verb = ("above", "allows") if missed.upper else ("below", "asks for")
    verb = "prefers" if requirement.soft else verb
    limit = _figure(problem, missed.bounded, missed.limit)
    what = f"`{shown(missed.bounded)}` is {side} the {limit} that {requirement.by} {verb}"
    unit, factor = json_unit(dim_of(problem, missed.bounded))
    data |= {"quantity": shown(missed.bounded), "limit": missed.limit / factor, "unit": unit}
    return finding(
        "H011",
        f"in {100 * fails:.2g} % of draws {what}: {'; '.join(_assumed(drawn))}",
        requirement.span,
        severity="info" if requirement.soft else "warning",
        help=[*_stated(drawn), *(_bound_that_holds(problem, missed) if requirement.budget is None else ())],
        key=requirement.key,
        laws=(solution.law,),
        data=data,
    )


@dataclass(frozen=True, slots=True)
class _Missed:
    """What of a requirement is missed, in the draws in which it is.

    Attributes:
        bounded, bound, limit: The side that is bounded, the other one, and its value.
        upper: Whether the bound is an upper one.
        nine_in_ten: What the bounded side comes to at the end of nine in ten draws.
    """

    bounded: Expr
    bound: Expr
    limit: float
    upper: bool
    nine_in_ten: float


def _missed(plan: Plan, drawn: _Drawn) -> _Missed:
    """The comparison that is missed most, with what it comes to."""
    each = [(part, Likely.of(drawn.problem, part)) for part in _compared(drawn.condition)]
    part, likely = min(each, key=lambda one: one[1].likelihood(drawn.values).share)
    a, b = (float(compiled(side)(drawn.values)) for side in part.args)
    sides = sides_of(plan, drawn.problem, Broken(part, a, b))
    # The score is the smaller side over the larger one.
    end = likely.quantile(drawn.values, 1.0 - SELDOM)
    comes_to = sides.limit * end if sides.upper else sides.limit / end
    return _Missed(sides.bounded, sides.bound, sides.limit, sides.upper, comes_to)


def _compared(condition: Expr) -> Iterator[Op]:
    return (part for part in parts(ways(condition)) if isinstance(part, Op))


def _figure(problem: Problem, expr: Expr, value: float) -> str:
    known = problem.quantities.get(expr.name.text) if isinstance(expr, Ref) else None
    return f"{100 * value:.4g} %" if known and known.facts.per_cent else show(value, dim_of(problem, expr))


def _uncertain(drawn: _Drawn) -> Iterator[Definition]:
    """What is not known for sure that the condition hangs on."""
    for d in natural(drawn.problem).definitions.values():
        if d.spread and any(deviate in drawn.likely.over for deviate, _ in d.deviates):
            yield d


def _assumed(drawn: _Drawn) -> Iterator[str]:
    """What is assumed, and what it may be."""
    problem = natural(drawn.problem)
    for d in _uncertain(drawn):
        middle = problem.expanded(Ref(d.name))
        if d.spread and isinstance(middle, Num):
            far = math.exp(QUANTILE * d.spread)
            ends = (middle.value / far, middle.value * far)
            at, low, high = (_figure(problem, Ref(d.name), each) for each in (middle.value, *ends))
            said = "is" if d.name.kind == "let" else "is assumed to be"
            yield f"`{d.name}` {said} {at}, and {'' if said == 'is' else 'is '}{low} to {high} in eight of ten runs"


def _stated(drawn: _Drawn) -> list[str]:
    """The MFU that would do, where that alone decides: to be measured, and stated. Where it is not of the rate, what
    else would be.
    """
    problem, edge = natural(drawn.problem), drawn.likelihood.edge
    uncertain = list(_uncertain(drawn))
    assumed = [d for d in uncertain if d.kind == "assumed"]
    if not assumed:
        return []
    first = assumed[0]
    known = problem.quantities.get(first.name.text)
    if known is not None and known.facts.kind == "goodput" and known.facts.given is not None:
        return [f"state what your own cluster tells of it, such as `{first.name.text}: {known.facts.given.example}`"]
    middle = problem.expanded(Ref(first.name))
    if edge is None or len(uncertain) > 1 or first.name != q.MFU or not isinstance(middle, Num):
        return ["measure what a few steps reach, and state the rate: `at 40% MFU`"]
    assert first.spread is not None
    least, (own,) = middle.value * math.exp(first.spread * edge), drawn.likely.over
    up = edge < 0
    told = (math.ceil if up else math.floor)(least * 1000) / 1000
    if not drawn.likely.holds(drawn.values, {own: math.log(told / middle.value) / first.spread}):
        return []
    more = "or more" if up else "or less"
    return [f"it holds at an MFU of {percent(told)} {more}: measure what a few steps reach, and state it"]


def _bound_that_holds(problem: Problem, missed: _Missed) -> list[str]:
    """The bound that nine in ten draws keep, as the plan would write it."""
    number = number_of(problem, missed.bound)
    if number is None:
        return []
    step = step_of(problem, missed.bounded.name) if isinstance(missed.bounded, Ref) else 0.0
    as_written = written(number, number.dim, step)
    bound = as_written.text(as_written.rounded(missed.nine_in_ten, not missed.upper, DIGITS))
    return [f"nine in ten draws keep `{shown(missed.bounded)} {'<=' if missed.upper else '>='} {bound}`"]
