"""A solution to the same with the 80 % interval of its law's constants on every value that they move."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from runplan.dsl.expr.name import Name, constant
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Unbound, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.search import least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Constraint, Problem, in_order
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.search import optimum_of

DRAWS = 1000
# Where each draw must be searched for, or solved by the general solver, fewer draws are taken.
SEARCHED_DRAWS = 300
SLOW_DRAWS = 60
# A search goes this far, in the logarithm of the size, from the solution at the published constants.
NEAR = 4.0
LOW, HIGH = 0.10, 0.90
SEED = 20240402
Draw = Mapping[Name, float]
# From drawn constants to the values of the variables; None where the draw has no solution.
Resolver = Callable[[Draw], dict[Name, float] | None]


def with_intervals(solution: Solution) -> Solution:
    """The solution with `low` and `high` of each value, where the law publishes an uncertainty; else with a note."""
    if solution.status == "undecided" or not solution.values:
        return solution
    problem = solution.problem
    law = problem.law
    if law.joint is None and not any(c.error for c in law.constants.values()):
        return replace(solution, interval_note=f"`{law.name}` publishes no uncertainty of its constants")
    resolve, count = _resolver(solution)
    drawn = draws(problem, count)
    known = {v.name for v in problem.variables} | drawn[0].keys() if drawn else set()
    steps = in_order(problem.definitions, known)
    samples: dict[Name, list[float]] = {}
    for draw in drawn:
        env = resolve(draw)
        if env is None:
            continue
        env.update(draw)
        for name, function in steps:
            try:
                env[name] = float(function(env))
            except (ArithmeticError, ValueError, KeyError):
                continue
        for name in solution.values:
            if name in env:
                samples.setdefault(name, []).append(env[name])
    values = {}
    for name, value in solution.values.items():
        found = samples.get(name, [])
        if value.kind in ("derived", "law", "solved") and len(found) >= count // 2:
            low, high = quantile(found, LOW), quantile(found, HIGH)
            if math.isfinite(low) and math.isfinite(high) and high - low > 1e-9 * abs(value.value):
                value = replace(value, low=min(low, value.value), high=max(high, value.value))
        values[name] = value
    return replace(solution, values=values)


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of unsorted values, linear between them."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def draws(problem: Problem, count: int) -> list[Draw]:
    """Values of the law's constants, drawn jointly where their covariance is known, else one by one; seeded."""
    law = problem.law
    random = Random(SEED)

    def own(text: str) -> Name:
        return constant(law.name, text)

    centre = {own(text): c.value for text, c in law.constants.items() if c.value is not None}
    if law.joint is None:
        errors = {own(text): c.error for text, c in law.constants.items() if c.error}
        return [{n: v + errors.get(n, 0.0) * random.gauss(0, 1) for n, v in centre.items()} for _ in range(count)]
    root = _cholesky(law.joint.covariance)
    out: list[Draw] = []
    for _ in range(count):
        normal = [random.gauss(0, 1) for _ in root]
        shift = [sum(row[j] * normal[j] for j in range(i + 1)) for i, row in enumerate(root)]
        draw = dict(centre)
        for term, by in zip(law.joint.terms, shift, strict=True):
            if isinstance(term, Op) and term.op == "ln" and isinstance(term.args[0], Unbound):
                draw[own(term.args[0].name)] *= math.exp(by)
            elif isinstance(term, Unbound):
                draw[own(term.name)] += by
        out.append(draw)
    return out


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    n = len(matrix)
    root = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(root[i][k] * root[j][k] for k in range(j))
            if i == j:
                root[i][i] = math.sqrt(max(rest, 0.0))
            elif root[j][j]:
                root[i][j] = rest / root[j][j]
    return root


def _resolver(solution: Solution) -> tuple[Resolver, int]:
    """A function from drawn constants to the values of the variables, and how many draws it is good for."""
    problem = solution.problem
    if solution.status != "solved":
        return lambda draw: None, 2
    of_the_run = {text for text, known in problem.quantities.items() if known.facts.decided == "run"}
    held = {v.name for v in problem.variables if v.name.text not in of_the_run}
    if held and problem.goals and problem.goals[0].expr == Ref(q.LOSS):
        # The least loss takes all the hardware that the constraints allow, whatever the constants: only the run moves.
        return _with_hardware(solution, {name: solution.values[name].value for name in held})
    variables = [v.name for v in problem.variables]
    centre = {name: solution.values[name].value for name in variables if name in solution.values}
    active = [c for c in problem.constraints if c.key in solution.active]
    if sum(1 for c in active if not _fixed_by_law(problem, c)) >= len(variables):
        # The constraints alone fix every variable: the constants move the loss, not the choice.
        return lambda draw: dict(centre), DRAWS
    along = _along_budget(problem, active, variables, centre)
    if along is not None:
        return along

    def slow(draw: Draw) -> dict[Name, float] | None:
        starts = tuple(replace(v, start=centre[v.name]) for v in problem.variables)
        found = optimum_of(replace(problem, variables=starts).at(draw))
        return found.values if found.is_optimal else None

    return slow, SLOW_DRAWS


def _with_hardware(solution: Solution, fixed: Mapping[Name, float]) -> tuple[Resolver, int]:
    """The resolver of the run alone, the hardware held."""
    problem = solution.problem.fixed(fixed)
    free = {v.name for v in problem.variables}
    moving = tuple(c for c in problem.constraints if names(problem.expanded(Op("/", (c.left, c.right)))) & free)
    resolve, count = _resolver(replace(solution, problem=replace(problem, constraints=moving)))

    def with_hardware(draw: Draw) -> dict[Name, float] | None:
        found = resolve(draw)
        return None if found is None else found | dict(fixed)

    return with_hardware, count


