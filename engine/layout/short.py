"""A solved plan to whether its devices may have too little memory, or less than the plan requires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.engine.layout.memory import MOST, USABLE
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.rounding import TOLERANCE


def needs_more(plan: Plan, laid: Solution, catalogue: Library) -> bool:
    """Whether something is to be told, or to be found anew, for want of memory."""
    return laid.status == "solved" and (is_short(laid) or next(broken(plan, laid, catalogue), None) is not None)


def is_short(laid: Solution) -> bool:
    """Whether devices may have too little memory: they are not known to have enough."""
    most, usable = laid.values.get(MOST), laid.values.get(USABLE)
    return most is not None and usable is not None and most.value > usable.value


def broken(plan: Plan, laid: Solution, catalogue: Library) -> Iterator[Requirement]:
    """What the plan requires of memory, and the solution does not keep."""
    for requirement in plan.requires:
        if any(_is_of_memory(name, catalogue) for name in names(requirement.condition)):
            env = {name: value.value for name, value in laid.values.items()}
            with suppress(ArithmeticError, ValueError):
                if verdict(requirement.condition, env, TOLERANCE) is False:
                    yield requirement


def _is_of_memory(name: Name, catalogue: Library) -> bool:
    known = catalogue.quantities().get(name.text) if name.kind == "quantity" else None
    return known is not None and known.facts.kind == "memory"
