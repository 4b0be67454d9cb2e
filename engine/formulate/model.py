"""The model's block to its size, and one count of params to another."""

from __future__ import annotations

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.expr.values import value
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Amount, Given, Model, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import PARAM
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import add_constants, default_law, function_expr
from runplan.engine.formulate.mixture import add_experts
from runplan.engine.laws.form import cite_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Inverse, Variable

# What a model's block must say for its params to be counted.
COUNTED = (q.LAYERS, q.HIDDEN, q.FFN, q.HEADS, q.VOCAB)


def add_architecture(draft: Draft) -> bool:
    """The figures of the model's block, and its params counted from them; whether they could be counted.

    What is counted stands: a size beside it is what the model is called, and is held to it.
    """
    model = draft.plan.model
    if model is None or not model.architecture:
        return False
    fields = draft.fields_of("model")
    named = {field.name: quantity(text) for text, field in fields.items()}
    add_experts(draft)
    for text in model.architecture:
        if text != q.EXPERTS.text and (given := draft.given(model.architecture, text)) is not None:
            draft.give(named[text], given)
    mixture = draft.knows(q.EXPERTS)
    _embeddings(draft)
    if q.HEAD_DIM not in draft.definitions and {q.HIDDEN, q.HEADS} <= draft.definitions.keys():
        width = Op("/", (Ref(q.HIDDEN), Ref(q.HEADS)))
        draft.define(q.HEAD_DIM, width, "derived", "not given: the width over the heads")
    missing = [] if mixture else [name for name in COUNTED if name not in draft.definitions]
    if missing and model.params is None and len(missing) < len(COUNTED):
        said = ", ".join(f"`{name}: {fields[name.text].example}`" for name in missing)
        help = [f"add the size, `params: 7B`, or what counts it: {said}"]
        draft.findings.append(finding("C004", "the model's block does not tell its size", model.span, help=help))
    if missing:
        _estimate_width(draft, model, model.params)
    by = default_law(draft, "architecture")
    if by is None or missing or mixture or model.active is not None:
        return False
    if q.KV_HEADS not in draft.definitions:
        draft.define(q.KV_HEADS, Ref(q.HEADS), "assumed", "not given: a key and value for each head")
    for function in by.functions:
        expr = function_expr(draft, by, function)
        source = f"{by.title}: {cite_of(by)}"
        draft.define(quantity(function.output), expr, "derived", source, function.span, dim=PARAM, by=by.name)
    if isinstance(model.params, Given | Within):
        _hold_size_to_shape(draft, model.params)
    return True


# `6.7B` stands for what rounds to it: what lies so near is the same.
_SAME = 0.01
# How far what a model is called may lie from its count: 7B are 6.74B of Llama 2, and 7.62B of Qwen2.5.
_CALLED = 0.1


def _hold_size_to_shape(draft: Draft, stated: Given | Within) -> None:
    """A finding where the size that is stated and the shape beside it are not of one model."""
    count = _counted(draft)
    low, high = (stated, stated) if isinstance(stated, Given) else (stated.low, stated.high)
    above = count / high.value.value - 1 if high else 0.0
    below = 1 - count / low.value.value if low else 0.0
    off = max(above, below)
    if off <= _SAME:
        return
    near = isinstance(stated, Given) and off <= _CALLED
    counted = show(count, PARAM)
    message = f"the shape counts {counted}, the size beside it is {stated.span.text}"
    message += ": what is counted is taken" if near else ""
    help = [f"write `params: {counted.removesuffix(' params')}`, or leave `params` out"]
    draft.findings.append(
        finding("C001", message, stated.span, severity="info" if near else None, help=help, key="model.params")
    )


def _counted(draft: Draft) -> float:
    """The params that the model's block counts."""
    known = {quantity(text): default for text, (_, p) in draft.defaults.items() if (default := p.default) is not None}
    block = map(quantity, draft.fields_of("model"))
    for name in (*block, q.EMBEDDINGS, q.KV_HEADS, q.HEAD_DIM):
        if name in draft.definitions and name != q.PARAMS:
            known[name] = float(value(draft.definitions[name].expr, known))
    return float(value(draft.definitions[q.PARAMS].expr, known))


