"""How long a run is, held to what its unit rests on: steps on a batch, passes on data."""

from __future__ import annotations

from runplan.dsl.expr.text import shown
from runplan.dsl.plan.ir import Amount, Given, Stage, Within
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.units.base import EPOCH, STEP

# What to add where a step, or a pass over the data, has no tokens.
NO_BATCH = "add the batch: `optimizer: AdamW { batch: 4M tokens }`"
NO_DATA = "add the data, such as `data: 10T tokens`"


def stated(amount: Amount | None) -> Given | None:
    """A figure, or the highest that a bounded one may be; of one that is only bounded from below that bound."""
    if isinstance(amount, Within):
        return amount.high or amount.low
    return amount if isinstance(amount, Given) else None


def unfounded(stage: Stage, has_data: bool, has_batch: bool) -> Finding | None:
    """What is wrong with a length in steps without a batch, or in epochs without data: it is no number of tokens."""
    length = stated(stage.tokens)
    if length is None or stage.tokens is None:
        return None
    if length.value.dim == STEP and not has_batch:
        unknown, help = "a step", NO_BATCH
    elif length.value.dim == EPOCH and not has_data:
        unknown, help = "an epoch", NO_DATA
    else:
        return _beyond(stage) if length.value.dim == EPOCH else None
    message = f"`{shown(length.expr)}` is no number of tokens: how many {unknown} has is not said"
    return finding("C004", message, stage.tokens.span, help=[help])


def _beyond(stage: Stage) -> Finding | None:
    """What is wrong with more passes over the data than any of the sources may be seen."""
    least = stage.tokens.low if isinstance(stage.tokens, Within) else stated(stage.tokens)
    most = [source.epochs for source in stage.data]
    caps = [cap for cap in most if isinstance(cap, Given)]
    if least is None or not caps or len(caps) < len(most) or any(cap.value.value >= least.value.value for cap in caps):
        return None
    highest = max(caps, key=lambda cap: cap.value.value)
    message = f"`{shown(least.expr)}` of the data, of which no source may be seen more than {shown(highest.expr)}"
    help = [f"say `up to {shown(least.expr)}` of the data"]
    return finding("C001", message, least.span, also=[Label(highest.span, "at most")], help=help)
