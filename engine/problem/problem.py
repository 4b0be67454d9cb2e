"""The problem of a plan under a law: definitions, variables, limits and aims, all in the one expression type.

Nothing here knows a law, a device or a verb by name. A figure that the plan gives is a definition; one that it bounds
or leaves open is a variable; everything else follows by the formulas of `stdlib/quantities.plan` and of the law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runplan.dsl.expr.tree import Expr, Op, names, substitute
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Constraint, Given, Objective
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import Dim

Kind = Literal["given", "assumed", "derived", "law", "constant", "solved"]


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a value comes from.

    Attributes:
        expr: The value by other names, or a number.
        source: The citation, the record, or what the assumption rests on.
        span: The place in the plan, or in the pack, that says so.
        by: The law that says so; empty where none does.
    """

    name: str
    dim: Dim
    expr: Expr
    kind: Kind
    source: str = ""
    span: Span | None = None
    note: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A quantity to be found, positive; `start` is where the search begins, in base units."""

    name: str
    dim: Dim
    start: float
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """`left <= right`, or equal where `equal`, that the solution keeps.

    Attributes:
        name: As reports say what binds: `compute`, or the requirement's own text.
        kind: Where it comes from; a `capacity` cannot be loosened by itself, its givens can.
    """

    name: str
    left: Expr
    right: Expr
    kind: Literal["capacity", "budget", "data", "range", "given", "require", "line"]
    span: Span | None = None
    equal: bool = False
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """One of the goals, in order: make an expression small or large, or stay near a line."""

    sense: Literal["minimize", "maximize", "near"]
    expr: Expr
    other: Expr | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved, for one law.

    Attributes:
        named: The law as the plan names it.
        givens: Figures of the plan that could be changed to make room, by name.
        decided: Requirements that the givens alone decide.
        goal: In words, for derivations.
        findings: What keeps it from being solved: L004, C009 and the like.
        place: The plan's first statement, to point at where nothing else is to blame.
        line: The law's optimum line as an equation, where it gives one.
        frontier: Whether the law's loss holds on that line only.
        phases: Names of the schedule's phases, in order.
        lent: Laws that stand in for what the plan's own does not know, such as the batch.
    """

    named: str
    law: Law
    objective: Objective
    definitions: Mapping[str, Definition]
    variables: tuple[Variable, ...]
    limits: tuple[Limit, ...]
    decided: tuple[Constraint, ...]
    aims: tuple[Aim, ...]
    goal: str
    givens: Mapping[str, Given]
    asked: tuple[str, ...]
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    place: Span
    line: Op | None = None
    frontier: bool = False
    phases: tuple[str, ...] = ()
    lent: tuple[Law, ...] = ()

    def expanded(self, expr: Expr) -> Expr:
        """The expression over variables alone; names without a definition stay."""
        return expand(expr, self.definitions, {})


def expand(expr: Expr, definitions: Mapping[str, Definition], memo: dict[str, Expr]) -> Expr:
    """The expression with every defined name replaced, and those in its place; `memo` is shared between calls."""
    by = {}
    for name in names(expr):
        if name in definitions:
            if name not in memo:
                memo[name] = expand(definitions[name].expr, definitions, memo)
            by[name] = memo[name]
    return substitute(expr, by) if by else expr
