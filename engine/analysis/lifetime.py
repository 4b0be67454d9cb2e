"""A solution with tokens to serve to the size that is cheapest over training and serving, and when it pays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runplan.dsl.expr.tree import Expr, Ref
from runplan.dsl.expr.values import compiled
from runplan.engine.laws.steps import cheapest
from runplan.engine.problem.problem import Definition
from runplan.engine.problem.solution import Solution, Value

# Sizes that differ by less than this factor are the same choice.
SAME = 1.005
FREE = ("law_params", "tokens")
SOURCE = "Sardana et al. 2023 (arXiv:2401.00448), equation 1"


def with_lifetime(solution: Solution) -> Solution:
    """The solution with the size of least lifetime compute at its own loss; as it is where nothing is served.

    `lifetime_params` on `lifetime_tokens` save `lifetime_saving` of the lifetime compute. Above `break_even_tokens`
    served they are cheaper than the plan's size, or, where that is theirs, than the one that is cheapest to train.
    """
    needed = {"inference_tokens", "lifetime_compute", "loss", "compute", *FREE}
    if solution.status != "solved" or solution.problem.frontier or not needed <= solution.values.keys():
        return solution
    if "active_params" in solution.values:  # how many of other params would be active is not told
        return solution
    found = dict(_values(solution))
    return replace(solution, values={**solution.values, **found}) if found else solution


def _values(solution: Solution) -> Iterator[tuple[str, Value]]:
    v = {name: value.value for name, value in solution.values.items()}
    best = _cheapest(solution, "lifetime_compute")
    if best is None or best[1] > _data(solution):
        return
    there = {"law_params": best[0], "tokens": best[1]}
    differs = not 1 / SAME < best[0] / v["law_params"] < SAME
    other = (v["law_params"], v["tokens"]) if differs else _cheapest(solution, "compute")
    saving = 1.0 - _at(solution, "lifetime_compute", there) / v["lifetime_compute"] if differs else 0.0
    told = {
        "lifetime_params": (best[0], "the size of least lifetime_compute at the same loss"),
        "lifetime_tokens": (best[1], "the tokens of least lifetime_compute at the same loss"),
        "lifetime_training": (_at(solution, "compute", there), "the compute that trains it"),
        "lifetime_saving": (saving, "1 - least lifetime_compute / lifetime_compute"),
    }
    if other is not None and not 1 / SAME < best[0] / other[0] < SAME:
        trained = [_at(solution, "compute", dict(zip(FREE, point, strict=True))) for point in (best, other)]
        # Serving costs the same a param and token whatever the size.
        a_token = v["inference_compute"] / v["inference_tokens"] / v["law_params"]
        even = (trained[0] - trained[1]) / (a_token * (other[0] - best[0]))
        than = "the plan's size" if differs else "the size that is cheapest to train"
        if even > 0:
            told["break_even_tokens"] = (even, f"tokens served above which it is cheaper than {than}")
    dims = {"lifetime_params": "law_params", "lifetime_tokens": "tokens", "break_even_tokens": "tokens"}
    dims |= {"lifetime_training": "compute"}
    inputs = ("inference_tokens", "lifetime_compute", "loss")
    for name, (value, formula) in told.items():
        dim = solution.values[dims[name]].dim if name in dims else ()
        span = solution.values["inference_tokens"].span
        yield name, Value(name, value, dim, None, None, "derived", formula, inputs, SOURCE, span)


def _data(solution: Solution) -> float:
    """The most tokens that the plan's data give; once each, where the loss takes all for fresh."""
    v = solution.values
    once = bool(solution.sources) and "data_tokens" in v and "effective_tokens" not in v
    fresh = v["data_tokens"].value if once else math.inf
    caps = [limit for limit in solution.problem.limits if limit.kind == "data" and limit.left == Ref("tokens")]
    env = {name: value.value for name, value in v.items()}
    return min([fresh, *(float(compiled(limit.right)(env)) for limit in caps)])


def _cheapest(solution: Solution, what: str) -> tuple[float, float] | None:
    """Params, as the law counts them, and tokens of the least `what` at the solution's loss."""
    loss, whole = _over_free(solution, "loss"), _over_free(solution, what)
    start = (solution.values["law_params"].value, solution.values["tokens"].value)
    return cheapest(loss, whole, solution.values["loss"].value, FREE, start)


def _over_free(solution: Solution, name: str) -> Expr:
    """A quantity over params and tokens, whatever the plan says of them."""
    own = (*FREE, "params")
    kept: dict[str, Definition] = {n: d for n, d in solution.problem.definitions.items() if n not in own}
    return replace(solution.problem, definitions=kept).expanded(Ref(name))


def _at(solution: Solution, name: str, point: Mapping[str, float]) -> float:
    return float(compiled(_over_free(solution, name))(point))