def _fixed_by_law(problem: Problem, constraint: Constraint) -> bool:
    """Whether a constraint depends on the law's constants, such as a bound on the loss."""
    seen: set[Name] = set()
    stack = [*names(constraint.left), *names(constraint.right)]
    while stack:
        name = stack.pop()
        if _is_drawn(problem, name):
            return True
        if name not in seen and name in problem.definitions:
            seen.add(name)
            stack.extend(names(problem.definitions[name].expr))
    return False


def _is_drawn(problem: Problem, name: Name) -> bool:
    """Whether a name is a constant of the plan's own law."""
    return name.kind == "constant" and name.part("law") == problem.law.name


@dataclass(frozen=True, slots=True)
class _Budget:
    """A budget that binds as a line in logs: along it x = x0 + t and y = y0 - t p / q, for t between two ends."""

    a: Name
    b: Name
    x0: float
    y0: float
    slope: float
    low: float
    high: float

    def at(self, t: float) -> dict[Name, float]:
        """The values of both variables."""
        return {self.a: math.exp(self.x0 + t), self.b: math.exp(self.y0 - t * self.slope)}


def _along_budget(
    problem: Problem, active: Sequence[Constraint], variables: Sequence[Name], centre: Mapping[Name, float]
) -> tuple[Resolver, int] | None:
    """Where a loss is least on a budget, clipped by constraints that are lines in logs: one unknown is left.

    In closed form for a loss of two power laws, else by a search along the budget.
    """
    least_loss = bool(problem.goals) and problem.goals[0].expr == Ref(q.LOSS) and q.LOSS in problem.definitions
    if len(variables) != 2 or not least_loss:
        return None
    budget = _budget(problem, active, variables, centre)
    if budget is None:
        return None
    kept = {n: d for n, d in problem.definitions.items() if not _is_drawn(problem, n)}
    body = replace(problem, definitions=kept).expanded(problem.definitions[q.LOSS].expr)
    constants = sorted(n for n in names(body) if _is_drawn(problem, n))

    def closed(draw: Draw) -> dict[Name, float] | None:
        return _least_of_two(substitute(body, {n: Num(draw[n]) for n in constants}), budget)

    if closed({n: _constant(problem, n) for n in constants}):
        return closed, DRAWS
    if not names(body) <= {budget.a, budget.b, *constants}:
        return None
    value = compiled(body)

    def searched(draw: Draw) -> dict[Name, float] | None:
        def loss_at(t: float) -> float:
            return float(value({**budget.at(t), **draw}))

        try:
            left, right = max(budget.low, -NEAR), min(budget.high, NEAR)
            return budget.at(least(loss_at, (left + right) / 2, (right - left) / 2, 1e-4))
        except (ArithmeticError, ValueError):
            return None

    return searched, SEARCHED_DRAWS


def _budget(
    problem: Problem, active: Sequence[Constraint], variables: Sequence[Name], centre: Mapping[Name, float]
) -> _Budget | None:
    """The one budget that binds, and how far along it the other constraints let one go; None where one is no line."""
    if len(active) != 1 or _fixed_by_law(problem, active[0]):
        return None
    (spent,) = _monomials(problem, active[0]) or (None,)
    if spent is None or set(spent.exponents) != set(variables):
        return None
    a, b = variables
    slope = spent.exponents[a] / spent.exponents[b]
    x0, y0 = math.log(centre[a]), math.log(centre[b])
    low, high = -60.0, 60.0
    for constraint in problem.constraints:
        if constraint.key == active[0].key:
            continue
        (line,) = _monomials(problem, constraint) or (None,)
        if line is None or line.coefficient <= 0 or constraint.equal:
            return None
        at = math.log(line.coefficient) + line.exponents.get(a, 0.0) * x0 + line.exponents.get(b, 0.0) * y0
        rise = line.exponents.get(a, 0.0) - line.exponents.get(b, 0.0) * slope
        if rise > 0:
            high = min(high, -at / rise)
        elif rise < 0:
            low = max(low, -at / rise)
    return _Budget(a, b, x0, y0, slope, low, high)


def _monomials(problem: Problem, constraint: Constraint) -> tuple[smooth.Monomial] | None:
    """The left side over the right one, where that is one monomial."""
    terms = smooth.signomial(problem.expanded(Op("/", (constraint.left, constraint.right))))
    return (terms[0],) if terms is not None and len(terms) == 1 else None


def _least_of_two(loss: Expr, budget: _Budget) -> dict[Name, float] | None:
    """Where a loss of two power laws is least along a budget; None where it is no such loss."""
    terms = smooth.signomial(loss)
    if terms is None:
        return None
    in_a = [m for m in terms if set(m.exponents) == {budget.a}]
    in_b = [m for m in terms if set(m.exponents) == {budget.b}]
    if len(in_a) != 1 or len(in_b) != 1 or any(len(m.exponents) > 1 for m in terms):
        return None
    alpha, beta = -in_a[0].exponents[budget.a], -in_b[0].exponents[budget.b]
    fall, rise = in_a[0].coefficient * alpha, in_b[0].coefficient * beta * budget.slope
    if min(alpha, beta, fall, rise) <= 0:
        return None
    # d/dt: -fall e^(-alpha x) + rise e^(-beta y) = 0
    t = (math.log(fall / rise) - alpha * budget.x0 + beta * budget.y0) / (alpha + beta * budget.slope)
    return budget.at(min(max(t, budget.low), budget.high))


def _constant(problem: Problem, name: Name) -> float:
    expr = problem.definitions[name].expr
    assert isinstance(expr, Num)
    return expr.value
