"""`model` to its size and architecture, `optimizer` to its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.plan.ir import Amount, Given, Model, Optimizer
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node
from runplan.dsl.syntax.views import SizeSpec, block_of, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.typed.fields import PARAMS


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
        elif name in fields:
            found = reading.amount(setting.value, fields[name])
            figures |= {name: found} if found else {}
        else:
            reading.unknown_field(setting.name, "model", fields)
    _check_shape(reading, figures)
    return Model(
        params=figures.pop("params", None),
        active=figures.pop("active", None),
        architecture=figures,
        span=node.span,
    )


# What is a part of what: whether it divides it, and what is said where it cannot be.
_PARTS = (
    ("heads", "hidden", True, "a head's width is no whole number"),
    ("kv_heads", "heads", True, "each of them serves as many heads"),
    ("global_layers", "layers", False, "there are not so many layers"),
    ("active_experts", "experts", False, "a token cannot pass more of them than there are"),
)


def _check_shape(reading: Reading, figures: Mapping[str, Amount]) -> None:
    """The figures of a block that no layer can have together."""
    for part, whole, divides, said in _PARTS:
        few, many = figures.get(part), figures.get(whole)
        of_its_own_width = part == "heads" and "head_dim" in figures
        if not isinstance(few, Given) or not isinstance(many, Given) or of_its_own_width:
            continue
        count, total = round(few.value.value), round(many.value.value)
        if count <= total and not (divides and total % count):
            continue
        fits = min(_divisors(total), key=lambda n: abs(n - count)) if divides else total
        help = [f"write `{part}: {fits}`, or another `{whole}`"]
        message = f"`{part}: {count}` does not go with `{whole}: {total}`: {said}"
        reading.findings.append(finding("C001", message, few.span, also=[Label(many.span)], help=help))


def _divisors(total: int) -> list[int]:
    """The whole numbers that divide a positive one."""
    below = [n for n in range(1, math.isqrt(total) + 1) if total % n == 0]
    return [*below, *(total // n for n in below)]


def optimizer(reading: Reading, node: Node) -> Optimizer:
    """The optimizer of a plan."""
    spec, fields = spec_of(node), reading.fields("optimizer")
    called = spec.word(0)
    settings: dict[str, Amount] = {}
    seen: set[str] = set()
    for setting in block_of(spec, "opt_block") or ():
        name = setting.name.text
        if name in seen:
            reading.again(name, setting.span)
        seen.add(name)
        if name not in fields:
            reading.unknown_field(setting.name, "optimizer", fields)
            continue
        found = reading.amount(setting.value, fields[name])
        if found:
            settings[name] = found
    return Optimizer(Mention(called.text, called.span), settings, node.span)
