"""A plan that cannot be done at the rate that is assumed to the same at the rate that it needs."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.units.dims import NONE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Definition, Goal, Variable
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.digits import holds
from runplan.engine.solve.reach import reached

SOURCE = "what the plan's figures need: at what is assumed of runs of the kind they could not be kept"


def at_needed_rate(problem: Problem) -> Problem | None:
    """The problem at the least rate at which its figures can be kept; None where none is assumed, or none will do.

    Nobody stated the rate, so that the figures are believed before it; up to the best that was measured of a device.
    What is required is no figure: it is judged at the rate that is assumed.
    """
    assumed = [name for name, d in problem.definitions.items() if name.text == q.MFU.text and d.kind == "assumed"]
    figures = problem.without(problem.wishes)
    if not assumed or holds(figures):
        return None
    factor = _factor(figures, assumed)
    if factor is None:
        return None
    taken = {name: _taken(problem, name, factor) for name in assumed}
    for name in assumed:
        needed = Name(q.NEEDED_MFU.text, scope=name.scope)
        if needed not in problem.definitions:
            taken[needed] = Definition(needed, NONE, Ref(name), "derived", SOURCE)
    usual = {name: problem.definitions[name] for name in assumed}
    return replace(problem, definitions={**problem.definitions, **taken}, usual=usual)


def again(problem: Problem) -> Problem:
    """A problem of which something was changed, at the rate that it needs now."""
    if not problem.usual:
        return problem
    usual = replace(problem, definitions={**problem.definitions, **problem.usual}, usual={})
    return at_needed_rate(usual) or usual


def _factor(problem: Problem, assumed: list[Name]) -> float | None:
    """How many times what is assumed the figures need."""
    faster = dict(problem.definitions)
    limits = []
    for name in assumed:
        faster[name] = replace(faster[name], expr=Op("*", (faster[name].expr, Ref(q.NEEDED_FACTOR))))
        rate, ceiling = (Ref(Name(each.text, scope=name.scope)) for each in (q.RATE, q.CEILING))
        limits.append(Constraint(f"ceiling of {rate.name}", "the best rate measured", rate, ceiling, "line"))
    sought = replace(
        problem,
        definitions=faster,
        variables=(*problem.variables, Variable(q.NEEDED_FACTOR, NONE, 1.0)),
        constraints=(*problem.constraints, *limits),
    )
    found = reached(sought.aiming(Goal("minimize", Ref(q.NEEDED_FACTOR))))
    return found.found.values[q.NEEDED_FACTOR] if found.is_optimal else None


def _taken(problem: Problem, name: Name, factor: float) -> Definition:
    rate = float(value_of(problem.expanded(Ref(name)), {})) * factor
    return replace(problem.definitions[name], expr=Num(rate), kind="derived", source=SOURCE, spread=None, span=None)
