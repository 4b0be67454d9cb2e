"""What a run is held to and its log into where it is, where it will end, and what is not as planned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import bound
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.library import Library
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source
from runplan.dsl.units.dims import Dim
from runplan.engine.fit.table import RunTable
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.runs.stops import stops_in
from runplan.engine.track.ends import Estimate, ends_of, pace_of, spent
from runplan.engine.track.expected import Expected
from runplan.engine.track.forecast import FORM, Curve, Gain, curve_of
from runplan.engine.track.held_out import HeldOut, Of, header_of, held_out, kind_of
from runplan.engine.track.progress import Progress, progress_of
from runplan.engine.track.schedule import Path, path_of

# The learning rate that is taken where neither the log nor the plan tells one.
USUAL_RATE = 1e-3
# A law speaks of the losses of a log where these are no further from its own than so many times.
APPLIES = 1.25


@dataclass(frozen=True, slots=True)
class Track:
    """A run in progress against its plan.

    Attributes:
        expected: What it is held to.
        log: The path of the log.
        source: The text of the log.
        progress: How far it is.
        path: Its schedule.
        now: The loss of now, smoothed.
        curve: Through its losses; None where there are too few.
        law_now: What the law expects of the loss of now, before the decay that is to come, with its interval; None
            where no law speaks of such losses.
        law_off: The loss of now over what the law expects, where there is a law, whether it speaks of it or not.
        mfu, planned_mfu: Of the later part of the log at work, and of the plan; None where one is not known.
        slower: The planned pace over that of the log, less than 1 where it is slower; None where it is not known.
        stops: How many stops fleets that are known would have in what is left; None where that is not known, or where
            the log tells itself, by those that it had.
        ends: The forecasts, by quantity: tokens, time, finish, what is paid, mfu, loss, and held_out_loss where the log
            tells both.
        spent: What the run has cost so far, in the plan's money; None where there is no price.
        dim: Of the losses.
        of: Of which text they are.
        header: What the log calls them.
        held: Those of held-out text, where the log tells them beside those of training.
        findings: What is not as planned, and what is wrong with the log.
    """

    expected: Expected
    log: str
    source: Source
    progress: Progress
    path: Path
    now: float
    curve: Curve | None
    law_now: Estimate | None
    law_off: float | None
    mfu: float | None
    planned_mfu: float | None
    slower: float | None
    stops: float | None
    ends: dict[str, Estimate]
    spent: float | None
    dim: Dim
    of: Of
    header: str
    held: HeldOut | None
    findings: tuple[Finding, ...]


def track_of(
    expected: Expected,
    table: RunTable,
    source: Source,
    library: Library,
    found: Sequence[Finding] = (),
    *,
    held: RunTable | None = None,
) -> Track:
    """A run against what it is held to, before it is judged.

    Args:
        found: What was found in the log as it was read.
        held: The same log with its losses of held-out text, where it has both.

    Raises:
        NoProgress: Where the log does not tell how far the run is.
    """
    progress = progress_of(table, expected)
    seen = np.isfinite(progress.rate) & (progress.rate >= 0)
    peak = float(progress.rate[seen].max()) if seen.any() else 0.0
    planned_peak = expected.get("learning_rate")
    rate = _peak(peak, planned_peak, progress, expected)
    share = (progress.tokens[seen], progress.rate[seen] / rate)
    whole = max(expected.tokens, progress.done)
    steps = whole / progress.per_step if progress.per_step else expected.get("steps") or whole / 1e6
    path = path_of(expected.schedule, whole, steps, rate, library, share, expected.before)
    gain = _gain(rate, library)
    curve = curve_of(progress.tokens, progress.loss, path, gain)
    now = curve.now if curve is not None else float(np.median(progress.loss[-12:]))
    law_now = _by_law(expected, progress, path, gain)
    off = None if law_now is None else now / law_now.value
    speaks = off is not None and off >= 1 / APPLIES
    mfu, planned, slower = pace_of(expected, progress)
    ends = ends_of(expected, progress, mfu)
    evaluated = None
    if curve is not None:
        law = law_now if speaks and off is not None and off <= APPLIES else None
        ends["loss"] = _loss(expected, curve, law, path, progress, gain, table.columns["loss"].dim)
    if held is not None:
        evaluated, end = held_out(held, expected, curve, path, ends.get("loss"))
        if end is not None:
            ends["held_out_loss"] = end
    return Track(
        expected=expected,
        log=table.path,
        source=source,
        progress=progress,
        path=path,
        now=now,
        curve=curve,
        law_now=law_now if speaks else None,
        law_off=off,
        mfu=mfu,
        planned_mfu=planned,
        slower=slower,
        stops=_stops(expected, progress, library),
        ends=ends,
        spent=spent(expected, progress),
        dim=table.columns["loss"].dim,
        of=kind_of(table),
        header=header_of(table),
        held=evaluated,
        findings=tuple(found),
    )


def _peak(seen: float, planned: float | None, progress: Progress, expected: Expected) -> float:
    """The learning rate at its peak: the planned one while the log is still in the warm-up, then what it reached."""
    warm = (
        expected.schedule[0].tokens
        if expected.schedule and expected.schedule[0].start < expected.schedule[0].end
        else 0
    )
    if planned and (not seen or progress.done < warm):
        return max(planned, seen)
    return seen or planned or USUAL_RATE


def _stops(expected: Expected, progress: Progress, library: Library) -> float | None:
    """How many stops fleets that are known would have in what is left of a run whose log had none."""
    timing, gpus, known = progress.timing, expected.get("gpus"), stops_in(library)
    if timing.pace is None or timing.lost or not gpus or known is None:
        return None
    return max(expected.tokens - progress.done, 0.0) * timing.pace * gpus / known.every


def _gain(peak: float, library: Library) -> Gain:
    quantities = library.quantities()

    def figure(name: str) -> float:
        formula = quantities[name].formula
        assert formula is not None, f"{name} has its formula in the library"
        return float(value_of(bound(formula, lambda text: None), {"learning_rate": peak}))

    value = figure("annealing_gain")
    return Gain(value, value * figure("annealing_gain_spread"), figure("extrapolation_error"))


def _by_law(expected: Expected, progress: Progress, path: Path, gain: Gain) -> Estimate | None:
    """The loss that the law expects by now: that of a run that ends here, without what its decay would have brought."""
    whole = expected.figures.get("loss")
    if not expected.curve or whole is None or progress.done < expected.curve[0][0]:
        return None
    tokens, losses = zip(*expected.curve, strict=True)
    ended = float(np.exp(np.interp(np.log(progress.done), np.log(tokens), np.log(losses))))
    _, annealed = path.at(np.array([progress.done]))
    to_come = float(path.annealed[-1] - annealed[0])
    middle = ended * np.exp(gain.value * to_come)
    low, high = (whole.low or whole.value) / whole.value, (whole.high or whole.value) / whole.value
    spread = np.exp(QUANTILE * gain.spread * to_come)
    return Estimate(float(middle), float(middle * low / spread), float(middle * high * spread), whole.dim, expected.law)


def _loss(
    expected: Expected, curve: Curve, law: Estimate | None, path: Path, progress: Progress, gain: Gain, dim: Dim
) -> Estimate:
    """The loss at the end: by the log's own curve and, where a law speaks of such losses, by how that goes on."""
    own = (np.log(curve.final), np.log(curve.high / curve.final) / QUANTILE)
    if law is None:
        return Estimate(curve.final, curve.low, curve.high, dim, "the log and its schedule")
    _, annealed = path.at(np.array([progress.done]))
    to_come = float(path.annealed[-1] - annealed[0])
    way = np.log(curve.now) + np.log(expected.curve[-1][1] / law.value)
    fall = np.log(law.value / expected.curve[-1][1]) - gain.value * to_come
    off = np.sqrt((gain.spread * to_come) ** 2 + (gain.further * fall) ** 2 + FORM**2)
    ways, errors = np.array([own[0], way]), np.array([own[1], off])
    share = errors**-2 / (errors**-2).sum()
    middle = float(share @ ways)
    # Both go by the same log and the same decay, and are off alike: neither makes the other surer, and where they
    # disagree that is in the interval.
    spread = float(np.sqrt(share @ (errors**2 + (ways - middle) ** 2)))
    low, high = (float(np.exp(middle + sign * QUANTILE * spread)) for sign in (-1, 1))
    return Estimate(float(np.exp(middle)), low, high, dim, f"the log, its schedule and {expected.law}")
