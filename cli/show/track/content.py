"""A tracked run as data for people: where it is and where it ends beside what was planned, and what is to be said."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.content import NOTHING, Cell, Table, table
from runplan.cli.show.text.figures import apart, from_to, per_cent, unit_of
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.units.base import DATE, TIME, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, show
from runplan.engine.track.ends import Estimate
from runplan.engine.track.track import Track

_PACE: Dim = (("second", -1.0), ("token", 1.0))


@dataclass(frozen=True, slots=True)
class Content:
    """All that is said of a tracked run, safe to print.

    Attributes:
        headline: In a line that stands alone.
        rows: What, now, at the end, planned.
        notes: What the forecasts rest on.
    """

    path: str
    headline: str
    rows: Table
    notes: tuple[str, ...]


def content(track: Track) -> Content:
    """All that there is to say beside the findings."""
    return Content(
        path=f"{plain(track.expected.plan)}, {plain(track.log)}",
        headline=_headline(track),
        rows=table(_rows(track), ("", "now", "at the end", "planned"), figures=True),
        notes=tuple(map(plain, _notes(track))),
    )


def _headline(track: Track) -> str:
    errors = [found for found in track.findings if found.severity == "error"]
    warnings = [found for found in track.findings if found.severity == "warning"]
    said = (
        "off its plan"
        if errors
        else f"on its way, with {len(warnings)} warning{'s' * (len(warnings) > 1)}"
        if warnings
        else "on its way"
    )
    ends = [f"{per_cent(track.progress.done / track.expected.tokens)} done"]
    if (finish := track.ends.get("finish")) is not None:
        ends.append(f"done on {iso_date(finish.value)}")
    elif (time := track.ends.get("time")) is not None:
        ends.append(f"{show(time.value, time.dim)} in all")
    for name, of in (("loss", _kind(track)), ("held_out_loss", "held-out")):
        if (loss := track.ends.get(name)) is not None:
            ends.append(f"{of} loss {loss.value:.3f} at the end")
    return f"{said[0].upper()}{said[1:]}: {', '.join(ends)}"


def _kind(track: Track) -> str:
    return "held-out" if track.of == "held out" else "training"


def _rows(track: Track) -> Iterator[tuple[str | Cell, ...]]:
    progress, expected, ends = track.progress, track.expected, track.ends
    yield "tokens", _short(show(progress.done, TOKEN)), _end(ends.get("tokens")), _planned(track, "tokens")
    if progress.steps[-1] == progress.steps[-1]:
        yield "steps", f"{progress.steps[-1]:,.0f}", NOTHING, _planned(track, "steps")
    if "time" in ends:
        elapsed = NOTHING if progress.timing.elapsed is None else show(progress.timing.elapsed, TIME)
        yield "time", elapsed, _end(ends["time"]), _planned(track, "time")
    if "finish" in ends:
        deadline = expected.get("deadline")
        yield "finish", NOTHING, _end(ends["finish"]), NOTHING if deadline is None else iso_date(deadline)
    if "cost" in ends:
        spent = NOTHING if track.spent is None else show(track.spent, ends["cost"].dim)
        yield "cost", spent, _end(ends["cost"]), _planned(track, "cost")
    unit = unit_of(track.dim)
    law = track.law_now
    planned_loss = _planned(track, "loss") if law is not None else NOTHING
    own = NOTHING if track.held is not None else planned_loss
    yield f"{_kind(track)} loss, {unit}", f"{track.now:.3f}", _end(ends.get("loss")), own
    if track.held is not None:
        last = f"{track.held.progress.loss[-1]:.3f}"
        yield f"held-out loss, {unit}", last, _end(ends.get("held_out_loss")), planned_loss
    if law is not None:
        yield "loss by the law", f"{law.value:.3f}", NOTHING, NOTHING
    if progress.rate[-1] == progress.rate[-1]:
        planned = expected.get("learning_rate")
        end = f"{expected.schedule[-1].end * planned:.3g}" if expected.schedule and planned else NOTHING
        yield (
            "learning rate",
            f"{progress.rate[-1]:.3g}",
            end,
            NOTHING if planned is None else f"{planned:.3g}",
        )
    if progress.timing.pace:
        time = expected.get("time")
        planned_pace = _short(show(expected.tokens / time, _PACE)) if time else NOTHING
        yield "tokens a second", _short(show(1 / progress.timing.pace, _PACE)), NOTHING, planned_pace
    if track.mfu is not None:
        planned = track.planned_mfu
        yield "MFU", per_cent(track.mfu), NOTHING, NOTHING if planned is None else per_cent(planned)


def _end(one: Estimate | None) -> str | Cell:
    if one is None:
        return NOTHING
    if one.dim == DATE:
        low, high = iso_date(one.low), iso_date(one.high)
        return Cell(iso_date(one.value), "" if low == high else f"({from_to(low, high)})")
    if any(name == "nat" for name, _ in one.dim):
        return Cell(f"{one.value:.3f}", f"({one.low:.3f} {NOTHING} {one.high:.3f})")
    said, low, high = (show(value, one.dim) for value in (one.value, one.low, one.high))
    if apart(said)[1] == apart(low)[1] == apart(high)[1]:
        low, high = apart(low)[0], apart(high)[0]
    return Cell(_short(said), "" if low == high else f"({from_to(low, high)})")


def _short(text: str) -> str:
    """A figure as the table has room for it: what it counts is said by the name of its row."""
    return text.removesuffix(" tokens").replace(" tokens/second", "/s")


def _planned(track: Track, name: str) -> str:
    one = track.expected.figures.get(name)
    if one is None:
        return NOTHING
    plain_figures = {"steps": ",.0f", "loss": ".3f"}
    return format(one.value, plain_figures[name]) if name in plain_figures else _short(show(one.value, one.dim))


def _notes(track: Track) -> Iterator[str]:
    expected, progress = track.expected, track.progress
    yield "In brackets at the end: 80 % intervals."
    if expected.stage:
        yield f"Of stage `{expected.stage}`: `--stage` says another."
    for name, said in (("time", "Time"), ("cost", "Cost"), ("loss", "Loss"), ("held_out_loss", "Held-out loss")):
        if name in track.ends:
            yield f"{said} at the end: by {track.ends[name].by}."
    if track.held is None:
        of = "of text that is held out" if track.of == "held out" else "of training; the log has none of held-out text"
        yield f"The loss is `{track.header}` of the log, {of}."
    curve = track.curve
    if curve is not None and track.path.annealed[-1] > 0 and not curve.told:
        gain = curve.gain * (track.path.annealed[-1] - _annealed(track))
        yield (
            f"The decay that is still to come is taken to bring {100 * gain:.2g} % (`annealing_gain`): until then the "
            "loss lies above where it ends, and that is no drift."
        )
    if progress.timing.late:
        yield f"The log begins at {show(progress.tokens[0], TOKEN)}: what came before is taken to have had its pace."
    if track.stops is not None and progress.done < expected.tokens:
        yield (
            f"The log had no stops, and the time at the end has none: fleets that are known would have "
            f"{track.stops:.2g} in what is left (`availability: derived` tells what they take)."
        )
    if progress.derived:
        yield f"Tokens are from {progress.derived}."
    if expected.frozen:
        yield f"Held to what was frozen on {expected.frozen}."


def _annealed(track: Track) -> float:
    path = track.path
    i = int(path.tokens.searchsorted(track.progress.done))
    return float(path.annealed[min(i, len(path.annealed) - 1)])
