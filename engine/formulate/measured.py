"""A rate as people measure it to what a device reaches: tokens a second, seconds a step, FLOP in another convention.

A throughput needs no count of FLOP for the time; the rate and the MFU that it comes to follow from the model's.
"""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.plan.ir import Given, Hole, Pool
from runplan.dsl.text.elsewhere import answer
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import GPU
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.problem import quantities as q

# What a pool may say that it reaches, each in its own way.
REACHED = (q.MFU, q.RATE, q.THROUGHPUT, q.JOINT_THROUGHPUT, q.STEP_TIME)
# Of all devices together, by how that is said of one.
JOINT = (q.JOINT_THROUGHPUT, q.STEP_TIME)
_OF_ONE = "say what one device does: `at 12k tokens/second/GPU`"


@dataclass(frozen=True, slots=True)
class _Convention:
    """What a count of FLOP counts.

    Attributes:
        attention: The quantity that says what attention adds; None where it is not counted.
        passes: FLOP over those of one forward and one backward pass: activations that are recomputed are a second
            forward pass, a third of those two.
    """

    attention: Name | None
    passes: float = 1.0


# By the number that `mfu_convention` has in `quantities.plan`.
_CONVENTIONS = {
    1.0: _Convention(None),
    2.0: _Convention(q.ATTENTION_COMPUTE),
    3.0: _Convention(q.FULL_ATTENTION),
    4.0: _Convention(None, 4 / 3),
    5.0: _Convention(q.FULL_ATTENTION, 4 / 3),
}


def add_throughput(draft: Draft, pool: Pool, own: Own) -> None:
    """The rate of a pool that states tokens a second or seconds a step: those times the model's FLOP a token."""
    stated = next((name for name in (q.THROUGHPUT, *JOINT) if own(name) in draft.definitions), None)
    if stated is None:
        return
    span = draft.definitions[own(stated)].span
    if stated in JOINT:
        if not _is_counted(draft, pool, own, stated):
            return
        joint: Expr = Ref(own(q.JOINT_THROUGHPUT))
        if stated == q.STEP_TIME:
            joint = Op("/", (Ref(q.BATCH), Ref(own(q.STEP_TIME))))
            draft.define(own(q.JOINT_THROUGHPUT), joint, "derived", "a batch in the time of a step", span)
        each = Op("/", (Ref(own(q.JOINT_THROUGHPUT)), Ref(own(q.GPUS))))
        draft.define(own(q.THROUGHPUT), each, "derived", "of all devices, over how many there are", span)
    a_token = Op("/", (Ref(q.MODEL_COMPUTE), Ref(q.TOKENS)))
    rate = Op("*", (Op("*", (Ref(own(q.THROUGHPUT)), Num(1.0, GPU))), a_token))
    draft.define(own(q.RATE), rate, "derived", "tokens a second times the model's FLOP a token", span)


def _is_counted(draft: Draft, pool: Pool, own: Own, stated: Name) -> bool:
    """Whether it is known what a figure of all devices is of: how many there are, and of a step its batch."""
    amount = pool.figures[draft.quantities.given_by("hardware")[stated.text].name]
    text = amount.span.text.strip()
    if not isinstance(pool.figures.get("gpus"), Given):
        message = f"`{text}` is of all devices together, and how many there are is open"
        draft.findings.append(finding("C004", message, amount.span, help=[_OF_ONE]))
        return False
    if stated == q.STEP_TIME and own(stated) != stated:
        message = f"`{text}` is a step of all pools together, and does not tell what each of them reaches"
        draft.findings.append(finding("C004", message, amount.span, help=[_OF_ONE]))
        return False
    optimizer = draft.plan.optimizer
    if stated == q.STEP_TIME and (optimizer is None or "batch" not in optimizer.settings):
        message = f"`{text}` is of a batch, and the plan does not say which"
        source = amount.span.source
        help = [*answer("batch", "4M tokens", source.text, source.in_yaml), _OF_ONE]
        draft.findings.append(finding("C004", message, amount.span, help=help))
        return False
    return True


def add_convention(draft: Draft, pool: Pool, own: Own) -> None:
    """The model's own MFU and rate, of those that a pool states in another convention."""
    said = draft.given(pool.figures, q.MFU_CONVENTION.text)
    if said is None:
        return
    draft.give(own(q.MFU_CONVENTION), said)
    stated = next((name for name in (q.MFU, q.RATE) if name.text in pool.figures), None)
    if stated is None:
        message = f"`{q.MFU_CONVENTION}` says what a stated MFU or rate counts, and the plan states none"
        help = ["leave it out, or state the MFU: `mfu: 40%`"]
        draft.findings.append(finding("C004", message, said.span, help=help))
        return
    if isinstance(pool.figures[stated.text], Hole):
        what = f"a `?` on `{stated}` in another convention is read, and not solved yet"
        draft.gave_up(what, said.span, ["leave the convention out: it is asked for in the model's own FLOP"])
        return
    convention = _CONVENTIONS[said.value.value]
    counted: Expr = Ref(q.COMPUTE)
    if convention.attention is not None:
        if q.ATTENTION_WIDTH not in draft.definitions:
            message = f"`{said.span.text.strip()}` counts attention, and the plan does not tell the model's shape"
            help = ["add `layers`, `hidden`, `heads` and `context` to the block of `model`, or state 6ND: `6nd`"]
            draft.findings.append(finding("C004", message, said.span, help=help))
            draft.definitions.pop(own(stated), None)
            return
        counted = Op("+", (counted, Ref(convention.attention)))
    if convention.passes != 1.0:
        counted = Op("*", (Num(convention.passes), counted))
    draft.define(own(q.COUNTED_COMPUTE), counted, "derived", "FLOP as the plan counts them", said.span)
    made = draft.definitions.get(own(stated))
    if made is None:  # it is in a form that is not solved, and has its finding
        return
    as_said = own(q.STATED_MFU if stated == q.MFU else q.STATED_RATE)
    draft.define(as_said, made.expr, made.kind, made.source, made.span, note=made.note, between=made.between)
    share = Op("/", (Ref(q.MODEL_COMPUTE), Ref(own(q.COUNTED_COMPUTE))))
    source = "as the plan counts it, in the model's own FLOP"
    draft.define(own(stated), Op("*", (Ref(as_said), share)), "derived", source, made.span)
