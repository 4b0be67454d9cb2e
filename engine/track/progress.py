"""A log of a run into how far it is: its points that count, and how long they took."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.table import Floats, RunTable
from runplan.engine.track.clock import Timing, timing_of
from runplan.engine.track.expected import Expected
from runplan.engine.track.order import Resumed, column, points_of

# What a log is asked for; the loss that is trained on comes before one that is evaluated.
NEEDS = ("loss",)
USES = (
    *(
        "steps",
        "tokens",
        "samples",
        "time",
        "clock",
        "step_time",
        "joint_throughput",
        "device_throughput",
        "learning_rate",
    ),
    *("batch", "epochs", "mfu", "batch_sequences"),
)
PREFER = {"loss": ("loss", "train_loss", "lm_loss", "training_loss", "loss_train", "global_avg_loss")}
# A learning rate that no log tells.
MOST_RATE = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        tokens, loss, lines: Of each point that counts, in order of the tokens.
        steps: Of each; NaN where the log tells none.
        rate: The learning rate of each; NaN where the log tells none.
        timing: How long they took.
        path: Seconds since the beginning and tokens of each row of the log, what was done again among them; none where
            it tells no time.
        per_step: Tokens a step.
        derived: From what the tokens are, where the log does not tell them.
        resumed: Where the log goes back.
        anew: Lines at which its counter begins anew, and the run does not.
    """

    tokens: Floats
    loss: Floats
    lines: tuple[int, ...]
    steps: Floats
    rate: Floats
    timing: Timing
    path: tuple[Floats, Floats]
    per_step: float | None
    derived: str
    resumed: tuple[Resumed, ...]
    anew: tuple[int, ...]

    @property
    def done(self) -> float:
        """Tokens that have been trained on."""
        return float(self.tokens[-1])


def progress_of(table: RunTable, expected: Expected) -> Progress:
    """How far a run is, by its log.

    Raises:
        NoProgress: Where the log tells neither tokens nor steps.
    """
    points = points_of(table, expected)
    kept = points.kept
    own, steps = points.tokens[kept], points.steps[kept]
    per_step = None
    if np.isfinite(steps).sum() > 1 and (span := steps[-1] - steps[0]) > 0:
        per_step = float((own[-1] - own[0]) / span)
    timing = timing_of(points, expected)
    rate = column(points.table, "learning_rate")
    return Progress(
        tokens=own,
        loss=points.table.values("loss")[kept],
        lines=tuple(points.table.lines[i] for i in np.nonzero(kept)[0]),
        steps=steps,
        rate=np.where((rate >= 0) & (rate < MOST_RATE), rate, np.nan)[kept],
        timing=timing,
        path=(timing.seconds, points.tokens[: len(timing.seconds)]),
        per_step=per_step,
        derived=points.derived,
        resumed=points.resumed,
        anew=points.anew,
    )
