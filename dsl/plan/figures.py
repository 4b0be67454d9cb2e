"""An expression to a typed figure in the plan's money and months, or to a finding that says why it is none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.name import Words
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Unbound, bound, walk, words
from runplan.dsl.expr.values import compiled, not_finite
from runplan.dsl.packs.pack import Entry
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.ir import Amount, Given, Hole, Let, Within
from runplan.dsl.plan.known import Known
from runplan.dsl.syntax.tree import DEFINITIONS, NAMED_FIGURES, File, Mention, Node, Word, leaves, name_of
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.limits import MAX_STAGES, MAX_TERMS
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import listing
from runplan.dsl.typed.build import Builder
from runplan.dsl.typed.fields import ALSO_KNOWN, Field
from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import NONE, UNKNOWN, USUAL_MONEY, Dim, in_currency
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import mismatch, said_dim
from runplan.dsl.units.table import Quantity, UnknownUnit, currencies


class Figures(Builder):
    """Knows the names of a file, its `let`s, its currency and its month, and types expressions by them.

    Args:
        file: The statements, in whose light an unknown name may be excused.
        vocabulary: The names that packs define.
    """

    def __init__(self, file: File, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.file = file
        self.vocabulary = vocabulary
        self.lets: dict[str, Let] = {}
        self.let_dims: dict[str, Dim] = {}
        self.let_values: dict[str, float] = {}
        self.let_terms: dict[str, int] = {}
        self.words = Words({})
        self.places: dict[tuple[str, str], Span] = {}
        self._base: dict[str, Dim] = {}
        lines = " ".join(span.text for span in file.broken)
        self.broken = frozenset(re.findall(r"\w+", lines))

    # ---- money and months

    def _money_and_months(self, statements: Iterable[Node]) -> None:
        """Find the plan's currency (that of its first price, else of its first sum), its rates and its month."""
        priced: list[tuple[int, int, str]] = []
        for node in statements:
            # Of definitions only a price has a say, where the plan itself names no money.
            rank = 2 if node.rule == "record" else int(node.rule != "hardware")
            if node.rule in DEFINITIONS and not (node.rule == "record" and node.word(0).text in NAMED_FIGURES):
                continue
            for leaf in leaves(node):
                entry = self.vocabulary.figures.get(leaf.text) if leaf.type == "NAME" else None
                value = entry.values[0] if entry else None
                try:
                    dim = value.dim if isinstance(value, Num) else unit(leaf.text).dim if leaf.type == "UNIT" else NONE
                except UnknownUnit:
                    continue
                priced.extend((rank, len(priced), name) for name in [n for n, _ in dim if n in currencies()][:1])
        self.currency = min(priced)[2] if priced else USUAL_MONEY
        for node in statements:
            if node.rule == "rate":
                self._rate(node)
            elif node.rule == "calendar":
                self._calendar(node)
        self._base.clear()  # of what was known before the rates were

    def _rate(self, node: Node) -> None:
        spec = next(node.nodes())
        name, value_node = spec.word(0), spec.children[1]
        assert value_node is not None
        expr = self.expr(value_node)
        self.date(spec.word(2))
        help = ["write it like `rate EUR = 1.08 USD on 2026-01-15`"]
        if name.text not in currencies():
            message = f"unknown currency `{name.text[:60]}`"
            help = did_you_mean(name.text, currencies()) or [listing(sorted(currencies()))]
            self.findings.append(finding("U002", message, name.span, help=help))
            return
        dim = self._checked(expr)
        value = self._value(expr) if dim is not None else None
        if dim is None:
            return
        if len(dim) != 1 or dim[0][1] != 1.0 or dim[0][0] not in currencies() or value is None:
            message = f"`{shown(expr)}` is {said_dim(dim)}; a rate is one currency in another"
            self.findings.append(finding("U001", message, value_node.span, help=help))
        elif name.text == dim[0][0]:
            message = f"a rate of {name.text} in {name.text} says nothing"
            self.findings.append(finding("C001", message, spec.span, help=help))
        elif not 0 < value < math.inf:
            message = f"a rate is `{shown(expr)}`; it must be more than zero"
            self.findings.append(finding("U004", message, value_node.span, help=help))
        elif dim[0][0] == self.currency:
            self.rates[name.text] = value
        elif name.text == self.currency:
            self.rates[dim[0][0]] = 1 / value

    def _calendar(self, node: Node) -> None:
        spec = next(node.nodes())
        value_node = spec.children[1]
        assert value_node is not None
        expr = self.expr(value_node)
        value = self._value(expr) if self._checked(expr) == TIME else None
        days = value / 86400 if value is not None else 0.0
        if spec.word(0).text != "month" or not 28 <= days <= 31:
            help = ["write `calendar month = 30.4375 days`"]
            self.findings.append(finding("U004", "a calendar sets the month, to 28 to 31 days", spec.span, help=help))
        else:
            self.month = days

    def _money(self, dim: Dim) -> Dim:
        return in_currency(dim, self.currency, self.rates)

    # ---- names

    def _excused(self, name: str) -> bool:
        """Whether a name that is not known may stand in what could not be read: then that is the mistake."""
        words = {name, *re.findall(r"\w+", name)} - {"tokens", "share", "epochs"}
        return not self.broken.isdisjoint(words) or any(name.startswith(prefix) for prefix in self.file.adrift)

    def _must_be_known(self, what: str, name: Mention, known: Iterable[str]) -> None:
        known = set(known)
        folded = {k.lower() for k in known}
        if name.text.lower() not in folded and not self._excused(name.text):
            listed = f"`plan {what}` lists them" if len(folded) > 9 else f"there are {listing(sorted(known))}"
            help = did_you_mean(name.text, known) or [listed]
            self.findings.append(finding("N002", f"unknown {what} `{name.text[:60]}`", name.span, help=help))

    def _collect_names(self, statements: Sequence[Node]) -> None:
        """The names of stages and sources: an expression may mention them before they are read."""
        stages = [node for node in statements if node.rule == "stage"]
        if len(stages) > MAX_STAGES:
            message = f"the plan has {len(stages):,} stages; at most {MAX_STAGES} are read"
            self.findings.append(finding("S004", message, stages[MAX_STAGES].span))
        places = [(("stage", name_of(node).text), node.span) for node in stages[:MAX_STAGES]]
        for node in _with_stages(statements):
            if node.rule in ("data_named", "phase"):
                kind = "source" if node.rule == "data_named" else "phase"
                places.append(((kind, name_of(node).text), node.span))
            elif node.rule == "hardware":
                pools = list(next(node.nodes()).nodes("pool", "hw_block"))
                places += [(("pool", str(i + 1)), pool.span) for i, pool in enumerate(pools) if len(pools) > 1]
        for part, span in places:
            self.places.setdefault(part, span)
        parts: dict[str, list[str]] = {}
        for kind, name in self.places:
            parts.setdefault(kind, []).append(name)
        named = [next(node.nodes()).word(0).text for node in statements if node.rule == "let"]
        self.words = Words(self.vocabulary.parts, parts, frozenset(named))

    def _known(self) -> Mapping[str, Dim]:
        """Every name that an expression may use, with its dimension."""
        if not self._base:
            self._base = {name: self._money(dim) for name, dim in self.vocabulary.quantities.items()}
        return Known(self.words, self._base, self.let_dims)

    def bound(self, expr: Expr) -> Expr:
        """The expression with its words as the names that they mean."""
        return bound(expr, self.words.bind)

    def _unknown_quantity(self, item: Unbound, known: Mapping[str, Dim]) -> None:
        span = item.span
        assert span is not None
        also_known = ALSO_KNOWN.get(item.name.lower(), "")
        help = did_you_mean(also_known if also_known in known else item.name, [*known, *self.vocabulary.figures])
        if item.name.lower() in ("nan", "inf", "infinity"):
            self.findings.append(finding("U004", f"`{item.name}` is not a number that can be used", span))
            return
        if "-" in item.name:
            help.append("to subtract, put blanks round the `-`")
        if not help:
            help = ["name a quantity, such as " + ", ".join(f"`{q}`" for q in ("params", "tokens", "cost", "loss"))]
        self.findings.append(finding("N002", f"unknown name `{item.name}`", span, help=help))

    # ---- lets

    def _collect_lets(self, statements: Iterable[Node], own: Mapping[str, Entry]) -> None:
        """The plan's `let`s, and the figures of prices and regions that it mentions, which are like them.

        Args:
            own: Figures that the plan or its imports bring: beside those a `let` of the name is a second one, while
                it wins over those of packs, which a plan need not know.
        """
        nodes = [node for node in statements if node.rule == "let"]
        mentioned = {leaf.text for node in statements if node.rule not in DEFINITIONS for leaf in leaves(node)}
        named = self.words.lets
        for figure in sorted(mentioned & self.vocabulary.figures.keys() - self.vocabulary.quantities.keys()):
            if figure in own or figure not in named:
                entry = self.vocabulary.figures[figure]
                value = in_money(entry.values[0], self.currency, self.rates)
                self.lets[figure] = Let(figure, value, entry.span, entry.source)
        self.words = replace(self.words, lets=frozenset((*named, *self.lets)))
        for node in nodes:
            spec = next(node.nodes())
            name, body = spec.word(0), spec.children[1]
            assert body is not None
            if name.text in self.lets:
                also = [Label(self.lets[name.text].span, "the first is here")]
                self.findings.append(finding("N005", f"`{name.text}` is given twice", spec.span, also=also))
            elif (hidden := self.words.quantity(name.text)) is not None:
                message = f"`{name.text}` is a quantity of the plan and cannot be a `let`"
                also = [Label(self.places[part], f"its {part[0]}") for part in hidden.scope[:1]]
                self.findings.append(finding("N005", message, name.span, also=also, help=["choose another name"]))
            else:
                self.lets[name.text] = Let(name.text, self.expr(body), spec.span)
        for let in list(self.lets.values()):
            self._settle_let(let)

    def _settle_let(self, let: Let) -> None:
        """Find the dimension and value of a `let`, those that it rests on first."""
        chain = [let.name]
        while chain:
            name = chain[-1]
            waits = words(self.lets[name].expr) & self.lets.keys() - self.let_dims.keys()
            following = min(waits, default="")
            if name in self.let_dims:
                chain.pop()
            elif not following:
                self._settle(self.lets[name])
                chain.pop()
            elif following in chain:
                circle = [*chain[chain.index(following) :], following]
                shown_circle = " -> ".join(circle if len(circle) < 9 else [*circle[:4], "...", *circle[-3:]])
                message = f"`{name}` is defined by itself: {shown_circle}"
                self.findings.append(finding("N003", message, self.lets[name].span))
                self.lets[name] = Let(name, Num(1.0, UNKNOWN), self.lets[name].span)
                self.let_dims[name] = UNKNOWN
                chain.pop()
            else:
                chain.append(following)

    def _settle(self, let: Let) -> None:
        dim = self._checked(let.expr)
        self.let_terms[let.name] = self._terms(let.expr)
        value = self._value(let.expr) if dim is not None else None
        if value is not None:
            self.let_values[let.name] = value
        self.let_dims[let.name] = UNKNOWN if dim is None else dim

    def _terms(self, expr: Expr) -> int:
        """How many terms an expression has with its `let`s written out."""
        return sum(self.let_terms.get(item.name, 1) if isinstance(item, Unbound) else 1 for item in walk(expr))

    # ---- dimensions and values

    def _checked(self, expr: Expr) -> Dim | None:
        """The dimension of an expression; None, with findings, where it has none."""
        known = self._known()
        if self._terms(expr) > MAX_TERMS:
            assert expr.span is not None
            message = f"with its `let`s written out this has more than {MAX_TERMS:,} terms"
            self.findings.append(finding("S004", message, expr.span))
            return None
        unfit = not_finite(expr, self.let_values)
        if unfit is not None:
            message = f"`{shown(unfit)}` is not a finite number"
            assert unfit.span is not None
            self.findings.append(finding("U004", message, unfit.span))
            return None
        unknown = [item for item in walk(expr) if isinstance(item, Unbound) and item.name not in known]
        for item in unknown:
            if not self._excused(item.name):
                self._unknown_quantity(item, known)
        if unknown or any(isinstance(item, Num) and item.dim == UNKNOWN for item in walk(expr)):
            return None
        if any(self.let_dims.get(name) == UNKNOWN for name in words(expr)):
            return None
        try:
            return Dimensions(known, values=self.let_values).of(expr)
        except DimensionClash as clash:
            self.findings.append(self._clash(clash, expr))
            return None

    def _clash(self, clash: DimensionClash, whole: Expr) -> Finding:
        span = clash.at.span or whole.span
        assert span is not None
        help = []
        if clash.left is not None and clash.right is not None:
            said = mismatch(clash.left, clash.right)
            money = [n for n, _ in (*clash.left, *clash.right) if n in currencies()]
            if len(set(money)) == 2:
                a, b = sorted(set(money), key=lambda c: c == self.currency)
                help.append(f"declare the rate: `rate {a} = ... {b} on YYYY-MM-DD`")
            elif said:
                help.append(said)
        return finding("U001", clash.message, span, help=help)

    def _value(self, expr: Expr) -> float | None:
        """The value of an expression of numbers and lets; None where it depends on what is solved."""
        try:
            return float(compiled(expr)(self.let_values))
        except (KeyError, TypeError):
            return None
        except (ArithmeticError, ValueError):
            return math.nan

    # ---- figures

    def given(self, expr: Expr, field: Field, span: Span) -> Given | None:
        """A figure of a field: of its dimension, in its domain; None with a finding where it is not."""
        dim = self._checked(expr)
        if dim is None:
            return None
        wanted = self._money(field.dim)
        value = self._value(expr)
        if value is None:
            message = f"`{shown(expr)}` depends on what is solved; `{field.name}` is a figure"
            help = ["state the bound with `require` instead"]
            self.findings.append(finding("N002", message, span, help=help))
            return None
        held = self.held(value, dim, field, wanted, expr, span)
        return None if held is None else Given(Quantity(held, wanted), self.bound(expr), span)

    def amount(self, node: Node | Word | None, field: Field, up_to: bool = False) -> Amount | None:
        """A given, bounded or free figure."""
        assert isinstance(node, Node)
        rule = node.rule
        if rule == "hole":
            return Hole(node.span)
        if rule == "between":
            low, high = (self.given(self.expr(part), field, part.span) for part in node.children if part is not None)
            if low is None or high is None:
                return None
            if low.value.value > high.value.value:
                message = f"the range runs down: from {shown(low.expr)} to {shown(high.expr)}"
                self.findings.append(finding("U004", message, node.span, help=["write the smaller end first"]))
                return None
            return Within(low, high, node.span)
        inner = node.children[-1] if rule in ("at_least", "at_most") else node
        assert inner is not None
        found = self.given(self.expr(inner), field, inner.span)
        if found is None:
            return None
        if rule == "at_least":
            return Within(found, None, node.span)
        if rule == "at_most" or up_to:
            return Within(None, found, node.span)
        return found


def _with_stages(statements: Iterable[Node]) -> Iterable[Node]:
    for node in statements:
        yield node
        block = node.node("plan_block") if node.rule == "stage" else None
        if block:
            yield from block.nodes()
