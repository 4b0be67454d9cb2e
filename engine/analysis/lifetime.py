"""A solution with tokens to serve to the size that is cheapest over training and serving, and when it pays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Ref
from runplan.dsl.expr.values import compiled
from runplan.engine.analysis.counted import total_of
from runplan.engine.laws.steps import cheapest
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.solution import Solution, Value

# Sizes that differ by less than this factor are the same choice.
SAME = 1.005
FREE = (q.LAW_PARAMS, q.TOKENS)
SOURCE = "Sardana et al. 2023 (arXiv:2401.00448), equation 1"


def with_lifetime(solution: Solution) -> Solution:
    """The solution with the size of least lifetime compute at its own loss; as it is where nothing is served.

    `lifetime_params` on `lifetime_tokens` save `lifetime_saving` of the lifetime compute. At `break_even_tokens` served
    they cost as much as the plan's size, or, where that is theirs, as the one that is cheapest to train; beyond, the
    smaller of the two is cheaper.
    """
    needed = {q.INFERENCE_TOKENS, q.LIFETIME_COMPUTE, q.LOSS, q.COMPUTE, *FREE}
    if solution.status != "solved" or solution.problem.frontier or not needed <= solution.values.keys():
        return solution
    if solution.problem.is_mixture:  # how many of other params would be active is not told
        return solution
    found = dict(_values(solution))
    return replace(solution, values={**solution.values, **found}) if found else solution


def _values(solution: Solution) -> Iterator[tuple[Name, Value]]:
    v = {name: value.value for name, value in solution.values.items()}
    best = _cheapest(solution, q.LIFETIME_COMPUTE)
    if best is None or best[1] > _data(solution):
        return
    there = dict(zip(FREE, best, strict=True))
    differs = not 1 / SAME < best[0] / v[q.LAW_PARAMS] < SAME
    other = (v[q.LAW_PARAMS], v[q.TOKENS]) if differs else _cheapest(solution, q.COMPUTE)
    saving = 1.0 - _at(solution, q.LIFETIME_COMPUTE, there) / v[q.LIFETIME_COMPUTE] if differs else 0.0
    told = {
        q.LIFETIME_PARAMS: (total_of(solution, best[0]), "the size of least lifetime_compute at the same loss"),
        q.LIFETIME_TOKENS: (best[1], "the tokens of least lifetime_compute at the same loss"),
        q.LIFETIME_TRAINING: (_at(solution, q.COMPUTE, there), "the compute that trains it"),
        q.LIFETIME_SAVING: (saving, "1 - least lifetime_compute / lifetime_compute"),
    }
    if other is not None and not 1 / SAME < best[0] / other[0] < SAME:
        trained = [_at(solution, q.COMPUTE, dict(zip(FREE, point, strict=True))) for point in (best, other)]
        # Serving costs the same a param and token whatever the size.
        a_token = v[q.INFERENCE_COMPUTE] / v[q.INFERENCE_TOKENS] / v[q.LAW_PARAMS]
        even = (trained[0] - trained[1]) / (a_token * (other[0] - best[0]))
        than = "the plan's size" if differs else "the size that is cheapest to train"
        if even > 0:
            # Each token served costs less of the smaller one.
            first, then = ("it", than) if best[0] > other[0] else (than, "it")
            said = f"tokens served up to which {first} is cheaper, and beyond which {then} is"
            told[q.BREAK_EVEN_TOKENS] = (even, said.replace("it is", "the size of least lifetime_compute is"))
    dims = {q.LIFETIME_PARAMS: q.LAW_PARAMS, q.LIFETIME_TOKENS: q.TOKENS, q.BREAK_EVEN_TOKENS: q.TOKENS}
    dims |= {q.LIFETIME_TRAINING: q.COMPUTE}
    inputs = (q.INFERENCE_TOKENS, q.LIFETIME_COMPUTE, q.LOSS)
    for name, (value, formula) in told.items():
        dim = solution.values[dims[name]].dim if name in dims else ()
        span = solution.values[q.INFERENCE_TOKENS].span
        yield name, Value(name, value, dim, None, None, "derived", formula, inputs, SOURCE, span)


def _data(solution: Solution) -> float:
    """The most tokens that the plan's data give; once each, where the loss takes all for fresh."""
    v = solution.values
    once = bool(solution.sources) and q.DATA_TOKENS in v and q.EFFECTIVE_TOKENS not in v
    fresh = v[q.DATA_TOKENS].value if once else math.inf
    caps = [c for c in solution.problem.constraints if c.kind == "data" and c.left == Ref(q.TOKENS)]
    env = {name: value.value for name, value in v.items()}
    return min([fresh, *(float(compiled(cap.right)(env)) for cap in caps)])


def _cheapest(solution: Solution, what: Name) -> tuple[float, float] | None:
    """Params, as the law counts them, and tokens of the least `what` at the solution's loss."""
    loss, whole = _over_free(solution, q.LOSS), _over_free(solution, what)
    start = (solution.values[q.LAW_PARAMS].value, solution.values[q.TOKENS].value)
    return cheapest(loss, whole, solution.values[q.LOSS].value, FREE, start)


def _over_free(solution: Solution, name: Name) -> Expr:
    """A quantity over params and tokens, whatever the plan says of them."""
    own = (*FREE, q.PARAMS)
    kept: dict[Name, Definition] = {n: d for n, d in solution.problem.definitions.items() if n not in own}
    return replace(solution.problem, definitions=kept).expanded(Ref(name))


def _at(solution: Solution, name: Name, point: Mapping[Name, float]) -> float:
    return float(compiled(_over_free(solution, name))(point))
