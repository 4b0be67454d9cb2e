"""A solution to the function that solves its plan anew for other constants of its law, and other rates.

A draw of the constants moves the loss, and with it the choice of size and tokens; a draw of what is assumed of the
devices moves what they give. Most plans leave one thing to be found: along the edge of what their limits allow, along
the curve on which a required loss is reached, or how many devices, or how long, a run takes. That is searched for here,
for each draw anew, whichever limits bind there. What is of another form the general solver solves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import compiled, function_of
from runplan.engine.analysis.region import Line, Region, drawn_lines, monomial_of, region_of
from runplan.engine.numeric.functions import signomial
from runplan.engine.numeric.search import crossing, least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import Draw, published, uncertain_constants
from runplan.engine.problem.following import Following
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem, derive
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.whole import rounded_up, whole

DRAWS = 1000
# Where each draw must be solved by the general solver, fewer of them are taken.
SLOW_DRAWS = 60
# A search goes this far, in the logarithm of the size, from the solution at the published constants, and so near.
NEAR, CLOSE = 5.0, 1e-6
# Steps of a search along a line.
STEPS = 20
# A limit may be off by this much, relatively, where a draw is searched for.
LOOSE = 1e-5

# From a draw to the values of the variables; None where the draw has no solution.
Resolver = Callable[[Draw], dict[Name, float] | None]


def resolver(solution: Solution) -> tuple[Resolver, int]:
    """A function from a draw to the values of the variables, and how many draws it is good for."""
    problem = solution.problem.deviating()
    centre = {v.name: solution.values[v.name].value for v in problem.variables if v.name in solution.values}
    if solution.status != "solved" or len(centre) < len(problem.variables):
        return lambda draw: None, 2
    if _is_pinned(problem):
        return lambda draw: dict(centre), DRAWS
    of_the_run = problem.quantities.decided_by("run")
    # Of stages the hardware of each is what the split of the budget makes it.
    held = {} if problem.stages else {name: value for name, value in centre.items() if name.text not in of_the_run}
    # What nothing moves is no goal: of a run that is given the hardware is what it takes.
    free = set(centre)
    goal = next((each.expr for each in problem.goals if names(problem.expanded(each.expr)) & free), Num(0.0))
    if goal == Ref(q.LOSS):
        # The least loss takes all the hardware that the constraints allow, whatever the constants: only the run moves.
        found = _on_the_edge(problem.fixed(held), {n: v for n, v in centre.items() if n not in held})
        if found is not None:
            return (lambda draw: None if (run := found(draw)) is None else run | held), DRAWS
        return _general(problem.fixed(held), centre, held), SLOW_DRAWS
    # As much compute as there is, in the size that a line has for it: there, too, only the run moves.
    wanted = (each for each in problem.goals if each.expr != Ref(q.COMPUTE) and _leaves(problem, each))
    line = next(wanted, None)
    if line is not None and line.sense == "near" and _is_of_law(problem, line):
        # Hardware that is to be found is what the run of each draw takes.
        quick = None if held else _along_the_line(problem, line, centre)
        return (quick, DRAWS) if quick is not None else (_general(problem, centre), SLOW_DRAWS)
    bounds = [c for c in problem.constraints if _moved_by_law(problem, c)]
    if not bounds and not _moved_by_law(problem, Constraint("", "", goal, Num(1.0), "require")):
        # Neither what is wanted nor what limits it is the law's: the constants move the loss, not the choice.
        if not any(_moved(problem, c, _is_deviate) for c in problem.constraints):
            return lambda draw: dict(centre), DRAWS
        quick = _as_much_as_needed(problem, goal, centre, held)
    else:
        quick = _at_a_loss(problem, goal, centre, held, bounds)
    return (quick, DRAWS) if quick is not None else (_general(problem, centre), SLOW_DRAWS)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A function from a draw to all values that the plan has there; those that cannot be told are left out.

    Attributes:
        at: The values of the variables, or all of them.
        following: All other values by these.
    """

    at: Resolver
    following: Following | None = None

    @property
    def still(self) -> frozenset[Name]:
        """The names of values that are the same in every draw."""
        return frozenset() if self.following is None else self.following.still

    def __call__(self, draws: Sequence[Draw]) -> list[dict[Name, float] | None]:
        """The values in each of some draws; None where it has no solution."""
        found = list(map(self.at, draws))
        if self.following is None:
            return found
        points = [{**one, **draw} for one, draw in zip(found, draws, strict=True) if one is not None]
        every = iter(self.following.together(points))
        return [None if one is None else next(every) for one in found]


def evaluator(solution: Solution) -> tuple[Evaluator, int]:
    """The same as `resolver` for all values that the plan has."""
    resolve, count = resolver(solution)
    problem = solution.problem.deviating()
    known = {v.name for v in problem.variables} | published(problem.law).keys() | {*problem.deviates}
    return Evaluator(resolve, Following(problem.definitions, known)), count


