"""A run to definitions, variables and the limits that it has by itself: the steps of formulating, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Num, names
from runplan.dsl.plan.ir import Given, Hole, Plan
from runplan.dsl.typed.fields import SERVED
from runplan.engine.formulate.adapters import add_adapters
from runplan.engine.formulate.alone import Alone
from runplan.engine.formulate.attention import add_attention, add_usual_attention
from runplan.engine.formulate.checkpoint import add_checkpoint
from runplan.engine.formulate.data import add_data, add_data_of_stage, known_sources
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.hardware import add_hardware
from runplan.engine.formulate.heard import add_losses, add_trained, add_worth_of_stages, of_run, unheard
from runplan.engine.formulate.law import add_defaults, add_law, hold_law_to_plan
from runplan.engine.formulate.mixture import add_mixture, say_active, say_dense
from runplan.engine.formulate.optimum import add_optimum
from runplan.engine.formulate.rate import add_needed_rate
from runplan.engine.formulate.requirements import add_compute_limits
from runplan.engine.formulate.settings import add_settings
from runplan.engine.formulate.shared import (
    add_shared_reservation,
    add_store,
    as_long_as_needed,
    shared_of,
    spread_tokens,
    take_all,
)
from runplan.engine.formulate.size import add_model_and_tokens, add_size
from runplan.engine.formulate.stages import Staged, add_timeline, add_totals, of_stages, take_up
from runplan.engine.formulate.transferred import add_density, add_transfer
from runplan.engine.problem import quantities as q


def add_run(draft: Draft) -> None:
    """All of a plan that has no stages, but for what it requires and wants."""
    add_lets(draft)
    hold_law_to_plan(draft)
    add_model_and_tokens(draft)
    say_dense(draft)
    add_law(draft)
    add_checkpoint(draft)
    add_settings(draft)
    add_mixture(draft)
    add_adapters(draft)
    add_attention(draft)
    add_hardware(draft)
    add_usual_attention(draft)
    add_data(draft)
    add_served(draft)
    add_defaults(draft)
    add_optimum(draft)
    say_active(draft)
    draft.follow()
    add_needed_rate(draft)
    nothing_passed_over(draft)
    add_compute_limits(draft)


def add_lets(draft: Draft) -> None:
    """The plan's `let`s."""
    for name, let in draft.plan.lets.items():
        source = let.source if let.of else "let"
        draft.define(name, let.expr, "given", source, let.span, dim=let.dim, spread=let.spread)
        if let.off:
            draft.definitions[name] = replace(draft.definitions[name], off=let.off)


def add_served(draft: Draft) -> None:
    """What the model serves over its life."""
    served = draft.stage.inference
    if isinstance(served, Given):
        draft.giving(q.INFERENCE_TOKENS, served)
    elif isinstance(served, Hole):
        draft.figure(q.INFERENCE_TOKENS, served, SERVED.usual, "inference")
    elif served is not None:
        help = ["give one value, such as `inference: 2T tokens`, or `inference: ?` for the most"]
        draft.gave_up("a bound on `inference` is read, and not solved yet", served.span, help)


def nothing_passed_over(draft: Draft) -> None:
    """Every figure that a statement states was taken by something, or has its finding."""
    for key, amount in draft.unread():
        draft.gave_up(f"`{key}` is read, and nothing uses it here", amount.span, ["leave it out"])


def add_stage(draft: Draft, alone: Alone) -> Staged:
    """A stage by itself: all but what a law says of it, which is said of the stages of its objective together."""
    add_lets(draft)
    hold_law_to_plan(draft)
    draft.lacking.clear()  # the whole says it
    add_model_and_tokens(draft)
    say_dense(draft)
    add_settings(draft)
    add_mixture(draft)
    add_adapters(draft)
    add_attention(draft)
    add_hardware(draft)
    as_long_as_needed(draft, shared=alone.shares_hardware)
    add_usual_attention(draft)
    phases, sources = add_data_of_stage(draft, own=not alone.shares_data)
    if alone.takes_all:
        take_all(draft)
    add_defaults(draft)
    say_active(draft)
    draft.follow()
    add_needed_rate(draft)
    nothing_passed_over(draft)
    if not alone.shares_hardware or draft.stage.compute is not None:
        add_compute_limits(draft)
    return Staged(alone, draft, phases, sources)


def add_run_of_stages(
    draft: Draft, plan: Plan, stages: Sequence[Staged], run: Sequence[Staged], before: Sequence[Staged] = ()
) -> None:
    """All of a plan that has stages, but for what it requires and wants.

    Args:
        draft: Of what stands outside of the stages; it has no hardware of its own.
        plan: The plan as it is.
        run: The stages that the law speaks of: one after the other, of one objective.
        before: The stages that are transferred from to these, where the law is one of transfers.
    """
    add_lets(draft)
    hold_law_to_plan(draft)
    draft.define(q.TOKENS, of_stages(stages, q.TOKENS), "derived", "all stages together")
    add_size(draft)
    draft.limited(q.TOKENS, plan.outer.tokens, "tokens")
    say_dense(draft)
    if draft.transfer:
        add_transfer(draft, before, run)
    add_law(draft, settings=False)
    add_checkpoint(draft)
    add_mixture(draft)
    shared = shared_of(stages)
    take_up(draft, stages, shared)
    asked = [*(r.condition for r in plan.requires), *(goal.expr for goal in plan.goals)]
    spread_tokens(draft, run, frozenset().union(*map(names, asked)))
    for name in (q.COMPUTE, q.ATTENTION_COMPUTE, q.MODEL_COMPUTE):
        if all(draft.knows(stage.of(name)) for stage in stages):
            draft.define(name, of_stages(stages, name), "derived", "all stages together")
    add_trained(draft, run)
    add_shared_reservation(draft, plan, stages)
    add_timeline(draft, stages)
    if draft.transfer:
        add_density(draft, run)
    sources = known_sources(draft)
    add_store(draft, stages, sources)
    add_worth_of_stages(draft, run, sources)
    add_losses(draft, run, stages)
    if len(run) < len(stages) and not draft.transfer:
        of_run(draft, run)
    add_totals(draft, stages)
    add_served(draft)
    add_defaults(draft)
    if len(run) == len(stages) or draft.transfer:
        add_optimum(draft)
    else:
        draft.define(q.TOKENS_SHORT, Num(0.0), "derived", "the law speaks of some of the stages")
    say_active(draft)
    draft.follow()
    add_compute_limits(draft)
    unheard(draft, stages, run)
