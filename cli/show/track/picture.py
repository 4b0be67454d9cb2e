"""A tracked run as a picture: its losses beside what is expected, its pace and its rate beside the planned ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import PlotAxis
from runplan.cli.show.text.figures import bare, unit_of
from runplan.cli.show.text.picture import Panel, Picture, Series
from runplan.cli.show.text.plain import plain
from runplan.dsl.units.base import TIME, TOKEN
from runplan.dsl.units.show import show
from runplan.engine.track.ends import Estimate
from runplan.engine.track.track import Track

# Points of a log that are drawn: more of them cover each other.
MOST = 400
# A loss of the first steps tells nothing of the rest, and takes all of the height.
FROM = 0.01
# What a run is timed in, the first of which it takes more than two.
TIMED = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
Points = Sequence[tuple[float, float]]


def picture(track: Track) -> Picture:
    """What a run in progress looks like."""
    every = (_loss(track), _pace(track), _rate(track))
    panels = tuple(panel for panel in every if panel.scales is not None)
    kept = f", held to what was frozen on {track.expected.frozen}" if track.expected.frozen else ""
    return Picture(f"{plain(track.expected.plan)}, in progress", panels, f"{plain(track.log)}{kept}")


def _tokens() -> PlotAxis:
    return PlotAxis("tokens", TOKEN, lambda value: bare(show(value, TOKEN, 3)), False)


def _columns(points: Points) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(x for x, _ in points), tuple(y for _, y in points)


def _loss(track: Track) -> Panel:
    """The losses of the log, the curve through them, what the law expects of a run that ends there, and the end."""
    progress, whole = track.progress, max(track.expected.tokens, track.progress.done)
    both = zip(progress.tokens.tolist(), progress.loss.tolist(), strict=True)
    points = _thinned([(x, y) for x, y in both if x >= FROM * whole and math.isfinite(y)])
    out = [*_law(track), Series("points", *_columns(points), label="log", at=len(points) // 3)]
    out += _curve(track)
    if (end := track.ends.get("loss")) is not None:
        label, low, high = f"at the end: {end.value:.3f}", (end.low,), (end.high,)
        out.append(Series("bars", (whole,), (end.value,), label=label, tone=1, low=low, high=high, marker="star"))
    if track.held is not None:
        own = track.held.progress
        held = [(x, y) for x, y in zip(own.tokens.tolist(), own.loss.tolist(), strict=True) if x >= FROM * whole]
        out.append(Series("points", *_columns(_thinned(held)), label="held-out", tone=3, marker="ring"))
        if (end := track.ends.get("held_out_loss")) is not None:
            out.append(Series("bars", (whole,), (end.value,), tone=3, low=(end.low,), high=(end.high,), marker="star"))
    unit = unit_of(track.dim)
    y = PlotAxis(f"loss, {unit}", track.dim, lambda value: f"{value:.3g}", True)
    return Panel("Loss", _tokens(), y, tuple(out))


def _thinned(points: Points) -> Points:
    every = max(1, math.ceil(len(points) / MOST))
    return points[::every]


def _law(track: Track) -> Iterator[Series]:
    """What the law expects of runs that end with so many tokens, with the interval of the plan's."""
    whole = track.expected.figures.get("loss")
    if track.law_now is None or whole is None or not track.expected.curve:
        return
    xs, ys = _columns([point for point in track.expected.curve if point[0] >= FROM * track.expected.tokens])
    low, high = ((end or whole.value) / whole.value for end in (whole.low, whole.high))
    yield Series("band", xs, (), tone=2, low=tuple(low * y for y in ys), high=tuple(high * y for y in ys))
    yield Series("line", xs, ys, label=f"{track.expected.law}: a run that ends here", tone=2, at=len(xs) // 2)


def _curve(track: Track) -> Iterator[Series]:
    """The curve through the losses: beyond the log in dashes."""
    if track.curve is None:
        return
    both = zip(track.path.tokens.tolist(), track.curve.middle.tolist(), strict=True)
    least = max(FROM * track.expected.tokens, track.path.warm)
    known = [(x, y) for x, y in both if x >= least and math.isfinite(y)]
    seen = [point for point in known if point[0] <= track.progress.done]
    yield Series("line", *_columns(_thinned(seen)), label="its curve", tone=0, at=0)
    yield Series("dashes", *_columns(_thinned(known[max(len(seen) - 1, 0) :])), tone=0)


def _pace(track: Track) -> Panel:
    """Tokens over time: as planned, so far, and to the end."""
    progress, expected = track.progress, track.expected
    end, planned = track.ends.get("time"), expected.get("time")
    elapsed = progress.timing.elapsed
    longest = max(filter(None, (planned, end.high if end else None, elapsed)), default=0.0)
    name, unit = next((one for one in TIMED if longest > 2 * one[1]), TIMED[-1])
    out = []
    if planned:
        out.append(Series("dashes", (0.0, planned / unit), (0.0, expected.tokens), label="planned"))
    if elapsed is not None:
        points = [(seconds / unit, tokens) for seconds, tokens in zip(*progress.path, strict=True)]
        out.append(Series("line", *_columns(_thinned([(0.0, 0.0), *points])), label="so far", tone=0))
        if end is not None:
            out += _forecast(end, unit, (elapsed / unit, progress.done), max(expected.tokens, progress.done))
    x = PlotAxis(f"{name} since the start", (), lambda value: f"{value:g}", False)
    return Panel("Tokens over time, 80 % interval of the finish", x, _tokens(), tuple(out))


def _forecast(end: Estimate, unit: float, now: tuple[float, float], whole: float) -> Iterator[Series]:
    yield Series("dashes", (now[0], end.value / unit), (now[1], whole), tone=0)
    yield Series("line", (end.low / unit, end.high / unit), (whole, whole), tone=1)
    yield Series("points", (end.value / unit,), (whole,), label=f"{show(end.value, TIME, 3)}", tone=1, marker="star")


def _rate(track: Track) -> Panel:
    """The learning rate of the log, beside the schedule's."""
    progress = track.progress
    both = zip(progress.tokens.tolist(), progress.rate.tolist(), strict=True)
    seen = [(x, y) for x, y in both if math.isfinite(y)]
    peak = track.expected.get("learning_rate") or max((y for _, y in seen), default=0.0)
    out = []
    if track.expected.schedule and peak:
        share = zip(track.path.tokens.tolist(), track.path.share.tolist(), strict=True)
        out.append(Series("dashes", *_columns([(x, peak * y) for x, y in share]), label="planned", at=0))
    out.append(Series("line", *_columns(_thinned(seen)), label="log", tone=0))
    y = PlotAxis("learning rate", (), lambda value: f"{value:.2g}", False)
    return Panel("Learning rate", _tokens(), y, tuple(out))
