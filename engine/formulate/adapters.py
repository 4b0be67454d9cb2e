"""Adapters that are trained in place of the weights to their params, and to the compute that training them takes."""

from __future__ import annotations

from runplan.dsl.plan.ir import Optimizer
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q

# What says more of adapters.
_MORE = (q.LORA_ON, q.FROZEN_BITS)


def add_adapters(draft: Draft) -> None:
    """What adapters come to, where the optimizer trains some: only they have gradients, of all else none is computed.

    The names of a shape stand for what a matrix takes and gives; a model without one is taken to have the usual.
    """
    optimizer = draft.plan.optimizer
    if optimizer is None or q.LORA not in draft.definitions:
        _say_none(draft, optimizer)
        return
    _hold_to_weights(draft, optimizer)
    for name in _MORE:
        if name not in draft.definitions:
            draft.assume(name)
    latent = {q.ADAPTER_ATTENTION: q.ADAPTER_LATENT_ATTENTION} if q.KV_LORA in draft.definitions else {}
    shaped = q.EMBEDDING_PARAMS in draft.definitions
    body = (q.MIXTURE_ADAPTERS if draft.mixture else q.DENSE_ADAPTERS) if shaped else q.USUAL_ADAPTERS
    said = draft.quantities[body.text].title
    draft.define(q.ADAPTER_PARAMS, draft.formula(body, latent), "derived", said, optimizer.span)
    passed = draft.formula(body, {**latent, q.EXPERTS: q.ACTIVE_EXPERTS})
    draft.define(q.ACTIVE_ADAPTER_PARAMS, passed, "derived", draft.quantities[q.ACTIVE_ADAPTER_PARAMS.text].title)
    if q.COMPUTE in draft.absent:
        return
    counted = q.ACTIVE_PARAMS if draft.mixture else q.LAW_PARAMS
    known = draft.quantities[q.ADAPTER_COMPUTE.text]
    draft.define(q.COMPUTE, draft.formula(q.ADAPTER_COMPUTE, {q.LAW_PARAMS: counted}), "derived", known.title)


def _say_none(draft: Draft, optimizer: Optimizer | None) -> None:
    """What a plan says of adapters that it does not have."""
    for name in _MORE:
        if optimizer is not None and name in draft.definitions:
            message = f"`{name}` is of adapters, and the optimizer trains all weights"
            help = ["say their rank: `lora: 16`", f"leave `{name}` out"]
            at = optimizer.settings[name.text].span
            draft.findings.append(finding("C001", message, at, help=help, laws=(draft.named,)))


def _hold_to_weights(draft: Draft, optimizer: Optimizer) -> None:
    """Adapters are trained on weights that exist."""
    if draft.from_weights and not draft.transfer:
        return
    message = "adapters are trained on weights that exist, and the run begins from scratch"
    help = ["say what it begins from: `start: checkpoint llama-3-8b`", "leave `lora` out"]
    at = optimizer.settings[q.LORA.text].span
    draft.findings.append(finding("C001", message, at, help=help, laws=(draft.named,)))
