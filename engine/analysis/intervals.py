"""A solution to the same with the 80 % interval of each value: of its law's constants, and of what is assumed."""

from __future__ import annotations

import math

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Num, names
from runplan.engine.analysis.resolve import DRAWS, Resolver, evaluator
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import draws, is_uncertain, quantile
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.likely import outcomes

LOW, HIGH = 0.10, 0.90


def with_intervals(solution: Solution) -> Solution:
    """The solution with `low` and `high` of each value that the law's constants or what is assumed with a spread move.

    Where the law publishes no uncertainty a note says so.
    """
    if solution.status == "undecided" or not solution.values:
        return solution
    problem, law = solution.problem.deviating(), solution.problem.law
    if not is_uncertain(law):
        solution = replace(solution, interval_note=f"`{law.name}` publishes no uncertainty of its constants")
        if not problem.deviates:
            return solution
    evaluate, count = evaluator_of(solution)
    samples = tuple(env for draw in draws(problem, count) if (env := evaluate(draw)) is not None)
    values = {
        name: _with_ends(solution, value, [env[name] for env in samples if name in env], count)
        for name, value in solution.values.items()
    }
    return replace(solution, values=values, draws=count if count < DRAWS else 0, samples=samples)


def evaluator_of(solution: Solution) -> tuple[Resolver, int]:
    """All values at a draw: of a plan that asks how likely something is, with what it chooses held as it asks there."""
    if solution.problem.is_of_chance:
        values = {name: value.value for name, value in solution.values.items()}
        return outcomes(solution.problem.settled(), values), DRAWS
    return evaluator(solution)


def _with_ends(solution: Solution, value: Value, found: list[float], count: int) -> Value:
    """A value with the ends of its interval; as it is where fewer than half of the draws have it, or it is fixed."""
    assumed = solution.problem.definitions.get(value.name)
    uncertain = value.kind in ("derived", "law", "solved")
    uncertain |= assumed is not None and (assumed.spread is not None or bool(names(assumed.expr)))
    if not uncertain or len(found) < count // 2:
        return value
    low, high = quantile(found, LOW), quantile(found, HIGH)
    if len(found) < count and assumed is not None and assumed.spread and isinstance(assumed.expr, Num):
        far = math.exp(QUANTILE * assumed.spread)  # it may be what it may be, whether the plan can then be done or not
        low, high = value.value / far, value.value * far
    known = solution.problem.quantities.get(value.name.text)
    if known is not None and known.facts.per_cent and value.name != q.REGRET:
        low, high = max(low, 0.0), min(high, 1.0)  # what is a share of a whole
    if value.name.text == q.GPUS.text:
        low, high = float(math.floor(low)), float(math.ceil(high))
    if not (math.isfinite(low) and math.isfinite(high) and high - low > 1e-9 * abs(value.value)):
        return value
    return replace(value, low=min(low, value.value), high=max(high, value.value))
