"""A solution to the same with the 80 % interval of its law's constants on every value that they move."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.engine.formulate.scope import OF_THE_RUN
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.search import least
from runplan.engine.problem.problem import Definition, Limit, Problem, expand
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
Draw = Mapping[str, float]


def with_intervals(solution: Solution) -> Solution:
    """The solution with `low` and `high` of each value, where the law publishes an uncertainty; else with a note."""
    if solution.status == "undecided" or not solution.values:
        return solution
    problem = solution.problem
    law = problem.law
    if law.joint is None and not any(c.error for c in law.constants.values()):
        return replace(solution, interval_note=f"`{law.name}` publishes no uncertainty of its constants")
    resolve, count = _resolver(solution)
    steps = _evaluation(problem)
    samples: dict[str, list[float]] = {}
    for draw in draws(problem, count):
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


def quantile(values: Sequence[float], q: float) -> float:
    """The quantile of unsorted values, linear between them."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def draws(problem: Problem, count: int) -> list[Draw]:
    """Values of the law's constants, drawn jointly where their covariance is known, else one by one; seeded."""
    law = problem.law
    random = Random(SEED)
    centre = {f"law.{name}": c.value for name, c in law.constants.items() if c.value is not None}
    if law.joint is None:
        errors = {f"law.{name}": c.error for name, c in law.constants.items() if c.error}
        return [{n: v + errors.get(n, 0.0) * random.gauss(0, 1) for n, v in centre.items()} for _ in range(count)]
    root = _cholesky(law.joint.covariance)
    out: list[Draw] = []
    for _ in range(count):
        normal = [random.gauss(0, 1) for _ in root]
        shift = [sum(row[j] * normal[j] for j in range(i + 1)) for i, row in enumerate(root)]
        draw = dict(centre)
        for term, by in zip(law.joint.terms, shift, strict=True):
            if isinstance(term, Op) and term.op == "ln" and isinstance(term.args[0], Ref):
                draw[f"law.{term.args[0].name}"] *= math.exp(by)
            elif isinstance(term, Ref):
                draw[f"law.{term.name}"] += by
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


def _evaluation(problem: Problem) -> list[tuple[str, Callable[[Mapping[str, float]], float]]]:
    """Definitions in an order in which they can be computed, without the law's constants."""
    done = {v.name for v in problem.variables} | {n for n in problem.definitions if n.startswith("law.")}
    left = {n: d for n, d in problem.definitions.items() if n not in done}
    out: list[tuple[str, Callable[[Mapping[str, float]], float]]] = []
    while True:
        ready = [name for name, d in left.items() if names(d.expr) <= done]
        if not ready:
            return out
        for name in ready:
            out.append((name, compiled(left.pop(name).expr)))
            done.add(name)


def _resolver(solution: Solution) -> tuple[Callable[[Draw], dict[str, float] | None], int]:
    """A function from drawn constants to the values of the variables, and how many draws it is good for."""
    problem = solution.problem
    if solution.status != "solved":
        return lambda draw: None, 2
    held = {v.name for v in problem.variables} - set(OF_THE_RUN)
    if held and problem.aims and problem.aims[0].expr == Ref("loss"):
        # The least loss takes all the hardware that the limits allow, whatever the constants: only the run moves.
        fixed = {n: solution.values[n].value for n in held}
        kept = dict(problem.definitions)
        for variable in problem.variables:
            if variable.name in held:
                value = Num(fixed[variable.name], variable.dim)
                kept[variable.name] = Definition(variable.name, variable.dim, value, "solved")
        free_variables = tuple(v for v in problem.variables if v.name not in held)
        whole = {v.name for v in free_variables}
        limits = tuple(x for x in problem.limits if names(_over(x, kept)) & whole)
        resolve, count = _resolver(
            replace(solution, problem=replace(problem, definitions=kept, variables=free_variables, limits=limits))
        )

        def with_hardware(draw: Draw) -> dict[str, float] | None:
            found = resolve(draw)
            return None if found is None else found | fixed

        return with_hardware, count
    variables = [v.name for v in problem.variables]
    centre = {name: solution.values[name].value for name in variables if name in solution.values}
    free = [limit for limit in problem.limits if limit.name in solution.binding and not _fixed_by_law(problem, limit)]
    if len(free) >= len(variables):
        # The limits alone fix every variable: the constants move the loss, not the choice.
        return lambda draw: dict(centre), DRAWS
    along = _along_budget(problem, solution, variables, centre)
    if along is not None:
        return along

    def slow(draw: Draw) -> dict[str, float] | None:
        definitions = dict(problem.definitions)
        for name, value in draw.items():
            definitions[name] = replace(definitions[name], expr=Num(value, definitions[name].dim))
        starts = tuple(replace(v, start=centre[v.name]) for v in problem.variables)
        found, env = optimum_of(replace(problem, definitions=definitions, variables=starts))
        return env if found.outcome == "optimal" else None

    return slow, SLOW_DRAWS


