"""Syntax nodes to expressions and figures, with a finding for each number or unit that cannot stand."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.dimensions import is_bare
from runplan.dsl.expr.money import exchanged
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, FUNCTIONS, Expr, Num, Op, Text, Unbound
from runplan.dsl.syntax.tree import Node, Word, as_node, unquoted
from runplan.dsl.text.elsewhere import answer, ours
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.fixes import offered, respelled, united
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut, listing
from runplan.dsl.typed.fields import Field, natural
from runplan.dsl.units.base import DATE, FLOP, TIME
from runplan.dsl.units.calendar import last_day, seconds_of
from runplan.dsl.units.dims import NONE, UNKNOWN, USUAL_MONEY, Dim, over
from runplan.dsl.units.parse import is_binary, number, unit
from runplan.dsl.units.show import mismatch, said_dim, show
from runplan.dsl.units.table import UnknownUnit, currencies
from runplan.dsl.units.traps import spelled_out

# What people write behind a number for a multiplier that is joined to it.
MULTIPLIERS = {
    **{"k": "K", "K": "K", "M": "M", "T": "T", "b": "B", "t": "T", "bn": "B", "mn": "M", "tn": "T"},
    **{"thousand": "K", "million": "M", "billion": "B", "trillion": "T"},
}
# A figure that is smaller or larger, in base units, is of nothing that there is: what follows of it is no number.
SMALLEST, LARGEST = 1e-40, 1e40
MOST_LISTED = 16  # fields of a statement that a message lists; the others are those of what a framework keeps
# The operator of a rule of which all children are operands.
_OPERATORS = {
    **{"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "neg": "neg"},
    **{"not_": "not", "and_": "and", "or_": "or", "if_": "if"},
}


# What is counted in a unit that people call otherwise, by what a plan calls it.
_COUNTS = {
    "steps": "iterations iteration iters iter batches updates minibatches",
    "sequences": "samples sample examples example",
    "epochs": "passes pass rounds",
}
_CALLED = {theirs: ours for ours, several in _COUNTS.items() for theirs in several.split()}
# What has no fixed number of tokens.
_UNCOUNTED = frozenset("documents docs words lines pages files images books requests queries".split())


def _counted(number: str, word: str) -> str:
    """The help with a word behind a number that counts what a plan counts in another word; empty where it does not."""
    if word.lower() in _CALLED:
        return f"write `{number} {_CALLED[word.lower()]}`"
    if word.lower() in _UNCOUNTED:
        return f"say how many tokens those are: a plan counts no {word.lower()}"
    if re.fullmatch(r"x\d+[BMT]", word):
        return "write the params of all experts, and those that are active: `47B params, 13B active`"
    return ""


def with_unit(expr: Expr, field: Field, currency: str) -> str:
    """What to write in place of a bare number: in each unit that is usual, where there are several."""
    units = [example.partition(" ")[2].replace(USUAL_MONEY, currency) for example in (field.example, *field.also)]
    written = [f"`{shown(expr)} {'days' if field.dim == TIME else unit}`" for unit in units]
    return f"write {' or '.join(written)}" if field.also else f"write it with its unit, such as {written[0]}"


def runs_down(low: Expr, high: Expr, span: Span) -> Finding:
    """The finding for a range whose first end is the greater one."""
    message = f"the range runs down: from {shown(low)} to {shown(high)}"
    return finding("U004", message, span, help=["write the smaller end first"])


def _day_help(text: str) -> list[str]:
    """The help with a date that is none: the last day of its month, where the month has fewer."""
    year, month, _ = map(int, text.split("-"))
    if 1 <= month <= 12 and year >= 1:
        return [f"write `{year:04d}-{month:02d}-{last_day(year, month):02d}`, the last day of that month"]
    return ["a date is written as year, month and day, such as `2026-02-01`"]


class Builder:
    """Builds expressions; collects what is wrong.

    Args:
        currency: That of the plan's money.
        rates: For each other currency that the plan converts, the value of one in the plan's.
        month: Days in a month, where the plan sets it.

    Attributes:
        bare_lets: The names of what stands for numbers without any unit.
    """

    def __init__(self, currency: str = USUAL_MONEY, rates: dict[str, float] | None = None, month: float = 30.0) -> None:
        self.currency = currency
        self.rates = rates or {}
        self.month = month
        self.findings: list[Finding] = []
        self.bare_lets: set[str] = set()

    def number(self, word: Word) -> float:
        """The value of a number token; 1 with a finding where it has none."""
        found = self._usable(word)
        return 1.0 if found is None else found

    def _usable(self, word: Word) -> float | None:
        """The same; None with a finding where it has none."""
        try:
            return number(word.text)
        except ValueError:
            message, help = f"`{cut(word.text)}` is not a number that can be used: too large or not finite", []
            if not word.text.isascii():
                plain = "".join(str(int(c)) if c.isdecimal() else c for c in word.text)
                message, help = f"`{cut(word.text)}` is in other digits than 0 to 9", [f"write `{cut(plain)}`"]
            self.findings.append(finding("U004", message, word.span, help=help))
            return None

    def unit(self, word: Word, of: Word | None = None) -> tuple[float, Dim]:
        """Factor to base units and dimension of a unit token; a plain 1 with a finding where it is unknown.

        Args:
            of: The number that it stands behind.
        """
        try:
            found = unit(word.text)
        except UnknownUnit as error:
            help = [error.hint] if error.hint else [f"did you mean `{name}`?" for name in error.suggestions[:1]]
            multiplier = MULTIPLIERS.get(word.text) or MULTIPLIERS.get(word.text.lower().removesuffix("s"))
            if of is not None and multiplier and of.text[-1:].isdigit():
                help = [f"join the multiplier to the number: `{of.text}{multiplier}`"]
            elif "/" in word.text and not error.hint:
                help.append("to divide by a name, put blanks round the `/`")
            elif of is not None and (said := _counted(of.text, word.text)):
                help = [said]
            elif of is not None and not help:
                help = [f"leave `{word.text[:40]}` out, or write a unit, such as `tokens`, `hours` or `USD`"]
            fixes = united(word.span, word.text, error.name, error.hint, error.suggestions)
            message = f"unknown unit `{cut(error.name)}`"
            self.findings.append(finding("U002", message, word.span, help=help, fixes=fixes))
            return 1.0, UNKNOWN
        factor, dim = found.factor, found.dim
        if self.month != 30.0 and "month" in word.text:
            factor *= (self.month / 30.0) ** dict(dim).get("second", 0.0)
        one = exchanged(Num(factor, dim), self.currency, self.rates)
        return one.value, one.dim

    def quantity(self, value: Word, unit_word: Word | None, span: Span) -> Num:
        """A number with its unit."""
        factor, dim = self.unit(unit_word, value) if unit_word else (1.0, NONE)
        found = self._usable(value)
        total, dim = (1.0, UNKNOWN) if found is None else (found * factor, dim)
        if total and not SMALLEST <= total <= LARGEST:
            message = f"`{span.text}` is too {'small' if total < SMALLEST else 'large'} to be used"
            help = [f"see to its exponent and its unit: a figure is from {SMALLEST:g} to {LARGEST:g}"]
            self.findings.append(finding("U004", message, span, help=help))
            total, dim = 1.0, UNKNOWN
        return Num(total, dim, span.text, is_binary(value.text), span)

    def date(self, word: Word) -> Num:
        """A date as seconds since 1970."""
        moment = seconds_of(word.text)
        if moment is None:
            help = _day_help(word.text)
            self.findings.append(finding("U004", f"`{word.text}` is not a date of the calendar", word.span, help=help))
            return Num(math.nan, UNKNOWN, word.text, span=word.span)
        return Num(moment, DATE, word.text, span=word.span)

    def ends(self, low: Node, high: Node) -> tuple[Expr, Expr]:
        """The ends of a range; a unit that only the second has is that of both."""
        number, units = list(low.words()), list(high.words())[1:]
        if low.rule == high.rule == "quantity" and len(number) == 1 and units:
            shared = self.quantity(number[0], units[0], low.span)
            return replace(shared, text=f"{shared.text} {units[0].text}"), self.expr(high)
        return self.expr(low), self.expr(high)

    # ---- figures

    def held(self, value: float, dim: Dim, field: Field, wanted: Dim, expr: Expr, span: Span) -> float | None:
        """A figure in base units, held to the dimension and the domain of its field; None, with a finding, where not.

        Args:
            wanted: The field's dimension in the money at hand.
        """
        bare = dim == NONE and bool(wanted) and is_bare(expr, self.bare_lets)
        fits = dim == wanted or dim == over(wanted, field.per) or (bare and natural(field.dim) and not field.also)
        of_a_day = isinstance(expr, Num) and "/" in expr.text
        if field.name == "hours_per_day" and dim == NONE and (bare or of_a_day):
            # `20` and `20 hours/day` both count hours of a day.
            value = value * 86400 if of_a_day else value * 3600
        elif not fits:
            self._of_another_dimension(expr, dim, field, wanted, span)
            return None
        low = value > field.least or (value == field.least and field.zero)
        whole = not field.whole or abs(value - round(value)) <= 1e-9 * abs(value)
        if not (math.isfinite(value) and low and value <= field.most and whole):
            self._out_of_domain(expr, value, field, wanted, span)
            return None
        return value

    def _of_another_dimension(self, expr: Expr, dim: Dim, field: Field, wanted: Dim, span: Span) -> None:
        of_peak = field.name == "rate" and "%" in shown(expr)
        if dim == NONE and (of_peak or is_bare(expr, self.bare_lets)):
            meant = f"write `at {shown(expr)} MFU`" if of_peak else with_unit(expr, field, self.currency)
            message = f"`{shown(expr)}` has no unit; `{field.name}` is {said_dim(wanted)}"
            fixes = offered(span, shown(expr), meant) if isinstance(expr, Num) else ()
            self.findings.append(finding("U003", message, span, help=[meant], fixes=fixes))
            return
        is_ = "a share" if dim == NONE and "%" in shown(expr) else said_dim(dim)
        message = f"`{shown(expr)}` is {is_}; `{field.name}` is {said_dim(wanted)}"
        step = mismatch(wanted, dim, "right") if dim else None
        theirs, ours = ({name for name, _ in d if name in currencies()} for d in (dim, wanted))
        help = [f"write it like `{field.example}`"]
        if theirs and ours and theirs != ours:
            help = [f"declare the rate: `rate {theirs.pop()} = ... {ours.pop()} on YYYY-MM-DD`"]
        elif isinstance(expr, Num) and wanted == FLOP and over(dim, wanted) == TIME:  # a rate was meant, times a time
            amount = spelled_out(expr.text.partition(" ")[2])
            help = [amount] if amount else help
        elif step:
            help.append(step.replace("the right side", "it"))
        self.findings.append(finding("U001", message, span, help=help))

    def _out_of_domain(self, expr: Expr, value: float, field: Field, wanted: Dim, span: Span) -> None:
        if not math.isfinite(value):
            message = f"`{shown(expr)}` is not a finite number"
        elif value > field.most:
            said = "100 %" if field.most == 1.0 else show(field.most, field.dim)
            message = f"`{field.name}` is `{shown(expr)}`, more than {said}"
        elif value > field.least:
            message = f"`{field.name}` is `{shown(expr)}`; it must be a whole number"
        elif field.least and value > 0:
            message = f"`{field.name}` is `{shown(expr)}`, less than {show(field.least, wanted)}"
        else:
            must = "must not be negative" if field.zero and not field.least else "must be more than zero"
            message = f"`{field.name}` is `{shown(expr)}`; it {must}"
        help = [f"write it like `{field.example}`"]
        if field.most == 1.0 and 2.0 <= value <= 100.0 and isinstance(expr, Num):
            help = [f"write `{shown(expr)}%`"] if expr.value == value and "%" not in expr.text else help
        if isinstance(expr, Op) and expr.op == "-" and value < 0:
            help = [f"a range is written with two dots: `{shown(expr.args[0])} .. {shown(expr.args[1])}`"]
        self.findings.append(finding("U004", message, span, help=help))

    def unknown_field(self, word: Word, where: str, known: Iterable[str], value: str = "") -> None:
        """A finding for a field that there is not, with the one that may be meant by what it is said to be."""
        known = list(known)
        meant = ours(word.text, value)
        source = word.span.source
        elsewhere = [] if meant in known else answer(word.text, "", source.text, source.in_yaml)
        close = did_you_mean(meant if meant in known else word.text, known)
        help = elsewhere or close or [f"the fields of `{where}` are {listing(known, MOST_LISTED)}"]
        message, fixes = f"unknown field `{word.text[:60]}` in `{where}`", respelled(word.span, word.text, known, meant)
        self.findings.append(finding("N001", message, word.span, help=help, fixes=() if elsewhere else fixes))

    def given_once(self, named: Iterable[tuple[Hashable, str, Span]]) -> None:
        """A finding for each item that is given again: a key, what it is called, and where it stands."""
        first: dict[Hashable, Span] = {}
        for key, called, span in named:
            if key in first:
                self.again(called, span, first[key])
            first.setdefault(key, span)

    def again(self, called: str, span: Span, first: Span | None = None, help: Iterable[str] = ()) -> None:
        """A finding for what is given a second time."""
        also = [Label(first, "the first is here")] if first is not None else []
        help = [*help] or ["leave one of them out"]
        self.findings.append(finding("N005", f"`{called}` is given twice", span, also=also, help=help))

    # ---- expressions

    def expr(self, node: Node) -> Expr:
        """The expression of a node of the expression rules, or of one that holds nothing else."""
        match node.rule:
            case "amount" | "goal":
                return self.expr(as_node(node.children[0]))
            case "group":
                built = self.expr(as_node(node.children[0]))
                return Op(built.op, built.args, node.span) if isinstance(built, Op) else built
            case "quantity":
                value, *unit_words = node.words()
                return self.quantity(value, next(iter(unit_words), None), node.span)
            case "count_number":
                return self.quantity(node.word(), None, node.span)
            case "count_negative":
                return Op("neg", (self.quantity(node.word(), None, node.word().span),), node.span)
            case "name":
                return Unbound(node.word().text, node.word().span)
            case "string":
                return Text(unquoted(node.word().text), node.word().span)
            case "date":
                return self.date(node.word())
            case "call":
                return self._call(node)
            case "compare":
                return self._compare(node)
            case "within":
                first, *ends = node.nodes()
                x, (low, high) = self.expr(first), self.ends(*ends)
                if isinstance(low, Num) and isinstance(high, Num) and low.dim == high.dim and low.value > high.value:
                    self.findings.append(runs_down(low, high, node.span))
                return Op("and", (Op(">=", (x, low), node.span), Op("<=", (x, high), node.span)), node.span)
        return Op(_OPERATORS[node.rule], tuple(map(self.expr, node.nodes())), node.span)

    def _call(self, node: Node) -> Expr:
        word, args = node.word(), tuple(map(self.expr, node.nodes()))
        arity = FUNCTIONS.get(word.text)
        if arity is None:
            help = did_you_mean(word.text, FUNCTIONS) or [f"the functions are {listing(FUNCTIONS)}"]
            fixes = respelled(word.span, word.text, FUNCTIONS)
            self.findings.append(finding("N002", f"unknown function `{word.text}`", word.span, help=help, fixes=fixes))
            return Num(1.0, UNKNOWN, span=node.span)
        if len(args) != arity:
            message = f"`{word.text}` takes {arity} value{'s' * (arity > 1)}, here are {len(args)}"
            self.findings.append(finding("S001", message, node.span))
            return Num(1.0, UNKNOWN, span=node.span)
        return Op(word.text, args, node.span)

    def _compare(self, node: Node) -> Expr:
        """A comparison; a chain such as `1 < x <= 3` is all of its links."""
        sides = list(map(self.expr, node.nodes()))
        links = []
        for sign, left, right in zip(node.words(), sides, sides[1:], strict=False):
            op = {"≤": "<=", "≥": ">="}.get(sign.text, sign.text)
            assert op in COMPARISONS
            span = left.span.to(right.span) if left.span and right.span else node.span
            links.append(Op(op, (left, right), span))
        return links[0] if len(links) == 1 else Op("and", tuple(links), node.span)