def _general(problem: Problem, centre: Mapping[Name, float], held: Mapping[Name, float] | None = None) -> Resolver:
    """Each draw by the general solver, devices whole."""
    begun = problem.beginning(centre, nearby=True)

    def solved(draw: Draw) -> dict[Name, float] | None:
        reached = whole(begun.at(draw))
        return {**reached.found.values, **(held or {})} if reached.is_optimal else None

    return solved


def _is_pinned(problem: Problem) -> bool:
    """Whether equalities leave nothing to choose; then a run that takes longer than there is time is still that run."""
    equal = [c for c in problem.constraints if c.equal and not _moved(problem, c, problem.is_drawn)]
    over = [names(problem.expanded(Op("-", (c.left, c.right)))) for c in equal]
    free = {v.name for v in problem.variables}
    return len(equal) >= len(free) and free <= frozenset().union(*over)


def _moved_by_law(problem: Problem, constraint: Constraint) -> bool:
    """Whether a constraint depends on the law's constants, such as a bound on the loss."""
    return _moved(problem, constraint, lambda name: problem.is_drawn(name) and not _is_deviate(name))


def _leaves(problem: Problem, goal: Goal) -> bool:
    """Whether a goal is about what no equality settles alone."""
    equal = [c for c in problem.constraints if c.equal and not _moved(problem, c, problem.is_drawn)]
    free = {v.name for v in problem.variables}
    over = [names(problem.expanded(Op("-", (c.left, c.right)))) & free for c in equal]
    settled = frozenset[Name]().union(*(each for each in over if len(each) == 1))
    about = goal.expr if goal.other is None else Op("/", (goal.expr, goal.other))
    return bool(names(problem.expanded(about)) & free - settled)


def _is_of_law(problem: Problem, line: Goal) -> bool:
    """Whether draws of the law's constants move an optimum line."""
    assert line.other is not None, "a line is near something"
    uncertain = uncertain_constants(problem.law)
    return _moved(problem, Constraint("", "", line.expr, line.other, "require"), lambda name: name in uncertain)


def _is_deviate(name: Name) -> bool:
    return name.kind == "deviate"


def _moved(problem: Problem, constraint: Constraint, by: Callable[[Name], bool]) -> bool:
    both = problem.undrawn().expanded(Op("-", (constraint.left, constraint.right)))
    return any(map(by, names(both)))


def _loss_of(problem: Problem) -> Expr:
    """The loss over the variables and what is drawn."""
    return problem.undrawn().expanded(Ref(q.LOSS))


# ---- the least loss: along the edge of what the limits allow


def _on_the_edge(problem: Problem, centre: Mapping[Name, float]) -> Resolver | None:
    """Where the loss is least in the region that the limits leave; None where they are no lines."""
    variables = sorted(centre, key=lambda name: name == q.TOKENS)
    if not variables:
        return lambda draw: {}
    if len(variables) > 2 or any(_moved_by_law(problem, c) for c in problem.constraints):
        return None
    x, y = variables if len(variables) == 2 else (Name("x"), variables[0])
    at = {"x": math.log(centre[x]) if x in centre else 0.0}
    free = {v.name for v in problem.variables}
    moving = [c for c in problem.constraints if names(problem.expanded(Op("/", (c.left, c.right)))) & free]
    lines = drawn_lines(problem, moving, x, y)
    region = _region_at(lines, at)
    loss = _loss_of(problem)
    if region is None or not all(name in free or problem.is_drawn(name) for name in names(loss)):
        return None
    constants = tuple(sorted(names(loss) - {x, y}))
    value = function_of(loss, (x, y, *constants))

    def searched(draw: Draw) -> dict[Name, float] | None:
        within = region(draw)
        if within is None:
            return None
        if len(variables) == 1:
            return {y: math.exp(within.most(0.0))}
        drawn = [draw[name] for name in constants]
        low, high = max(within.low, at["x"] - NEAR), min(within.high, at["x"] + NEAR)

        def at_size(log_size: float) -> float:
            return value(math.exp(log_size), math.exp(within.most(log_size)), *drawn)

        try:
            best = least(at_size, (low + high) / 2, (high - low) / 2, CLOSE) if high - low > CLOSE else high
        except (ArithmeticError, ValueError):
            return None
        # At an end of the region it is that end.
        best = min((low, best, high), key=lambda end: (at_size(end), abs(end - best)))
        return {x: math.exp(best), y: math.exp(within.most(best))}

    return searched


# ---- the law's optimum line: as much compute as the limits allow, in the size that the line has for it


