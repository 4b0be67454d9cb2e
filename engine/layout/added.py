"""What is found beside a solution, added to it: of a part of a run under the names of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref, substitute
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.solution import Solution, Value


def added(solution: Solution, definitions: Iterable[Definition], values: Mapping[Name, Value]) -> Solution:
    """The solution with further values, and what defines them."""
    more = {one.name: one for one in definitions}
    problem = replace(solution.problem, definitions={**solution.problem.definitions, **more})
    return replace(solution, problem=problem, values={**solution.values, **values})


def of_the_whole(
    definitions: Iterable[Definition], values: Mapping[Name, Value], own: Mapping[Name, Name]
) -> tuple[list[Definition], dict[Name, Value]]:
    """Definitions and values of a part as the whole names them.

    Args:
        own: Of each name of the part that of the whole.
    """
    by = {name: Ref(named) for name, named in own.items()}
    made = [replace(one, name=own[one.name], expr=substitute(one.expr, by)) for one in definitions]
    moved = {
        own[name]: replace(one, name=own[name], inputs=tuple(own.get(each, each) for each in one.inputs))
        for name, one in values.items()
    }
    return made, moved


def names_in_stage(stage: str, found: Mapping[Name, Value], alone: Solution, whole: Solution) -> dict[Name, Name]:
    """What the whole calls what is found of a stage alone, and what the two have in common."""
    own = {name: name.in_stage(stage) for name in (*found, *alone.values)}
    return {name: named for name, named in own.items() if name in found or named in whole.values}
