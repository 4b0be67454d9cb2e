"""A solution to the extra compute that its size costs."""

from __future__ import annotations

import math
from collections.abc import Callable

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.tree import Ref, names
from runplan.dsl.expr.values import compiled, function_of
from runplan.engine.laws.form import cite_of
from runplan.engine.numeric.search import crossing, least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value

# A size that costs more than this as a logarithm of compute costs what nobody can tell; and how near it is found, as a
# share of the logarithm of compute.
FAR, CLOSE = 60.0, 1e-11
# How far from a guess the best size is looked for, all over and at the least, and how near it is found; logarithms.
REACH, NEAR, COARSE = 6.0, 1e-3, 1e-5


@dataclass(frozen=True, slots=True)
class Surface:
    """A law's loss over params, as the law counts them, and tokens, and the compute that they take.

    Attributes:
        loss: In nats a token.
        flop: FLOP a param and token, by the formula of `compute` in `quantities.plan`.
    """

    loss: Callable[[float, float], float]
    flop: float

    def tokens(self, params: float, compute: float) -> float:
        """Tokens on which a size is trained with a compute in FLOP."""
        return compute / self.flop / params

    def at(self, params: float, compute: float) -> float:
        """The loss of a size at a compute."""
        return self.loss(params, self.tokens(params, compute))


def surface_of(solution: Solution) -> Surface | None:
    """The law's loss surface at a solution; None where the law gives none over both params and tokens."""
    problem = solution.problem
    # Of a mixture the compute is not that of the size: another size would have other active params, which are not told.
    if problem.frontier or q.LOSS not in problem.definitions or problem.is_mixture:
        return None
    whole = problem.definitions[q.COMPUTE].expr if q.COMPUTE in problem.definitions else Ref(q.COMPUTE)
    own = (q.LAW_PARAMS, q.PARAMS, q.TOKENS, q.COMPUTE)
    open_ = replace(problem, definitions={n: d for n, d in problem.definitions.items() if n not in own})
    loss, compute = open_.expanded(problem.definitions[q.LOSS].expr), open_.expanded(whole)
    free = {q.LAW_PARAMS, q.TOKENS}
    if names(loss) != free or names(compute) != free:
        return None
    flop = float(compiled(compute)({q.LAW_PARAMS: 1.0, q.TOKENS: 1.0}))
    return Surface(function_of(loss, (q.LAW_PARAMS, q.TOKENS)), flop)


def with_regret(solution: Solution) -> Solution:
    """The solution with the extra compute that its size costs, where its law can tell and no formula has said it."""
    told = solution.status != "solved" or q.REGRET in solution.values
    regret = None if told else regret_of(solution)
    if regret is None:
        return solution
    formula = "compute / (the least compute for the same loss) - 1"
    source, inputs = cite_of(solution.problem.law), (q.COMPUTE, q.LOSS)
    value = Value(q.REGRET, regret, (), None, None, "derived", formula, inputs, source, None)
    return replace(solution, values={**solution.values, q.REGRET: value})


def regret_at(solution: Solution) -> float | None:
    """The same as `regret_of`, by the formula of the law's optimum where there is one."""
    told = solution.get(q.REGRET)
    return regret_of(solution) if told is None else max(0.0, told)


def regret_of(solution: Solution) -> float | None:
    """The extra compute, as a share, that the solution spends over the least for its own loss."""
    surface = surface_of(solution)
    compute, reached = solution.get("compute"), solution.get("loss")
    if surface is None or compute is None or reached is None:
        return None
    least_of_all = least_compute(surface, reached, compute, solution.get("law_params"))
    return None if least_of_all is None else max(0.0, compute / least_of_all - 1.0)


def least_compute(surface: Surface, reached: float, spent: float, size: float | None = None) -> float | None:
    """The least compute, in FLOP, at which a law reaches a loss; None where it is less than anybody can tell.

    Args:
        reached: The loss.
        spent: A compute at which some size reaches it.
        size: One near the best, in params as the law counts them; as many as `spent` is for, as a rule, unless said.
    """
    high = math.log(spent)
    guess = math.log(size) if size else high / 2 - 0.9
    before = high + REACH

    def worse(log_compute: float) -> float:
        nonlocal guess, before
        compute = math.exp(log_compute)

        def loss(log_size: float) -> float:
            return surface.at(math.exp(log_size), compute)

        # The loss is flat at the optimum, so a coarse size will do; with a budget it moves less than that, as a rule.
        reach = abs(log_compute - before) + NEAR
        best = least(loss, guess, min(reach, REACH), COARSE)
        if abs(best - guess) > reach - COARSE:
            best = least(loss, guess, REACH, COARSE)
        guess, before = best, log_compute
        return loss(best) - reached

    if worse(high) > 0.0:
        return spent  # as little as can be, but for the last digits
    low = high - 1.0
    while worse(low) < 0.0:
        low -= high - low
        if high - low > FAR:
            return None
    return math.exp(crossing(worse, high, low, CLOSE))
