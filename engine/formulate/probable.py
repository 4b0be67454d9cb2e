"""A comparison with a probability to what is to be likely, and how likely."""

from __future__ import annotations

from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, names, walk
from runplan.engine.problem.parts import Chance


def chance_of(part: Expr) -> Chance | None:
    """What a comparison asks of a probability; None where it asks for none, or in another way than a share of it.

    That something has at most a share is that its contrary has at least the rest.
    """
    if not isinstance(part, Op) or part.op not in COMPARISONS[:4]:
        return None
    probable, level = (part.args[1], part.args[0]) if is_chance(part.args[1]) else part.args
    if not isinstance(probable, Op) or not is_chance(probable) or any(n.kind != "let" for n in names(level)):
        return None
    if any(is_chance(item) for side in (level, probable.args[0]) for item in walk(side)):
        return None
    most = (part.op in ("<=", "<")) == (probable is part.args[0])
    if most:
        return Chance(Op("not", (probable.args[0],)), Op("-", (Num(1.0), level)))
    return Chance(probable.args[0], level)


def is_chance(expr: Expr) -> bool:
    """Whether an expression is a probability."""
    return isinstance(expr, Op) and expr.op == "P"


def sides_of_chance(chance: Chance) -> tuple[Expr, Expr]:
    """The sides of the first comparison that is to be likely, until it is known which draw just keeps it."""
    return _sides(next(item for item in walk(chance.condition) if isinstance(item, Op) and item.op in COMPARISONS))


def _sides(part: Op) -> tuple[Expr, Expr]:
    """The sides of a comparison, the smaller first."""
    left, right = part.args
    return (right, left) if part.op in (">=", ">") else (left, right)


def is_solved(part: Expr) -> bool:
    """Whether a comparison asks for no probability, or in a way that is solved."""
    return chance_of(part) is not None or not any(map(is_chance, walk(part)))
