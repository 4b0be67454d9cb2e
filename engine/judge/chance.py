"""A requirement that holds in the middle of what is assumed to how likely it is to fail.

A plan is judged at the middle. That says nothing of how often it fails: half of the runs are slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.units.show import json_unit, show
from runplan.engine.judge.requirements import broken_parts, sides_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import QUANTILE, Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.digits import holds
from runplan.engine.solve.knobs import number_of
from runplan.engine.solve.rounding import written
from runplan.engine.solve.values import dim_of
from runplan.engine.solve.whole import step_of

# Where it fails in fewer draws than this, nothing is said.
SELDOM = 0.10
# What binds in a draw is kept to this much: each is solved anew.
KEPT = 1e-6
# How near, in standard deviations, it is found where a requirement begins to fail.
NEAR = 1e-3
# Joint draws of the rate and of the law's constants, where a requirement hangs on both.
DRAWS = 200
DIGITS = 3

Values = Mapping[Name, float]
# A draw, and all values at it; None where the plan has no solution there.
Outcome = tuple[Values, Values | None]


def may_miss(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """What is required or preferred, holds, and fails in a tenth of the draws or more (H011)."""
    solution = replace(solution, problem=_by_nature(solution.problem))
    if solution.status != "solved" or not solution.problem.deviates:
        return
    env = {name: value.value for name, value in solution.values.items()}
    asked = (*plan.requires, *plan.prefers)
    at_stake = [r for r in asked if _hangs(solution.problem, r) and not broken_parts(r, env, KEPT)]
    if not at_stake:
        return
    drawn = _Drawn.of(solution)
    for requirement in at_stake:
        chance = _chance(drawn, requirement)
        if chance is not None and chance.share >= SELDOM:
            yield _finding(plan, solution, drawn, requirement, chance)


def _by_nature(problem: Problem) -> Problem:
    """The problem in which only what nature decides is uncertain: a batch that runs differ in is a choice."""
    nature = {text for text, known in problem.quantities.items() if known.facts.decided == "nature"}
    chosen = {n: replace(d, spread=None) for n, d in problem.definitions.items() if d.spread and n.text not in nature}
    return replace(problem, definitions={**problem.definitions, **chosen})


def _hangs(problem: Problem, requirement: Requirement) -> bool:
    """Whether a requirement may hang on what is assumed: by itself, or by what is found with it."""
    over = names(problem.deviating().undrawn().expanded(requirement.condition))
    return any(name.kind == "deviate" for name in over) or bool(over & {v.name for v in problem.variables})


# ---- draws


@dataclass(frozen=True)
class _Drawn:
    """The plan solved anew at a draw of what is uncertain.

    Attributes:
        problem: In which what is assumed is off by its deviates.
        at: All values at a draw; None where the plan has no solution there.
        middle: The draw of what is published and assumed.
        quick: Whether a draw is found without the general solver.
    """

    problem: Problem
    at: Callable[[Values], Values | None]
    middle: Values
    quick: bool

    @staticmethod
    def of(solution: Solution) -> _Drawn:
        # What a plan without a requirement has no use for: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.analysis.resolve import DRAWS as EVERY
        from runplan.engine.analysis.resolve import evaluator
        from runplan.engine.problem.draws import published

        at, count = evaluator(solution)
        problem = solution.problem.deviating()
        middle = {**published(problem.law), **dict.fromkeys(problem.deviates, 0.0)}
        return _Drawn(problem, at, middle, count == EVERY)

    def off(self, by: float) -> Values:
        """The draw in which all that is assumed is off by so many standard deviations."""
        return {**self.middle, **dict.fromkeys(self.problem.deviates, by)}

    @cached_property
    def joint(self) -> tuple[Outcome, ...]:
        """Draws of all that is uncertain together, the law's constants as well, each with its values."""
        from runplan.engine.problem.draws import draws

        return tuple((draw, self.at(draw)) for draw in draws(self.problem, DRAWS))

    def fails(self, requirement: Requirement, draw: Values) -> bool:
        """Whether a requirement fails at a draw."""
        return self.failed(requirement, (draw, self.at(draw)))

    def failed(self, requirement: Requirement, outcome: Outcome) -> bool:
        """Whether a requirement failed in a draw: it is broken, or but for it the plan could be done."""
        draw, values = outcome
        if values is not None:
            return bool(broken_parts(requirement, values, KEPT))
        own = {one.key for one in self.problem.kept if one.requirement == requirement}
        return bool(own) and holds(self.problem.at(draw).without(own))


@dataclass(frozen=True, slots=True)
class _Chance:
    """How likely a requirement is to fail.

    Attributes:
        share: Of the draws.
        edge: How far off what is assumed is where it begins to fail, in standard deviations; None where the law's
            constants decide it as well.
        values: Those that tell a bound which nine in ten draws keep: of all draws, or at the end of nine in ten.
    """

    share: float
    edge: float | None
    values: tuple[Values, ...]


def _chance(drawn: _Drawn, requirement: Requirement) -> _Chance | None:
    """How likely a requirement is to fail; None where that is seldom."""
    if drawn.quick and _is_moved_by_law(drawn, requirement):
        failed = sum(drawn.failed(requirement, outcome) for outcome in drawn.joint)
        values = tuple(values for _, values in drawn.joint if values is not None)
        return _Chance(failed / len(drawn.joint), None, values)
    for end in (-QUANTILE, QUANTILE):
        if not drawn.fails(requirement, drawn.off(end)):
            continue
        kept, fails = 0.0, end
        while abs(fails - kept) > NEAR:
            middle = (kept + fails) / 2
            kept, fails = (kept, middle) if drawn.fails(requirement, drawn.off(middle)) else (middle, fails)
        at_end = drawn.at(drawn.off(end))
        return _Chance(_below(-abs(fails)), kept, () if at_end is None else (at_end,))
    return None


