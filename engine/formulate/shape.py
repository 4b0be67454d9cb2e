"""The model's block to its params, counted to the last one by the formulas of `quantities.plan`."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, bound, names
from runplan.dsl.plan.ir import Amount, Given, Hole, Model, Within
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.base import PARAM
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.mixture import OPEN, add_experts
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand

# What a model's block must say for its params to be counted; an MLP, a mixture has one in its experts.
COUNTED = (q.LAYERS, q.HIDDEN, q.FFN, q.HEADS, q.VOCAB)
COUNTED_OF_MIXTURE = (q.LAYERS, q.HIDDEN, q.EXPERT_FFN, q.HEADS, q.VOCAB, q.ACTIVE_EXPERTS)
_PLAIN = 2  # matrices of an MLP that is not gated


def add_architecture(draft: Draft) -> bool:
    """The figures of the model's block, and its params counted from them; whether they could be counted.

    What is counted stands: a size beside it is what the model is called, and is held to it.
    """
    model = draft.plan.model
    counted = model is not None and bool(model.architecture) and _add_block(draft, model)
    if not counted:  # what a block says by leaving it out, no block does
        draft.absent |= draft.quantities.formulas.keys() & set(map(quantity, draft.quantities.given_by("model")))
    return counted


def _add_block(draft: Draft, model: Model) -> bool:
    fields = draft.quantities.given_by("model")
    named = {field.name: quantity(text) for text, field in fields.items()}
    open_ = _open(draft, model, named)
    for text in model.architecture:
        if named[text] == q.EXPERTS and text not in model.recorded:
            add_experts(draft, model)
        elif text in open_:
            amount = draft.take(model.architecture, text, Within, Hole)
            draft.figure(named[text], amount, fields[named[text].text].usual, text)
        elif (given := draft.given(model.architecture, text)) is not None and text in model.recorded:
            draft.define(named[text], given.number, "given", _recorded(model), given.span)
        elif given is not None:
            draft.give(named[text], given)
    mixture = draft.knows(q.EXPERTS)
    _embeddings(draft, model)
    _widths(draft, model)
    missing = [name for name in (COUNTED_OF_MIXTURE if mixture else COUNTED) if not draft.knows(name)]
    if missing:
        _say_missing(draft, model, missing, mixture)
        _estimate_width(draft, model, model.params)
    if missing or (not mixture and model.active is not None):
        return False
    _count(draft, model, mixture)
    _hold_to_shape(draft, model)
    return True


def _open(draft: Draft, model: Model, named: Mapping[str, Name]) -> list[str]:
    """The fields of a shape that are looked for, where it is counted by them; C002 of several that make up for each
    other.
    """
    counted = COUNTED_OF_MIXTURE if q.EXPERTS.text in model.architecture else COUNTED
    if not {*counted} <= {named[text] for text in model.architecture}:
        return []
    open_ = [t for t, amount in model.architecture.items() if named[t] in OPEN and not isinstance(amount, Given)]
    if len(open_) > 1:
        first, second = open_[:2]
        example = draft.quantities.given_by("model")[named[second].text].example
        message = f"nothing in the plan determines `{first}` and `{second}`: more of one makes up for less of the other"
        at, other = model.architecture[second].span, model.architecture[first].span
        help = [f"give one of them, such as `{second}: {example}`"]
        draft.findings.append(finding("C002", message, at, also=[Label(other)], help=help))
    return open_


def _say_missing(draft: Draft, model: Model, missing: list[Name], mixture: bool) -> None:
    """What a block lacks that has no size, and begins to tell one."""
    begun = not draft.definitions.keys().isdisjoint({*COUNTED, q.EXPERT_FFN} - {q.VOCAB} if mixture else COUNTED)
    if model.params is not None or not begun:
        return
    fields = draft.quantities.given_by("model")
    said = ", ".join(f"`{fields[name.text].name}: {fields[name.text].example}`" for name in missing)
    if mixture:
        help = [f"add the size, all experts counted: `params: 671B`; or what counts it: {said}"]
        message = "the size of a mixture of experts is not told"
    else:
        help = [f"add the size, `params: 7B`, or what counts it: {said}"]
        message = "the model's block does not tell its size"
    draft.findings.append(finding("C004", message, model.span, help=help))


def _widths(draft: Draft, model: Model) -> None:
    """What follows of heads, and of MLPs, from the others."""
    known = draft.definitions.keys()
    sized = model.params is not None or not {q.HIDDEN, q.MLP} <= known or q.FFN in known
    if not sized and not draft.knows(q.EXPERTS) and _value(draft, Ref(q.MLP)) == _PLAIN:
        # Beside a stated size it is left out: what is assumed contradicts nobody.
        draft.define(q.FFN, draft.formula(q.PLAIN_FFN), "assumed", draft.quantities[q.PLAIN_FFN.text].title, dim=NONE)
    if q.HEAD_DIM not in known and draft.knows(q.HIDDEN) and draft.knows(q.HEADS):
        width = Op("/", (Ref(q.HIDDEN), Ref(q.HEADS)))
        draft.define(q.HEAD_DIM, width, "derived", "not given: the width over the heads")
    if not draft.knows(q.EXPERTS):
        return
    if not draft.knows(q.EXPERT_FFN) and draft.knows(q.FFN):
        parts: Expr = Op("/", (Ref(q.FFN), Ref(q.GRANULARITY))) if q.GRANULARITY in known else Ref(q.FFN)
        draft.define(q.EXPERT_FFN, parts, "derived", "not given: as wide as an MLP, over the parts that it is cut into")
    elif not draft.knows(q.FFN) and draft.knows(q.EXPERT_FFN):
        draft.define(q.FFN, Ref(q.EXPERT_FFN), "derived", "not given: as wide as an expert")


def _count(draft: Draft, model: Model, mixture: bool) -> None:
    """All params, those without embeddings, and those that a token passes through."""
    if q.KV_HEADS not in draft.definitions:
        _unsaid(draft, model, q.KV_HEADS, Ref(q.HEADS), "not given: a key and value for each head")
    for name in (q.MLP, q.BIASES):
        otherwise = draft.quantities[name.text].facts.otherwise
        if name not in draft.definitions and otherwise is not None:
            _unsaid(draft, model, name, *otherwise)
    if q.KV_LORA in draft.definitions:
        said = draft.quantities[q.LATENT_ATTENTION_PARAMS.text].title
        _define(draft, q.ATTENTION_PARAMS, draft.formula(q.LATENT_ATTENTION_PARAMS), said)
    body = q.MIXTURE_PARAMS if mixture else q.DENSE_PARAMS
    _define(draft, q.PARAMS_NON_EMBEDDING, draft.formula(body), draft.quantities[body.text].title)
    whole = Op("+", (Ref(q.PARAMS_NON_EMBEDDING), Ref(q.EMBEDDING_PARAMS)))
    _define(draft, q.PARAMS, whole, "counted term by term from the model's block")
    if mixture:
        passed = Op("+", (draft.formula(body, {q.EXPERTS: q.ACTIVE_EXPERTS}), Ref(q.EMBEDDING_PARAMS)))
        _define(draft, q.ACTIVE_PARAMS, passed, "the same, of the experts those that a token passes through")


def _unsaid(draft: Draft, model: Model, name: Name, expr: Expr, said: str) -> None:
    """What a block means by leaving it out: an assumption, but of a published model, which is known to be so."""
    if model.record is not None:
        draft.define(name, expr, "given", _recorded(model), model.span)
    else:
        draft.define(name, expr, "assumed", said)


def _recorded(model: Model) -> str:
    """What the shape of a published model rests on."""
    assert model.record is not None
    return f"{model.record.name}: {model.record.text('config')}"


def _define(draft: Draft, name: Name, expr: Expr, said: str) -> None:
    """Define a count, and what it names that follows by a formula."""
    draft.define(name, expr, "derived", said)
    for part in names(expr):
        if not draft.knows(part):
            known = draft.quantities[part.text]
            assert known.formula is not None, f"the standard library counts by `{part}`"
            _define(draft, part, bound(known.formula, quantity), known.title)


# ---- a size that is stated beside the shape

# `6.7B` stands for what rounds to it: what lies so near is the same.
_SAME = 0.01
# How far what a model is called may lie from its count: 7B are 6.74B of Llama 2, and 7.62B of Qwen2.5.
_CALLED = 0.1


def _hold_to_shape(draft: Draft, model: Model) -> None:
    """A finding for each size that is stated and not of the shape beside it."""
    tables = _value(draft, Ref(q.EMBEDDING_PARAMS)) or 0.0
    for stated, name, field in ((model.params, q.PARAMS, "params"), (model.active, q.ACTIVE_PARAMS, "active")):
        count = _value(draft, Ref(name))
        if not isinstance(stated, Given | Within) or count is None:
            continue
        # Of what is active some count the tables of embeddings, some one of them, some none: a token reads a row.
        least = count - tables if name == q.ACTIVE_PARAMS else count
        if (off := _off(stated, least, count)) > _SAME:
            _contradicts(draft, stated, field, count, off)


def _value(draft: Draft, expr: Expr) -> float | None:
    """What an expression comes to; None where something in it is to be found."""
    found = expand(expr, draft.definitions, {})
    return found.value if isinstance(found, Num) else None


def _off(stated: Given | Within, least: float, most: float) -> float:
    """By how much, as a share, a stated size lies outside of what may be counted."""
    low, high = (stated, stated) if isinstance(stated, Given) else (stated.low, stated.high)
    above = least / high.value.value - 1 if high else 0.0
    below = 1 - most / low.value.value if low else 0.0
    return max(above, below, 0.0)


def _contradicts(draft: Draft, stated: Given | Within, field: str, count: float, off: float) -> None:
    near = isinstance(stated, Given) and off <= _CALLED
    counted, what = show(count, PARAM), "the active size" if field == "active" else "the size"
    message = f"the shape counts {counted}, {what} beside it is {stated.span.text}"
    message += ": what is counted is taken" if near else ""
    said, it = _where(draft.plan.model, field, counted.removesuffix(" params"))
    help = [f"write `{said}`, or leave {it} out"]
    severity: Severity | None = "info" if near else None
    draft.findings.append(finding("C001", message, stated.span, severity=severity, help=help, key=f"model.{field}"))


def _where(model: Model | None, field: str, figure: str) -> tuple[str, str]:
    """How another size is written where the one of a field stands, and what is left out without it."""
    if model is None or field not in model.heading:
        return f"{field}: {figure}", f"`{field}`"
    if field == "active":
        return f"{figure} active", "it"
    # Beside a block it stands where the statement begins, which in YAML is `name:`.
    return (figure, "it") if model.architecture.keys() - model.recorded else (f"model: {figure}", "`model`")


# ---- tables, and a width where there is none


def _embeddings(draft: Draft, model: Model) -> None:
    """How many tables of embeddings there are."""
    tied = draft.definitions.get(q.TIED)
    one = tied is not None and isinstance(tied.expr, Num) and bool(tied.expr.value)
    if q.VOCAB in draft.definitions:
        said, tables = "tied" if one else "input and output tables apart", Num(1.0 if one else 2.0)
        if tied is not None:
            draft.define(q.EMBEDDINGS, tables, "given", said, tied.span)
        else:
            _unsaid(draft, model, q.EMBEDDINGS, tables, said)


def _estimate_width(draft: Draft, model: Model, size: Amount | None) -> None:
    """A width from the size and the depth, for the rules that judge by it, where the block has none."""
    block = draft.definitions.keys()
    if q.HIDDEN in block or q.EXPERTS in block or not {q.LAYERS, q.VOCAB} & block or not isinstance(size, Given):
        return
    estimate = q.WIDTH_BY_DEPTH if q.LAYERS in block else q.WIDTH_BY_SIZE
    draft.define(q.HIDDEN, Ref(estimate), "assumed", f"estimated: {draft.quantities[estimate.text].title}", dim=NONE)
