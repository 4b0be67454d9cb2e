"""A fall of the learning rate over a span of its own to that of a run, which may end before it or after it."""

from __future__ import annotations

import math

from runplan.cli.importing.imported import Curve, Fall


def fall_over(span: float | None, steps: float | None, warmup: int, curve: Curve, floor: float,
              notes: list[str]) -> Fall:  # fmt: skip
    """The schedule of a rise, and of a fall from its end to the end of a span.

    A run that ends before keeps a straight fall exactly, and of half a cosine where it is by then; `notes` gets that.

    Args:
        span: Steps from the run's beginning to the end of the fall; None where that is the run's.
        steps: Of the run; None where nothing says them.
        floor: Where the fall ends, as a share of the peak.
    """
    if span is not None and steps is None:
        notes.append(f"the decay is of {span:.10g} steps, and the length of the run is in no steps: it fills the run")
    if span is None or steps is None or span == steps or span <= warmup:
        return Fall(warmup, curve, None, floor)
    if span < steps:
        return Fall(warmup, curve, round(span) - warmup, floor, flat=True)
    done = max(steps - warmup, 0) / (span - warmup)
    left = (1 + math.cos(math.pi * done)) / 2 if curve == "cosine" else 1 - done
    notes.append(f"the decay is of {span:.10g} steps and the run of {steps:.10g}: it ends where it is by then")
    return Fall(warmup, curve, None, floor + (1 - floor) * left)
