"""How far a run is into what can be told of its end beside the loss: when, and what it takes."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.units.base import DATE, TIME, TOKEN
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.track.clock import PARTS
from runplan.engine.track.expected import PAID, Expected
from runplan.engine.track.progress import Progress

# How steady a pace is at the least: what later logs of a run add to what its parts so far tell.
STEADY = 0.01
# How far off a plan's own pace may be, where the log tells none.
UNTIMED = 0.1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that is told of the end, with its 80 % interval.

    Attributes:
        by: What it rests on, in a few words.
    """

    value: float
    low: float
    high: float
    dim: Dim
    by: str

    def times(self, each: float, dim: Dim, by: str, least: float = 0.0) -> Estimate:
        """What goes with it, of which there is never less than so much."""
        value, low, high = (max(each * end, least) for end in (self.value, self.low, self.high))
        return Estimate(value, low, high, dim, by)


def ends_of(expected: Expected, progress: Progress, mfu: float | None) -> dict[str, Estimate]:
    """The estimates by quantity: tokens, time, finish, what is paid for and used, MFU."""
    timing = progress.timing
    whole = max(expected.tokens, progress.done)
    left = max(whole - progress.done, 0.0)
    out = {"tokens": Estimate(whole, whole, whole, TOKEN, "the plan")}
    planned = expected.get("time")
    pace, by = timing.pace, "the pace of the later half of the log"
    if timing.change is not None:
        by = f"the pace since line {timing.change.line:,}, where it became another"
    elif timing.by:
        by = f"{timing.by}, of its later half"
    spread = float(np.hypot(timing.spread / np.sqrt(PARTS), STEADY))
    if pace is None and planned:
        pace, by, spread = planned / expected.tokens, "the plan's pace: the log tells no time", UNTIMED
    if pace is None:
        return out
    done = timing.elapsed if timing.elapsed is not None else progress.done * pace
    stops, error = timing.stops(left * pace)
    middle = done + left * pace + stops
    off = QUANTILE * float(np.hypot(left * pace * spread, error))
    # Not even a run that stops no more is done sooner than at its pace.
    low = max(middle - off, done + left * pace * (1 - QUANTILE * spread))
    high = middle + off
    time = out["time"] = Estimate(middle, low, high, TIME, by)
    begins = timing.began if timing.began is not None else expected.get("start")
    if begins is not None:
        of = "the log's clock" if timing.began is not None else "the plan's start"
        out["finish"] = Estimate(begins + middle, begins + low, begins + high, DATE, f"{of}, and {by}")
    out |= _paid(expected, time)
    if mfu is not None:
        off = QUANTILE * spread
        out["mfu"] = Estimate(mfu, mfu * (1 - off), mfu * (1 + off), NONE, by)
    return out


def _paid(expected: Expected, time: Estimate) -> dict[str, Estimate]:
    """What goes with the time that hardware is had: of what is reserved, no less than that."""
    reserved, planned = expected.figures.get("reserved_time"), expected.get("time")
    paid = planned if reserved is None else reserved.value
    if not paid:
        return {}
    whole = reserved is not None and reserved.given
    said = "all that is reserved, and the time beyond" if whole else "the time, as the plan pays for it"
    return {
        name: time.times(one.value / paid, one.dim, said, one.value if whole else 0.0)
        for name in PAID
        if (one := expected.figures.get(name)) is not None
    }


def spent(expected: Expected, progress: Progress) -> float | None:
    """What the run has cost so far, in the plan's money; None where it has no price, or the log no time."""
    cost, elapsed = expected.get("cost"), progress.timing.elapsed
    reserved, planned = expected.get("reserved_time"), expected.get("time")
    paid = planned if reserved is None else reserved
    return None if cost is None or elapsed is None or not paid else cost / paid * elapsed


def pace_of(expected: Expected, progress: Progress) -> tuple[float | None, float | None, float | None]:
    """The MFU of the log, that of the plan, and the pace of the log over the planned one."""
    compute, gpus, peak = (expected.get(name) for name in ("model_compute", "gpus", "peak"))
    planned, time = expected.get("mfu"), expected.get("time")
    pace, mfu = progress.timing.pace, None
    if pace and compute and gpus and peak:
        mfu = compute / expected.tokens / pace / (gpus * peak)
    elif pace and planned and time:
        # Of pools, each with a peak of its own: by how much faster the run is than they are to be.
        mfu = planned * time / expected.tokens / pace
    slower = time / expected.tokens / pace if pace and time else None
    return mfu, planned, slower
