"""A solution to the same with how likely each thing is that the plan requires."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import clauses, parts, ways
from runplan.dsl.expr.name import written
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Op, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.engine.formulate.probable import chance_of
from runplan.engine.problem.parts import Chance, leads_to
from runplan.engine.problem.solution import Odds, Solution
from runplan.engine.solve.likely import Uncertain


def with_odds(plan: Plan, solution: Solution, about: str = "") -> Solution:
    """The solution with the odds of what is required; of ranges that the plan gives all between their ends.

    Args:
        about: The value that is asked for, as it is written, where that is one: of what is required of none that leads
            to it nothing is told.
    """
    if solution.status != "solved":
        return solution
    asked = written(solution.values).get(about)
    behind = leads_to((Ref(asked),), solution.problem.definitions) if asked is not None else None
    required = [r for r in plan.requires if behind is None or not behind.isdisjoint(names(r.condition))]
    uncertain = Uncertain.of(solution.problem.settled()) if required else None
    found = (one for r in required if uncertain is not None for one in _odds(solution, uncertain, r))
    return replace(solution, odds=tuple(found))


def _odds(solution: Solution, uncertain: Uncertain, requirement: Requirement) -> Iterator[Odds]:
    """What a requirement asks of probabilities, each by itself, and the rest of it together."""
    rest: list[Expr] = []
    for clause in clauses(ways(requirement.condition)):
        chances = [chance for part in parts(clause) if (chance := chance_of(part)) is not None]
        if not chances:
            rest.append(clause)
        for chance in chances:
            yield from _of(solution, uncertain, requirement, chance.condition, "", chance)
    if rest:
        text = requirement.span.said
        yield from _of(solution, uncertain, requirement, Op("and", tuple(rest)), text, None)


def _of(
    solution: Solution,
    uncertain: Uncertain,
    requirement: Requirement,
    condition: Expr,
    text: str,
    chance: Chance | None,
) -> Iterator[Odds]:
    """How likely a condition is; nothing where the plan does not tell all that it is about."""
    likely = uncertain.likely(condition)
    values = {name: value.value for name, value in solution.values.items()}
    if not likely.is_told(values):
        return
    found, asked = likely.likelihood(values), None
    share, most = found.share, chance is not None and isinstance(condition, Op) and condition.op == "not"
    if chance is not None:
        asked = float(value_of(solution.problem.expanded(chance.level), {}))
        text = shown(condition.args[0] if most and isinstance(condition, Op) else condition)
    if most and asked is not None:
        share, asked = 1.0 - share, 1.0 - asked
    yield Odds(text, requirement.span, names(condition), share, found.error, asked, most, not likely.over)
