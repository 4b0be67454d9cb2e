"""`start` to the weights that a run begins from, and what those say of the model."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.plan.ir import Model, Start
from runplan.dsl.plan.model import check_shape, figures_of_record, likely, named_as
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node, unquoted
from runplan.dsl.syntax.views import StartSpec, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.words import cut
from runplan.dsl.typed.fields import CHECKPOINT, ORIGINS, SCRATCH, TRAINED_ON


def start(reading: Reading, node: Node) -> Start | None:
    """The weights that a run begins from; None, with a finding, where that cannot be told."""
    spec = StartSpec(spec_of(node))
    if spec.origin.text not in (SCRATCH, CHECKPOINT):
        known = reading.vocabulary.model(spec.span.text.partition(" on ")[0].strip())
        help = [f"write `start: checkpoint {known.name}`"] if known else did_you_mean(spec.origin.text, ORIGINS)
        help = help or ["write `start: scratch`, or `start: checkpoint llama-3-8b`"]
        fixes = () if known else respelled(spec.origin.span, spec.origin.text, ORIGINS)
        message = f"unknown start `{cut(spec.origin.text)}`"
        reading.findings.append(finding("N002", message, spec.origin.span, help=help, fixes=fixes))
        return None
    if spec.origin.text == SCRATCH and (extra := spec.name or spec.tokens):
        help = ["leave it out, or write `start: checkpoint NAME on 15T tokens`"]
        reading.findings.append(finding("C001", "a run from scratch begins from no weights", extra.span, help=help))
        return None
    name = Mention(unquoted(spec.name.span.text.strip()), spec.name.span) if spec.name else None
    tokens = reading.given_by(spec.tokens, TRAINED_ON) if spec.tokens else None
    return Start(spec.origin.text == CHECKPOINT, name, tokens, node.span)


def of_checkpoint(reading: Reading, start: Start | None, model: Model | None) -> Model | None:
    """The model of a plan, with the shape of the checkpoint that it starts from where that is a published one.

    A name that no model has may be that of weights of one's own: then the plan says what they are.
    """
    if start is None or start.name is None:
        return model
    name = start.name
    record = reading.vocabulary.model(name.text)
    if record is None and model is None:
        help = likely(reading, name.text) or ["say what your weights are: `model: 7B`, or the name of their shape"]
        fixes = named_as(reading, name.text, name.span)
        reading.findings.append(finding("N002", f"unknown model `{cut(name.text)}`", name.span, help=help, fixes=fixes))
    if record is None:
        return model
    figures = figures_of_record(record, reading.fields("model"), name.span)
    if model is None:
        return Model(None, None, figures, name.span, record, frozenset(figures))
    if model.record is None:
        own = {**figures, **model.architecture}
        check_shape(reading, own)
        recorded = frozenset(figures.keys() - model.architecture.keys())
        return replace(model, architecture=own, record=record, recorded=recorded)
    if model.record.name != record.name:
        message = f"the weights are of `{record.name}`, and the model is `{model.record.name}`"
        also = [Label(model.span, "the model is here")]
        help = [f"leave the model out, or write `start: checkpoint {model.record.name}`"]
        reading.findings.append(finding("C001", message, name.span, also=also, help=help))
    return model
