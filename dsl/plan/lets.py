"""A plan's `let`s, and the figures of packs that it mentions, to names with a dimension and a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.dimensions import is_bare
from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.tree import Num, words
from runplan.dsl.packs.pack import Entry
from runplan.dsl.plan.constraints import implied_inside
from runplan.dsl.plan.ir import Let
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.statements import DEFINITIONS
from runplan.dsl.syntax.tree import Node, leaves
from runplan.dsl.syntax.views import Named, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.dims import UNKNOWN


def read_lets(
    reading: Reading, statements: Iterable[Node], own: Mapping[str, Entry], results: Mapping[str, Let]
) -> None:
    """Give a reading the plan's `let`s, and what is like them: figures of prices and regions, results of other plans.

    Args:
        own: Figures that the plan or its imports bring: beside those a `let` of the name is a second one, while
            it wins over those of packs, which a plan need not know.
        results: What the plans that it imports come to.
    """
    statements = list(statements)
    specs = [Named(spec_of(node)) for node in statements if node.rule == "let"]
    named = reading.words.lets
    for figure, entry in _mentioned(reading, statements):
        if figure in own or figure not in named:
            value = in_money(entry.values[0], reading.currency, reading.rates)
            reading.lets[figure] = Let(figure, value, entry.span, entry.source)
    for text, result in results.items():
        reading.lets[text] = replace(result, expr=in_money(result.expr, reading.currency, reading.rates))
        if (meant := reading.words.quantity(text)) is not None:
            part = meant.scope[0]
            message = f"`{text}` is of the import and of the {part[0]} `{part[1]}`"
            also = [Label(reading.places[part], f"the {part[0]}")]
            reading.findings.append(
                finding("N005", message, result.span, also=also, help=["import it under another name"])
            )
    # A word that is a quantity is one, whatever else is called so: that has its finding.
    own_names = (name for name in (*named, *reading.lets) if reading.words.quantity(name) is None)
    reading.words = replace(reading.words, lets=frozenset(own_names))
    for spec in specs:
        name = spec.name
        if name.text in reading.lets:
            reading.again(name.text, spec.span, reading.lets[name.text].span)
        elif (hidden := reading.words.quantity(name.text)) is not None:
            message = f"`{name.text}` is a quantity of the plan and cannot be a `let`"
            also = [Label(reading.places[part], f"its {part[0]}") for part in hidden.scope[:1]]
            reading.findings.append(
                finding(
                    "N005", message, name.span, also=also, help=[f"choose another name, such as `{name.text}_limit`"]
                )
            )
        else:
            reading.lets[name.text] = Let(name.text, reading.expr(spec.value), spec.span)
    for let in list(reading.lets.values()):
        _settle(reading, let)


def _mentioned(reading: Reading, statements: Iterable[Node]) -> Iterator[tuple[str, Entry]]:
    """The figures of packs that the plan names."""
    mentioned = {leaf.text for node in statements if node.rule not in DEFINITIONS for leaf in leaves(node)}
    figures = reading.vocabulary.figures
    for name in sorted(mentioned & figures.keys() - reading.vocabulary.quantities.keys()):
        yield name, figures[name]


def _settle(reading: Reading, let: Let) -> None:
    """Find the dimension and value of a `let`, those that it rests on first."""
    chain = [let.name]
    while chain:
        name = chain[-1]
        rests_on = words(reading.lets[name].expr)
        following = min((one for one in rests_on if one in reading.lets and one not in reading.let_dims), default="")
        if name in reading.let_dims:
            chain.pop()
        elif not following:
            _evaluate(reading, reading.lets[name])
            chain.pop()
        elif following in chain:
            _cut(reading, name, [*chain[chain.index(following) :], following])
            chain.pop()
        else:
            chain.append(following)


def _evaluate(reading: Reading, let: Let) -> None:
    """Find the dimension and value of a `let` of which all that it rests on is known."""
    let = reading.lets[let.name] = replace(let, expr=implied_inside(reading, let.expr))
    dim = reading.checked(let.expr)
    reading.let_terms[let.name] = reading.terms(let.expr)
    value = reading.value(let.expr) if dim is not None else None
    if value is not None:
        reading.let_values[let.name] = value
    # What has a value is one figure, and what is too deep has its finding.
    reading.let_depths[let.name] = 1 if dim is None or value is not None else reading.depth(let.expr)
    reading.let_dims[let.name] = UNKNOWN if dim is None else dim
    if is_bare(let.expr, reading.bare_lets):
        reading.bare_lets.add(let.name)


def _cut(reading: Reading, name: str, circle: list[str]) -> None:
    """End a circle of `let`s at one of them."""
    said = " -> ".join(circle if len(circle) < 9 else [*circle[:4], "...", *circle[-3:]])
    span = reading.lets[name].span
    help = ["a `let` names a value once and for all: give what is made of it a name of its own"]
    reading.findings.append(finding("N003", f"`{name}` is defined by itself: {said}", span, help=help))
    reading.lets[name] = Let(name, Num(1.0, UNKNOWN), span)
    reading.let_dims[name] = UNKNOWN
