"""A plan's `rate`s, its `calendar` and its prices to its currency, what others are worth in it, and its month."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.pack_views import RecordHead
from runplan.dsl.syntax.statements import DEFINITIONS
from runplan.dsl.syntax.tree import NAMED_FIGURES, Node, Word, leaves
from runplan.dsl.syntax.views import Named, RateSpec, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import listing
from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import USUAL_MONEY
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import UnknownUnit, currencies


def read_money_and_month(reading: Reading, statements: Sequence[Node]) -> None:
    """Give a reading the plan's currency, its rates and its month."""
    reading.currency = _currency(statements, reading.vocabulary)
    told: dict[frozenset[str], Span] = {}
    for node in statements:
        if node.rule == "rate":
            units = (money for leaf in leaves(node) for money in _money_in(leaf, reading.vocabulary))
            pair = frozenset((spec_of(node).word(0).text, *units))
            if pair in told:
                reading.again(
                    f"rate {spec_of(node).word(0).text}", node.span, told[pair], ["one rate joins two currencies"]
                )
            else:
                told[pair] = node.span
                _rate(reading, node)
        elif node.rule == "calendar":
            _calendar(reading, node)
    reading.forget_known()


def _currency(statements: Iterable[Node], vocabulary: Vocabulary) -> str:
    """The currency of the plan's first price, else of its first sum.

    Of definitions only a price or a region has a say, where the plan itself names no money.
    """
    found: list[tuple[int, str]] = []
    for node in statements:
        if node.rule in DEFINITIONS and not _has_named_figures(node):
            continue
        rank = 2 if node.rule == "record" else int(node.rule != "hardware")
        found.extend((rank, money) for leaf in leaves(node) for money in _money_in(leaf, vocabulary))
    return min(found, key=lambda pair: pair[0])[1] if found else USUAL_MONEY


def _has_named_figures(definition: Node) -> bool:
    return definition.rule == "record" and RecordHead(definition).kind.text in NAMED_FIGURES


def _money_in(leaf: Word, vocabulary: Vocabulary) -> Iterator[str]:
    """The currency of a unit, or of a pack's figure that a name stands for."""
    if leaf.type == "UNIT":
        try:
            dim = unit(leaf.text).dim
        except UnknownUnit:
            return
    else:
        entry = vocabulary.figures.get(leaf.text) if leaf.type == "NAME" else None
        if entry is None or not isinstance(entry.values[0], Num):
            return
        dim = entry.values[0].dim
    yield from [name for name, _ in dim if name in currencies()][:1]


def _rate(reading: Reading, node: Node) -> None:
    """What one unit of another currency is worth."""
    spec = RateSpec(spec_of(node))
    name, expr = spec.name, reading.expr(spec.value)
    reading.date(spec.date)
    help = ["write it like `rate EUR = 1.08 USD on 2026-01-15`"]
    if name.text not in currencies():
        message = f"unknown currency `{name.text[:60]}`"
        help = did_you_mean(name.text, currencies()) or [listing(sorted(currencies()))]
        fixes = respelled(name.span, name.text, currencies())
        reading.findings.append(finding("U002", message, name.span, help=help, fixes=fixes))
        return
    dim = reading.checked(expr)
    if dim is None:
        return
    value = reading.value(expr)
    if len(dim) != 1 or dim[0][1] != 1.0 or dim[0][0] not in currencies() or value is None:
        message = f"`{shown(expr)}` is {said_dim(dim)}; a rate is one currency in another"
        reading.findings.append(finding("U001", message, spec.value.span, help=help))
    elif name.text == dim[0][0]:
        message = f"a rate of {name.text} in {name.text} says nothing"
        reading.findings.append(finding("C001", message, spec.span, help=help))
    elif not 0 < value < math.inf:
        message = f"a rate is `{shown(expr)}`; it must be more than zero"
        reading.findings.append(finding("U004", message, spec.value.span, help=help))
    elif dim[0][0] == reading.currency:
        reading.rates[name.text] = value
    elif name.text == reading.currency:
        reading.rates[dim[0][0]] = 1 / value


def _calendar(reading: Reading, node: Node) -> None:
    """How many days a month has."""
    spec = Named(spec_of(node))
    expr = reading.expr(spec.value)
    dim = reading.checked(expr)
    value = reading.value(expr) if dim == TIME else None
    days = value / 86400 if value is not None else 0.0
    message, help = "a calendar sets the month, to 28 to 31 days", ["write `calendar month = 30.4375 days`"]
    if spec.name.text != "month":
        reading.findings.append(finding("N001", message, spec.name.span, help=help))
    elif dim not in (None, TIME):
        reading.findings.append(finding("U001", message, spec.value.span, help=help))
    elif dim and not 28 <= days <= 31:
        reading.findings.append(finding("U004", message, spec.span, help=help))
    elif dim:
        reading.month = days
