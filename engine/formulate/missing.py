"""A quantity that nothing gives to why, and to the statement to add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runplan.dsl.expr.name import Name
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q

# Quantities of the two stages of a transfer.
OF_TRANSFER = frozenset((q.PRETRAIN_TOKENS, q.FINETUNE_TOKENS, q.TRANSFERRED_TOKENS, q.PRETRAIN_SHARE))


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a plan has no value of a quantity.

    Attributes:
        code: L004 where it is the law's part to give it, C009 where it is not solved for yet, else C004.
        help: What to add.
    """

    code: Literal["L004", "C004", "C009"]
    message: str
    help: tuple[str, ...] = ()


def missing(draft: Draft, name: Name) -> Missing:
    """Why nothing gives a quantity, and what to add."""
    law = draft.law.name
    if name in (q.REGRET, q.LEAST_COMPUTE) and q.LOSS in draft.definitions:
        return _regret(draft, name)
    if name in (q.LOSS, q.PERPLEXITY, q.REGRET, q.LEAST_COMPUTE):
        help = "name a law with a loss surface in `laws`; `plan law` lists what each gives"
        return Missing("L004", f"`{law}` does not give `{name}`", (help,))
    if name == q.PARAMS_NON_EMBEDDING:
        why = f"`{law}` counts all params, and the plan does not give the shape that tells them apart"
        help = (
            "name a law that counts without embeddings, such as `kaplan.joint`, or give the shape in the model's block"
        )
        return Missing("C004", f"`{name}` is not known: {why}", (help,))
    if name in OF_TRANSFER:
        if draft.transfer:
            help = "name a law that tells how long the first stage takes, such as `plm`"
            return Missing("L004", f"`{law}` does not give `{name}`", (help,))
        help = "add an objective of two stages: `objective: transfer from CLM to MLM of protein`"
        return Missing("C004", f"`{name}` is not known: the plan's objective is no transfer", (help,))
    if name in (q.INFERENCE_TOKENS, q.INFERENCE_COMPUTE, q.LIFETIME_COMPUTE):
        said = "the plan does not say what is served"
        return Missing("C004", f"`{name}` is not known: {said}", ("add `inference: 2T tokens`",))
    why, help_ = _elsewhere(draft, name)
    return Missing("C004", f"`{name}` is not known: {why}", help_)


def _regret(draft: Draft, name: Name) -> Missing:
    """Why the compute beyond the least is not told, of a law that has a loss."""
    law = draft.law.name
    if q.OPTIMUM_SIZE not in draft.definitions:
        help = "name a law with a loss surface in `laws`; `plan law` lists what each gives"
        return Missing("L004", f"`{law}` has no optimum that `{name}` is measured from", (help,))
    why = "where data may be repeated" if draft.repeats else f"under `{law}`, whose optimum has no closed form"
    help = "require the loss instead, such as `loss <= 2.1`"
    return Missing("C009", f"`{name}` in a requirement is read, and not solved yet {why}", (help,))


def _elsewhere(draft: Draft, name: Name) -> tuple[str, tuple[str, ...]]:
    """Why a quantity is not known that no law would give."""
    facts = draft.quantities[name.text].facts if name.text in draft.quantities else None
    if facts is not None and facts.needs and draft.stage.hardware:
        known = {one.text for one in draft.definitions}
        lacking = [need for need in facts.needs if need[0] not in known] or list(facts.needs[:1])
        return f"no `{lacking[0][0].replace('start', 'from')}` is given", tuple(text for _, text in lacking)
    if facts is not None and (facts.needs or facts.pools or name in (q.TIME, q.IDLE_SHARE)):
        return "the plan has no hardware", ("add `hardware: 1000 x H100 for 6 months`",)
    if name.part("source") or name == q.EPOCHS:
        return "the plan gives no data", ("add `data: 10T tokens`",)
    return "nothing in the plan or the law gives it", ()
