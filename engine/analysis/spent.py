"""Draws of a run that takes all that its hardware gives, or its budget: only size and tokens move."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, Ref, names
from runplan.dsl.expr.values import function_of
from runplan.engine.analysis.drawn import (
    CLOSE,
    LOOSE,
    NEAR,
    Resolver,
    Same,
    general,
    loss_of,
    moved,
    moved_by_law,
    region_at,
)
from runplan.engine.analysis.region import drawn_lines
from runplan.engine.numeric.functions import signomial
from runplan.engine.numeric.search import crossing, least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import Draw, is_deviate
from runplan.engine.problem.parts import Goal
from runplan.engine.problem.problem import Problem

# Steps of a search along a line.
STEPS = 20

# ---- the least loss: along the edge of what the limits allow


def on_the_edge(problem: Problem, centre: Mapping[Name, float]) -> Resolver | None:
    """Where the loss is least in the region that the limits leave; None where they are no lines."""
    variables = sorted(centre, key=lambda name: name == q.TOKENS)
    if not variables:
        return Same({})
    if len(variables) > 2 or any(moved_by_law(problem, c) for c in problem.constraints):
        return None
    x, y = variables if len(variables) == 2 else (Name("x"), variables[0])
    at = {"x": math.log(centre[x]) if x in centre else 0.0}
    free = {v.name for v in problem.variables}
    moving = [c for c in problem.constraints if names(problem.expanded(Op("/", (c.left, c.right)))) & free]
    lines = drawn_lines(problem, moving, x, y)
    region = region_at(lines, at)
    loss = loss_of(problem)
    if region is None or not all(name in free or problem.is_drawn(name) for name in names(loss)):
        return None
    if len(variables) == 1 and not any(moved(problem, c, is_deviate) for c in moving):
        within = region({})
        return Same({y: math.exp(within.most(0.0))}) if within is not None else lambda draw: None
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


def along_the_line(problem: Problem, line: Goal, centre: Mapping[Name, float]) -> Resolver | None:
    """The size and the tokens of an optimum line that each draw moves; None where what is spent is no product."""
    run = sorted(centre, key=lambda name: name == q.TOKENS)
    spent = (signomial(problem.undrawn().expanded(Ref(q.COMPUTE))) or ()) if q.COMPUTE in problem.definitions else ()
    if len(run) != 2 or len(spent) != 1 or not spent[0].exponents.keys() >= set(run):
        return None
    x, y = run
    if any(moved_by_law(problem, c) for c in problem.constraints) or spent[0].exponents.keys() - set(run):
        return None
    assert line.other is not None, "a line is near something"
    off = problem.undrawn().expanded(Op("/", (line.expr, line.other)))
    constants = tuple(sorted(names(off) - {x, y}))
    if not all(map(problem.is_drawn, constants)):
        return None
    free = set(run)
    moving = [c for c in problem.constraints if names(problem.expanded(Op("/", (c.left, c.right)))) & free]
    region = region_at(drawn_lines(problem, moving, x, y), {"x": math.log(centre[x])})
    if region is None:
        return None
    value, slow = function_of(off, (x, y, *constants)), general(problem, centre)
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
