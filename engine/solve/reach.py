"""The optimum of a problem as it is meant: devices whole, and repeated data worth less than fresh ones."""

from __future__ import annotations

from runplan.dsl.expr.tree import Ref
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
    first = _whole(problem.settled())
    if not problem.repeats or not first.is_optimal or not _repeats(first):
        return first
    return _whole(problem.beginning(first.found.values).repeating().settled())


def _whole(problem: Problem) -> Reached:
    """The optimum with whole devices, and with what is to be likely as likely as it is to be."""
    if not problem.is_of_chance:
        return whole(problem)
    # What a plan that asks for no probability has no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.solve.chances import whole_and_likely

    return whole_and_likely(problem)


def _repeats(reached: Reached) -> bool:
    """Whether any source is seen more than once."""
    epochs = [q.EPOCHS.of("source", name) for name in reached.problem.sources]
    values = reached.values_for(map(Ref, epochs))
    return any(values.get(name, 0.0) > ONCE for name in epochs)
