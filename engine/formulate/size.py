"""Model and tokens to definitions and variables."""

from __future__ import annotations

from runplan.dsl.expr.tree import Op, Ref
from runplan.dsl.plan.ir import Amount, Given, Hole, Within
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.base import FLOP, PARAM, TOKEN
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.formulate.law import gives
from runplan.engine.formulate.model import (
    add_architecture,
    add_converted_back,
    add_converted_params,
    counts_without_embeddings,
)
from runplan.engine.laws.form import OF_MIXTURES
from runplan.engine.problem.problem import Limit

# ---- what is trained


def add_model_and_tokens(draft: Draft) -> None:
    """The size and the tokens: given, bounded or free, in the counts of the plan and of the law."""
    tokens = draft.stage.tokens
    if draft.transfer:
        draft.figure("finetune_tokens", None, TOKEN, 1e10, "finetune_tokens")
        if gives(draft, "transferred_tokens"):
            _first_stage(draft)
            total = Op("+", (Ref("pretrain_tokens"), Ref("finetune_tokens")))
            draft.define("tokens", TOKEN, total, "derived", "both stages")
        else:
            if gives(draft, "transferred_characters"):
                worth = Op("/", (Ref("transferred_characters"), Ref("characters_per_token")))
                draft.define("transferred_tokens", TOKEN, worth, "derived", "the law counts characters")
                same = draft.formula("compute", tokens="effective_finetune_tokens")
                said = "the same size from scratch, on the data that the transfer makes of the target's"
                draft.define("scratch_compute", FLOP, same, "derived", said)
            said = "the law does not say how long the first stage takes: only the second is counted"
            draft.define("tokens", TOKEN, Ref("finetune_tokens"), "assumed", said)
        _limited(draft, "tokens", tokens, "tokens")
    else:
        draft.figure("tokens", tokens, TOKEN, 1e11, "tokens")
    size = draft.plan.model.params if draft.plan.model else None
    if add_architecture(draft) and size is None:
        # The architecture tells the size: the law's own count follows from it.
        counted = "params_non_embedding" if counts_without_embeddings(draft) else "params"
        draft.define("law_params", PARAM, Ref(counted), "derived", f"the law counts `{counted}`")
        return
    if counts_without_embeddings(draft):
        if isinstance(size, Given) and "params" not in draft.loosened:
            draft.figure("params", size, PARAM, 1e9, "model")
            add_converted_back(draft)
            return
        # The law's own count is the variable; the total follows from it.
        draft.figure("law_params", None, PARAM, 1e9, "model")
        add_converted_params(draft)
        _limited(draft, "params", size, "model")
        return
    draft.figure("params", size, PARAM, 1e9, "model")
    model = draft.plan.model
    if draft.law.counts == "active" and model is not None and model.active is not None:
        draft.give("law_params", PARAM, model.active)
        return
    said = "the law counts all params"
    if draft.law.counts == "non_embedding":
        said = f"the law counts no embeddings: for {draft.objective.domain} they are taken to add nothing"
    draft.define("law_params", PARAM, Ref("params"), "derived", said)


def _first_stage(draft: Draft) -> None:
    """The tokens of the stage that is transferred from: what it is worth, of the data that there are for it."""
    worth, said = Ref("transferred_tokens"), "what the transfer is worth; more is wasted"
    data = next((source for source in draft.stage.data if source.stage == "pretrain"), None)
    if data is None:
        draft.define("pretrain_tokens", TOKEN, worth, "derived", said)
        return
    least = Op("min", (worth, Ref("pretrain_data")))
    tokens, model = draft.stage.tokens, draft.plan.model
    if not isinstance(tokens, Given) or "tokens" in draft.loosened:
        draft.define("pretrain_tokens", TOKEN, least, "derived", said)
        return
    # All is stated: what the second stage leaves of the tokens is the first's, wasted or not.
    left = Op("-", (number(tokens, TOKEN), Ref("finetune_tokens")))
    draft.define("pretrain_tokens", TOKEN, left, "derived", "what the second stage leaves of the tokens")
    # The kink of a minimum is more than the solver takes where the size is free, too.
    floor = least if model and isinstance(model.params, Given) else worth
    draft.limits.append(Limit("pretrain_tokens", floor, Ref("pretrain_tokens"), "line", data.span))
    draft.limits.append(Limit("data", Ref("pretrain_tokens"), Ref("pretrain_data"), "data", data.span))


def add_mixture(draft: Draft) -> None:
    """A mixture of experts: the compute is that of the params that a token passes through, and the law must know it."""
    model = draft.plan.model
    if model is None or (model.active is None and "experts" not in model.architecture):
        return
    at = model.active.span if model.active else model.span
    if not any(p.quantity in OF_MIXTURES for f in draft.law.functions for p in f.parameters):
        help = ["name a law of mixtures in `laws`; `plan law` lists what each needs"]
        message = f"`{draft.law.name}` is a law of dense models; the plan's is a mixture of experts"
        draft.does_not_give(message, at, help)
        draft.definitions.pop("loss", None)
    if model.active is None and (draft.stage.hardware or draft.stage.compute):
        help = ["add the params that a token passes: `active: 37B`"]
        message = "the compute of a mixture of experts is that of its active params, which are not told"
        draft.findings.append(finding("C004", message, at, help=help))
    if model.active is not None:
        if isinstance(model.params, Given) and model.active.value.value > model.params.value.value:
            message = "more params are active than there are"
            also = [Label(model.params.span, "all of them")]
            draft.findings.append(finding("C001", message, model.active.span, also=also))
        draft.give("active_params", PARAM, model.active)
        expr = draft.formula("compute", law_params="active_params")
        said = "training compute: 6 a token and param that it passes through"
        draft.define("compute", FLOP, expr, "derived", said, at)
        serving = draft.formula("inference_compute", law_params="active_params")
        said = "compute of serving: 2 a token and param that it passes through"
        draft.define("inference_compute", FLOP, serving, "derived", said, at)
    if {"experts", "active_experts"} <= draft.definitions.keys():
        unused = Op("-", (Ref("experts"), Ref("active_experts")))
        draft.define("sparsity", (), Op("/", (unused, Ref("experts"))), "derived", "experts that a token does not pass")


def _limited(draft: Draft, name: str, amount: Amount | None, what: str) -> None:
    """A figure of the plan on a quantity that follows from others: a limit."""
    if isinstance(amount, Given):
        draft.givens[name] = amount
        if name not in draft.loosened:
            end = number(amount, amount.value.dim)
            draft.limits.append(Limit(name, Ref(name), end, "given", amount.span, equal=True))
    elif isinstance(amount, Within):
        draft.bound(what, name, amount)
    elif isinstance(amount, Hole):
        draft.asked.append(name)
