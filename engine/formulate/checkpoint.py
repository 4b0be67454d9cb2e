"""The weights that a plan starts from to what is known of them, and to what a run that goes on from them is for."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, joined, names
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.replay import keep_asked
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.laws.form import gives
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Goal


def add_checkpoint(draft: Draft) -> None:
    """What the weights were trained on, as the plan says it or as the run of their name was; and what does not go."""
    checkpoint = draft.checkpoint
    if checkpoint is None:
        return
    keep_asked(draft)
    model = draft.plan.model
    if draft.transfer and gives(draft.law, draft.objective, q.TRANSFERRED_TOKENS.text):
        message = "a transfer trains its first stage itself: it does not start from weights that exist"
        target = f"{draft.objective.target} of {draft.objective.domain}"
        help = [f"leave `start` out, or plan the second stage alone: `objective: {target}`"]
        draft.findings.append(finding("C001", message, checkpoint.span, help=help))
    if model is None:
        message = "the plan does not say what the weights are that it starts from: their size is not known"
        help = ["name them: `start: checkpoint llama-3-8b`", "or say the size: `model: 7B`"]
        draft.findings.append(finding("C004", message, checkpoint.span, help=help))
    if checkpoint.tokens is not None:
        draft.give(q.CHECKPOINT_TOKENS, checkpoint.tokens)
    elif model is not None and model.record is not None:
        run = draft.catalogue.record("run", model.record.name)
        entry = run.entry("tokens") if run else None
        if entry is not None and isinstance(entry.values[0], Num):
            said = f"as `{model.record.name}` was: {entry.source}"
            draft.define(q.CHECKPOINT_TOKENS, entry.values[0], "assumed", said, entry.span)


def wanted_of_weights(draft: Draft) -> tuple[Goal, ...] | None:
    """What a run that goes on from weights is for: all of its data, within their epochs; of an open size the largest.

    None where nothing tells what the weights are: that has its finding, and there is no size to choose then.
    """
    if draft.plan.model is None:
        return None
    return _largest(_lengths(draft), [q.PARAMS] if q.PARAMS in draft.chosen() else [])


def data_first(draft: Draft) -> tuple[Goal, ...]:
    """All of the data, before what the plan wants of a run from weights and that says nothing of the tokens.

    The cheapest fine-tune is none at all: what is meant is the cheapest of the data that there are.
    """
    plan = draft.plan
    if draft.checkpoint is None or draft.stage.tokens:
        return ()
    wanted = (*(r.condition for r in plan.requires), *(goal.expr for goal in plan.goals))
    said = any(name.text == q.TOKENS.text for expr in wanted for name in names(without_lets(expr, plan)))
    return () if said else _largest(_lengths(draft))


def _lengths(draft: Draft) -> list[Name]:
    """The tokens that are open: of the run, or of its stages."""

    def is_length(name: Name) -> bool:
        stage = name.part("stage")
        return name == (q.TOKENS.in_stage(stage) if stage else q.TOKENS)

    return [v.name for v in draft.variables if is_length(v.name)]


def _largest(lengths: Sequence[Name], sizes: Sequence[Name] = ()) -> tuple[Goal, ...]:
    """The most tokens, and then the largest size, as one goal: so that what limits either is told.

    A product of powers: each grows until its data, or what it shares with the others, ends. Of size and tokens, whose
    product the compute bounds, the tokens count twice, and so come first.
    """
    parts = [*lengths, *lengths, *sizes] if sizes else [*lengths]
    return (Goal("maximize", joined("*", parts)),) if parts else ()
