"""Names of values of a solution to the words that a reader has for them."""

from __future__ import annotations

from runplan.cli.show.text.plain import plain
from runplan.dsl.expr.name import Name
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution

# Figures of a source of data, and how they are said.
_OF_SOURCE = {
    q.AVAILABLE.text: "all of {}",
    q.MAX_EPOCHS.text: "epochs of {}, at most",
    q.AMOUNT.text: "{} as given",
    q.DENSITY.text: "density of {}",
}


def said(solution: Solution, name: Name) -> str:
    """A value's name as a reader would say it."""
    if name == q.LAW_PARAMS:
        return str(q.PARAMS_NON_EMBEDDING if q.PARAMS_NON_EMBEDDING in solution.values else q.PARAMS)
    if name.kind == "constant":
        return plain(name.text)  # as its law writes it
    if name.text in _OF_SOURCE and name.part("source"):
        return plain(_OF_SOURCE[name.text].format(name.part("source")))
    if name.part("pool"):
        return plain(f"{name.text} of pool {name.part('pool')}")
    return plain(str(name))
