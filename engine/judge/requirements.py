"""A requirement or preference that a solution breaks to its finding: by how much, how it came to be, what would fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.text import shown, with_figures
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, comparisons, names, substitute, walk
from runplan.dsl.expr.values import compiled
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.words import times
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import json_unit, show
from runplan.engine.numeric import functions as smooth
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Definition, Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.rounding import TOLERANCE, loosened, show_plain
from runplan.engine.solve.values import dim_of


def broken(plan: Plan, solution: Solution, requirement: Requirement) -> Iterator[Finding]:
    """The finding of a constraint that a solution breaks, if it does."""
    env = {name: value.value for name, value in solution.values.items()}
    for part in comparisons(requirement.condition):
        if part.op not in ("<=", ">=", "<", ">", "==", "!="):
            continue
        left, right = part.args
        if not (names(left) | names(right)) <= env.keys():
            continue
        a, b = float(compiled(left)(env)), float(compiled(right)(env))
        slack = TOLERANCE * max(abs(a), abs(b))
        holds = {
            "<=": a <= b + slack,
            "<": a < b + slack,
            ">=": a >= b - slack,
            ">": a > b - slack,
            "==": abs(a - b) <= slack,
            "!=": a != b,
        }[part.op]
        if not holds:
            yield _broken_finding(plan, solution, requirement, part, a, b)
            return


def _is_fixed(problem: Problem, expr: Expr, plan: Plan) -> bool:
    """Whether a side of a comparison is a bound: numbers and lets, no quantity."""
    for _ in range(len(plan.lets) + 1):
        mentioned = names(expr)
        if not mentioned:
            return True
        if not mentioned <= plan.lets.keys():
            return False
        expr = Op("and", tuple(plan.lets[name].expr for name in sorted(mentioned, key=str)))
    return False


def _sides(plan: Plan, problem: Problem, part: Op, a: float, b: float) -> tuple[Expr, Expr, float, float, bool]:
    """The bounded side, the bound, their values, and whether the bound is an upper one."""
    left, right = part.args
    if _is_fixed(problem, left, plan) and not _is_fixed(problem, right, plan):
        return right, left, b, a, part.op in (">=", ">")
    return left, right, a, b, part.op in ("<=", "<")


def budget_quantity(problem: Problem, bounded: Expr, upper: bool) -> str | None:
    """The budget that a bound is on, where it is on one."""
    if not upper:
        return None
    mentioned = (item.name for item in walk(bounded) if isinstance(item, Ref) and item.name.text in problem.quantities)
    return next((str(name) for name in mentioned if problem.quantities[name.text].facts.budget), None)


def _broken_finding(plan: Plan, solution: Solution, requirement: Requirement, part: Op, a: float, b: float) -> Finding:
    problem = solution.problem
    bounded, bound, value, limit, upper = _sides(plan, problem, part, a, b)
    dim = dim_of(problem, bounded)
    budget = budget_quantity(problem, bounded, upper)
    code = "B003" if requirement.soft else ("B001" if budget else "B002")
    said_value, said_limit = _figure(value, dim), _figure(limit, dim)
    if said_value == said_limit:
        said_value, said_limit = show(value, dim, 8), show(limit, dim, 8)
    ratio = value / limit if limit else math.inf
    how = times(ratio) if upper and 0 < ratio < 1e6 else ""
    verb = "allows" if upper else "asks for"
    wanted = "prefers" if requirement.soft else verb
    if dim == DATE:
        message = f"`{shown(bounded)}` is {said_value}, after the {said_limit} that the plan {wanted}"
    elif how:
        message = f"`{shown(bounded)}` is {said_value}, {how} the {said_limit} that the plan {wanted}"
    else:
        message = f"`{shown(bounded)}` is {said_value}; the plan {wanted} {said_limit}"
    unit, factor = json_unit(dim)
    quantity = budget or shown(bounded)
    return finding(
        code,
        message,
        Label(requirement.span, _bound_label(plan, bound, limit, dim)),
        severity="warning" if requirement.soft else "error",
        also=_inputs_labels(solution, bounded),
        notes=tuple(_notes(solution, bounded)) + ((f"because: {requirement.because}",) if requirement.because else ()),
        help=_knob_help(solution, bounded, limit, upper),
        key=requirement.key,
        laws=(solution.law,),
        data={"quantity": quantity, "value": value / factor, "limit": limit / factor, "unit": unit},
    )


def _figure(value: float, dim: Dim) -> str:
    """A figure for a sentence; a date as a date."""
    return show_plain(value, dim) if dim == DATE else show(value, dim, 4)


def _bound_label(plan: Plan, bound: Expr, limit: float, dim: Dim) -> str:
    if isinstance(bound, Ref) and bound.name in plan.lets:
        line = plan.lets[bound.name].span.line
        return f"{shown(plan.lets[bound.name].expr)} from `{bound.name}`, line {line}"
    return ""


def _inputs_labels(solution: Solution, bounded: Expr) -> list[Label]:
    """The hardware, with what it amounts to, where the bounded side depends on it."""
    if not isinstance(bounded, Ref) or bounded.name not in solution.values:
        return []
    for constraint in solution.problem.constraints:
        if constraint.kind == "capacity" and constraint.span is not None:
            hours, price = (solution.values.get(name) for name in (q.GPU_HOURS, q.PRICE))
            said = show(hours.value, hours.dim, 3) if hours else ""
            if bounded.name == q.COST and price:
                said += f" at {show(price.value, price.dim)}"
            return [Label(constraint.span, said)]
    return []


def _notes(solution: Solution, bounded: Expr) -> Iterator[str]:
    """How the bounded side was computed: its formula and the values that went in."""
    if not isinstance(bounded, Ref):
        return
    definition = solution.problem.definitions.get(bounded.name)
    if definition is None or definition.kind != "derived":
        return
    expr = definition.expr
    formula = shown(expr)

    def text(name: Name) -> str | None:
        value = solution.values.get(name)
        return show(value.value, value.dim) if value else None

    with_values = with_figures(expr, text)
    yield (f"{bounded.name} = {formula} = {with_values}" if with_values != formula else f"{bounded.name} = {formula}")


def _knob_help(solution: Solution, bounded: Expr, limit: float, upper: bool) -> list[str]:
    """Changes to one given figure each that would keep the bound, computed."""
    changes = []
    problem = solution.problem
    for text, known in problem.quantities.items():
        name = quantity(text)
        definition = problem.definitions.get(name) if known.facts.knob else None
        if definition is None or definition.kind != "given" or not isinstance(definition.expr, Num):
            continue
        new = _solved_for(solution, bounded, limit, name)
        if new is None or new <= 0:
            continue
        current, said = definition.expr.value, problem.said(name)
        if name.text == q.GPUS.text:
            new = float(math.floor(new + 1e-9) if new < current else math.ceil(new - 1e-9))
            if new >= 1:
                changes.append(f"{said} {'<=' if new < current else '>='} {new:.0f}")
            continue
        down = new < current
        figure = show_plain(loosened(new, down, 3, definition.dim), definition.dim)
        changes.append(f"{said} {'<=' if down else '>='} {figure}")
    return fits_with(changes)


def fits_with(changes: Sequence[str]) -> list[str]:
    """The line of help that offers changes, each of them enough; none for none."""
    if not changes:
        return []
    return [f"it fits with {', or '.join(changes)}" + (", one at a time" if len(changes) > 1 else "")]


def _solved_for(solution: Solution, bounded: Expr, limit: float, name: Name) -> float | None:
    """The value of a given figure at which the bounded side meets the limit, all other givens kept."""
    problem = solution.problem
    # Where nothing is solved some are missing: then what follows from them has no single term.
    values = {v.name: solution.values[v.name].value for v in problem.variables if v.name in solution.values}
    held = (_in_its_time(problem) or problem.fixed(values)).loosened({name})
    terms = smooth.signomial(held.expanded(bounded))
    if terms is None or len(terms) != 1 or set(terms[0].exponents) != {name} or terms[0].coefficient <= 0:
        return None
    try:
        return float((limit / terms[0].coefficient) ** (1.0 / terms[0].exponents[name]))
    except (ArithmeticError, ValueError):
        return None


def _in_its_time(problem: Problem) -> Problem | None:
    """The problem in which the hardware is there for as long as the run takes; None where its time is not so."""
    if [v.name for v in problem.variables] != [q.RESERVED_TIME] or q.CAPACITY not in problem.definitions:
        return None
    variable = problem.variables[0]
    a_second = substitute(problem.definitions[q.CAPACITY].expr, {q.RESERVED_TIME: Num(1.0, variable.dim)})
    needed = Op("*", (Op("/", (Ref(q.COMPUTE), a_second)), Num(1.0, variable.dim)))
    time = Definition(variable.name, variable.dim, needed, "derived")
    return replace(problem, definitions={**problem.definitions, variable.name: time}, variables=())
