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

    guess = math.log(size) if (size := solution.get("law_params")) else math.log(compute) / 2 - 0.9

    def least_at(log_compute: float) -> float:
        nonlocal guess
        spent = math.exp(log_compute)
        # The optimum moves little between budgets; the loss there is flat, so a coarse size will do.
        guess = least(lambda x: surface.at(math.exp(x), spent), guess, 6.0, 1e-4)
        return surface.at(math.exp(guess), spent)

    def worse(log_compute: float) -> float:
        return least_at(log_compute) - reached

    high = math.log(compute)
    if worse(high) > 0.0:
        return 0.0  # as good as it gets, but for the last digits
    low = high - 1.0
    while worse(low) < 0.0:
        low -= high - low
        if high - low > FAR:
            return None
    return max(0.0, compute / math.exp(crossing(worse, high, low, CLOSE)) - 1.0)