def _embeddings(draft: Draft) -> None:
    """How many tables of embeddings there are."""
    tied = draft.definitions.get(q.TIED)
    one = tied is not None and isinstance(tied.expr, Num) and bool(tied.expr.value)
    if q.VOCAB in draft.definitions:
        said = "tied" if one else "input and output tables apart"
        span = tied.span if tied else None
        draft.define(q.EMBEDDINGS, Num(1.0 if one else 2.0), "given" if tied else "assumed", said, span)


def _estimate_width(draft: Draft, model: Model, size: Amount | None) -> None:
    """A width from the size and the depth, for the rules that judge by it, where the block has none."""
    block = draft.definitions.keys()
    if q.HIDDEN in block or q.EXPERTS in block or not {q.LAYERS, q.VOCAB} & block or not isinstance(size, Given):
        return
    estimate = q.WIDTH_BY_DEPTH if q.LAYERS in block else q.WIDTH_BY_SIZE
    draft.define(q.HIDDEN, Ref(estimate), "assumed", f"estimated: {draft.quantities[estimate.text].title}", dim=NONE)


def counts_without_embeddings(draft: Draft) -> bool:
    """Whether the law's count is another one than all params, in a domain where embeddings matter."""
    of_law = draft.law.counts == "non_embedding" and not draft.lawless
    return of_law and default_law(draft, "conversion") is not None


def add_conversion(draft: Draft, size: Amount | None) -> None:
    """The law's own count of params without embeddings, and the total, one from the other by the published conversion.

    A total that is given is one, and the law's count is what leads to it. Else the law's count is to be found.
    """
    if isinstance(size, Given) and {q.EMBEDDINGS, q.VOCAB, q.HIDDEN} <= draft.definitions.keys():
        draft.figure(q.PARAMS, size, 1e9, "model")
        tables = Op("*", (Op("*", (Ref(q.EMBEDDINGS), Ref(q.VOCAB))), Op("*", (Ref(q.HIDDEN), Num(1.0, PARAM)))))
        draft.define(q.LAW_PARAMS, Op("-", (Ref(q.PARAMS), tables)), "derived", "all params but the embeddings")
        draft.define(q.PARAMS_NON_EMBEDDING, Ref(q.LAW_PARAMS), "derived", "the law counts params without embeddings")
        return
    by, total = conversion(draft)
    source, span = f"{by.title}: {cite_of(by)}", by.functions[0].span
    if isinstance(size, Given):
        draft.figure(q.PARAMS, size, 1e9, "model")
        note = f"solves params = {shown(by.functions[0].body)} at {show(size.value.value, PARAM)}"
        placeholder = Num(size.value.value, PARAM)
        count = draft.definition(q.LAW_PARAMS, placeholder, "assumed", source, span, note=note, by=by.name)
        draft.inverses.append(Inverse(count, draft.definitions[q.PARAMS], total))
    else:
        draft.variables.append(Variable(q.LAW_PARAMS, PARAM, 1e9, size.span if size is not None else None))
        note = "conversion of params without embeddings"
        draft.define(q.PARAMS, total, "assumed", source, span, note=note, by=by.name)
        draft.limited(q.PARAMS, size, "model")
    said = "the law counts params without embeddings"
    draft.define(q.PARAMS_NON_EMBEDDING, Ref(q.LAW_PARAMS), "derived", said)


def conversion(draft: Draft) -> tuple[Law, Expr]:
    """The published conversion of params without embeddings: the law, and all params by `params_non_embedding`."""
    by = default_law(draft, "conversion")
    assert by is not None and by.functions, "only asked for where there is one"
    add_constants(draft, by)
    return by, function_expr(draft, by, by.functions[0])
