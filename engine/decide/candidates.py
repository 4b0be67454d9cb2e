"""Plans to the one to choose: the best, by what all of them have, of those that keep what they require."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref
from runplan.dsl.units.dims import Dim
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.digits import as_written, holds
from runplan.engine.solve.margin import broken_at
from runplan.engine.solve.needed import at_needed_rate
from runplan.engine.solve.reach import reached
from runplan.engine.solve.whole import Reached

# By what plans are told apart where they do not all have one goal, the first on which they differ.
BY = (q.LOSS, q.COST, q.GPU_HOURS, q.COMPUTE, q.TIME)
# Figures that differ by less than this share are the same.
ALIKE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What becomes of a plan.

    Attributes:
        at: Computes the values of its solution; None where it has none.
        broken: What it requires and does not keep, as it is written; what keeps it from being done has no name.
    """

    at: Callable[[], Mapping[Name, float]] | None
    broken: tuple[str, ...] = ()

    @cached_property
    def values(self) -> Mapping[Name, float] | None:
        """All values, in base units; None where the plan has no solution. Who asks only what holds needs none."""
        return None if self.at is None else self.at()

    @property
    def holds(self) -> bool:
        """Whether the plan can be done, and keeps what it requires."""
        return self.at is not None and not self.broken


@dataclass(frozen=True, slots=True)
class Measure:
    """What plans are told apart by: a quantity of each, of which less is better, or more."""

    name: Name
    dim: Dim
    more: bool = False

    def of(self, values: Mapping[Name, float]) -> float:
        """What it comes to, the less the better."""
        value = values[self.name]
        return -value if self.more else value


def outcome_of(problem: Problem) -> Outcome:
    """What becomes of a plan, solved as it is meant."""
    return outcome_at(problem, reached(problem))


def outcome_at(problem: Problem, found: Reached) -> Outcome:
    """The same of a plan of which it is known what solves it as its figures stand."""
    if found.found.outcome == "infeasible":
        agreeing = at_needed_rate(problem) or as_written(problem)
        found = reached(agreeing) if agreeing is not None else found
    if not found.is_optimal:
        return Outcome(None)
    broken = broken_at(found)
    texts = dict.fromkeys(c.text for c in found.problem.held if c.key in broken)
    return Outcome(lambda: found.values, tuple(texts))


def broken_by(problem: Problem, outcome: Outcome) -> str:
    """What a plan requires and does not keep; where it cannot be done, that without which it could be."""
    if outcome.values is not None:
        return next(iter(outcome.broken), "")
    required = [c for c in problem.constraints if c.kind == "require"]
    return next((c.text for c in required if holds(problem.without({c.key}))), "it cannot be done")


def measure_of(problems: Sequence[Problem], outcomes: Sequence[Outcome], *, losses: bool) -> Measure | None:
    """By what to choose among plans: the goal that all of them state, else the first of some on which they differ.

    Args:
        losses: Whether their losses may be compared.
    """
    there = [outcome.values for outcome in outcomes if outcome.values is not None]
    if len(there) < 2:
        return None
    goals = {(p.goals[0].sense, p.goals[0].expr) if p.stated and p.goals else None for p in problems}
    stated = next(iter(goals)) if len(goals) == 1 else None
    wanted = [(stated[1].name, stated[0] == "maximize")] if stated and isinstance(stated[1], Ref) else []
    for name, more in (*wanted, *((name, False) for name in BY)):
        if (name == q.LOSS and not losses) or not all(name in values for values in there):
            continue
        dims = {p.dim(name) for p, o in zip(problems, outcomes, strict=True) if o.values is not None}
        ends = [values[name] for values in there]
        if len(dims) == 1 and max(ends) - min(ends) > ALIKE * max(map(abs, ends)):
            return Measure(name, next(iter(dims)), more)
    return None


def best_of(outcomes: Sequence[Outcome], measure: Measure) -> int | None:
    """The plan to choose: the best of those that hold; None where none does. Of those that are alike the first."""
    best: int | None = None
    least = math.inf
    for i, outcome in enumerate(outcomes):
        if outcome.values is not None and outcome.holds and measure.name in outcome.values:
            at = measure.of(outcome.values)
            if best is None or at < least - 1e-9 * abs(least):
                best, least = i, at
    return best
