"""`layout` to how the model lies on the devices, and what the framework keeps."""

from __future__ import annotations

from runplan.dsl.plan.ir import Amount, Layout
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node
from runplan.dsl.syntax.views import LayoutSpec, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut, listing


def layout(reading: Reading, node: Node) -> Layout:
    """The layout of a plan, each figure typed; a finding for each name that none has."""
    spec, fields = LayoutSpec(spec_of(node)), reading.fields("layout")
    figures: dict[str, Amount] = {}
    seen: dict[str, Span] = {}
    for item in spec.items():
        name = item.name.text
        if name in seen:
            reading.again(name, item.span, seen[name])
        seen.setdefault(name, item.span)
        if name not in fields:
            reading.unknown_field(item.name, "layout", fields)
        elif (found := reading.amount(item.figure, fields[name])) is not None:
            figures.setdefault(name, found)
    regime = spec.regime
    named = Mention(regime.text, regime.span) if regime is not None else None
    if named is not None:
        _must_be_known(reading, named)
    return Layout(figures, named, node.span)


def _must_be_known(reading: Reading, regime: Mention) -> None:
    """A finding for a regime that there is not."""
    known = reading.vocabulary.regimes
    text = regime.text.lower()
    if not {text, text.replace("_", "-")}.isdisjoint(name.lower() for name in known) or reading.excused(text):
        return
    help = did_you_mean(regime.text, known) or [f"there are {listing(sorted(known))}"]
    reading.findings.append(finding("N002", f"unknown regime `{cut(regime.text)}`", regime.span, help=help))
