"""A solution to the extra compute that its size costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from runplan.dsl.expr.tree import names
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric.search import least
from runplan.engine.problem.solution import Solution

Loss = Callable[[float, float], float]


def loss_function(solution: Solution) -> Loss | None:
    """The law's loss as a function of params and tokens; None where it gives none over both."""
    problem = solution.problem
    # Of a mixture the compute is not that of the size: another size would have other active params, which are not told.
    if problem.frontier or "loss" not in problem.definitions or "active_params" in problem.definitions:
        return None
    kept = {n: d for n, d in problem.definitions.items() if n not in ("law_params", "params", "tokens", "compute")}
    free = {"law_params", "tokens"}
    body = replace(problem, definitions=kept).expanded(problem.definitions["loss"].expr)
    if names(body) != free:
        return None
    function = compiled(body)
    return lambda params, tokens: float(function({"law_params": params, "tokens": tokens}))


def regret_of(solution: Solution) -> float | None:
    """The extra compute, as a share, that the solution spends over the least for its own loss."""
    loss = loss_function(solution)
    compute, reached = solution.get("compute"), solution.get("loss")
    if loss is None or compute is None or reached is None:
        return None

    guess = math.log(size) if (size := solution.get("law_params")) else math.log(compute) / 2 - 0.9

    def least_at(log_compute: float) -> float:
        nonlocal guess
        spent = math.exp(log_compute)
        # The optimum moves little between budgets; the loss there is flat, so a coarse size will do.
        guess = least(lambda x: loss(math.exp(x), spent / 6.0 / math.exp(x)), guess, 6.0, 1e-4)
        return loss(math.exp(guess), spent / 6.0 / math.exp(guess))

    high = math.log(compute)
    low = high - 1.0
    while least_at(low) < reached:
        low -= high - low
        if high - low > 60:
            return None
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (low, middle) if least_at(middle) <= reached else (middle, high)
    return max(0.0, compute / math.exp(high) - 1.0)
