"""A log of a run into how far it is: its points in order, resumed or not, and how long they took."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.errors import RunplanError
from runplan.engine.fit.table import Floats, RunTable
from runplan.engine.track.expected import Expected

# What a log is asked for; the loss that is trained on comes before one that is evaluated.
NEEDS = ("loss",)
USES = (
    *("steps", "tokens", "samples", "time", "clock", "step_time", "joint_throughput", "learning_rate", "batch"),
    *("epochs", "mfu", "batch_sequences"),
)
PREFER = {"loss": ("loss", "train_loss", "lm_loss", "training_loss", "loss_train", "global_avg_loss")}
# A pause is a stretch between two points that takes so many times the usual, and at least so many seconds.
PAUSE_TIMES, PAUSE_SECONDS = 20.0, 60.0
# A column that says nothing in more than this share of the points is not gone by.
HALF = 0.5
# What no log tells.
MOST_RATE, MOST_TOKENS = 10.0, 1e17
# Into how many parts the later half of the log is cut to see how steady its pace is.
PARTS = 10


class NoProgress(RunplanError):
    """Raised for a log that does not tell how far a run is; the message says why."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A place where a log goes back.

    Attributes:
        line: Of the log.
        at: The step to which it goes back.
        lost: Tokens that had been trained on beyond.
    """

    line: int
    at: float
    lost: float


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch between two points of a log that took far longer than others.

    Attributes:
        seconds: Beyond what such a stretch takes.
    """

    line: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        tokens, loss, lines: Of each point that counts, in order of the tokens.
        steps: Of each; NaN where the log tells none.
        rate: The learning rate of each; NaN where the log tells none.
        elapsed: Seconds from the beginning to the last point; None where the log tells no time.
        pace: Seconds a token at work, of the later part; None likewise.
        spread: The standard deviation of the pace over such parts, as a share of it.
        idle: Seconds of pauses and of what was done again, over those at work.
        began: The time of the first point, in seconds since 1970; None where the log tells no clock.
        per_step: Tokens a step.
        derived: From what the tokens are, where the log does not tell them.
        last: What the last row said of the loss: whether it was a number.
    """

    tokens: Floats
    loss: Floats
    lines: tuple[int, ...]
    steps: Floats
    rate: Floats
    elapsed: float | None
    pace: float | None
    spread: float
    idle: float
    began: float | None
    per_step: float | None
    derived: str
    resumed: tuple[Resumed, ...]
    pauses: tuple[Pause, ...]

    @property
    def done(self) -> float:
        """Tokens that have been trained on."""
        return float(self.tokens[-1])


def progress_of(table: RunTable, expected: Expected) -> Progress:
    """How far a run is, by its log.

    Raises:
        NoProgress: Where the log tells neither tokens nor steps.
    """
    table = _placed(table)
    count = len(table)
    tokens, derived = _tokens(table, expected)
    steps = _column(table, "steps", count)
    order = steps if np.isfinite(steps).all() else tokens
    kept, resumed = _resumed(order, tokens, table.lines)
    # Of a log whose steps go on and whose tokens do not, what has more tokens than all before.
    most = np.maximum.accumulate(np.where(kept, tokens, -np.inf))
    kept &= tokens > np.concatenate([[-np.inf], most[:-1]])
    seconds, began = _seconds(table, order)
    at_work, pauses, again = _work(seconds, tokens, kept, table.lines)
    total = None if seconds is None else float(seconds[-1])
    own = tokens[kept]
    pace, spread = _pace(at_work, own)
    work = None if pace is None else pace * float(own[-1])
    per_step = None
    if np.isfinite(steps[kept]).sum() > 1 and (span := steps[kept][-1] - steps[kept][0]) > 0:
        per_step = float((own[-1] - own[0]) / span)
    return Progress(
        tokens=own,
        loss=table.values("loss")[kept],
        lines=tuple(table.lines[i] for i in np.nonzero(kept)[0]),
        steps=steps[kept],
        rate=_rate(table, count)[kept],
        elapsed=total,
        pace=pace,
        spread=spread,
        idle=(sum(pause.seconds for pause in pauses) + again) / work if work else 0.0,
        began=began,
        per_step=per_step,
        derived=derived,
        resumed=resumed,
        pauses=pauses,
    )


def _placed(table: RunTable) -> RunTable:
    """The points of a log that say where in the run they are.

    Raises:
        NoProgress: Where none does.
    """
    for name in ("steps", "tokens"):
        if name in table.columns:
            known = (table.values(name) >= 0) & (table.values(name) < MOST_TOKENS)
            if known.mean() > HALF:
                table = table.rows(known)
    if not len(table):
        raise NoProgress("no point of the log says at which step or token it is")
    return table


def _column(table: RunTable, name: str, count: int) -> Floats:
    return table.values(name) if name in table.columns else np.full(count, np.nan)


def _rate(table: RunTable, count: int) -> Floats:
    """The learning rate of each point; NaN where it tells none that can be."""
    rate = _column(table, "learning_rate", count)
    return np.where((rate >= 0) & (rate < MOST_RATE), rate, np.nan)


def _tokens(table: RunTable, expected: Expected) -> tuple[Floats, str]:
    if "tokens" in table.columns and np.isfinite(table.values("tokens")).all():
        return table.values("tokens"), ""
    known = "steps" in table.columns and bool(np.isfinite(table.values("steps")).all())
    steps = table.values("steps") if known else None
    if steps is not None and "batch" in table.columns and np.isfinite(own := table.values("batch")).all():
        return np.cumsum(np.diff(steps, prepend=0.0) * own), "the steps and the batch of the log"
    context = expected.figures.get("context")
    if steps is not None and context is not None and "batch_sequences" in table.columns:
        own = table.values("batch_sequences") * context.value
        if np.isfinite(own).all():
            by = "the steps and the batch of the log, of sequences as the plan has them"
            return np.cumsum(np.diff(steps, prepend=0.0) * own), by
    samples = "samples" in table.columns and bool(np.isfinite(table.values("samples")).all())
    if samples and context is not None and (context.given or steps is None):
        return table.values("samples") * context.value, "the samples of the log and the plan's context"
    if steps is not None and (batch := expected.get("batch")):
        return steps * batch, "the steps of the log and the plan's batch"
    raise NoProgress("the log tells no tokens, and no steps that the plan's batch would make tokens of")


def _resumed(order: Floats, tokens: Floats, lines: tuple[int, ...]) -> tuple[np.ndarray, tuple[Resumed, ...]]:
    """Which points count where a log goes back: the last of each, and none that lies beyond a place it goes back to."""
    least = np.minimum.accumulate(order[::-1])[::-1]
    later = np.concatenate([least[1:], [np.inf]])
    kept = order < later
    back = np.nonzero(np.diff(order) <= 0)[0] + 1
    most = np.maximum.accumulate(tokens)
    found = tuple(
        Resumed(lines[i], float(order[i]), float(most[i - 1] - _before(order, tokens, i))) for i in map(int, back)
    )
    return kept, found


def _before(order: Floats, tokens: Floats, at: int) -> float:
    """The tokens at which a log goes on: those of the last point before, at a step no later."""
    sooner = tokens[:at][order[:at] <= order[at]]
    return float(sooner.max()) if len(sooner) else 0.0


def _seconds(table: RunTable, order: Floats) -> tuple[Floats | None, float | None]:
    """Seconds since the beginning at each point, what was done again counted; and when that was."""
    clock = _filled(table, "clock")
    began = float(clock[0]) if clock is not None and np.isfinite(clock[0]) and clock[0] > 1e8 else None
    time = _filled(table, "time")
    if time is not None and _is_elapsed(time, order):
        back = np.minimum(np.diff(time, prepend=time[0]), 0.0)
        # A resumed run may begin to count anew: what it had counted before still counts.
        return time - np.cumsum(np.where(back < 0, back, 0.0)), began
    if clock is not None and np.isfinite(clock).all() and (np.diff(clock) >= 0).all() and clock[-1] > clock[0]:
        return clock - clock[0], began
    ahead = np.maximum(np.diff(order, prepend=order[0]), 0.0)
    if (
        "step_time" in table.columns
        and "steps" in table.columns
        and np.isfinite(each := table.values("step_time")).all()
    ):
        return np.cumsum(ahead * each), began
    if "joint_throughput" in table.columns and "tokens" in table.columns:
        each = table.values("joint_throughput")
        done = np.maximum(np.diff(table.values("tokens"), prepend=0.0), 0.0)
        if np.isfinite(each).all() and (each > 0).all():
            return np.cumsum(done / each), began
    return None, began


def _filled(table: RunTable, name: str) -> Floats | None:
    """A column, what it leaves out being between what stands around it; None where it says too little."""
    if name not in table.columns:
        return None
    values = table.values(name)
    known = np.isfinite(values)
    if known.mean() <= HALF:
        return None
    places = np.arange(len(values))
    return np.interp(places, places[known], values[known])


def _is_elapsed(time: Floats, order: Floats) -> bool:
    """Whether a column of seconds counts from the beginning, and not those of each step."""
    ahead = np.diff(order) > 0
    return len(time) < 3 or bool(ahead.any() and np.mean(np.diff(time)[ahead] >= 0) > 0.95 and time.max() > 0)


def _work(
    seconds: Floats | None, tokens: Floats, kept: np.ndarray, lines: tuple[int, ...]
) -> tuple[Floats | None, tuple[Pause, ...], float]:
    """Seconds at work at each point that counts; the pauses; and the seconds of what was done again."""
    if seconds is None or len(seconds) < 2:
        return None, (), 0.0
    took, done = np.diff(seconds), np.diff(tokens)
    ahead = done > 0
    if not ahead.any():
        return None, (), 0.0
    usual = float(np.median(took[ahead] / done[ahead]))
    beyond = took - usual * np.maximum(done, 0.0)
    is_pause = (beyond > PAUSE_SECONDS) & (took > PAUSE_TIMES * usual * np.maximum(done, 1.0))
    pauses = tuple(Pause(lines[int(i) + 1], float(beyond[i])) for i in np.nonzero(is_pause)[0])
    spent = np.where(is_pause, took - beyond, took)
    again = float(spent[~kept[1:]].sum())
    spent = np.where(kept[1:] & (done > 0), spent, 0.0)
    worked = np.concatenate([[0.0], np.cumsum(spent)])
    return worked[kept], pauses, again


def _pace(worked: Floats | None, tokens: Floats) -> tuple[float | None, float]:
    """Seconds a token of the later half, and how far parts of it differ."""
    if worked is None or len(tokens) < 3:
        return None, 0.0
    half = int(np.searchsorted(tokens, tokens[0] + (tokens[-1] - tokens[0]) / 2))
    half = min(half, len(tokens) - 2)
    whole = float((worked[-1] - worked[half]) / (tokens[-1] - tokens[half]))
    if not whole > 0:
        return None, 0.0
    ends = np.unique(np.linspace(half, len(tokens) - 1, PARTS + 1).astype(int))
    each = np.diff(worked[ends]) / np.diff(tokens[ends])
    return whole, float(np.std(each) / whole) if len(each) > 1 else 0.1
