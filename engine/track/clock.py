"""The points of a log into the time that they took: at work, in pauses and again; and the pace of now."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.student import student
from runplan.engine.fit.table import Floats, RunTable
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.track.expected import Expected
from runplan.engine.track.order import HALF, Points, whole

# A pause is a stretch between two points that takes so many times the usual, and at least so many seconds.
PAUSE_TIMES, PAUSE_SECONDS = 20.0, 60.0
# Into how many parts the later half of the log is cut to see how steady its pace is.
PARTS = 10
# The pace is another from some part on where it differs by so much, and by so many standard errors.
OTHER, ERRORS = 0.05, 6.0
# The coverage of intervals.
USUAL = 0.8
# Seconds above this are since 1970, whatever their column is called: no run takes three years.
SINCE_1970 = 1e8
# A log begins late where more than this share of the run lies before its first point.
LATE = 0.01


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch between two points of a log that took far longer than others.

    Attributes:
        seconds: Beyond what such a stretch takes.
    """

    line: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    """A pace that is another from some point on.

    Attributes:
        line: Of the log.
        ratio: Of the speed from there on to that before.
    """

    line: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what a log tells of took.

    Attributes:
        elapsed: Seconds from the beginning of the run to the last point; None where the log tells no time.
        pace: Seconds a token at work, of now; None likewise.
        spread: The standard deviation of the pace over parts of the log, as a share of it.
        worked: Seconds at work on what counts, at the pace of now; 0 where the log tells no time.
        lost: Seconds of each pause, and of each stretch that was done again.
        began: When the run began, in seconds since 1970; None where the log tells no clock.
        by: By what of the log the time is told, where that is no clock; empty where it is one.
        late: Seconds that are taken to lie before the first point of a log that begins late; 0 where it does not.
        change: Where the pace has become another within the later half; None where it has not.
        seconds: Since the beginning, of each row; none where the log tells no time.
    """

    elapsed: float | None
    pace: float | None
    spread: float
    worked: float
    lost: tuple[float, ...]
    began: float | None
    by: str
    late: float
    pauses: tuple[Pause, ...]
    change: Change | None
    seconds: Floats

    def stops(self, ahead: float) -> tuple[float, float]:
        """Seconds that stops take of a run that is so many more at work, and the standard deviation of that.

        They come at any time alike, as often and as long as those of the log. How often is itself known from these: the
        variance of a compound Poisson sum, for the part to come and for the part that tells how often, and wider by
        Student's t, for how long they are is known from as few.
        """
        share = ahead / self.worked if self.worked else 0.0
        lost = np.array(self.lost)
        wider = student(USUAL, max(len(lost), 1)) / QUANTILE
        return share * float(lost.sum()), wider * float(np.sqrt(share * (1 + share) * (lost**2).sum()))


def _untimed(began: float | None) -> Timing:
    return Timing(None, None, 0.0, 0.0, (), began, "", 0.0, (), None, np.empty(0))


def timing_of(points: Points, expected: Expected) -> Timing:
    """How long the points of a log took."""
    seconds, began, by = _seconds(points, expected)
    own, lines = points.tokens[points.kept], points.table.lines
    if seconds is None:
        return _untimed(began)
    if points.within:
        seconds = seconds - seconds[0]
    worked, pauses, again = _work(seconds, points)
    kept_lines = tuple(lines[int(i)] for i in np.nonzero(points.kept)[0])
    pace, spread, change = _pace(worked, own, kept_lines)
    usual = _usual(seconds, points.tokens)
    # What came before the first point: of a log by the clock one stretch, of one that begins late much more.
    begins = 0.0 if usual is None else float(points.tokens[0]) * usual - float(seconds[0])
    is_late = begins > LATE * expected.tokens * (usual or 0.0)
    late = begins if begins > 0 and (began is not None or is_late or points.within) else 0.0
    return Timing(
        elapsed=float(seconds[-1]) + late,
        pace=pace,
        spread=spread,
        worked=(pace or 0.0) * float(own[-1]),
        lost=(*(pause.seconds for pause in pauses), *again),
        began=None if began is None else began - late,
        by=by,
        late=late if is_late else 0.0,
        pauses=pauses,
        change=change,
        seconds=seconds + late,
    )


def _seconds(points: Points, expected: Expected) -> tuple[Floats | None, float | None, str]:
    """Seconds since the beginning at each point, what was done again counted; when that was; and by what it is told."""
    table, order, tokens = points.table, points.order, points.tokens
    clock = _filled(table, "clock")
    time = _filled(table, "time")
    if clock is None and time is not None and time[0] > SINCE_1970:
        clock, time = time, None
    began = float(clock[0]) if clock is not None and np.isfinite(clock[0]) and clock[0] > SINCE_1970 else None
    counts = time is not None and _is_elapsed(time, order)
    if time is not None and counts:
        back = np.minimum(np.diff(time, prepend=time[0]), 0.0)
        # A resumed run may begin to count anew: what it had counted before still counts.
        return time - np.cumsum(np.where(back < 0, back, 0.0)), began, ""
    if clock is not None and (np.diff(clock) >= 0).all() and clock[-1] > clock[0]:
        return clock - clock[0], began, ""
    ahead = np.maximum(np.diff(order, prepend=0.0), 0.0)
    stepped = bool(np.isfinite(points.steps).all())
    each = whole(table, "step_time")
    each = time if each is None and not counts else each
    if stepped and each is not None and (each >= 0).all():
        return np.cumsum(ahead * each), None, "the seconds a step of the log"
    done = np.maximum(np.diff(tokens, prepend=0.0), 0.0)
    gpus = expected.get("gpus")
    for name, devices in (("joint_throughput", 1.0), ("device_throughput", gpus)):
        speed = whole(table, name)
        if speed is not None and devices and (speed > 0).all():
            said = "the tokens a second of the log" + (", for each of the plan's devices" if devices == gpus else "")
            return np.cumsum(done / (speed * devices)), None, said
    compute, peak = expected.get("model_compute"), expected.get("peak")
    mfu = whole(table, "mfu")
    if mfu is not None and compute and peak and gpus and (mfu > 0).all():
        return np.cumsum(done * (compute / expected.tokens) / (mfu * gpus * peak)), None, "the MFU of the log"
    return None, began, ""


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
    if len(time) < 3:
        return True
    return bool(ahead.any() and np.mean(np.diff(time)[ahead] >= 0) > 0.95 and time.max() > time.min())


def _usual(seconds: Floats, tokens: Floats) -> float | None:
    """Seconds a token between two points, the middle one; None where no point lies ahead of one before."""
    took, done = np.diff(seconds), np.diff(tokens)
    ahead = done > 0
    return float(np.median(took[ahead] / done[ahead])) if ahead.any() else None


def _work(seconds: Floats, points: Points) -> tuple[Floats | None, tuple[Pause, ...], tuple[float, ...]]:
    """Seconds at work at each point that counts; the pauses; and the seconds of each stretch that was done again."""
    usual, kept = _usual(seconds, points.tokens), points.kept
    if usual is None:
        return None, (), ()
    took, done = np.diff(seconds), np.diff(points.tokens)
    beyond = took - usual * np.maximum(done, 0.0)
    is_pause = (beyond > PAUSE_SECONDS) & (took > PAUSE_TIMES * usual * np.maximum(done, 1.0))
    pauses = tuple(Pause(points.table.lines[int(i) + 1], float(beyond[i])) for i in np.nonzero(is_pause)[0])
    spent = np.where(is_pause, took - beyond, took)
    twice = ~kept[1:]
    begins = np.flatnonzero(twice & ~np.concatenate([[False], twice[:-1]]))
    again = tuple(np.add.reduceat(np.where(twice, spent, 0.0), begins).tolist()) if len(begins) else ()
    spent = np.where(kept[1:] & (done > 0), spent, 0.0)
    worked = np.concatenate([[0.0], np.cumsum(spent)])
    return worked[kept], pauses, again


def _pace(worked: Floats | None, tokens: Floats, lines: tuple[int, ...]) -> tuple[float | None, float, Change | None]:
    """Seconds a token of the later half, how far parts of it differ, and where it has become another within it."""
    if worked is None or len(tokens) < 3:
        return None, 0.0, None
    half = int(np.searchsorted(tokens, tokens[0] + (tokens[-1] - tokens[0]) / 2))
    half = min(half, len(tokens) - 2)
    if not worked[-1] > worked[half]:
        return None, 0.0, None
    ends = np.unique(np.linspace(half, len(tokens) - 1, PARTS + 1).astype(int))
    each = np.diff(worked[ends]) / np.diff(tokens[ends])
    begins, change = half, None
    if (k := _turn(each)) is not None:
        before, after = float(each[:k].mean()), float(each[k:].mean())
        begins = int(ends[k])
        change = Change(lines[begins], before / after)
        each = each[k:]
    pace = float((worked[-1] - worked[begins]) / (tokens[-1] - tokens[begins]))
    spread = float(np.std(each) / pace) if len(each) > 1 else 0.1
    if change is not None:
        # It may become what it was again.
        spread = float(np.hypot(spread, (1 - change.ratio) * np.sqrt(PARTS) / 4))
    return pace, spread, change


def _turn(each: Floats) -> int | None:
    """The part from which on a pace is another, where two steady paces tell the parts better than one."""
    best, found = 0.0, None
    for k in range(2, len(each) - 1):
        one, other = each[:k], each[k:]
        off = abs(float(np.log(one.mean() / other.mean()))) if one.mean() > 0 and other.mean() > 0 else 0.0
        inside = float(np.sqrt((one.var() * len(one) + other.var() * len(other)) / len(each))) / float(each.mean())
        error = max(inside, 1e-4) * np.sqrt(1 / len(one) + 1 / len(other))
        if off > OTHER and off > ERRORS * error and off / error > best:
            best, found = off / error, k
    return found
