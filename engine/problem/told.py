"""A solution to those of its quantities that say something, by name and in the order of their rows."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.expr.name import Name
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value

# The sections of rows, as `quantities.plan` places them, that a solution has itself: those of tables for people,
# and those that are left out there.
OWN = ("", "data")
# Those, and the sections that are listed beside them.
LISTED = (*OWN, "transfer", "goodput")
# A share nearer to zero than this is rounding in the solver.
NOISE = 1e-9


def quantities(solution: Solution, *sections: str) -> Iterator[tuple[str, Value]]:
    """The quantities of the run that have a row in these sections, by name and in order."""
    for name in solution.problem.quantities.rows(*sections):
        value = applying(solution, name)
        if value is not None:
            yield name, value
    if "data" in sections:
        yield from ((str(name), value) for name, value in asked_for(solution))


# What has a name of its own while it is looked for, by what a plan calls it; or another key that says it.
_SOUGHT = {q.RUN_SHARE: q.RESERVE, q.AMOUNT: q.AVAILABLE}
_SAID_BY_OTHERS = (q.RESERVED_TIME, q.SHARED_TIME, q.SHARED_HOURS, q.LAW_PARAMS, q.SHARE)


def asked_for(solution: Solution) -> Iterator[tuple[Name, Value]]:
    """What the plan asks for by a `?` and has no row of its own, such as an availability, or what there is of a source.

    The quantities of parts are under their full name, such as `available.web` or `pool1.mfu`.
    """
    told = solution.problem.quantities.rows(*OWN)
    for name in dict.fromkeys(solution.problem.asked):
        shown = Name(_SOUGHT.get(name.bare, name).text, name.kind, name.scope)
        value = solution.values.get(shown)
        if value is not None and name.bare not in _SAID_BY_OTHERS and (shown.scope or shown.text not in told):
            yield shown, value


def applying(solution: Solution, name: str) -> Value | None:
    """A quantity of the run, where it says something.

    Where figures contradict each other that is not what less than nothing leaves idle, and not what a size costs beyond
    the best; of a dense model it is not what is active, which is all of it; and without attention the model's compute
    is the law's.
    """
    value = solution.quantity(name)
    if value is None or (name == "idle_share" and value.value < -NOISE):
        return None
    if name == "regret" and solution.status != "solved":
        return None
    if name == "model_compute" and q.ATTENTION_COMPUTE not in solution.values:
        return None
    return None if name == "active_params" and not solution.problem.is_mixture else value
