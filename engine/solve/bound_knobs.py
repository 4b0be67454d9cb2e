"""Bounds and requirements of a plan to what of them can be changed."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.units.dims import NONE
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Chance, Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change
from runplan.engine.solve.instead import Spot, required
from runplan.engine.solve.knob import Knob, Member, without
from runplan.engine.solve.rounding import written
from runplan.engine.solve.values import dim_of, number_of
from runplan.engine.solve.whole import step_of


def bounds(problem: Problem) -> Iterator[Member]:
    """Requirements and ranges; the ends of a range, and the parts of a requirement, are one thing that it says."""
    said: dict[tuple[str, str], list[Constraint | Either]] = {}
    for one in problem.kept:
        if one.kind in ("require", "range"):
            said.setdefault((one.kind, one.text), []).append(one)
    for several in said.values():
        first = several[0]
        text = first.text
        if first.kind == "range" and first.span:
            text = f"{first.text}: {first.span.said}"
        keys = {one.key for one in several}
        figures = [part for one in several for part in one.parts if part.kind == first.kind]
        knobs = tuple(knob for part in figures for knob in _knobs_of_bound(problem, part))
        yield Member(first, text, first.span, without(keys), knobs)


def _knobs_of_bound(problem: Problem, part: Constraint) -> Iterator[Knob]:
    """The ways to say a bound otherwise: of a probability the bound in it, or how likely it is to be."""
    if part.chance is not None:
        yield from chance_knobs(problem, part, part.chance)
    elif (knob := _bound_knob(problem, part)) is not None:
        yield knob


def chance_knobs(problem: Problem, part: Constraint, chance: Chance) -> Iterator[Knob]:
    """What is asked of a probability, said otherwise: with another bound in it, or with another share.

    The sides of the constraint are those of a draw in which it is just kept, so that they tell the bound which would.
    """
    inner, level = chance.condition, chance.level
    if negated := isinstance(inner, Op) and inner.op == "not":
        inner = inner.args[0]
        assert isinstance(level, Op), "the rest of the share that the plan says"
        level = level.args[1]
    share = number_of(problem, level)

    def at_level(p: Problem, value: float) -> Problem:
        new = Op("-", (Num(1.0), Num(value))) if negated else Num(value)
        return p.replacing(replace(part, chance=replace(chance, level=new)))

    if isinstance(inner, Op) and inner.op in ("<=", "<", ">=", ">"):
        at = 0 if _is_figure(inner.args[0]) and not _is_figure(inner.args[1]) else 1
        bound = number_of(problem, inner.args[at])
        if bound is not None:
            asked = f"{'<=' if negated else '>='} {shown(level)}"
            yield _bound_in_chance(problem, part, chance, inner, at, bound, asked)
    if share is not None:
        more, less = ("<=", "") if negated else ("", ">=")
        as_written = written(share, NONE)

        def told(value: float) -> Change:
            new = Num(value, NONE, as_written.text(value))
            said = f"P({shown(inner)}) {more or less} {new.text}"
            return required(part.requirement, level, new, said)

        yield Knob(f"P({shown(inner)})", share, share.value, as_written, more, less, at_level, None, told=told)


def _bound_in_chance(
    problem: Problem, part: Constraint, chance: Chance, inner: Op, at: int, bound: Num, asked: str
) -> Knob:
    """The bound of the one comparison that is to be likely."""
    figure = inner.args[1 - at]
    step = step_of(problem, figure.name) if isinstance(figure, Ref) else 0.0
    as_written = written(bound, bound.dim, step)

    def compared(side: Expr) -> Op:
        return Op(inner.op, (figure, side) if at else (side, figure))

    def changed(p: Problem, value: float) -> Problem:
        new: Expr = compared(Num(value, bound.dim))
        if isinstance(chance.condition, Op) and chance.condition.op == "not":
            new = Op("not", (new,))
        return p.replacing(replace(part, chance=replace(chance, condition=new)))

    def told(value: float) -> Change:
        new = Num(value, bound.dim, as_written.text(value))
        return required(part.requirement, inner.args[at], new, f"P({shown(compared(new))}) {asked}")

    # What is bounded stands on the left of the constraint where the bound is an upper one that is to be likely.
    upper = (inner.op in ("<=", "<")) == bool(at)
    above = upper == (chance.condition is inner)
    ratio = Op("/", (part.left, part.right))
    least: Expr = Op("*", (Num(bound.value), ratio)) if above else Op("/", (Num(bound.value), ratio))
    more, less = ("<=", "") if above else ("", ">=")
    opened = Goal("minimize", ratio)
    return Knob(
        *("", least, bound.value, as_written, more, less, changed),
        lambda p: p.without({part.key}).aiming(opened),
        told=told,
    )


def _bound_knob(problem: Problem, part: Constraint) -> Knob | None:
    """The bound of a comparison, or what it is a multiple of."""
    below = _is_figure(part.left) and not _is_figure(part.right)  # `1T <= tokens`
    figure, bound = (part.right, part.left) if below else (part.left, part.right)
    said = shown(figure) if part.kind == "require" else part.text
    nearest = Goal("near" if part.equal else "minimize", part.left, part.right)
    if not part.equal:
        nearest = Goal("minimize", Op("/", (part.left, part.right)))

    def opened(p: Problem) -> Problem:
        return p.without({part.key}).aiming(nearest)

    def at(p: Problem, value: float) -> Problem:
        new = Num(value, dim_of(problem, bound))
        sides = {"left": new} if below else {"right": new}
        return p.replacing(replace(part, **sides))  # type: ignore[arg-type]

    number = number_of(problem, bound)
    if number is None:
        return None
    step = step_of(problem, figure.name) if isinstance(figure, Ref) else 0.0
    sign = "==" if part.equal else ">=" if below else "<="
    if part.kind == "range":  # `up to 64 GPUs` has room with `gpus >= 72`
        sign = {"<=": ">=", ">=": "<="}.get(sign, sign)
    more, less = ("", sign) if below else (sign, "")
    if part.equal:
        more = less = sign
    as_written = written(number, number.dim, step)
    made = Knob(said, figure, number.value, as_written, more, less, at, opened)
    if part.kind == "require":

        def told(value: float) -> Change:
            return required(
                part.requirement, bound, Num(value, number.dim, as_written.text(value)), made.compared(value)
            )

        return replace(made, told=told)
    return replace(made, spot=Spot(part.figure, part.span or part.figure) if part.figure else None)


def _is_figure(expr: Expr) -> bool:
    """Whether a side of a comparison is a bound: numbers and lets, no quantity."""
    return all(name.kind == "let" for name in names(expr))
