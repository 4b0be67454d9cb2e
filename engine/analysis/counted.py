"""A count of params as a law counts them to all params of the model, and back, as a plan under the law has it."""

from __future__ import annotations

import math
from collections.abc import Callable

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import names
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric.search import inverse
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution


def total_of(solution: Solution, count: float) -> float:
    """All params of a size that the law counts so; where no conversion is published, with the plan's own embeddings."""
    return _total(solution)(count)


def count_of(solution: Solution, total: float) -> float:
    """What the law counts of a size with so many params in all."""
    total_at = _total(solution)
    return total if total_at(total) == total else inverse(total_at, total, 1.0, math.e * total)


def _total(solution: Solution) -> Callable[[float], float]:
    problem = solution.problem
    turned = next(
        (t.expr for t in problem.inverses if (t.definition.name, t.of.name) == (q.LAW_PARAMS, q.PARAMS)), None
    )
    defined = problem.definitions.get(q.PARAMS)
    expr = turned or (defined.expr if defined is not None else None)
    if expr is not None:
        open_ = {name: d for name, d in problem.definitions.items() if name not in (q.LAW_PARAMS, q.PARAMS)}
        body = replace(problem, definitions=open_).expanded(expr)
        if names(body) == {q.LAW_PARAMS}:
            formula = compiled(body)
            return lambda count: float(formula({q.LAW_PARAMS: count}))
    beside = (solution.get("params") or 0.0) - (solution.get("law_params") or 0.0)
    return lambda count: count + beside
