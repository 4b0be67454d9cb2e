"""A transfer and its two stages: those of a plan that a law of transfers speaks of, and those that a transfer is."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, Ref
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Given, Objective
from runplan.dsl.plan.lower import OF_TRANSFER as STAGES
from runplan.engine.formulate.alone import Alone
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.stages import Staged, of_stages
from runplan.engine.laws.form import gives
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import StageOf


def transfer_of(law: Law, before: Sequence[Alone], after: Sequence[Alone]) -> Objective | None:
    """The transfer that two runs of stages are, where the law speaks of it: between objectives, or between domains."""
    first, second = before[-1].objective, after[0].objective
    span = second.span
    tried = Objective("transfer", first.kind, second.kind, second.domain, span)
    if first.domain != second.domain:
        tried = Objective("transfer", first.domain, second.domain, "text", span)
    return tried if str(tried) in law.objectives else None


def add_transfer(whole: Draft, before: Sequence[Staged], after: Sequence[Staged]) -> None:
    """The tokens of both runs of stages as those of a transfer; the first has what it is worth, where it is free."""
    whole.define(q.FINETUNE_TOKENS, of_stages(after, q.TOKENS), "derived", "the stages that are transferred to")
    if not gives(whole.law, whole.objective, q.TRANSFERRED_TOKENS.text):
        if gives(whole.law, whole.objective, q.TRANSFERRED_CHARACTERS.text):
            worth = Op("/", (Ref(q.TRANSFERRED_CHARACTERS), Ref(q.CHARACTERS_PER_TOKEN)))
            whole.define(q.TRANSFERRED_TOKENS, worth, "derived", "the law counts characters")
            same = whole.formula(q.COMPUTE, {q.TOKENS: q.EFFECTIVE_FINETUNE_TOKENS})
            said = "the same size from scratch, on the data that the transfer makes of the target's"
            whole.define(q.SCRATCH_COMPUTE, same, "derived", said)
        whole.define(q.PRETRAIN_TOKENS, of_stages(before, q.TOKENS), "derived", "the stages that are transferred from")
        return
    free = [stage for stage in before if any(v.name == q.TOKENS for v in stage.draft.variables)]
    if len(before) == 1 and free and not any(c.of == q.TOKENS for c in before[0].draft.constraints):
        whole.define(before[0].of(q.TOKENS), Ref(q.TRANSFERRED_TOKENS), "derived", "what it is worth; more is wasted")
        whole.define(q.PRETRAIN_TOKENS, Ref(q.TRANSFERRED_TOKENS), "derived", "what it is worth; more is wasted")
        return
    there = Op("min", (Ref(q.WORTH_TOKENS), Ref(q.PRETRAIN_TOKENS)))
    whole.define(q.TRANSFERRED_TOKENS, there, "derived", "what it is worth, of what the first stage trains on")
    whole.define(q.PRETRAIN_TOKENS, of_stages(before, q.TOKENS), "derived", "the stages that are transferred from")


def add_density(whole: Draft, after: Sequence[Staged]) -> None:
    """How many characters a token of the target has, where one source of its stage says so."""
    sources = [(stage, source) for stage in after for source in stage.sources]
    if len(sources) != 1 or whole.knows(q.CHARACTERS_PER_TOKEN):
        return
    ((_, source),) = sources
    if isinstance(source.density, Given) and ("character", 1.0) in source.density.value.dim:
        whole.give(q.CHARACTERS_PER_TOKEN, source.density)


def add_implied(draft: Draft) -> tuple[StageOf, ...]:
    """The two stages that a transfer is, with what each has of the whole; none where the law tells only one of them."""
    if not draft.transfer or not all(map(draft.knows, (q.PRETRAIN_TOKENS, q.FINETUNE_TOKENS, q.COMPUTE))):
        return ()
    out = []
    kinds = (draft.objective.start, draft.objective.target)
    for stage, tokens, kind in zip(STAGES, (q.PRETRAIN_TOKENS, q.FINETUNE_TOKENS), kinds, strict=True):
        share = Op("/", (Ref(q.COMPUTE.in_stage(stage)), Ref(q.COMPUTE)))
        own: dict[Name, Expr] = {q.TOKENS: Ref(tokens), q.COMPUTE: draft.formula(q.COMPUTE, {q.TOKENS: tokens})}
        own |= {name: Op("*", (Ref(name), share)) for name in _BY_COMPUTE if draft.knows(name)}
        own |= {name: Ref(name) for name in (q.GPUS,) if draft.knows(name)}
        for name, expr in own.items():
            draft.define(name.in_stage(stage), expr, "derived", f"what `{stage}` has of it")
        objective = Objective(kind or "", None, None, draft.objective.domain, draft.objective.span)
        out.append(StageOf(stage, draft.plan, objective, (), ()))
    return tuple(out)


# What of the whole a stage has as much of as of the compute.
_BY_COMPUTE = (q.TIME, q.GPU_HOURS, q.COST, q.ENERGY, q.EMISSIONS)
