"""Draws of a run whose hardware is what it takes: so many devices, or so long, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.engine.analysis.drawn import CLOSE, LOOSE, NEAR, Resolver, general, loss_of, region_at
from runplan.engine.analysis.region import Region, drawn_lines, monomial_of
from runplan.engine.numeric.functions import signomial
from runplan.engine.numeric.search import least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.draws import Draw
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.whole import rounded_up

# ---- a run that is the same in every draw


def as_much_as_needed(
    problem: Problem, goal: Expr, centre: Mapping[Name, float], held: Mapping[Name, float]
) -> Resolver | None:
    """The devices, or the time, of a run that is the same in every draw; None where that cannot be told."""
    if len(held) != 1 or names(problem.expanded(goal)) != set(held):
        return None
    (name,) = held
    budget = _budget_of(problem, name)
    others = [c for c in problem.constraints if _is_over(problem, c, name) and c.kind != "capacity"]
    if budget is None or not all(_is_most(problem, c, name) for c in others):
        return None  # what bounds the hardware from below would leave some for the run to use

    def found(draw: Draw) -> dict[Name, float]:
        env = {**centre, name: budget(draw, centre)}
        return env | rounded_up(problem, env)

    return found


def _is_over(problem: Problem, constraint: Constraint, name: Name) -> bool:
    return name in names(problem.expanded(Op("/", (constraint.left, constraint.right))))


def _is_most(problem: Problem, constraint: Constraint, name: Name) -> bool:
    """Whether a constraint says how much of the hardware there may be at most.

    A draw that takes more is none that is left out: what the plan may come to is what the interval is for.
    """
    term = monomial_of(problem, constraint)
    return term is not None and term.exponents.get(name, 0.0) > 0 and not constraint.equal


def _budget_of(problem: Problem, name: Name) -> Callable[[Draw, Mapping[Name, float]], float] | None:
    """How much of the hardware gives the compute of a run at a draw; None where that is no product of powers."""
    capacity = next((c for c in problem.constraints if c.text == q.COMPUTE.text and c.kind == "capacity"), None)
    term = monomial_of(problem, capacity) if capacity is not None else None
    if capacity is None or term is None or not term.exponents.get(name):
        return None
    ratio, power = compiled(problem.undrawn().expanded(Op("/", (capacity.left, capacity.right)))), term.exponents[name]

    def given(draw: Draw, run: Mapping[Name, float]) -> float:
        return math.exp(-math.log(ratio({**draw, **run, name: 1.0})) / power)

    return given


# ---- a required loss: along the curve on which it is reached


@dataclass(frozen=True, slots=True)
class _Falling:
    """A loss of two power laws over logarithms: `floor + c1 exp(-p x) + c2 exp(-r y)`."""

    floor: float
    c1: float
    p: float
    c2: float
    r: float


def _falling(loss: Expr, draw: Draw, x: Name, y: Name) -> _Falling | None:
    """A loss at a draw; None where it is of another form, or does not fall."""
    terms = signomial(substitute(loss, {n: Num(draw[n]) for n in names(loss) if n in draw}))
    if terms is None:
        return None
    by = {frozenset(term.exponents): term for term in terms}
    if len(by) != len(terms) or not by.keys() <= {frozenset(), frozenset({x}), frozenset({y})}:
        return None
    of_x, of_y = by.get(frozenset({x})), by.get(frozenset({y}))
    floor = by[frozenset()].coefficient if frozenset() in by else 0.0
    c1, p = (of_x.coefficient, -of_x.exponents[x]) if of_x else (0.0, 1.0)
    c2, r = (of_y.coefficient, -of_y.exponents[y]) if of_y else (0.0, 1.0)
    return _Falling(floor, c1, p, c2, r) if min(c1, c2) >= 0 and min(p, r) > 0 else None


def at_a_loss(
    problem: Problem, goal: Expr, centre: Mapping[Name, float], held: Mapping[Name, float], bounds: list[Constraint]
) -> Resolver | None:
    """The least compute, and of hardware what gives it, at a loss that is required."""
    run = sorted((name for name in centre if name not in held), key=lambda name: name == q.TOKENS)
    required = [c for c in bounds if c.left == Ref(q.LOSS) and isinstance(c.right, Num)]
    if len(bounds) != 1 or required != bounds or not run or len(run) > 2 or len(held) > 1:
        return None
    x, y = run if len(run) == 2 else (Name("x"), run[0])
    compute = (signomial(problem.expanded(Ref(q.COMPUTE))) or ()) if q.COMPUTE in problem.definitions else ()
    own = [c for c in problem.constraints if c is not required[0]]
    moving = [c for c in own if set(held) & names(problem.expanded(Op("/", (c.left, c.right))))]
    lines = drawn_lines(problem, [c for c in own if c not in moving], x, y)
    region = region_at(lines, {"x": math.log(centre.get(x, 1.0))})
    budgets = {name: _budget_of(problem, name) for name in held}
    wants = names(problem.expanded(goal))
    if region is None or len(compute) != 1 or not set(compute[0].exponents) <= {x, y} or None in budgets.values():
        return None
    spends = not held and problem.expanded(goal) == problem.expanded(Ref(q.COMPUTE))
    if not (spends or (held and wants == set(held)) or len(run) == 1):
        return None
    kept = problem.without({c.key for c in moving for name in held if _is_most(problem, c, name)})
    loss, wanted = loss_of(problem), required[0].right
    assert isinstance(wanted, Num)
    target = wanted.value
    slow = general(problem, centre)
    start = math.log(centre.get(x, 1.0))

    def found(draw: Draw) -> dict[Name, float] | None:
        form, within = _falling(loss, draw, x, y), region(draw)
        if form is None or within is None:
            return slow(draw)
        point = _cheapest(form, target, within, compute[0].exponents, x, y, start if len(run) == 2 else None)
        if point is None:
            return slow(draw)
        env = {x: math.exp(point[0]), y: math.exp(point[1])} if len(run) == 2 else {y: math.exp(point[1])}
        env |= {name: budget(draw, env) for name, budget in budgets.items() if budget is not None}
        env |= rounded_up(problem.at(draw), env)
        return env if _keeps(kept.at(draw), env) else slow(draw)

    return found


def _cheapest(
    form: _Falling,
    target: float,
    region: Region,
    spends: Mapping[Name, float],
    x: Name,
    y: Name,
    start: float | None,
) -> tuple[float, float] | None:
    """The logarithms of size and tokens of the least compute at which a loss is reached; None where none are found."""

    def tokens(log_size: float) -> float:
        left = target - form.floor - (form.c1 * math.exp(-form.p * log_size) if start is not None else 0.0)
        return max(region.least(log_size), math.log(form.c2 / left) / form.r) if left > 0 else math.inf

    if start is None:
        return (0.0, tokens(0.0)) if tokens(0.0) <= region.most(0.0) + LOOSE else None
    room = target - form.floor
    if room <= 0 or not form.c1:
        return None
    # Below this size no tokens reach the loss.
    low, high = max(region.low, math.log(form.c1 / room) / form.p), min(region.high, start + NEAR)
    if low >= high:
        return None

    def compute(log_size: float) -> float:
        return spends.get(x, 0.0) * log_size + spends.get(y, 0.0) * tokens(log_size)

    best = min((least(compute, (low + high) / 2, (high - low) / 2, CLOSE), high), key=compute)
    return (best, tokens(best)) if tokens(best) <= region.most(best) + LOOSE else None


def _keeps(problem: Problem, env: Mapping[Name, float]) -> bool:
    """Whether values of the variables keep every constraint, nearly."""
    every = dict(env)
    derive(problem, every)
    for constraint in problem.constraints:
        left, right = float(compiled(constraint.left)(every)), float(compiled(constraint.right)(every))
        off = abs(left - right) if constraint.equal else left - right
        if off > LOOSE * max(abs(left), abs(right)):
            return False
    return True
