"""The shape of a model, and how long its sequences are, to the compute of attention beside the law's own 6ND."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, substitute
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q

# What tells of the sides to which each kind of objective attends.
_SIDES = {"MLM": 2.0}


def add_attention(draft: Draft) -> None:
    """What attention computes, where the model's block has its layers, their width and the context; else nothing.

    The compute of the model is what takes the time, and what a stated MFU is of: that of the law, and this.
    """
    width = _width(draft)
    if width is None or not {q.LAYERS, q.CONTEXT} <= draft.definitions.keys() or not draft.knows(q.TOKENS):
        said = "attention is not counted: the model's block does not tell its layers, their width and the context"
        draft.define(q.MODEL_COMPUTE, Ref(q.COMPUTE), "derived", said)
        if q.CONTEXT not in draft.definitions:  # nobody expects it
            draft.absent.add(q.UNCOUNTED_ATTENTION)
        return
    draft.absent.add(q.UNCOUNTED_ATTENTION)
    draft.define(q.ATTENTION_WIDTH, width[0], "derived", width[1])
    sides, said = _sides(draft)
    draft.define(q.ATTENTION_SIDES, sides, "derived", said)
    if q.WINDOW not in draft.definitions:
        return
    if q.GLOBAL_LAYERS not in draft.definitions:
        draft.define(q.GLOBAL_LAYERS, Num(0.0), "assumed", "not given: every layer has the window")
    whole = Op("*", (Ref(q.GLOBAL_LAYERS), draft.formula(q.ATTENDED)))
    others = Op("*", (Op("-", (Ref(q.LAYERS), Ref(q.GLOBAL_LAYERS))), Ref(q.ATTENDED_IN_WINDOW)))
    mean = Op("/", (Op("+", (whole, others)), Ref(q.LAYERS)))
    draft.define(q.ATTENDED, mean, "derived", "the mean over layers with a window and without")


def add_usual_attention(draft: Draft) -> None:
    """The rate that an assumed MFU stands for, where attention is counted: that is 6ND of runs at the usual context.

    So a plan of that context takes as long as its 6ND says, and a longer one longer by the attention that it adds.
    """
    assumed = [name for name, d in draft.definitions.items() if name.bare == q.MFU and d.kind == "assumed"]
    if not assumed or q.ATTENTION_WIDTH not in draft.definitions:
        return
    counted = q.ACTIVE_PARAMS if draft.mixture else q.LAW_PARAMS
    one = {q.TOKENS: Num(1.0, TOKEN)}
    attention = substitute(draft.formula(q.ATTENTION_COMPUTE), one)
    params = substitute(draft.formula(q.COMPUTE, {q.LAW_PARAMS: counted}), one)
    shorter = Op("min", (Num(1.0), Op("/", (Ref(q.USUAL_CONTEXT), Ref(q.CONTEXT)))))
    added = Op("*", (Op("/", (attention, params)), shorter))
    title = draft.quantities[q.USUAL_ATTENTION.text].title
    draft.define(q.USUAL_ATTENTION, Op("+", (Num(1.0), added)), "derived", title)
    for name in assumed:
        rate, peak = (Name(each.text, scope=name.scope) for each in (q.RATE, q.PEAK))
        reached = Op("*", (Op("*", (Ref(peak), Ref(name))), Ref(q.USUAL_ATTENTION)))
        said = "achieved FLOP/s of one device: the MFU is of 6ND, and attention at the usual context comes on top"
        draft.define(rate, reached, "derived", said)


def _width(draft: Draft) -> tuple[Expr, str] | None:
    """The width of scores and values, and why; that of the model where the block does not tell its heads."""
    if {q.HEADS, q.HEAD_DIM, q.V_HEAD_DIM, q.ROPE_DIM} <= draft.definitions.keys():
        return draft.formula(q.ATTENTION_WIDTH), draft.quantities[q.ATTENTION_WIDTH.text].title
    if {q.HEADS, q.HEAD_DIM} <= draft.definitions.keys():
        return Op("*", (Ref(q.HEADS), Ref(q.HEAD_DIM))), "heads times their width"
    hidden = draft.definitions.get(q.HIDDEN)
    if hidden is not None and hidden.kind == "given":
        return Ref(q.HIDDEN), "no heads are given: all of the model's width"
    return None


def _sides(draft: Draft) -> tuple[Expr, str]:
    """To how many sides a token attends: to those before it, or where tokens are masked, to all."""
    objective = draft.objective
    if objective.kind != "transfer":
        both = objective.kind in _SIDES
        return Num(_SIDES.get(objective.kind, 1.0)), "all tokens see each other" if both else "causal"
    first, second = (_SIDES.get(kind or "", 1.0) for kind in (objective.start, objective.target))
    if first == second or not draft.knows(q.PRETRAIN_TOKENS):
        return Num(second), "as in the stage that is transferred to"
    return _mean(q.PRETRAIN_TOKENS, first, q.FINETUNE_TOKENS, second), "the mean over the tokens of both stages"


def _mean(one: Name, first: float, other: Name, second: float) -> Expr:
    weighed = Op("+", (Op("*", (Ref(one), Num(first))), Op("*", (Ref(other), Num(second)))))
    return Op("/", (weighed, Op("+", (Ref(one), Ref(other)))))
