"""A choice between ways to keep what a plan says: an `or`, a `!=`, the pieces of what an `if` makes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr
from runplan.dsl.plan.ir import Requirement
from runplan.dsl.text.source import Span
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.engine.problem.parts import Constraint, ConstraintKind


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to keep it: all of its constraints, and one way of each choice in it.

    Attributes:
        definitions: What a name that bends is in this way.
        said: When that is so, as one would write it.
    """

    constraints: tuple[Constraint, ...]
    either: tuple[Either, ...] = ()
    definitions: tuple[tuple[Name, Expr], ...] = ()
    said: str = ""

    def excess(self, env: Mapping[Name, float]) -> float:
        """By how much, relatively, values break it; 0 or less where they keep it."""
        every = [constraint.excess(env) for constraint in self.constraints]
        return max([*every, *(choice.excess(env) for choice in self.either)], default=0.0)

    def without(self, keys: Collection[str]) -> Alternative:
        """The same without some of its constraints."""
        kept = tuple(c for c in self.constraints if c.key not in keys)
        return replace(self, constraints=kept, either=without(self.either, keys))

    def replacing(self, constraint: Constraint) -> Alternative:
        """The same with a constraint in the place of that of its key."""
        kept = tuple(one.replacing(constraint) for one in self.constraints)
        return replace(self, constraints=kept, either=tuple(one.replacing(constraint) for one in self.either))


@dataclass(frozen=True, slots=True)
class Either:
    """Alternatives, of which the solution keeps at least one.

    Attributes:
        key: Which it is: no two of a problem share one, nor one with a constraint.
        text: The requirement as the plan writes it, or the name that bends.
        requirement: None for the pieces of a `let` or of a goal: one of them always holds.
    """

    key: str
    text: str
    alternatives: tuple[Alternative, ...]
    span: Span | None = None
    requirement: Requirement | None = None

    @property
    def kind(self) -> ConstraintKind:
        """As a constraint has one: what is required, or what only follows."""
        return "line" if self.requirement is None else "require"

    @property
    def defines(self) -> frozenset[Name]:
        """The names of which each alternative is a piece."""
        return frozenset(name for one in self.alternatives for name, _ in one.definitions)

    @property
    def parts(self) -> Iterator[Constraint]:
        """Every constraint in it."""
        for one in self.alternatives:
            yield from one.constraints
            for choice in one.either:
                yield from choice.parts

    def excess(self, env: Mapping[Name, float]) -> float:
        """By how much, relatively, values break the alternative that they are nearest to keeping."""
        return min((one.excess(env) for one in self.alternatives), default=math.inf)

    def without(self, keys: Collection[str]) -> Either | None:
        """The choice without some of its constraints; None where it is none, or where nothing is left of a way."""
        if self.key in keys:
            return None
        left = tuple(one.without(keys) for one in self.alternatives)
        if any(not (one.constraints or one.either or one.definitions) for one in left):
            return None
        return replace(self, alternatives=left)

    def replacing(self, constraint: Constraint) -> Either:
        """The choice with a constraint in the place of that of its key."""
        return replace(self, alternatives=tuple(one.replacing(constraint) for one in self.alternatives))


def without(either: tuple[Either, ...], keys: Collection[str]) -> tuple[Either, ...]:
    """Choices without some of them, and without some of their constraints."""
    return tuple(kept for choice in either if (kept := choice.without(keys)) is not None)
