"""Model and tokens to definitions and variables."""

from __future__ import annotations

from runplan.dsl.expr.tree import Op, Ref
from runplan.dsl.plan.ir import Amount, Given
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.length import add_length, counted_in
from runplan.engine.formulate.model import add_architecture, add_conversion, counts_without_embeddings
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
        draft.define(q.LAW_PARAMS, Ref(counted), "derived", f"the law counts `{counted}`")
        return
    if counts_without_embeddings(draft):
        add_conversion(draft, size)
        return
    draft.figure(q.PARAMS, size, 1e9, "model")
    model = draft.plan.model
    if draft.law.counts == "active" and model is not None and isinstance(model.active, Given):
        draft.give(q.LAW_PARAMS, model.active)
        return
    said = "the law counts all params"
    if draft.law.counts == "non_embedding":
        said = f"the law counts no embeddings: for {draft.objective.domain} they are taken to add nothing"
    draft.define(q.LAW_PARAMS, Ref(q.PARAMS), "derived", said)


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
    worth, said = Ref(q.TRANSFERRED_TOKENS), "what the transfer is worth; more is wasted"
    data = next((source for source in draft.stage.data if source.stage == "pretrain"), None)
    if data is None:
        draft.define(q.PRETRAIN_TOKENS, worth, "derived", said)
        return
    least = Op("min", (worth, Ref(q.PRETRAIN_DATA)))
    tokens, model = draft.stage.tokens, draft.plan.model
    if not isinstance(tokens, Given):
        draft.define(q.PRETRAIN_TOKENS, least, "derived", said)
        return
    # All is stated: what the second stage leaves of the tokens is the first's, wasted or not.
    draft.giving(q.STATED_TOKENS, tokens)
    left = Op("-", (Ref(q.STATED_TOKENS), Ref(q.FINETUNE_TOKENS)))
    draft.define(q.PRETRAIN_TOKENS, left, "derived", "what the second stage leaves of the tokens")
    # The kink of a minimum is more than the solver takes where the size is free, too.
    floor = least if model and isinstance(model.params, Given) else worth
    draft.constrain("pretrain_tokens", floor, Ref(q.PRETRAIN_TOKENS), "line", data.span)
    draft.constrain("data", Ref(q.PRETRAIN_TOKENS), Ref(q.PRETRAIN_DATA), "data", data.span)


def add_mixture(draft: Draft) -> None:
    """A mixture of experts: the compute is that of the params that a token passes through, and the law must know it."""
    model = draft.plan.model
    if model is None or (model.active is None and q.EXPERTS.text not in model.architecture):
        return
    at = model.active.span if model.active else model.span
    mixed = draft.of_kind("mixture")
    if not any(p.quantity in mixed for f in draft.law.functions for p in f.parameters):
        help = ["name a law of mixtures in `laws`; `plan law` lists what each needs"]
        message = f"`{draft.law.name}` is a law of dense models; the plan's is a mixture of experts"
        draft.does_not_give(message, at, help)
        draft.definitions.pop(q.LOSS, None)
    if model.active is None and (draft.stage.hardware or draft.stage.compute):
        help = ["add the params that a token passes: `active: 37B`"]
        message = "the compute of a mixture of experts is that of its active params, which are not told"
        draft.findings.append(finding("C004", message, at, help=help))
    if isinstance(model.active, Given):
        _active(draft, model.params, model.active)
    elif model.active is not None:
        what = "a bound on `active` is read, and not solved yet"
        draft.gave_up(what, model.active.span, ["give one value"])
    if {q.EXPERTS, q.ACTIVE_EXPERTS} <= draft.definitions.keys():
        unused = Op("-", (Ref(q.EXPERTS), Ref(q.ACTIVE_EXPERTS)))
        said = "experts that a token does not pass"
        draft.define(q.SPARSITY, Op("/", (unused, Ref(q.EXPERTS))), "derived", said)


def _active(draft: Draft, size: Amount | None, active: Given) -> None:
    if isinstance(size, Given) and active.value.value > size.value.value:
        message = "more params are active than there are"
        also = [Label(size.span, "all of them")]
        draft.findings.append(finding("C001", message, active.span, also=also))
    draft.give(q.ACTIVE_PARAMS, active)
    expr = draft.formula(q.COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "training compute: 6 a token and param that it passes through"
    draft.define(q.COMPUTE, expr, "derived", said, active.span)
    serving = draft.formula(q.INFERENCE_COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "compute of serving: 2 a token and param that it passes through"
    draft.define(q.INFERENCE_COMPUTE, serving, "derived", said, active.span)
