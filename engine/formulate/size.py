"""Model and tokens to definitions and variables."""

from __future__ import annotations

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Op, Ref, words
from runplan.dsl.plan.ir import Amount, Given, Model, Plan
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import PARAM, TOKEN
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.length import add_length, counted_in
from runplan.engine.formulate.model import add_conversion, counts_without_embeddings, params_with_head
from runplan.engine.formulate.shape import add_architecture
from runplan.engine.laws.form import gives
from runplan.engine.problem import quantities as q


def add_model_and_tokens(draft: Draft) -> None:
    """The size and the tokens: given, bounded or free, in the counts of the plan and of the law."""
    if draft.transfer:
        _must_be_in_tokens(draft)
        _transferred_tokens(draft)
    else:
        add_length(draft)
    size = draft.plan.model.params if draft.plan.model else None
    if add_architecture(draft):
        # The architecture tells the size: the law's own count follows from it.
        counted = q.PARAMS_NON_EMBEDDING if counts_without_embeddings(draft) else q.PARAMS
        if draft.law.counts == "with_head" and not draft.lawless:
            counted = params_with_head(draft)
        draft.define(q.LAW_PARAMS, Ref(counted), "derived", f"the law counts `{counted}`")
        return
    if counts_without_embeddings(draft):
        add_conversion(draft, size)
        return
    draft.figure(q.PARAMS, size, 1e9, "model")
    model = draft.plan.model
    if draft.law.counts == "active" and model is not None and draft.mixture and not draft.lawless:
        if isinstance(model.active, Given):
            draft.give(q.LAW_PARAMS, model.active)
        return
    said = "no law counts them here: all params" if draft.lawless else "the law counts all params"
    if draft.law.counts == "non_embedding" and not draft.lawless:
        said = f"the law counts no embeddings: for {draft.objective.domain} they are taken to add nothing"
    draft.define(q.LAW_PARAMS, Ref(q.PARAMS), "derived", said)


def has_size_and_tokens(plan: Plan) -> bool:
    """Whether a plan states both, and leaves a law nothing to choose."""
    model, tokens = plan.model, plan.stages[0].tokens
    sized = model is not None and (
        isinstance(model.params, Given) or (model.params is None and bool(model.architecture))
    )
    return sized and isinstance(tokens, Given)


def _must_be_in_tokens(draft: Draft) -> None:
    """Steps and passes of a transfer are of two stages, and which has how many is not told."""
    tokens = draft.stage.tokens
    if tokens is not None and counted_in(tokens) != TOKEN:
        what = "the length of a transfer in steps or passes is read, and not solved yet"
        draft.gave_up(what, tokens.span, ["give it in tokens"])


def _transferred_tokens(draft: Draft) -> None:
    """The tokens of both stages of a transfer, as far as the law says how long the first one takes."""
    draft.figure(q.FINETUNE_TOKENS, None, 1e10, "finetune_tokens")
    if gives(draft.law, draft.objective, q.TRANSFERRED_TOKENS.text):
        _first_stage(draft)
        total = Op("+", (Ref(q.PRETRAIN_TOKENS), Ref(q.FINETUNE_TOKENS)))
        draft.define(q.TOKENS, total, "derived", "both stages")
        if q.STATED_TOKENS in draft.definitions:
            return
    else:
        if gives(draft.law, draft.objective, q.TRANSFERRED_CHARACTERS.text):
            worth = Op("/", (Ref(q.TRANSFERRED_CHARACTERS), Ref(q.CHARACTERS_PER_TOKEN)))
            draft.define(q.TRANSFERRED_TOKENS, worth, "derived", "the law counts characters")
            same = draft.formula(q.COMPUTE, {q.TOKENS: q.EFFECTIVE_FINETUNE_TOKENS})
            said = "the same size from scratch, on the data that the transfer makes of the target's"
            draft.define(q.SCRATCH_COMPUTE, same, "derived", said)
        said = "the law does not say how long the first stage takes: only the second is counted"
        draft.define(q.TOKENS, Ref(q.FINETUNE_TOKENS), "assumed", said)
    draft.limited(q.TOKENS, draft.stage.tokens, "tokens")


