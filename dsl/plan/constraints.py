"""`require`, `prefer`, `minimize` and `maximize` to conditions and goals in which every dimension is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.expr.dimensions import DimensionClash, is_bare
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Unbound
from runplan.dsl.plan.ir import SENSES, Optimize, Requirement
from runplan.dsl.plan.reading import Reading
from runplan.dsl.plan.sizes import sized
from runplan.dsl.syntax.tree import Node
from runplan.dsl.syntax.views import Reasoned, spec_of
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import offered
from runplan.dsl.typed.build import with_unit
from runplan.dsl.typed.fields import Field, natural
from runplan.dsl.units.base import DATE, TIME
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import json_unit, said_dim


def constraints(reading: Reading, statements: Sequence[Node], rule: str) -> Iterator[Requirement]:
    """What the statements of a rule, `require` or `prefer`, ask for."""
    for i, node in enumerate(node for node in statements if node.rule == rule):
        made = _constraint(reading, node, f"{reading.prefix}{rule}[{i}]")
        if made is not None:
            yield made


def _constraint(reading: Reading, node: Node, key: str) -> Requirement | None:
    spec = Reasoned(spec_of(node))
    expr = _implied(reading, reading.expr(spec.value))
    if expr is None:
        if not (reading.findings or reading.file.broken or reading.file.adrift):
            raise AssertionError("a constraint was dropped without a finding")
        return None
    idle = _comparing_nothing(expr)
    if idle is not None:
        help = ["write a comparison, such as `cost <= 30M USD`"]
        if isinstance(expr, Op) and expr.op == "and" and len(expr.args) == 2 and reading.value(idle) is not None:
            left = expr.args[0]
            last = left.args[1] if isinstance(left, Op) and left.op in COMPARISONS else left
            help = [f"to add figures write `({shown(last)} + {shown(idle)})`"]
        place = idle.span or spec.value.span
        reading.findings.append(finding("S001", f"`{shown(idle)}` compares nothing", place, help=help))
        return None
    return Requirement(
        condition=reading.bound(expr),
        because=spec.reason,
        soft=node.rule == "prefer",
        key=key,
        span=spec.value.span,
        budget=reading.file.budgets.get(spec.value.span.source.path),
    )


def _comparing_nothing(expr: Expr) -> Expr | None:
    """The part of a condition that is none; None where all are."""
    if isinstance(expr, Op) and expr.op in ("and", "or", "not"):
        return next((idle for arg in expr.args if (idle := _comparing_nothing(arg)) is not None), None)
    if not isinstance(expr, Op) or expr.op not in COMPARISONS:
        return expr
    of_chances = (arg.args[0] for arg in expr.args if isinstance(arg, Op) and arg.op == "P")
    return next((idle for each in of_chances if (idle := _comparing_nothing(each)) is not None), None)


def goals(reading: Reading, statements: Sequence[Node]) -> Iterator[Optimize]:
    """What is to be made small, or large."""
    for node in statements:
        sense = next((sense for sense in SENSES if sense == node.rule), None)
        if sense is None:
            continue
        inner = spec_of(node)
        expr = implied_inside(reading, reading.expr(inner))
        if reading.checked(expr) is None:
            continue
        if reading.value(expr) is None:
            yield Optimize(sense, reading.bound(expr), inner.span)
        else:
            message = f"`{shown(expr)}` is a fixed number: there is nothing to {sense}"
            reading.findings.append(finding("C001", message, inner.span))


def _implied(reading: Reading, expr: Expr) -> Expr | None:
    """The condition with bare numbers in the dimension of the other side; None, with findings, if it is wrong."""
    if isinstance(expr, Op) and expr.op == "if" and all(map(_is_condition, expr.args)):
        test, then, otherwise = expr.args
        first = Op("and", (test, then), expr.span)
        second = Op("and", (Op("not", (test,), test.span), otherwise), expr.span)
        return _implied(reading, Op("or", (first, second), expr.span))
    if isinstance(expr, Op) and expr.op in ("and", "or", "not", "P"):
        args = [_implied(reading, arg) for arg in expr.args]
        kept = tuple(arg for arg in args if arg is not None)
        return Op(expr.op, kept, expr.span) if len(kept) == len(args) else None
    if isinstance(expr, Op) and expr.op in COMPARISONS:
        return _compared(reading, expr)
    expr = implied_inside(reading, expr)
    return None if reading.checked(expr) is None else expr


def _is_condition(expr: Expr) -> bool:
    """Whether an expression is true or false, and no figure."""
    if not isinstance(expr, Op):
        return False
    return expr.op in ("and", "or", "not", *COMPARISONS) or (expr.op == "if" and all(map(_is_condition, expr.args)))


def _compared(reading: Reading, expr: Op) -> Expr | None:
    """A comparison of which both sides are of one dimension, or one is a bare number meant in that of the other."""
    sides: list[tuple[Expr, Dim]] = []
    for arg in expr.args:
        side = _side(reading, arg)
        if side is None:
            return None
        sides.append(side)
    (left, left_dim), (right, right_dim) = sides
    if left_dim == right_dim:
        if any(_beyond_all(reading, side, other) for side, other in ((left, right), (right, left))):
            return None
        return Op(expr.op, (left, right), expr.span)
    if _is_bare(reading, left, left_dim):
        meant = _meant(reading, left, right, right_dim)
        return meant and Op(expr.op, (meant, right), expr.span)
    if _is_bare(reading, right, right_dim):
        meant = _meant(reading, right, left, left_dim)
        return meant and Op(expr.op, (left, meant), expr.span)
    pair = (sized(left, left_dim, (right_dim,), reading.sizes), sized(right, right_dim, (left_dim,), reading.sizes))
    for known in pair:
        if isinstance(known, Finding):
            reading.unsaid(known)
            return None
    exprs, dims = zip(*(known for known in pair if not isinstance(known, Finding)), strict=True)
    if right_dim == dims[0] or left_dim == dims[1]:
        return Op(expr.op, exprs, expr.span)
    message = f"`{shown(left)}` is {said_dim(left_dim)}, `{shown(right)}` is {said_dim(right_dim)}"
    reading.findings.append(reading.clash(DimensionClash(message, expr, left_dim, right_dim), expr))
    return None


def _beyond_all(reading: Reading, side: Expr, other: Expr) -> bool:
    """Whether a side is a number that the other, a share of something, never is: with the finding for it."""
    if isinstance(side, Op) and side.op == "P":
        return False
    value, field = reading.value(side), _field(reading, other)
    name = other.name if isinstance(other, Unbound) else ""
    share = name.startswith("share.") or name.endswith("_share") or (isinstance(other, Op) and other.op == "P")
    if value is None or value <= 1.0 or not (share or (field is not None and field.most == 1.0)):
        return False
    assert side.span is not None
    meant = [f"write `{shown(side)}%`"] if 2.0 <= value <= 100.0 and "%" not in shown(side) else []
    message = f"`{shown(other)}` is compared with `{shown(side)}`, more than 100 %"
    reading.findings.append(finding("U004", message, side.span, help=meant or ["write a share up to `100%`"]))
    return True


def _side(reading: Reading, expr: Expr) -> tuple[Expr, Dim] | None:
    """A side of a comparison and its dimension; None, with findings, where it has none."""
    expr = implied_inside(reading, expr)
    if isinstance(expr, Op) and expr.op == "P":
        inner = _implied(reading, expr.args[0])
        return None if inner is None else (Op("P", (inner,), expr.span), NONE)
    dim = reading.checked(expr)
    return None if dim is None else (expr, dim)


def _is_bare(reading: Reading, side: Expr, dim: Dim) -> bool:
    """Whether a side is a number without a unit.

    One whose unit comes to nothing, such as `3 bit/byte`, is none: its dimension is said, not implied.
    """
    return dim == NONE and reading.value(side) is not None and is_bare(side, reading.bare_lets)


def _meant(reading: Reading, side: Expr, other: Expr, dim: Dim) -> Expr | None:
    """A bare number in the dimension of the other side; None, with a finding, where people count that in many units."""
    field = _field(reading, other)
    if natural(dim) and not (field and field.also):
        if isinstance(side, Num):
            return Num(side.value, dim, side.text, side.binary, side.span)
        return Op("*", (side, Num(1.0, dim)), side.span)
    example = next((f.example for f in reading.fields("hardware").values() if reading.money(f.dim) == dim), None)
    if dim == TIME and isinstance(side, Num):
        example = f"{shown(side)} days"
    elif dim == DATE:
        example = "2026-02-01"
    help = [f"write it with its unit, such as `{example or f'{shown(side)} {json_unit(dim)[0]}'}`"]
    if field is not None and field.also:
        help = [with_unit(side, field, reading.currency)]
    assert side.span is not None
    message = f"`{shown(side)}` has no unit; `{shown(other)}` is {said_dim(dim)}"
    fixes = offered(side.span, shown(side), help[0]) if isinstance(side, Num) else ()
    reading.findings.append(finding("U003", message, side.span, help=help, fixes=fixes))
    return None


def _field(reading: Reading, expr: Expr) -> Field | None:
    """The field that gives the quantity that a side is; None where it is none, or no field gives it."""
    name = expr.name if isinstance(expr, Unbound) else ""
    return next((fields[name] for fields in reading.vocabulary.fields.values() if name in fields), None)


def implied_inside(reading: Reading, expr: Expr) -> Expr:
    """The expression with what its `if`s test in one dimension; what is wrong in a test stays as it is."""
    if not isinstance(expr, Op):
        return expr
    args = [implied_inside(reading, arg) for arg in expr.args]
    if expr.op == "if":
        before = len(reading.findings)
        args[0] = _implied(reading, args[0]) or args[0]
        del reading.findings[before:]  # the whole is checked again, and says it then
    return Op(expr.op, tuple(args), expr.span)
