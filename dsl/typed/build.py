"""Syntax nodes to expressions and figures, with a finding for each number or unit that cannot stand."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime

from runplan.dsl.expr.money import exchanged
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, FUNCTIONS, Expr, Num, Op, Text, Unbound
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import ALSO_KNOWN, Field, natural
from runplan.dsl.units.base import DATE, GPU, TIME
from runplan.dsl.units.dims import NONE, UNKNOWN, USUAL_MONEY, Dim, over
from runplan.dsl.units.parse import is_binary, number, unit
from runplan.dsl.units.show import mismatch, said_dim, show
from runplan.dsl.units.table import UnknownUnit, currencies

_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "neg": "neg", "not_": "not"}


class Builder:
    """Builds expressions; collects what is wrong.

    Args:
        currency: That of the plan's money.
        rates: For each other currency that the plan converts, the value of one in the plan's.
        month: Days in a month, where the plan sets it.
    """

    def __init__(self, currency: str = USUAL_MONEY, rates: dict[str, float] | None = None, month: float = 30.0) -> None:
        self.currency = currency
        self.rates = rates or {}
        self.month = month
        self.findings: list[Finding] = []

    def number(self, word: Word) -> float:
        """The value of a number token; 1 with a finding where it has none."""
        try:
            return number(word.text)
        except ValueError:
            message = f"`{word.text[:40]}` is not a number that can be used: too large or not finite"
            self.findings.append(finding("U004", message, word.span))
            return 1.0

    def unit(self, word: Word) -> tuple[float, Dim]:
        """Factor to base units and dimension of a unit token; a plain 1 with a finding where it is unknown."""
        try:
            found = unit(word.text)
        except UnknownUnit as error:
            help = [error.hint] if error.hint else [f"did you mean `{name}`?" for name in error.suggestions[:1]]
            if "/" in word.text and not error.hint:
                help.append("to divide by a name, put blanks round the `/`")
            self.findings.append(finding("U002", f"unknown unit `{error.name}`", word.span, help=help))
            return 1.0, UNKNOWN
        factor, dim = found.factor, found.dim
        if self.month != 30.0 and "month" in word.text:
            factor *= (self.month / 30.0) ** dict(dim).get("second", 0.0)
        one = exchanged(Num(factor, dim), self.currency, self.rates)
        return one.value, one.dim

    def quantity(self, value: Word, unit_word: Word | None, span: Span) -> Num:
        """A number with its unit."""
        amount = self.number(value)
        factor, dim = self.unit(unit_word) if unit_word else (1.0, NONE)
        total = amount * factor
        if not math.isfinite(total):
            self.findings.append(finding("U004", f"`{span.text}` is too large to be used", span))
            total = 1.0
        return Num(total, dim, span.text, is_binary(value.text), span)

    def date(self, word: Word) -> Num:
        """A date as seconds since 1970."""
        try:
            moment = datetime.strptime(word.text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.findings.append(finding("U004", f"`{word.text}` is not a date of the calendar", word.span))
            return Num(math.nan, UNKNOWN, word.text, span=word.span)
        return Num(moment.timestamp(), DATE, word.text, span=word.span)

    # ---- figures

    def held(self, value: float, dim: Dim, field: Field, wanted: Dim, expr: Expr, span: Span) -> float | None:
        """A figure in base units, held to the dimension and the domain of its field; None, with a finding, where not.

        Args:
            wanted: The field's dimension in the money at hand.
        """
        if dim != wanted:
            if field.per_gpu and dim == over(wanted, GPU):
                pass
            elif field.name == "hours_per_day" and dim in (NONE, over(TIME, TIME)):
                # `20` and `20 hours/day` both count hours of a day.
                value = value * 86400 if "/" in shown(expr) else value * 3600
            elif dim == NONE and natural(field.dim):
                pass
            else:
                self._of_another_dimension(expr, dim, field, wanted, span)
                return None
        low = value > field.least or (value == field.least and field.zero)
        whole = not field.whole or abs(value - round(value)) <= 1e-9 * abs(value)
        if not (math.isfinite(value) and low and value <= field.most and whole):
            self._out_of_domain(expr, value, field, wanted, span)
            return None
        return value

    def _of_another_dimension(self, expr: Expr, dim: Dim, field: Field, wanted: Dim, span: Span) -> None:
        if dim == NONE and wanted:
            help = [f"write it with its unit, such as `{field.example}`"]
            if field.name == "rate" and "%" in shown(expr):
                help = [f"write `at {shown(expr)} MFU`"]
            message = f"`{shown(expr)}` has no unit; `{field.name}` is {said_dim(wanted)}"
            self.findings.append(finding("U003", message, span, help=help))
            return
        message = f"`{shown(expr)}` is {said_dim(dim)}; `{field.name}` is {said_dim(wanted)}"
        said = mismatch(wanted, dim, "right")
        theirs, ours = ({name for name, _ in d if name in currencies()} for d in (dim, wanted))
        help = [f"write it like `{field.example}`"]
        if theirs and ours and theirs != ours:
            help = [f"declare the rate: `rate {theirs.pop()} = ... {ours.pop()} on YYYY-MM-DD`"]
        elif said:
            help.append(said.replace("the right side", "it"))
        self.findings.append(finding("U001", message, span, help=help))

    def _out_of_domain(self, expr: Expr, value: float, field: Field, wanted: Dim, span: Span) -> None:
        if not math.isfinite(value):
            message = f"`{shown(expr)}` is not a finite number"
        elif value > field.most:
            said = "100 %" if field.most == 1.0 else show(field.most, field.dim)
            message = f"`{field.name}` is `{shown(expr)}`, more than {said}"
        elif value > field.least:
            message = f"`{field.name}` is `{shown(expr)}`; it must be a whole number"
        elif field.least:
            message = f"`{field.name}` is `{shown(expr)}`, less than {show(field.least, wanted)}"
        else:
            must = "must not be negative" if field.zero else "must be more than zero"
            message = f"`{field.name}` is `{shown(expr)}`; it {must}"
        self.findings.append(finding("U004", message, span, help=[f"write it like `{field.example}`"]))

    def unknown_field(self, word: Word, where: str, known: Iterable[str]) -> None:
        """A finding for a field that there is not, with the one that may be meant."""
        known = list(known)
        also_known = ALSO_KNOWN.get(word.text.lower(), "")
        close = did_you_mean(also_known if also_known in known else word.text, known)
        help = close or [f"the fields of `{where}` are " + ", ".join(f"`{name}`" for name in known)]
        self.findings.append(finding("N001", f"unknown field `{word.text[:60]}` in `{where}`", word.span, help=help))

    def given_once(self, named: Iterable[tuple[Hashable, str, Span]]) -> None:
        """A finding for each item that is given again: a key, what it is called, and where it stands."""
        first: dict[Hashable, Span] = {}
        for key, called, span in named:
            if key in first:
                also = [Label(first[key], "the first is here")]
                self.findings.append(finding("N005", f"`{called}` is given twice", span, also=also))
            first.setdefault(key, span)

    # ---- expressions

    def expr(self, node: Node | Word) -> Expr:
        """The expression of a node of the expression rules."""
        if isinstance(node, Word):
            return self._leaf(node)
        rule = node.rule
        if rule in ("amount", "goal", "group", "hw_value", "data_amount"):
            inner = node.children[0]
            assert inner is not None
            built = self.expr(inner)
            if rule == "group" and isinstance(built, Op):
                return Op(built.op, built.args, node.span)
            return built
        if rule == "quantity":
            return self.quantity(node.word(0), _optional(node, 1), node.span)
        if rule == "count_number":
            return self.quantity(node.word(0), None, node.span)
        if rule == "count_negative":
            return Op("neg", (self.quantity(node.word(0), None, node.word(0).span),), node.span)
        if rule in ("name", "string", "date"):
            return self._leaf(node.word(0))
        if rule == "call":
            return self._call(node)
        parts = [child for child in node.children if child is not None]
        if rule == "compare":
            return self._compare(node)
        if rule == "within":
            x, low, high = (self.expr(part) for part in parts)
            return Op("and", (Op(">=", (x, low), node.span), Op("<=", (x, high), node.span)), node.span)
        if rule in ("or_", "and_"):
            return Op(rule.rstrip("_"), tuple(self.expr(part) for part in parts), node.span)
        if rule == "if_":
            return Op("if", tuple(self.expr(part) for part in parts), node.span)
        return Op(_ARITHMETIC[rule], tuple(self.expr(part) for part in parts), node.span)

    def _leaf(self, word: Word) -> Expr:
        if word.type == "STRING":
            return Text(unquoted(word.text), word.span)
        if word.type == "DATE":
            return self.date(word)
        return Unbound(word.text, word.span)

    def _call(self, node: Node) -> Expr:
        word = node.word(0)
        args = tuple(self.expr(child) for child in node.children[1:] if child is not None)
        arity = FUNCTIONS.get(word.text)
        if arity is None:
            listed = "the functions are " + ", ".join(f"`{name}`" for name in FUNCTIONS)
            help = did_you_mean(word.text, FUNCTIONS) or [listed]
            self.findings.append(finding("N002", f"unknown function `{word.text}`", word.span, help=help))
            return Num(1.0, UNKNOWN, span=node.span)
        if len(args) != arity:
            message = f"`{word.text}` takes {arity} value{'s' * (arity > 1)}, here are {len(args)}"
            self.findings.append(finding("S001", message, node.span))
            return Num(1.0, UNKNOWN, span=node.span)
        return Op(word.text, args, node.span)

    def _compare(self, node: Node) -> Expr:
        parts = [child for child in node.children if child is not None]
        out: list[Expr] = []
        left = self.expr(parts[0])
        for sign, right_part in zip(parts[1::2], parts[2::2], strict=True):
            assert isinstance(sign, Word)
            op = {"≤": "<=", "≥": ">="}.get(sign.text, sign.text)
            assert op in COMPARISONS
            right = self.expr(right_part)
            span = left.span.to(right.span) if left.span and right.span else node.span
            out.append(Op(op, (left, right), span))
            left = right
        return out[0] if len(out) == 1 else Op("and", tuple(out), node.span)


def _optional(node: Node, index: int) -> Word | None:
    child = node.children[index] if index < len(node.children) else None
    return child if isinstance(child, Word) else None
