"""The stages of a plan and a log into the stage that the log is of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runplan.engine.fit.table import RunTable
from runplan.engine.track.expected import Expected
from runplan.engine.track.order import whole

# A log is of the stage that its last point lies in, or no further beyond than this.
BEYOND = 1.01


def stage_of(stages: Sequence[Expected], table: RunTable) -> Expected:
    """The stage in which a log stands that counts from the beginning of the first; the last that there is beyond all.

    A log of a later stage that counts from nothing looks like one of the first: that must be said.
    """
    for name in ("tokens", "steps"):
        count = whole(table, name)
        if count is None or not len(count):
            continue
        last = float(np.max(count))
        for one in stages:
            begins, own = (one.before, one.tokens) if name == "tokens" else (one.before_steps, one.get("steps"))
            if own is not None and last <= BEYOND * (begins + own):
                return one
        return stages[-1]
    return stages[0]
