"""A problem to the same of which only what nature decides is uncertain."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.engine.problem.problem import Problem


def natural(problem: Problem) -> Problem:
    """The problem in which only what nature decides, and what other plans come to, is uncertain: a batch that runs
    differ in is a choice."""
    nature = problem.quantities.decided_by("nature")
    chosen = {
        n: replace(d, spread=None)
        for n, d in problem.definitions.items()
        if d.spread and n.kind != "let" and n.text not in nature
    }
    return replace(problem, definitions={**problem.definitions, **chosen}) if chosen else problem
