"""Values of the variables to a solution: everything else derived, each value with where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from runplan.dsl.expr.dimensions import Dimensions
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.units.dims import Dim
from runplan.engine.laws.form import cite_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Constraint, Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value

# Leaving a law's own optimum line by less than this factor is rounding.
ON_THE_LINE = 1.01


def solved(
    problem: Problem,
    env: Mapping[Name, float],
    binding: Iterable[Constraint] = (),
    about: Collection[Name] | None = None,
) -> Solution:
    """The solution at given values of the variables, everything else derived.

    Args:
        about: What it is asked for; everything unless said.
    """
    problem = problem.settled()
    every = dict(env)
    derive(problem, every, None if about is None else (*map(Ref, about), *(problem.line.args if problem.line else ())))
    active = [constraint for constraint in binding if constraint.kind != "link"]
    bound = list(dict.fromkeys(constraint.text for constraint in active))
    stated = (name for name in (q.TOKENS, q.PARAMS) if name in problem.givens and problem.variables)
    bound += [str(name) for name in stated if str(name) not in bound]
    off_line = _off_line(problem, every)
    if problem.frontier and off_line is not None and not 1 / ON_THE_LINE < off_line < ON_THE_LINE:
        # The law's loss is that of its optimum: off its line it says nothing.
        for name in (q.LOSS, q.PERPLEXITY):
            every.pop(name, None)
    known = problem.definitions.keys() | {v.name for v in problem.variables}
    told = (name for name in every if name in known and (about is None or name in about))
    return Solution(
        law=problem.named,
        resolved=problem.law.name,
        status="solved",
        values={name: _value(problem, name, every[name], active, bound) for name in told},
        binding=tuple(bound),
        active=frozenset(constraint.key for constraint in active),
        conflict=(),
        findings=problem.findings,
        sources=problem.sources,
        problem=problem,
        off_line=off_line,
    )


def valued(definition: Definition, figure: float) -> Value:
    """What a definition comes to, in base units."""
    d = definition
    inputs = tuple(sorted(names(d.expr), key=str))
    return Value(d.name, figure, d.dim, None, None, d.kind, d.expr, inputs, d.source, d.span, d.note, d.by)


def _value(problem: Problem, name: Name, value: float, active: Iterable[Constraint], binding: Iterable[str]) -> Value:
    d = problem.definitions.get(name)
    if d is not None:
        return valued(d, value)
    variable = next(v for v in problem.variables if v.name == name)
    mentioned: set[Name] = set()
    # Later goals only break ties, but for that of staying near a law's line.
    for goal in (g for i, g in enumerate(problem.goals) if i == 0 or g.sense == "near"):
        mentioned |= names(goal.expr) | (names(goal.other) if goal.other is not None else set())
    for constraint in active:
        mentioned |= names(constraint.left) | names(constraint.right)
    subject = ", ".join(binding)
    formula = f"solved: {problem.goal}" + (f", subject to {subject}" if subject else "")
    inputs = tuple(sorted(mentioned - {v.name for v in problem.variables}, key=str))
    cite, by = ("", "") if problem.lawless else (cite_of(problem.law), problem.law.name)
    return Value(name, value, variable.dim, None, None, "solved", formula, inputs, cite, variable.span, by=by)


def _off_line(problem: Problem, env: Mapping[Name, float]) -> float | None:
    line = problem.line
    if line is None:
        return None
    try:
        return float(compiled(line.args[0])(env)) / float(compiled(line.args[1])(env))
    except (KeyError, ArithmeticError, ValueError):
        return None


def dim_of(problem: Problem, expr: Expr) -> Dim:
    """The dimension of an expression over the problem's names, and quantities that are found beside it."""
    dims = {name: d.dim for name, d in problem.definitions.items()} | {v.name: v.dim for v in problem.variables}
    beside = ((name, problem.quantities.get(name.text)) for name in names(expr) - dims.keys())
    dims |= {name: known.counted.dim for name, known in beside if known is not None}
    try:
        return Dimensions(dims).of(expr)
    except (ValueError, KeyError):
        return ()


def number_of(problem: Problem, bound: Expr) -> Num | None:
    """The value of a bound, as it is written where it is one figure."""
    while isinstance(bound, Ref) and bound.name in problem.definitions:
        bound = problem.definitions[bound.name].expr
    expanded = problem.expanded(bound)
    if names(expanded):
        return None
    return Num(float(value_of(expanded, {})), dim_of(problem, bound), shown(bound) if isinstance(bound, Num) else "")
