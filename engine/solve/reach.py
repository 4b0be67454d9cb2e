"""The optimum of a problem as it is meant: devices whole, and repeated data worth less than fresh ones."""

from __future__ import annotations

from dataclasses import replace

from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.whole import Reached, whole

# More passes over a source than this are a repeat; less is rounding.
ONCE = 1.0 + 1e-9


def reached(problem: Problem) -> Reached:
    """The optimum of a problem.

    What repeats are worth makes a loss no lower, and changes nothing until there is one: the problem without it is a
    relaxation. Its solution, where it repeats nothing, is that of the whole problem; and where it has none, there is
    none.
    """
    first = whole(problem.settled())
    if not problem.repeats or not first.is_optimal or not _repeats(first):
        return first
    starts = tuple(replace(v, start=first.found.values.get(v.name) or v.start) for v in problem.variables)
    return whole(replace(problem, variables=starts).repeating().settled())


def _repeats(reached: Reached) -> bool:
    """Whether any source is seen more than once."""
    values = reached.values
    return any(values.get(q.EPOCHS.of("source", name), 0.0) > ONCE for name in reached.problem.sources)
