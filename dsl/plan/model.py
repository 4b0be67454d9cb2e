"""`model` to its size and architecture, `optimizer` to its settings."""

from __future__ import annotations

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Op
from runplan.dsl.plan.ir import Amount, Given, Model, Optimizer
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node, leaves
from runplan.dsl.syntax.views import Setting, SizeSpec, block_of, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.typed.fields import ALSO_KNOWN, PARAMS
from runplan.dsl.units.base import SEQUENCE, TOKEN
from runplan.dsl.units.dims import NONE, over
from runplan.dsl.units.table import Quantity

TRUTHS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def model(reading: Reading, node: Node) -> Model:
    """The model of a plan."""
    block, fields = block_of(spec_of(node), "model_block"), reading.fields("model")
    if block is None:
        spec = SizeSpec(spec_of(node))
        params = reading.amount(spec.size, PARAMS)
        active = reading.given_by(spec.active, fields["active"]) if spec.active else None
        return Model(params=params, active=active, architecture={}, span=node.span)
    figures: dict[str, Amount] = {}
    for setting in block:
        name = setting.name.text
        if name in figures:
            reading.again(name, setting.span)
        elif name == "tied" or name in fields:
            found = _tied(reading, setting) if name == "tied" else reading.amount(setting.value, fields[name])
            figures |= {name: found} if found else {}
        else:
            reading.unknown_field(setting.name, "model", [*fields, "tied"])
    return Model(
        params=figures.pop("params", None),
        active=figures.pop("active", None),
        architecture=figures,
        span=node.span,
    )


def _tied(reading: Reading, setting: Setting) -> Given | None:
    """Whether the embeddings are tied: one or zero."""
    words = [leaf.text.lower() for leaf in leaves(setting.value)]
    if len(words) != 1 or words[0] not in TRUTHS:
        reading.findings.append(finding("U003", "`tied` is true or false", setting.span))
        return None
    number = Num(TRUTHS[words[0]])
    return Given(Quantity(number.value, NONE), number, setting.span)


def optimizer(reading: Reading, node: Node, context: Amount | None) -> Optimizer:
    """The optimizer of a plan.

    Args:
        context: The tokens of a sequence, where the model says so.
    """
    spec, fields = spec_of(node), reading.fields("optimizer")
    called = spec.word(0)
    settings: dict[str, Amount] = {}
    seen: set[str] = set()
    for setting in block_of(spec, "opt_block") or ():
        name = setting.name.text
        if name in seen:
            reading.again(name, setting.span)
        seen.add(name)
        key = ALSO_KNOWN.get(name.lower(), name)
        key = key if key in fields else name
        if key not in fields:
            reading.unknown_field(setting.name, "optimizer", fields)
            continue
        value = setting.value
        found = _batch(reading, value, context) if key == "batch" else reading.amount(value, fields[key])
        if found:
            settings[key] = found
    return Optimizer(Mention(called.text, called.span), settings, node.span)


def _batch(reading: Reading, node: Node, context: Amount | None) -> Amount | None:
    """The tokens of a step; a batch in sequences has as many as the model's block says of one."""
    field = reading.fields("optimizer")["batch"]
    if node.rule != "amount":
        return reading.amount(node, field)
    expr = reading.expr(node)
    if reading.checked(expr) != SEQUENCE:
        return reading.amount(node, field)
    if not isinstance(context, Given):
        message = f"`{shown(expr)}` is in sequences; how many tokens one has is not said"
        help = ["add `context: 4096 tokens` to the model's block, or write the batch in tokens"]
        reading.findings.append(finding("C004", message, node.span, help=help))
        return None
    length = Num(context.value.value, over(TOKEN, SEQUENCE), f"{shown(context.expr)}/sequence")
    return reading.given(Op("*", (expr, length), node.span), field, node.span)