def _below(by: float) -> float:
    """The share of a standard normal that lies below."""
    return 0.5 * math.erfc(-by / math.sqrt(2.0))


def _is_moved_by_law(drawn: _Drawn, requirement: Requirement) -> bool:
    """Whether another draw of the law's constants alone moves what is required."""
    from runplan.engine.problem.draws import is_uncertain, of_constants

    if not is_uncertain(drawn.problem.law):
        return False
    sides = [each for each in names(requirement.condition) if each in drawn.problem.definitions or each.kind != "let"]
    here = drawn.at(drawn.middle)
    there = drawn.at({**drawn.middle, **of_constants(drawn.problem.law, 1)[0]})
    if here is None or there is None:
        return True
    return any(not math.isclose(here[n], there[n], rel_tol=KEPT) for n in sides if n in here and n in there)


# ---- saying it


def _finding(plan: Plan, solution: Solution, drawn: _Drawn, requirement: Requirement, chance: _Chance) -> Finding:
    problem, share = solution.problem, f"{100 * chance.share:.2g} %"
    data: dict[str, float | str] = {"share": round(chance.share, 3)}
    missed = _missed(plan, drawn, requirement, chance)
    help = _stated(drawn, requirement, chance)
    if missed is None:
        message = f"`{_text(requirement)}` cannot be kept in {share} of draws"
    else:
        side, verb = ("above", "allows") if missed.upper else ("below", "asks for")
        verb = "prefers" if requirement.soft else verb
        limit = _figure(problem, missed.bounded, missed.limit)
        message = f"in {share} of draws `{shown(missed.bounded)}` is {side} the {limit} that the plan {verb}"
        unit, factor = json_unit(dim_of(problem, missed.bounded))
        data |= {"quantity": shown(missed.bounded), "limit": missed.limit / factor, "unit": unit}
        help += _bound_that_holds(drawn, missed)
    return finding(
        "H011",
        f"{message}: {'; '.join(_assumed(problem))}",
        requirement.span,
        severity="info" if requirement.soft else "warning",
        help=help,
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


def _missed(plan: Plan, drawn: _Drawn, requirement: Requirement, chance: _Chance) -> _Missed | None:
    """What is missed; None where the plan has no solution in those draws."""
    broken = next((found for each in chance.values if (found := broken_parts(requirement, each, KEPT))), ())
    if len(broken) != 1:  # of several alternatives none has a bound of its own
        return None
    bounded, bound, _, limit, upper = sides_of(plan, drawn.problem, *broken[0])
    reached = sorted(float(compiled(bounded)(each)) for each in chance.values)
    at = math.ceil((1.0 - SELDOM) * len(reached)) - 1
    return _Missed(bounded, bound, limit, upper, reached[at] if upper else reached[len(reached) - 1 - at])


def _text(requirement: Requirement) -> str:
    return " ".join(requirement.span.text.split())


def _figure(problem: Problem, expr: Expr, value: float) -> str:
    known = problem.quantities.get(expr.name.text) if isinstance(expr, Ref) else None
    return f"{100 * value:.4g} %" if known and known.facts.per_cent else show(value, dim_of(problem, expr))


def _assumed(problem: Problem) -> Iterator[str]:
    """What is assumed, and what it may be."""
    for d in problem.definitions.values():
        middle = problem.expanded(Ref(d.name))
        if d.spread and isinstance(middle, Num):
            far = math.exp(QUANTILE * d.spread)
            ends = (middle.value / far, middle.value * far)
            at, low, high = (_figure(problem, Ref(d.name), each) for each in (middle.value, *ends))
            yield f"`{d.name}` is assumed to be {at}, and is {low} to {high} in eight of ten runs"


def _stated(drawn: _Drawn, requirement: Requirement, chance: _Chance) -> list[str]:
    """The MFU that would do, where that alone decides: to be measured, and stated."""
    problem = drawn.problem
    (first, *others) = [d for d in problem.definitions.values() if d.kind == "assumed" and d.spread]
    middle = problem.expanded(Ref(first.name))
    if chance.edge is None or others or first.name != q.MFU or not isinstance(middle, Num):
        return ["measure what a few steps reach, and state the rate: `at 40% MFU`"]
    assert first.spread is not None
    least = middle.value * math.exp(first.spread * chance.edge)
    up = chance.edge < 0
    told = (math.ceil if up else math.floor)(least * 1000) / 1000
    if drawn.fails(requirement, drawn.off(math.log(told / middle.value) / first.spread)):
        return []
    more = "or more" if up else "or less"
    return [f"it holds at an MFU of {100 * told:.3g} % {more}: measure what a few steps reach, and state it"]


def _bound_that_holds(drawn: _Drawn, missed: _Missed) -> list[str]:
    """The bound that nine in ten draws keep, as the plan would write it."""
    number = number_of(drawn.problem, missed.bound)
    if number is None:
        return []
    step = step_of(drawn.problem, missed.bounded.name) if isinstance(missed.bounded, Ref) else 0.0
    as_written = written(number, number.dim, step)
    bound = as_written.text(as_written.rounded(missed.nine_in_ten, not missed.upper, DIGITS))
    return [f"nine in ten draws keep `{shown(missed.bounded)} {'<=' if missed.upper else '>='} {bound}`"]
