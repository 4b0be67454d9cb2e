"""A count of devices to whole ones, up to full nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num
from runplan.dsl.expr.values import compiled
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem, derive


def counts(problem: Problem) -> list[Name]:
    """The variables that are counts of devices."""
    return [v.name for v in problem.variables if v.name.text == q.GPUS.text]


def whole_gpus(problem: Problem, env: Mapping[Name, float]) -> dict[Name, float] | None:
    """Variables held for a second pass with whole GPUs, up to full nodes; None where they are whole already.

    Rounded up, the run stays as it was found; where a constraint forbids that, the GPUs are rounded down and the run is
    found anew.
    """
    up: dict[Name, float] = {}
    down: dict[Name, float] = {}
    for name in counts(problem):
        node = problem.definitions.get(Name(q.NODES_OF.text, scope=name.scope))
        step = node.expr.value if node is not None and isinstance(node.expr, Num) else 1.0
        count = env[name] / step
        whole = max(1.0, math.ceil(count - 1e-6))
        if abs(whole - count) > 1e-6:
            up[name] = whole * step
            down[name] = max(1.0, math.floor(count)) * step
    if not up:
        return None
    of_the_run = {text for text, known in problem.quantities.items() if known.facts.decided == "run"}
    run = {v.name: env[v.name] for v in problem.variables if v.name.text in of_the_run}
    return up | run if _keeps(problem, {**env, **up}) else down


def _keeps(problem: Problem, env: dict[Name, float]) -> bool:
    """Whether values of the variables keep every constraint."""
    derive(problem, env)
    for constraint in problem.constraints:
        left, right = float(compiled(constraint.left)(env)), float(compiled(constraint.right)(env))
        if left - right > 1e-6 * max(abs(left), abs(right)):
            return False
    return True
