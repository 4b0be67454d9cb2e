"""A solution with tokens to serve to the size that is cheapest over training and serving, and when it pays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from runplan.dsl.expression import Num, Ref
from runplan.engine import smooth
from runplan.engine.optimise import minimise
from runplan.engine.problem import Definition
from runplan.engine.solution import Solution

# Sizes that differ by less than this factor are the same choice.
SAME = 1.005


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The cheapest size for a loss when the model also serves.

    Attributes:
        params: The size, as the law counts it.
        tokens: What it is trained on.
        compute: FLOP of its training.
        saved: Share of the lifetime compute that it saves over the plan's choice.
        break_even: Tokens served at which both cost the same; below it the plan's choice is cheaper.
    """

    params: float
    tokens: float
    compute: float
    saved: float
    break_even: float


def lifetime_of(solution: Solution) -> Lifetime | None:
    """The least lifetime compute at the solution's own loss; None where nothing is served, or the plan's is it."""
    v = {name: value.value for name, value in solution.values.items()}
    needed = {"inference_tokens", "lifetime_compute", "loss", "compute", "law_params", "tokens"}
    if solution.status != "solved" or solution.problem.frontier or not needed <= v.keys():
        return None
    free = ("law_params", "tokens")
    kept: dict[str, Definition] = {n: d for n, d in solution.problem.definitions.items() if n not in (*free, "params")}
    posed = replace(solution.problem, definitions=kept)
    loss, whole = posed.expanded(Ref("loss")), posed.expanded(Ref("lifetime_compute"))
    try:
        reached = smooth.limit(loss, Num(v["loss"]), free)
        start = (math.log(v["law_params"]), math.log(v["tokens"]))
        found = minimise([smooth.goal(whole, free)], [reached], start=start)
    except KeyError:  # the loss needs more than size and tokens
        return None
    if found.outcome != "optimal":
        return None
    size, tokens = (math.exp(x) for x in found.x)
    if 1 / SAME < size / v["law_params"] < SAME:
        return None
    compute = 6.0 * size * tokens
    least = compute + 2.0 * size * v["inference_tokens"]
    slower = 2.0 * (v["law_params"] - size)
    break_even = (compute - v["compute"]) / slower if slower else math.inf
    return Lifetime(size, tokens, compute, 1.0 - least / v["lifetime_compute"], break_even)
