"""Names of values of a solution to the words that a reader has for them.

All that is known here of how a name is spelled stands in this module and in `text/quantities.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.cli.show.text.figures import figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import quantity_of
from runplan.dsl.expr.tree import Ref
from runplan.engine.document import QUANTITIES, TRANSFER
from runplan.engine.problem.solution import Solution, Value

# Figures of a source of data, and how they are said.
_OF_SOURCE = {
    "available": "all of {}",
    "max_epochs": "epochs of {}, at most",
    "amount": "{} as given",
    "density": "density of {}",
}
_SOURCE = re.compile(r"(available|max_epochs|amount|density)\.(.+)")
_POOL = re.compile(r"pool(\d+)\.(.+)")


def public(solution: Solution) -> Iterator[str]:
    """The names of a solution's values that a plan may name."""
    known = {*QUANTITIES, *TRANSFER}
    for source in solution.sources:
        found = solution.within(("source", source))
        known |= {found[key].name for key in ("tokens", "share", "epochs") if key in found}
    yield from (name for name in solution.values if name in known or is_let(solution, name))


def target(solution: Solution, name: str) -> str:
    """The value that a name stands for: another one, where its whole formula is the other's name."""
    for _ in range(len(solution.values)):
        definition = solution.problem.definitions.get(name)
        if definition is None or not isinstance(definition.expr, Ref) or definition.expr.name not in solution.values:
            break
        name = definition.expr.name
    return name


def said(solution: Solution, name: str) -> str:
    """A value's name as a reader would say it."""
    if name == "law_params":
        return "params_non_embedding" if "params_non_embedding" in solution.values else "params"
    if name in solution.values and solution.values[name].kind == "constant":
        return plain(name.rpartition(".")[2])  # as its law writes it
    if m := _SOURCE.fullmatch(name):
        return plain(_OF_SOURCE[m[1]].format(m[2]))
    if m := _POOL.fullmatch(name):
        return plain(f"{m[2]} of pool {m[1]}")
    return plain(name)


def is_let(solution: Solution, name: str) -> bool:
    """Whether a value is a `let` of the plan."""
    definition = solution.problem.definitions.get(name)
    return definition is not None and definition.source == "let"


def figure_of(value: Value) -> str:
    """A value's figure with its unit; of a law's constant as the law writes it."""
    if value.kind == "constant":
        return plain(value.formula.replace(" +- ", " ± "))
    return plain(figure(quantity_of(value.name), value.value, value.dim))
