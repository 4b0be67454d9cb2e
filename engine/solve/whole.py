"""A count of devices to whole ones, up to full nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.expr.tree import Num
from runplan.dsl.expr.values import compiled
from runplan.engine.formulate.scope import OF_THE_RUN
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.values import evaluate


def whole_gpus(problem: Problem, env: Mapping[str, float]) -> dict[str, float] | None:
    """Variables held for a second pass with whole GPUs, up to full nodes; None where they are whole already.

    Rounded up, the run stays as it was found; where a limit forbids that, the GPUs are rounded down and the run is
    found anew.
    """
    up: dict[str, float] = {}
    down: dict[str, float] = {}
    for variable in problem.variables:
        if not variable.name.endswith("gpus"):
            continue
        prefix = variable.name.removesuffix("gpus")
        node = problem.definitions.get(f"{prefix}nodes_of")
        step = node.expr.value if node is not None and isinstance(node.expr, Num) else 1.0
        count = env[variable.name] / step
        whole = max(1.0, math.ceil(count - 1e-6))
        if abs(whole - count) > 1e-6:
            up[variable.name] = whole * step
            down[variable.name] = max(1.0, math.floor(count)) * step
    if not up:
        return None
    run = {v.name: env[v.name] for v in problem.variables if v.name in OF_THE_RUN}
    return up | run if _keeps(problem, {**env, **up}) else down


def _keeps(problem: Problem, env: dict[str, float]) -> bool:
    """Whether values of the variables keep every limit."""
    evaluate(problem, env)
    for limit in problem.limits:
        left, right = float(compiled(limit.left)(env)), float(compiled(limit.right)(env))
        if left - right > 1e-6 * max(abs(left), abs(right)):
            return False
    return True
