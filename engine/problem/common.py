"""What problems that are made of one another have in common: what functions make of the same expressions.

A problem in which one figure is another has nearly all of its formulas from the first. What is made of these, their
expansions and the functions that are minimised, is made once for all such problems. What is the same is one object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runplan.dsl.expr.tree import Expr
from runplan.dsl.types import Any, TypeVar

T = TypeVar("T")
# Results that are kept; beyond that it begins again.
MOST = 20_000


class Common:
    """Results of functions of expressions."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        # By the function, which expressions, and what else it is of. The expressions are kept, so that no other takes
        # the place in memory of one that is gone.
        self._found: dict[tuple[Any, ...], tuple[Any, Sequence[Expr | None]]] = {}

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

    def __reduce__(self) -> tuple[type[Common], tuple[()]]:
        return Common, ()
