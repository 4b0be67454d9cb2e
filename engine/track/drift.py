"""A tracked run into findings: what is not as planned, and what will be missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding, finding, in_order
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import counted
from runplan.dsl.units.base import DATE, TIME, TOKEN
from runplan.dsl.units.show import percent, show
from runplan.engine.fit.table import RunTable
from runplan.engine.track.clock import PARTS
from runplan.engine.track.ends import Estimate
from runplan.engine.track.expected import Expected
from runplan.engine.track.frozen import frozen_path
from runplan.engine.track.schedule import share_at
from runplan.engine.track.track import APPLIES, Track, track_of

# How much slower than planned is said; how far a learning rate or a batch may be off.
SLOWER, OFF = 0.05, 0.02
# A loss rises where the mean of the last points lies so much, and so many of its standard errors, above an earlier one;
# it diverges where it lies so much above.
RISES, ERRORS, DIVERGES = 0.03, 5.0, 0.25
WINDOW = 10
# A loss stands still where it falls by less than this over the later part of a log, which is so much of the plan.
STANDS, LATER, SEEN = 0.003, 0.75, 0.05
# A rate that no published run reached, of those of `published_runs`.
FAST = 0.75
# What is told of a loss at the end.
LOSSES = ("loss", "held_out_loss")


def tracked(
    expected: Expected,
    table: RunTable,
    source: Source,
    library: Library,
    found: Sequence[Finding] = (),
    *,
    changed: bool = False,
    held: RunTable | None = None,
) -> Track:
    """A run against what it is held to, with what is not as planned.

    Args:
        found: What was found in the log as it was read.
        changed: Whether the plan says something else than what was frozen.
        held: See `track_of`.

    Raises:
        NoProgress: Where the log does not tell how far the run is.
    """
    track = track_of(expected, table, source, library, found, held=held)
    drifts = [*track.findings, *_frozen(track, changed), *_log(track), *_settings(track), *_speed(track)]
    losses = [*_loss(track)]
    if any(one.severity == "error" for one in losses):
        # What a run that diverges will come to nobody can tell.
        track = replace(track, ends={name: end for name, end in track.ends.items() if name not in LOSSES})
    return replace(track, findings=in_order([*drifts, *losses, *_misses(track)]))


def place(source: Source, line: int) -> Span:
    """A line of a log; its beginning where it has no lines."""
    start = source.line_start(line)
    return Span(source, start, start + len(source.line_text(line)))


def _end(track: Track) -> Span:
    return place(track.source, track.progress.lines[-1])


def _frozen(track: Track, changed: bool) -> Iterator[Finding]:
    expected = track.expected
    if changed:
        message = (
            f"`{expected.plan}` has changed since it was frozen on {expected.frozen}: the run is held to what it was"
        )
        yield finding("W011", message, _end(track), help=[f"`plan solve {expected.plan}` says what it comes to now"])
    elif not expected.frozen:
        message = (
            f"nothing was frozen when the run began: it is held to `{expected.plan}` as it is now, and moves with it"
        )
        help = [f"`plan track {expected.plan} --freeze` writes `{frozen_path(expected.plan)}`: commit it"]
        yield finding("W012", message, _end(track), help=help)


def _log(track: Track) -> Iterator[Finding]:
    progress = track.progress
    if progress.resumed:
        first = progress.resumed[0]
        lost = sum(one.lost for one in progress.resumed)
        times = counted(len(progress.resumed), "time")
        message = f"the run went back {times}, and did {show(lost, TOKEN)} again: these count once"
        lines = ", ".join(f"line {one.line} to step {one.at:,.0f}" for one in progress.resumed[:5])
        yield finding("W008", message, place(track.source, first.line), notes=[lines])
    if progress.anew:
        times = counted(len(progress.anew), "time")
        message = f"the count of steps begins anew {times}, and the loss goes on: it is counted on from there"
        yield finding("W008", message, place(track.source, progress.anew[0]))
    if progress.timing.pauses:
        still = show(sum(pause.seconds for pause in progress.timing.pauses), TIME)
        message = f"the run stood still {counted(len(progress.timing.pauses), 'time')}, for {still} in all"
        yield finding("W009", message, place(track.source, progress.timing.pauses[0].line))
    if progress.done > track.expected.tokens * 1.001:
        message = (
            f"{show(progress.done, TOKEN)} have been trained on, and the plan has {show(track.expected.tokens, TOKEN)}"
        )
        yield finding("W013", message, _end(track))
    if track.curve is None:
        message = "too few points lie behind the warm-up: the loss at the end is not forecast yet"
        yield finding("W014", message, _end(track))


def _settings(track: Track) -> Iterator[Finding]:
    """The batch and the learning rate, where the log tells them."""
    progress, expected = track.progress, track.expected
    batch = expected.get("batch")
    severity = _as_given(expected, "batch")
    if progress.per_step and batch and not progress.derived and abs(np.log(progress.per_step / batch)) > OFF:
        message = f"the log has {show(progress.per_step, TOKEN)} a step, and the plan {show(batch, TOKEN)}"
        help = [f"`optimizer {{ batch: ... }}` of `{expected.plan}` says it"]
        yield finding("W007", message, _end(track), severity=severity, help=help)
    planned = expected.get("learning_rate")
    severity = _as_given(expected, "learning_rate")
    seen = np.isfinite(progress.rate)
    if planned is None or not seen.any():
        return
    if not expected.schedule:
        peak = float(progress.rate[seen].max())
        if abs(np.log(peak / planned)) > OFF:
            message = f"the learning rate reaches {peak:.3g}, and the plan has {planned:.3g}"
            yield finding("W006", message, _end(track), severity=severity)
        return
    tokens, rate = progress.tokens[seen], progress.rate[seen]
    due = planned * share_at(expected.schedule, np.minimum(tokens, expected.tokens))
    # Near the ends of phases a step more or less makes much of a difference to a rate that is nearly nothing.
    step = progress.per_step or 0.0
    near = np.maximum(
        abs(planned * share_at(expected.schedule, np.clip(tokens - 2 * step, 0, expected.tokens)) - due),
        abs(planned * share_at(expected.schedule, np.clip(tokens + 2 * step, 0, expected.tokens)) - due),
    )
    off = abs(rate - due) > OFF * np.maximum(due, 0.05 * planned) + near
    if (off.mean() > 0.02 and off[-1:].any()) or off.mean() > 0.1:
        i = int(np.nonzero(off)[0][0])
        line = np.array(progress.lines)[seen][i]
        message = (
            f"the learning rate is {rate[i]:.3g} at {show(float(tokens[i]), TOKEN)}, and the plan has {due[i]:.3g}"
        )
        share = f"of {len(rate)} points {int(off.sum())} are so"
        yield finding("W006", message, place(track.source, int(line)), severity=severity, notes=[share])


def _as_given(expected: Expected, name: str) -> Severity:
    """How grave it is that a setting is another: what a law lends a plan is no more than advice."""
    one = expected.figures.get(name)
    return "warning" if one is not None and one.given else "info"


def _speed(track: Track) -> Iterator[Finding]:
    slower, spread, time = track.slower, track.progress.timing.spread, track.expected.figures.get("time")
    if track.mfu is not None and track.mfu > 1:
        message = (
            f"the pace would be {100 * track.mfu:.0f} % of the devices' peak: the log is of another run than the plan"
        )
        yield finding("W015", message, _end(track), help=["which model, how many devices, which tokens a step?"])
    elif track.mfu is not None and track.mfu > FAST:
        message = f"the pace would be {100 * track.mfu:.0f} % of the devices' peak, which no published run reached"
        help = ["which model, how many devices, which tokens a step?"]
        yield finding("W015", message, _end(track), severity="warning", help=help)
    if (change := track.progress.timing.change) is not None:
        message = f"since line {change.line:,} the run is at {percent(change.ratio)} of its own pace before"
        severity: Severity = "warning" if change.ratio < 1 else "info"
        at = place(track.source, change.line)
        yield finding("W016", message, at, severity=severity, data={"pace": change.ratio})
    if slower is None or time is None or slower >= 1 - SLOWER or 1 - slower <= 2 * spread / np.sqrt(PARTS):
        return
    # A rate that is assumed has an interval: within it a run is as it may be.
    if time.high is None or slower < time.value / time.high:
        mfu = ""
        if track.mfu is not None and track.planned_mfu is not None:
            mfu = f": {percent(track.mfu)} MFU, and {percent(track.planned_mfu)} planned"
        message = f"the run is at {percent(slower)} of the planned pace{mfu}"
        yield finding("W001", message, _end(track), data={"pace": slower})


def _loss(track: Track) -> Iterator[Finding]:
    progress = track.progress
    dead = [f for f in track.findings if f.code == "F010" and f.at.span.line > progress.lines[-1]]
    if dead:
        yield finding("W003", "the loss is no number any more: the run has diverged", dead[0].at.span)
    else:
        yield from _rising(track)
    law, off = track.law_now, track.law_off
    if off is None:
        return
    said = f"{off:.3g} times what `{track.expected.law}` expects by now"
    if law is None:
        message = f"the loss is {said}: the law is of other data, or its unit of another, and says nothing of this run"
        help = ["a law that is fitted to runs of this kind would: `plan fit`"]
        yield finding("W010", message, _end(track), help=help)
    elif off * law.value > law.high:
        message = f"the loss is {off * law.value:.4g}, {said} ({law.low:.4g} \u2013 {law.high:.4g})"
        notes = ["so far off, the law may be of other data, or of another unit"] if off > APPLIES else []
        yield finding("W002", message, _end(track), notes=notes)


def _rising(track: Track) -> Iterator[Finding]:
    loss = np.log(track.progress.loss)
    window = max(WINDOW, len(loss) // 20)
    if len(loss) < 3 * window:
        return
    sums = np.cumsum(np.concatenate([[0.0], loss]))
    means = (sums[window:] - sums[:-window]) / window
    noise = 1.4826 * float(np.median(np.abs(np.diff(loss)))) / np.sqrt(2)
    best = int(np.argmin(means[:-window]))
    rise = float(means[-1] - means[best])
    if rise > max(RISES, ERRORS * noise * np.sqrt(2 / window)):
        line = track.progress.lines[best + window - 1]
        now, then = np.exp(means[-1]), np.exp(means[best])
        message = f"the loss rises: {now:.4g} on the mean of the last {window} points, {then:.4g} at line {line}"
        severity: Severity = "error" if rise > DIVERGES else "warning"
        yield finding("W003", message, _end(track), severity=severity, data={"rise": float(np.expm1(rise))})
        return
    begins = max(window, round((1 - LATER) * len(means)))
    fall = float(np.median(means[begins : begins + window]) - means[-1])
    new = track.progress.done > SEEN * track.expected.tokens and not track.expected.before
    if new and fall < STANDS and float(track.path.warm) < track.progress.tokens[begins]:
        line = track.progress.lines[begins]
        message = f"the loss stands still: {np.exp(means[-1]):.4g} by now, {np.exp(means[begins]):.4g} at line {line}"
        yield finding("W003", message, _end(track), severity="warning", data={"fall": float(np.expm1(fall))})


def _misses(track: Track) -> Iterator[Finding]:
    """What the plan gives or requires, against what is forecast."""
    for one in track.expected.limits:
        end, bound = track.ends.get(one.quantity), one.bound
        if one.quantity == "loss":
            # What laws and requirements speak of is the loss on text that is held out.
            end = track.ends.get("held_out_loss", end)
        if end is None:
            continue
        over = 1 if one.sign == "<=" else -1
        if over * (end.value - bound) > 0:
            yield finding("W004", f"the run will miss {one.text}: {_told(end)}, {_limit(end, bound)}", _end(track))
        elif over * ((end.high if over > 0 else end.low) - bound) > 0:
            yield finding("W005", f"the run may miss {one.text}: {_told(end)}, {_limit(end, bound)}", _end(track))


def _told(end: Estimate) -> str:
    if end.dim == DATE:
        return f"it ends on {show(end.value, end.dim)}"
    return f"{show(end.value, end.dim)} ({show(end.low, end.dim)} \u2013 {show(end.high, end.dim)})"


def _limit(end: Estimate, bound: float) -> str:
    return f"and {show(bound, end.dim)} {'is' if end.dim == DATE else 'are'} allowed"
