"""What definitions of every kind are made of: citations, units that are counted in, lists of words, figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.pack import Cite
from runplan.dsl.packs.quantity import Counted
from runplan.dsl.syntax.pack_views import CiteSpec
from runplan.dsl.syntax.tree import Node, Word, text_of
from runplan.dsl.text.finding import finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.typed.build import Builder
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import NONE, UNKNOWN, USUAL_MONEY, Dim, in_currency
from runplan.dsl.units.show import show_dim
from runplan.dsl.units.table import currencies

EVIDENCE = ("paper", "authors_code", "secondary", "derived", "memory", "seed")


class Definitions(Builder):
    """Reads the parts of definitions; what is wrong is collected in `findings`.

    Args:
        quantities: Dimension of each quantity that a law may take or give without saying `in`.
        fields: The fields of a plan's statements, which records may state, too.
    """

    def __init__(self, quantities: Mapping[str, Dim], fields: Mapping[str, Mapping[str, Field]] | None = None) -> None:
        super().__init__()
        self.quantities = quantities
        self.fields = fields or {}

    def cite(self, node: Node) -> Cite:
        """A `cites` line: the work, and how its figures were come by where that is said."""
        spec = CiteSpec(node)
        work = text_of(spec.work)
        if not work.strip():
            self.findings.append(finding("P001", "`cites` names nothing", node.span))
        return Cite(work, self.evidence(spec.evidence))

    def notes(self, block: Node) -> tuple[str, ...]:
        """The `note` lines of a block."""
        return tuple(text_of(item.word(0)) for item in block.nodes("law_note"))

    def evidence(self, word: Word | None) -> str:
        """How well a figure is known; empty where nothing is said."""
        if word is None:
            return ""
        if word.text not in EVIDENCE:
            self.unknown("evidence", word, EVIDENCE)
        return word.text

    def unknown(self, what: str, word: Word, choices: Iterable[str]) -> None:
        """A finding for a word that is none of the choices."""
        choices = list(choices)
        help = did_you_mean(word.text, choices) or ["it is one of " + ", ".join(choices)]
        fixes = respelled(word.span, word.text, choices)
        self.findings.append(finding("N002", f"unknown {what} `{word.text}`", word.span, help=help, fixes=fixes))

    def words(self, node: Node | None) -> tuple[str, ...]:
        """The members of a list such as the aliases, unquoted; none where the list is left out."""
        return tuple(text_of(word.word(0)) for word in node.nodes("word")) if node else ()

    def counted(self, node: Node | None, quantity: str, span: Span) -> Counted:
        """A declared unit, or that of the quantity where none is declared."""
        if node is not None:
            words = list(node.words())
            count = self.number(words[0]) if words[0].type == "NUMBER" else 1.0
            factor, dim = self.unit(words[-1]) if words[-1].type == "UNIT" else (1.0, NONE)
            return Counted(count * factor, dim, node.span.text)
        if quantity in self.quantities:
            dim = self.quantities[quantity]
            return Counted(1.0, dim, show_dim(dim))
        help = [*did_you_mean(quantity, self.quantities), "say what it is counted in: `in UNIT`"]
        self.findings.append(finding("U003", f"`{quantity}` is no quantity of plans, and has no unit", span, help=help))
        return Counted(1.0, UNKNOWN, "1")

    # ---- figures

    def fixed(self, expr: Expr, span: Span) -> Num:
        """What a formula of numbers comes to; a 1 of no known dimension, with a finding, where it is none."""
        if isinstance(expr, Num) and math.isfinite(expr.value):  # most are, and need no formula
            return Num(expr.value, expr.dim, span=expr.span or span)
        try:
            number = Num(float(compiled(expr)({})), Dimensions({}).of(expr), span=expr.span or span)
            if math.isfinite(number.value) or number.dim == UNKNOWN:
                return number
            self.findings.append(finding("U004", f"`{shown(expr)}` is not a finite number", expr.span or span))
        except DimensionClash as clash:
            self.findings.append(finding("U001", clash.message, clash.at.span or span))
        except (KeyError, ArithmeticError, ValueError):
            self.findings.append(finding("P001", f"`{shown(expr)}` is not a fixed number", expr.span or span))
        return Num(1.0, UNKNOWN, span=expr.span or span)

    def figure(self, expr: Expr, field: Field, span: Span) -> float | None:
        """A fixed figure in base units; None, with a finding, where it is not of its field's dimension and domain."""
        number = self.fixed(expr, span)
        if number.dim == UNKNOWN:
            return None
        # A pack may give money in any currency: only a plan says which it is solved in.
        money = next((name for name, _ in number.dim if name in currencies()), USUAL_MONEY)
        return self.held(number.value, number.dim, field, in_currency(field.dim, money, ()), expr, number.span or span)
