"""What problems that are made of one another have in common: what functions make of the same expressions.

A problem in which one figure is another has nearly all of its formulas from the first. What is made of these, their
expansions and the functions that are minimised, is made once for all such problems. What is the same is one object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.types import Any, TypeVar
from runplan.engine.problem.parts import Definition

T = TypeVar("T")
# Results that are kept; beyond that it begins again.
MOST = 20_000


class Common:
    """Results of functions of expressions, and what names come to under definitions."""

    __slots__ = ("_expansions", "_found")

    def __init__(self) -> None:
        # By the function, which expressions, and what else it is of. The expressions are kept, so that no other takes
        # the place in memory of one that is gone.
        self._found: dict[tuple[Any, ...], tuple[Any, Sequence[Expr | None]]] = {}
        self._expansions: tuple[Mapping[Name, Definition], dict[Name, Expr]] = {}, {}

    def of(self, function: Callable[..., T], exprs: Sequence[Expr | None], *others: Any) -> T:
        """What a function makes of expressions, and of what else it is told."""
        key = (function, *map(id, exprs), *others)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST:
                self._found.clear()
            found = self._found[key] = (function(*exprs, *others), exprs)
        result: T = found[0]
        return result

    def expansions(self, definitions: Mapping[Name, Definition]) -> dict[Name, Expr]:
        """What is known of names under definitions, to be added to: of those that were asked for last, what rests on
        none that is another now.
        """
        before, known = self._expansions
        if definitions is not before:
            other = {name for name, d in definitions.items() if before.get(name) is not d}
            other |= before.keys() - definitions.keys()
            kept = {}
            for name, expr in known.items():  # each after all that it rests on
                if name in other or not other.isdisjoint(names(definitions[name].expr)):
                    other.add(name)
                else:
                    kept[name] = expr
            self._expansions = definitions, kept
        return self._expansions[1]

    def __reduce__(self) -> tuple[type[Common], tuple[()]]:
        return Common, ()
