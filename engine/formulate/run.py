"""A run to definitions, variables and the limits that it has by itself: the steps of formulating, in their order."""

from __future__ import annotations

from runplan.dsl.plan.ir import Given
from runplan.engine.formulate.attention import add_attention, add_usual_attention
from runplan.engine.formulate.data import add_data
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.hardware import add_hardware
from runplan.engine.formulate.law import add_defaults, add_law, hold_law_to_plan
from runplan.engine.formulate.mixture import add_mixture, say_active, say_dense
from runplan.engine.formulate.optimum import add_optimum
from runplan.engine.formulate.rate import add_needed_rate
from runplan.engine.formulate.requirements import add_compute_limits
from runplan.engine.formulate.settings import add_settings
from runplan.engine.formulate.size import add_model_and_tokens
from runplan.engine.problem import quantities as q


def add_run(draft: Draft) -> None:
    """All of a plan that has no stages, but for what it requires and wants."""
    add_lets(draft)
    hold_law_to_plan(draft)
    add_model_and_tokens(draft)
    say_dense(draft)
    add_law(draft)
    add_settings(draft)
    add_mixture(draft)
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
        draft.define(name, let.expr, "given", "let", let.span, dim=let.dim)


def add_served(draft: Draft) -> None:
    """What the model serves over its life."""
    served = draft.stage.inference
    if isinstance(served, Given):
        draft.giving(q.INFERENCE_TOKENS, served)
    elif served is not None:
        draft.gave_up("`inference` is read as one value only", served.span, ["give one value: `inference: 2T tokens`"])


def nothing_passed_over(draft: Draft) -> None:
    """Every figure that a statement states was taken by something, or has its finding."""
    for key, amount in draft.unread():
        draft.gave_up(f"`{key}` is read, and nothing uses it here", amount.span, ["leave it out"])
