"""Model and tokens to definitions and variables."""

from __future__ import annotations

from runplan.dsl.expr.tree import Op, Ref
from runplan.dsl.plan.ir import Given, Plan
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.length import add_length, counted_in
from runplan.engine.formulate.mixture import add_counted, add_sizes, hold_to_size
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
    add_size(draft)


def add_size(draft: Draft) -> None:
    """The size, in the counts of the plan and of the law."""
    size = draft.plan.model.params if draft.plan.model else None
    if add_architecture(draft):
        # The architecture tells the size: the law's own count follows from it.
        if draft.mixture:
            add_counted(draft)
            return
        hold_to_size(draft)
        counted = q.PARAMS_NON_EMBEDDING if counts_without_embeddings(draft) else q.PARAMS
        if draft.law.counts == "with_head" and not draft.lawless:
            counted = params_with_head(draft)
        draft.define(q.LAW_PARAMS, Ref(counted), "derived", f"the law counts `{counted}`")
        return
    if draft.mixture:
        add_sizes(draft)
        return
    if counts_without_embeddings(draft):
        add_conversion(draft, size)
        return
    draft.figure(q.PARAMS, size, 1e9, "model")
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