def _along_the_line(problem: Problem, line: Goal, centre: Mapping[Name, float]) -> Resolver | None:
    """The size and the tokens of an optimum line that each draw moves; None where what is spent is no product."""
    run = sorted(centre, key=lambda name: name == q.TOKENS)
    spent = (signomial(problem.undrawn().expanded(Ref(q.COMPUTE))) or ()) if q.COMPUTE in problem.definitions else ()
    if len(run) != 2 or len(spent) != 1 or not spent[0].exponents.keys() >= set(run):
        return None
    x, y = run
    if any(_moved_by_law(problem, c) for c in problem.constraints) or spent[0].exponents.keys() - set(run):
        return None
    assert line.other is not None, "a line is near something"
    off = problem.undrawn().expanded(Op("/", (line.expr, line.other)))
    constants = tuple(sorted(names(off) - {x, y}))
    if not all(map(problem.is_drawn, constants)):
        return None
    free = set(run)
    moving = [c for c in problem.constraints if names(problem.expanded(Op("/", (c.left, c.right)))) & free]
    region = _region_at(drawn_lines(problem, moving, x, y), {"x": math.log(centre[x])})
    if region is None:
        return None
    value, slow = function_of(off, (x, y, *constants)), _general(problem, centre)
    start, of_x, of_y = math.log(centre[x]), spent[0].exponents[x], spent[0].exponents[y]

    def found(draw: Draw) -> dict[Name, float] | None:
        within = region(draw)
        if within is None:
            return None
        drawn = [draw[name] for name in constants]
        most = of_x * start + of_y * within.most(start)

        def beyond(log_size: float) -> float:
            """How far a size that spends as much is beyond that of the line."""
            return math.log(value(math.exp(log_size), math.exp((most - of_x * log_size) / of_y), *drawn))

        try:
            size = _root(beyond, start)
        except (ArithmeticError, ValueError):
            return slow(draw)

        def spared(log_size: float) -> float:
            """How much less a size can spend, within what is taken for nothing."""
            inside = within.low <= log_size <= within.high
            return most - of_x * log_size - of_y * within.most(log_size) - LOOSE / 10 if inside else math.inf

        if max(spared(start - LOOSE), spared(start + LOOSE)) < -LOOSE:
            return slow(draw)  # the size at the middle is none that spends the most
        if spared(size) > 0:  # another limit binds there: the nearest size that spends as much
            size = crossing(spared, start, size)
        return {x: math.exp(size), y: math.exp(within.most(size))}

    return found


def _root(function: Callable[[float], float], start: float) -> float:
    """Where a function that is nearly a line of slope one is zero, by secants.

    Raises:
        ArithmeticError: Where it is not found.
    """
    x, at = start, function(start)
    new = x - at
    for _ in range(STEPS):
        value = function(new)
        if abs(value) < CLOSE:
            return new
        x, at, new = new, value, new - value * (new - x) / (value - at)
    raise ArithmeticError


def _region_at(
    lines: Callable[[Draw], list[Line]] | None, centre: Mapping[str, float]
) -> Callable[[Draw], Region | None] | None:
    """The region that lines leave at a draw; None where there are no such lines."""
    if lines is None:
        return None
    before: tuple[list[Line], Region | None] | None = None

    def at(draw: Draw) -> Region | None:
        nonlocal before
        found = lines(draw)
        if before is None or found is not before[0]:
            before = found, region_of(found, centre)
        return before[1]

    return at


# ---- the hardware that a run takes


def _as_much_as_needed(
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
    terms = signomial(substitute(loss, {n: Num(draw[n]) for n in names(loss) if n in draw})) or ()
    by = {frozenset(term.exponents): term for term in terms}
    if len(by) != len(terms) or not by.keys() <= {frozenset(), frozenset({x}), frozenset({y})}:
        return None
    of_x, of_y = by.get(frozenset({x})), by.get(frozenset({y}))
    floor = by[frozenset()].coefficient if frozenset() in by else 0.0
    c1, p = (of_x.coefficient, -of_x.exponents[x]) if of_x else (0.0, 1.0)
    c2, r = (of_y.coefficient, -of_y.exponents[y]) if of_y else (0.0, 1.0)
    return _Falling(floor, c1, p, c2, r) if min(c1, c2) >= 0 and min(p, r) > 0 else None


def _at_a_loss(
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
    region = _region_at(lines, {"x": math.log(centre.get(x, 1.0))})
    budgets = {name: _budget_of(problem, name) for name in held}
    wants = names(problem.expanded(goal))
    if region is None or len(compute) != 1 or not set(compute[0].exponents) <= {x, y} or None in budgets.values():
        return None
    spends = not held and problem.expanded(goal) == problem.expanded(Ref(q.COMPUTE))
    if not (spends or (held and wants == set(held)) or len(run) == 1):
        return None
    kept = problem.without({c.key for c in moving for name in held if _is_most(problem, c, name)})
    loss, wanted = _loss_of(problem), required[0].right
    assert isinstance(wanted, Num)
    target = wanted.value
    slow = _general(problem, centre)
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
