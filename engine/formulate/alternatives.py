"""A requirement to constraints and choices between alternatives; what bends of a `let` or a goal to its pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.dimensions import Dimensions
from runplan.dsl.expr.logic import bent, clauses, gap, parts, pieces, replaced, ways
from runplan.dsl.expr.name import Name, let
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, walk
from runplan.dsl.plan.ir import Optimize, Requirement
from runplan.dsl.text.source import Span
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.probable import chance_of, sides_of_chance
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Alternative, Either
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Constraint

# A count that is off a whole one by less than this share of one is that.
WHOLE = 1e-9
# What there is a whole number of.
_COUNTS = frozenset((q.GPUS.text, q.NODES.text, q.EXPERTS.text))
# What a goal comes to that bends: no plan can write a name with a blank.
GOAL = let("the goal")


def add_pieces(draft: Draft) -> None:
    """The choices between the pieces of `let`s that bend."""
    for name, one in draft.plan.lets.items():
        if name in draft.definitions:
            draft.either += _pieces(draft, name, one.expr, one.span)


def bending(draft: Draft, goal: Optimize) -> Expr:
    """What a goal is about; what bends by a name of its own, with a choice between its pieces."""
    if bent(goal.expr) is None:
        return goal.expr
    dims = {name: d.dim for name, d in draft.definitions.items()} | {v.name: v.dim for v in draft.variables}
    draft.define(GOAL, goal.expr, "derived", "goal", goal.span, dim=Dimensions(dims).of(goal.expr))
    draft.either += _pieces(draft, GOAL, goal.expr, goal.span)
    return Ref(GOAL)


def _pieces(draft: Draft, name: Name, expr: Expr, span: Span | None, key: str = "") -> Iterator[Either]:
    """The choice between the pieces of the first part of an expression that bends, each with those of what is left."""
    part = bent(expr)
    if part is None:
        return
    alternatives = []
    for i, (where, piece) in enumerate(pieces(part)):
        own = f"{key or name} {i}"
        whole, condition = replaced(expr, part, piece), ways(where)
        made = Keeper(draft, own, str(name), span).alternative(condition)
        further = tuple(_pieces(draft, name, whole, span, own))
        bends = ((name, whole),)
        alternatives.append(replace(made, either=(*made.either, *further), definitions=bends, said=shown(condition)))
    yield Either(f"pieces of {key or name}", str(name), tuple(alternatives), span)


@dataclass
class Keeper:
    """Keeps conditions: makes constraints of comparisons, and choices of what `or` joins.

    Attributes:
        tests: The comparisons that only say which piece of something holds: they have no figure to move.
    """

    draft: Draft
    key: str
    text: str
    span: Span | None
    requirement: Requirement | None = None
    tests: frozenset[Expr] = frozenset()
    numbers: Iterator[int] = field(default_factory=count)

    @staticmethod
    def of(draft: Draft, requirement: Requirement) -> Keeper:
        """What keeps a requirement."""
        bends = [item for item in walk(requirement.condition) if isinstance(item, Op) and bent(item) is item]
        tests = frozenset(part for item in bends for where, _ in pieces(item) for part in parts(ways(where)))
        text = requirement.span.said
        return Keeper(draft, requirement.key, text, requirement.span, requirement, tests)

    def kept(self, clause: Expr, key: str) -> Constraint | Either:
        """What keeps one of several conditions that all must hold; the parts of a chain are told as the whole."""
        made = self._clause(clause)
        return replace(made, key=key, text=self.text) if isinstance(made, Constraint) else made

    def _clause(self, condition: Expr) -> Constraint | Either:
        """What keeps a condition that is no `and`."""
        assert isinstance(condition, Op), "a condition compares something"
        if condition.op == "or":
            return self._either(map(self.alternative, condition.args))
        if condition.op == "!=":
            return self._either(Alternative((side,)) for side in self._apart(condition))
        if (chance := chance_of(condition)) is not None:
            return replace(self._constraint(condition, *sides_of_chance(chance)), chance=chance)
        left, right = reversed(condition.args) if condition.op in (">=", ">") else condition.args
        strict = condition.op in ("<", ">")
        if strict and (sides := self._next_to(left, right)) is not None:
            return self._constraint(condition, *sides)
        return self._constraint(condition, left, right, strict=strict, equal=condition.op == "==")

    def alternative(self, condition: Expr) -> Alternative:
        """One way: what it joins by `and`."""
        made = [self._clause(each) for each in clauses(condition)]
        constraints = tuple(one for one in made if isinstance(one, Constraint))
        return Alternative(constraints, tuple(one for one in made if isinstance(one, Either)))

    def _either(self, alternatives: Iterator[Alternative]) -> Either:
        every = tuple(alternatives)
        return Either(f"{self.key} either {next(self.numbers)}", self.text, every, self.span, self.requirement)

    def _constraint(
        self, said: Expr, left: Expr, right: Expr, *, strict: bool = False, equal: bool = False, moves: bool = True
    ) -> Constraint:
        moves = moves and self.requirement is not None and said not in self.tests
        return Constraint(
            f"{self.key} part {next(self.numbers)}",
            shown(said),
            left,
            right,
            "require" if moves else "line",
            self.span,
            equal=equal,
            requirement=self.requirement,
            strict=strict,
        )

    def _apart(self, part: Op) -> Iterator[Constraint]:
        """Both sides of a figure that is left out: of a count the next one, else beyond the digits that it has."""
        left, right = part.args
        off = gap(part)
        above, below = (Op("*", (right, Num(factor))) for factor in (1.0 + off, 1.0 - off))
        under, over = self._next_to(left, right), self._next_to(right, left)
        yield self._constraint(part, *(under or (left, below)), strict=under is None, moves=False)
        yield self._constraint(part, *(over or (above, left)), strict=over is None, moves=False)

    def _next_to(self, left: Expr, right: Expr) -> tuple[Expr, Expr] | None:
        """`left < right` as sides of `<=` up to the next count, where one is a count and the other a figure."""
        for counted, figure, below in ((left, right, True), (right, left, False)):
            step = self._step(counted, figure)
            if step:
                number = expand(figure, self.draft.definitions, {})
                assert isinstance(number, Num), "a count has a step beside figures alone"
                steps = number.value / step
                next_ = math.ceil(steps - WHOLE) - 1 if below else math.floor(steps + WHOLE) + 1
                bound = Num(next_ * step, number.dim)
                return (left, bound) if below else (bound, right)
        return None

    def _step(self, counted: Expr, figure: Expr) -> float:
        """What a side of a comparison with a figure comes in whole multiples of; 0 where it need not be whole."""
        if not isinstance(counted, Ref) or counted.name.text not in _COUNTS:
            return 0.0
        if not isinstance(expand(figure, self.draft.definitions, {}), Num):
            return 0.0
        node = self.draft.definitions.get(Name(q.NODES_OF.text, scope=counted.name.scope))
        of_nodes = counted.name.text == q.GPUS.text and self.draft.is_variable(counted.name) and node is not None
        return node.expr.value if of_nodes and node is not None and isinstance(node.expr, Num) else 1.0