def _first_stage(draft: Draft) -> None:
    """The tokens of the stage that is transferred from: what it is worth, of the data that there are for it."""
    said = "what the transfer is worth; more is wasted"
    data = next((source for source in draft.stage.data if source.stage == "pretrain"), None)
    if data is not None:
        there = Op("min", (Ref(q.WORTH_TOKENS), Ref(q.PRETRAIN_DATA)))
        draft.define(q.TRANSFERRED_TOKENS, there, "derived", "what it is worth, of the data that there are for it")
    tokens = draft.stage.tokens
    if data is None or not isinstance(tokens, Given):
        draft.define(q.PRETRAIN_TOKENS, Ref(q.TRANSFERRED_TOKENS), "derived", said)
        return
    # All is stated: what the second stage leaves of the tokens is the first's, wasted or not.
    draft.giving(q.STATED_TOKENS, tokens)
    left = Op("-", (Ref(q.STATED_TOKENS), Ref(q.FINETUNE_TOKENS)))
    draft.define(q.PRETRAIN_TOKENS, left, "derived", "what the second stage leaves of the tokens")
    both = Op("+", (Ref(q.FINETUNE_TOKENS), Ref(q.TRANSFERRED_TOKENS)))
    draft.constrain("pretrain_tokens", both, Ref(q.STATED_TOKENS), "line", data.span, text="tokens")
    draft.constrain("data", Ref(q.PRETRAIN_TOKENS), Ref(q.PRETRAIN_DATA), "data", data.span)


def add_mixture(draft: Draft) -> None:
    """A mixture of experts: the compute is that of the params that a token passes through, and of no others."""
    model = draft.plan.model
    if model is None or not draft.mixture:
        return
    if q.ACTIVE_PARAMS in draft.definitions:  # counted by the shape
        _compute_of_active(draft, model.span)
    elif isinstance(model.active, Given):
        _active(draft, model.params, model.active)
    else:
        draft.absent.update(_over_all_params(draft))
    if q.ACTIVE_PARAMS in draft.definitions:
        pass
    elif model.active is None:
        help = [f"add the params that a token passes through to the model's block, such as `active: {_example(model)}`"]
        message = "the compute of a mixture of experts is that of its active params, which are not told"
        draft.findings.append(finding("C004", message, model.span, help=help))
    elif not isinstance(model.active, Given):
        what = "a bound on `active` is read, and not solved yet"
        draft.gave_up(what, model.active.span, ["give one value"])
    if {q.EXPERTS, q.ACTIVE_EXPERTS} <= draft.definitions.keys():
        unused = Op("-", (Ref(q.EXPERTS), Ref(q.ACTIVE_EXPERTS)))
        said = "experts that a token does not pass"
        draft.define(q.SPARSITY, Op("/", (unused, Ref(q.EXPERTS))), "derived", said)


def say_active(draft: Draft) -> None:
    """What is active of a dense model: all of it. Of a mixture the plan says it, or nobody does."""
    if not draft.mixture:
        draft.define(q.ACTIVE_PARAMS, Ref(q.PARAMS), "derived", "a token passes all params of a dense model")


def _over_all_params(draft: Draft) -> list[Name]:
    """The quantities that are counted over all params of a dense model, and of no mixture."""
    formulas = ((text, known.formula) for text, known in draft.quantities.items() if known.formula is not None)
    return [quantity(text) for text, formula in formulas if q.LAW_PARAMS.text in words(formula)]


def _example(model: Model) -> str:
    """A size that the active params might have, for a message: the experts' share of all, at most."""
    all_of_them = model.params.value.value if isinstance(model.params, Given) else 8e9
    sides = [model.architecture.get(name.text) for name in (q.ACTIVE_EXPERTS, q.EXPERTS)]
    some, of = (side.value.value if isinstance(side, Given) else None for side in sides)
    share = some / of if some and of and some < of else 0.125
    return show(all_of_them * share, PARAM, 2).removesuffix(" params")


def _active(draft: Draft, size: Amount | None, active: Given) -> None:
    if isinstance(size, Given) and active.value.value > size.value.value:
        message = "more params are active than there are"
        also = [Label(size.span, "all of them")]
        draft.findings.append(finding("C001", message, active.span, also=also))
    draft.giving(q.ACTIVE_PARAMS, active)
    if isinstance(size, Given):
        draft.constrain("active", Ref(q.ACTIVE_PARAMS), Ref(q.PARAMS), "line", active.span)
    _compute_of_active(draft, active.span)


def _compute_of_active(draft: Draft, span: Span) -> None:
    expr = draft.formula(q.COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "training compute: 6 a token and param that it passes through"
    draft.define(q.COMPUTE, expr, "derived", said, span)
    serving = draft.formula(q.INFERENCE_COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "compute of serving: 2 a token and param that it passes through"
    draft.define(q.INFERENCE_COMPUTE, serving, "derived", said, span)
