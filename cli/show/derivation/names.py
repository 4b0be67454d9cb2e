"""Names of values of a solution to the words that a reader has for them."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.figures import figure
from runplan.cli.show.text.plain import plain
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.problem.told import LISTED

_NAMED = (q.TOKENS.text, q.SHARE.text, q.EPOCHS.text)


def public(solution: Solution) -> Iterator[str]:
    """The names of a solution's values that a plan may name."""
    known = solution.problem.quantities.rows(*LISTED)
    for name in solution.values:
        of_source = [part for part, _ in name.scope] == ["source"] and name.text in _NAMED
        if name.kind == "let" or of_source or (name.kind == "quantity" and not name.scope and name.text in known):
            yield str(name)


def target(solution: Solution, name: Name) -> Name:
    """The value that a name stands for: another one, where its whole formula is the other's name."""
    for _ in range(len(solution.values)):
        definition = solution.problem.definitions.get(name)
        if definition is None or not isinstance(definition.expr, Ref) or definition.expr.name not in solution.values:
            break
        name = definition.expr.name
    return name


def figure_of(solution: Solution, value: Value) -> str:
    """A value's figure with its unit; of a law's constant as the law writes it."""
    if value.kind == "constant":
        return plain(value.formula.replace(" +- ", " ± "))
    return plain(figure(value.name.text, value.value, value.dim, solution.problem.quantities))
