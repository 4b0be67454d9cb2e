"""The rows of a log into its points, in the order in which they were done: each step once, and where it goes back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text.errors import RunplanError
from runplan.engine.fit.table import Floats, RunTable
from runplan.engine.track.expected import Expected

# A column that says nothing in more than this share of the points is not gone by.
HALF = 0.5
# What no log counts.
MOST_TOKENS = 1e17
# A log of at least so many rows that goes back at more than this share of them is in no order, and is put into one.
ROWS, UNORDERED = 5, 0.1
# A counter begins anew where it goes back to no more than so many of its usual steps ahead, and the losses of some
# points there lie nearer to those before than to those of that step, which lie so much higher at least (logarithms).
NEAR, COMPARED, FELL = 3.0, 5, 0.05
# A log goes on counting from what came before its run where it begins near there; it has all of it where it reaches
# beyond the run itself.
_LEAST_OF, _SOON, _MORE = 0.9, 0.05, 1.01


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
class Points:
    """The rows of a log in the order in which they were done, those of one step being one.

    Attributes:
        table: The rows.
        order: What they are counted by: steps where each row says its own, else tokens.
        tokens, steps: Trained on at each; steps are NaN where the log tells none.
        derived: From what the tokens are, where the log does not tell them.
        kept: Which rows count: the last of each step, and none beyond a place that the log goes back to.
        resumed: Where it goes back.
        anew: Lines at which its counter begins anew, and the run does not.
        within: Whether the log counts what came before the run as well: that is taken off.
    """

    table: RunTable
    order: Floats
    tokens: Floats
    steps: Floats
    derived: str
    kept: NDArray[np.bool_]
    resumed: tuple[Resumed, ...]
    anew: tuple[int, ...]
    within: bool


def points_of(table: RunTable, expected: Expected) -> Points:
    """The points of a log.

    Raises:
        NoProgress: Where it tells neither tokens nor steps.
    """
    table = _placed(table)
    table = table.rows(_in_time(table))
    tokens, derived = _tokens(table, expected)
    steps = column(table, "steps")
    order = steps if np.isfinite(steps).all() else tokens
    anew = _anew(order, np.log(table.values("loss")))
    order, tokens, steps = (_counted_on(values, anew) for values in (order, tokens, steps))
    lines = tuple(table.lines[i] for i in anew)
    order, tokens, steps, within = _own(order, tokens, steps, expected)
    if within:
        mine = tokens > 0
        if not mine.any():
            raise NoProgress(f"the log ends before stage `{expected.stage}` begins")
        table, order, tokens, steps = table.rows(mine), order[mine], tokens[mine], steps[mine]
    last = np.append(order[1:] != order[:-1], True)
    table = _means(table, last)
    order, tokens, steps = order[last], tokens[last], steps[last]
    kept, resumed = _resumed(order, tokens, table.lines)
    # Of a log whose steps go on and whose tokens do not, what has more tokens than all before.
    most = np.maximum.accumulate(np.where(kept, tokens, -np.inf))
    kept &= tokens > np.concatenate([[-np.inf], most[:-1]])
    return Points(table, order, tokens, steps, derived, kept, resumed, lines, within)


def column(table: RunTable, name: str) -> Floats:
    """A column; NaN where the log has none."""
    return table.values(name) if name in table.columns else np.full(len(table), np.nan)


def whole(table: RunTable, name: str) -> Floats | None:
    """A column of which each row has a figure; None where there is none."""
    found = column(table, name)
    return found if np.isfinite(found).all() else None


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


def _in_time(table: RunTable) -> NDArray[np.intp]:
    """The places of rows as they were done: by the clock; by their count where the log is in no order at all."""
    clock = whole(table, "clock")
    places = np.arange(len(table))
    if clock is not None:
        places = np.argsort(clock, kind="stable")
    count = next((found for name in ("steps", "tokens", "samples") if (found := whole(table, name)) is not None), None)
    if count is None:
        return places
    back = np.diff(count[places]) < 0
    if len(places) >= ROWS and back.mean() > UNORDERED:
        return np.argsort(count, kind="stable")
    return places


def _tokens(table: RunTable, expected: Expected) -> tuple[Floats, str]:
    if (tokens := whole(table, "tokens")) is not None:
        return tokens, ""
    steps = whole(table, "steps")
    if steps is not None and (own := whole(table, "batch")) is not None:
        return _summed(steps, own), "the steps and the batch of the log"
    context = expected.figures.get("context")
    if steps is not None and context is not None and (own := whole(table, "batch_sequences")) is not None:
        by = "the steps and the batch of the log, of sequences as the plan has them"
        return _summed(steps, own * context.value), by
    samples = whole(table, "samples")
    if samples is not None and context is not None and (context.given or steps is None):
        return samples * context.value, "the samples of the log and the plan's context"
    if steps is not None and (batch := expected.get("batch")):
        return steps * batch, "the steps of the log and the plan's batch"
    passes, planned = whole(table, "epochs"), expected.get("epochs")
    if passes is not None and planned:
        return passes / planned * expected.tokens, "the epochs of the log and those of the plan"
    help = " (of its epochs they follow where the plan says what data there is)" if passes is not None else ""
    raise NoProgress(f"the log tells no tokens, and no steps that the plan's batch would make tokens of{help}")


def _own(order: Floats, tokens: Floats, steps: Floats, expected: Expected) -> tuple[Floats, Floats, Floats, bool]:
    """What is counted of the run itself, where a log goes on counting from what came before, or has that in it."""
    whole_steps = expected.get("steps") or 0.0
    by_steps = counts_all(steps, expected.before_steps, whole_steps)
    if by_steps:
        steps = steps - expected.before_steps
    within = counts_all(tokens, expected.before, expected.tokens)
    if within:
        tokens = tokens - expected.before
    elif by_steps and expected.get("batch"):
        tokens = steps * float(expected.get("batch") or 0.0)
    if not (by_steps or within):
        return order, tokens, steps, False
    return (steps if by_steps and np.isfinite(steps).all() else tokens), tokens, steps, True


def counts_all(values: Floats, before: float, own: float) -> bool:
    """Whether a count of a log goes on from what came before a run, or begins there and has all of it."""
    if not before or not np.isfinite(values).all():
        return False
    goes_on = bool(_LEAST_OF * before <= values.min() <= before + _SOON * own)
    has_all = bool(_MORE * own < values.max() <= _MORE * (before + own))
    return goes_on or has_all


def _summed(steps: Floats, batch: Floats) -> Floats:
    """Tokens at each step, of a batch that may grow; what is done again counts once."""
    most = np.maximum.accumulate(steps)
    new = np.diff(most, prepend=0.0)
    return np.cumsum(new * batch) - (most - steps) * batch


def _anew(order: Floats, loss: Floats) -> NDArray[np.intp]:
    """Places at which a counter goes back to its beginning, and the losses go on."""
    back = np.nonzero(np.diff(order) < 0)[0] + 1
    if not len(back):
        return back
    usual = float(np.median(np.abs(np.diff(order))))
    found = []
    begins = 0
    for i in map(int, back):
        before = slice(begins, i)
        if order[i] <= NEAR * usual and i - begins >= COMPARED:
            here = np.median(loss[i : i + COMPARED])
            last = np.median(loss[before][-COMPARED:])
            then = np.median(np.interp(order[i : i + COMPARED], order[before], loss[before]))
            if then - last > FELL and abs(here - last) < abs(here - then):
                found.append(i)
        begins = i
    return np.array(found, dtype=np.intp)


def _counted_on(values: Floats, anew: NDArray[np.intp]) -> Floats:
    """A counter that goes on where it began anew."""
    values = values.copy()
    for i in anew:
        if values[i] < values[i - 1]:
            values[i:] += values[i - 1]
    return values


def _means(table: RunTable, last: NDArray[np.bool_]) -> RunTable:
    """One row of those of one step, such as of several devices: the last, with the mean of their losses."""
    if last.all():
        return table
    loss = table.columns["loss"]
    starts = np.concatenate([[0], np.nonzero(last)[0][:-1] + 1])
    counts = np.diff(np.append(starts, len(last)))
    values = np.add.reduceat(loss.values, starts) / counts
    rows = table.rows(last)
    return replace(rows, columns={**rows.columns, "loss": replace(loss, values=values)})


def _resumed(order: Floats, tokens: Floats, lines: tuple[int, ...]) -> tuple[NDArray[np.bool_], tuple[Resumed, ...]]:
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
