"""`model` to its size and architecture, `optimizer` to its settings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.model_names import folded
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Amount, Given, Model, Optimizer
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node, leaves, unquoted
from runplan.dsl.syntax.views import SizeSpec, block_of, spec_of
from runplan.dsl.text.finding import Fix, Label, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.later import Later
from runplan.dsl.text.nearest import did_you_mean, same_model
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut, listing
from runplan.dsl.typed.fields import PARAMS, Field
from runplan.dsl.units.table import Quantity


def model(reading: Reading, node: Node) -> Model:
    """The model of a plan: a size, a published model by its name, a block, or one of the first two and a block."""
    spec, fields = spec_of(node), reading.fields("model")
    block = block_of(spec, "model_block")
    figures: dict[str, Amount] = {}
    record: Record | None = None
    lead = next((part for part in spec.nodes() if part.rule != "model_block"), None)  # a size in any form, or a name
    if lead is not None and _is_name(reading, lead):
        record, figures = _published(reading, lead), _active(reading, SizeSpec(spec))
    elif lead is not None:
        figures = _sizes(reading, SizeSpec(spec))
    heading = frozenset(figures)
    for setting in block or ():
        name = setting.name.text
        if name in figures or (name == "name" and lead is not None):
            reading.again(name, setting.span)
        elif name in fields:
            found = reading.amount(setting.value, fields[name])
            figures |= {name: found} if found else {}
        elif name == "name":
            lead = setting.value
            record = _published(reading, lead)
        else:
            reading.unknown_field(setting.name, "model", fields)
    recorded = figures_of_record(record, fields, lead.span if lead else node.span) if record else {}
    taken = recorded.keys() - figures.keys()
    figures = {**recorded, **figures}
    if not reading.may_miss("model"):
        check_shape(reading, figures)
    if record is not None and "experts" not in figures and (active := figures.pop("active", None)):
        message = f"`{record.name}` has no experts: a token passes all of it"
        reading.findings.append(finding("C001", message, active.span, help=["leave the active size out"]))
    return Model(
        params=figures.pop("params", None),
        active=figures.pop("active", None),
        architecture=figures,
        span=node.span,
        record=record,
        recorded=frozenset(taken),
        heading=heading,
    )


def _sizes(reading: Reading, spec: SizeSpec) -> dict[str, Amount]:
    params = reading.amount(spec.size, PARAMS)
    return {**({"params": params} if params else {}), **_active(reading, spec)}


def _active(reading: Reading, spec: SizeSpec) -> dict[str, Amount]:
    active = reading.amount(spec.active, reading.fields("model")["active"]) if spec.active else None
    return {"active": active} if active else {}


# ---- a published model by its name

# A name of a model has a figure in it, such as `Llama-3-8B`; else it may be any word that is misspelled.
_NAMED = pattern(r'"?(?:[\w.-]+/)?[A-Za-z][\w.+-]*(?:[ \t][\w.+-]+)*"?')
_SHOWN = 8  # of a family that is named without a size


def _is_name(reading: Reading, node: Node) -> bool:
    """Whether what stands in the place of a size names a model, known or not."""
    if node.rule not in ("amount", "model_name"):  # a bound, a range or a `?` is of a size
        return False
    text = node.span.text.strip()
    words = {leaf.text for leaf in leaves(node) if leaf.type == "NAME"}
    if node.rule == "model_name" or reading.vocabulary.model(text) is not None:
        return not words & reading.lets.keys() or node.rule == "model_name"
    known = {*reading.lets, *reading.vocabulary.quantities, *reading.vocabulary.figures}
    if words & known or not _NAMED.fullmatch(text):
        return False
    return text.startswith('"') or any(letter.isdigit() for letter in text) or bool(_family(reading, text))


def _family(reading: Reading, name: str) -> list[str]:
    """The models of a family, where a name tells no more than that: `mixtral`."""
    begun, models = folded(name), reading.vocabulary.models
    if len(begun) < 3 or any(letter.isdigit() for letter in name):
        return []
    found = (reading.vocabulary.model(known) for known in models if folded(known).startswith(begun))
    return sorted({record.name for record in found if record is not None})


def _published(reading: Reading, node: Node) -> Record | None:
    """The record of a model; None, with a finding, where there is none of its name."""
    name = unquoted(node.span.text.strip())
    found = reading.vocabulary.model(name)
    if found is None and node.span.text.strip() not in reading.lost:
        size = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)[bB](?![a-z])", name)
        said = f"the size, `{size[1]}B`" if size else "the size, such as `7B`"
        shape = f"write {said}, or a block with the shape: `layers`, `hidden`, `ffn` and so on"
        help = likely(reading, name) or [shape]
        fixes = named_as(reading, name, node.span)
        reading.findings.append(finding("N002", f"unknown model `{cut(name)}`", node.span, help=help, fixes=fixes))
    return found


def likely(reading: Reading, name: str) -> list[str]:
    """The help for a name that no model has: those of its family, or the nearest of its size."""
    family = _family(reading, name)
    several = f"name one of them: {listing(family[:_SHOWN])}{' and so on' if len(family) > _SHOWN else ''}"
    return [several] if family else did_you_mean(name, same_model(name, reading.vocabulary.models))


def figures_of_record(record: Record, fields: Mapping[str, Field], span: Span) -> dict[str, Amount]:
    """The shape of a published model, as if the plan had said it where it names the model.

    The sizes that its authors publish are what the shape is held to when the library is tested, and stay there.
    """
    return {
        entry.key: Given(Quantity(value.value, value.dim), value, span)
        for entry in record.entries
        if entry.key in fields and entry.key not in ("params", "active")
        for value in entry.values
        if isinstance(value, Num)
    }


def named_as(reading: Reading, name: str, span: Span) -> Later[Fix]:
    """The fixes of a name that no model has: none where it is that of a family."""
    return respelled(span, name, [] if _family(reading, name) else same_model(name, reading.vocabulary.models))


# What is a part of what: whether it divides it, and what is said where it cannot be.
_PARTS = (
    ("heads", "hidden", True, "a head's width is no whole number"),
    ("kv_heads", "heads", True, "each of them serves as many heads"),
    ("global_layers", "layers", False, "there are not so many layers"),
    ("active_experts", "experts", False, "a token cannot pass more of them than there are"),
)


def check_shape(reading: Reading, figures: Mapping[str, Amount]) -> None:
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


def with_context(reading: Reading, known: Model | None, context: Given) -> Model:
    """The model with sequences as long as a statement of their own says; a finding where the block says it as well."""
    whole = known or Model(None, None, {}, context.span)
    own = whole.architecture.get("context")
    if own is not None and "context" not in whole.recorded:
        reading.again("context", context.span, own.span)
    return replace(
        whole, architecture={**whole.architecture, "context": context}, recorded=whole.recorded - {"context"}
    )