def _over(limit: Limit, definitions: Mapping[str, Definition]) -> Expr:
    """A limit over variables alone."""
    return expand(Op("/", (limit.left, limit.right)), definitions, {})


def _fixed_by_law(problem: Problem, limit: Limit) -> bool:
    """Whether a limit depends on the law's constants, such as a bound on the loss."""
    seen: set[str] = set()
    stack = [*names(limit.left), *names(limit.right)]
    while stack:
        name = stack.pop()
        if name.startswith("law."):
            return True
        if name not in seen and name in problem.definitions:
            seen.add(name)
            stack.extend(names(problem.definitions[name].expr))
    return False


def _along_budget(
    problem: Problem, solution: Solution, variables: Sequence[str], centre: Mapping[str, float]
) -> tuple[Callable[[Draw], dict[str, float] | None], int] | None:
    """Where a loss is least on a budget, clipped by limits that are lines in logs: one unknown is left.

    In closed form for a loss of two power laws, else by a search along the budget.
    """
    if (
        len(variables) != 2
        or not problem.aims
        or problem.aims[0].expr != Ref("loss")
        or "loss" not in problem.definitions
    ):
        return None
    bound = [limit for limit in problem.limits if limit.name in solution.binding]
    if len(bound) != 1 or _fixed_by_law(problem, bound[0]):
        return None
    budget = smooth.signomial(problem.expanded(Op("/", (bound[0].left, bound[0].right))))
    if budget is None or len(budget) != 1 or set(budget[0].exponents) != set(variables):
        return None
    lines = []
    for limit in problem.limits:
        if limit is bound[0]:
            continue
        terms = smooth.signomial(problem.expanded(Op("/", (limit.left, limit.right))))
        if terms is None or len(terms) != 1 or terms[0].coefficient <= 0 or limit.equal:
            return None
        lines.append(terms[0])
    loss = problem.definitions["loss"].expr
    kept = {n: d for n, d in problem.definitions.items() if not n.startswith("law.")}
    body = replace(problem, definitions=kept).expanded(loss)
    a, b = variables
    p, q = budget[0].exponents[a], budget[0].exponents[b]
    x0, y0 = math.log(centre[a]), math.log(centre[b])

    # Along the budget x = x0 + t, y = y0 - t p / q; each line allows a stretch of t.
    low, high = -60.0, 60.0
    for m in lines:
        at = math.log(m.coefficient) + m.exponents.get(a, 0.0) * x0 + m.exponents.get(b, 0.0) * y0
        slope = m.exponents.get(a, 0.0) - m.exponents.get(b, 0.0) * p / q
        if slope > 0:
            high = min(high, -at / slope)
        elif slope < 0:
            low = max(low, -at / slope)

    constants = sorted(n for n in names(body) if n.startswith("law."))

    def closed(draw: Draw) -> dict[str, float] | None:
        terms = smooth.signomial(substitute(body, {n: Num(draw[n]) for n in constants}))
        if terms is None:
            return None
        in_a = [m for m in terms if set(m.exponents) == {a}]
        in_b = [m for m in terms if set(m.exponents) == {b}]
        if len(in_a) != 1 or len(in_b) != 1 or any(len(m.exponents) > 1 for m in terms):
            return None
        alpha, beta = -in_a[0].exponents[a], -in_b[0].exponents[b]
        fall, rise = in_a[0].coefficient * alpha, in_b[0].coefficient * beta * p / q
        if min(alpha, beta, fall, rise) <= 0:
            return None
        # d/dt: -fall e^(-alpha x) + rise e^(-beta y) = 0
        t = (math.log(fall / rise) - alpha * x0 + beta * y0) / (alpha + beta * p / q)
        t = min(max(t, low), high)
        return {a: math.exp(x0 + t), b: math.exp(y0 - t * p / q)}

    if closed({n: _constant(problem, n) for n in constants}):
        return closed, DRAWS
    if not names(body) <= {a, b, *constants}:
        return None
    value = compiled(body)

    def searched(draw: Draw) -> dict[str, float] | None:
        def at(t: float) -> dict[str, float]:
            return {a: math.exp(x0 + t), b: math.exp(y0 - t * p / q)}

        def loss_at(t: float) -> float:
            return float(value({**at(t), **draw}))

        try:
            left, right = max(low, -NEAR), min(high, NEAR)
            return at(least(loss_at, (left + right) / 2, (right - left) / 2, 1e-4))
        except (ArithmeticError, ValueError):
            return None

    return searched, SEARCHED_DRAWS


def _constant(problem: Problem, name: str) -> float:
    expr = problem.definitions[name].expr
    assert isinstance(expr, Num)
    return expr.value
