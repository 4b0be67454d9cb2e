"""Figures of rows into which rows can be used, and of the others which, where, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted, cut, enumerated, listing
from runplan.dsl.units.show import show
from runplan.dsl.units.table import UnknownUnit
from runplan.engine.fit.read.choose import Chosen, by_column
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.table import Floats

Mask = NDArray[np.bool_]
# How many lines a finding names, and to how many it points.
NAMED, POINTED = 10, 3
# A run that has so much of its tokens has ended. One whose loss is so many times what another run allows has diverged;
# of more runs than so many not each is compared with each.
WHOLE, WORSE, COMPARED = 0.99, 1.5, 3000
# Where more of the figures than this share are none of their quantity, its unit is in doubt, and not the rows; where
# more than most are, it is another.
MANY, MOST = 0.25, 0.5
# What runs of the same inputs may differ in, and no form of size and tokens has.
SETTINGS = ("learning_rate", "batch", "batch_sequences")
# Reasons that differ by figures alone are one.
_DIGITS = pattern(r"\d[\d.,]*")
# What `state` says of a run, by its figure.
FINISHED, DIVERGED = 1.0, 2.0


@dataclass(slots=True)
class Rows:
    """The rows of a grid, and which of them can be used.

    Attributes:
        kept: By row.
        findings: One a reason.
    """

    grid: Grid
    kept: Mask
    findings: list[Finding] = field(default_factory=list)

    def leave(
        self, code: str, what: str, places: Sequence[tuple[int, int]], *, severity: Severity | None = None
    ) -> None:
        """Leave out rows that still count, for one reason.

        Args:
            what: The reason, behind the count of the rows and their lines.
            places: Row and column of each.
        """
        left = [(row, column) for row, column in places if self.kept[row]]
        if not left:
            return
        self.kept[[row for row, _ in left]] = False
        self.say(code, what, left, severity=severity)

    def say(self, code: str, what: str, places: Sequence[tuple[int, int]], *, severity: Severity | None = None) -> None:
        """Say something of rows."""
        spans = [self.grid.at(row, column) for row, column in places[: POINTED + 1]]
        lines = [self.grid.lines[row] for row, _ in places]
        self.findings.append(told(code, what, lines, spans, severity=severity))


def told(
    code: str,
    what: str,
    lines: Sequence[int],
    spans: Sequence[Span],
    *,
    help: Iterable[str] = (),
    severity: Severity | None = None,
) -> Finding:
    """One finding for all rows of a reason: the first are named, and pointed at."""
    named = ", ".join(map(str, lines[:NAMED])) + (f" and {len(lines) - NAMED:,} more" if len(lines) > NAMED else "")
    message = f"{counted(len(lines), 'row')} {what}: {'line' if len(lines) == 1 else 'lines'} {named}"
    also = [Label(span, "here, too") for span in spans[1:POINTED]]
    data: dict[str, float | str] = {"rows": float(len(lines))}
    return finding(code, message, spans[0], severity=severity, also=also, help=help, data=data)


def usable(
    grid: Grid, columns: Mapping[str, Chosen], needs: Sequence[str], asked: Sequence[str], *, log: bool = False
) -> Rows:
    """The rows that can be used.

    Args:
        needs: The quantities without which a row is of no use.
        asked: These, and the others that are read: what a cell of these says that is no figure is told.
        log: Whether rows are points of one run, of which some tell of other things.
    """
    rows = Rows(grid, np.ones(len(grid), np.bool_))
    if grid.ragged:
        _ragged(rows)
    for name in asked:
        if (chosen := columns.get(name)) is not None:
            _cells(rows, name, chosen, needed=name in needs, log=log)
    for name in asked:
        if (chosen := columns.get(name)) is not None:
            _domain(rows, name, chosen, needed=name in needs, log=log)
    return rows


def _ragged(rows: Rows) -> None:
    grid = rows.grid
    width = len(grid.headers)
    for count in sorted({count for _, count in grid.ragged}):
        lines = [line for line, own in grid.ragged if own == count]
        what = (
            f"left out, with {counted(count, 'cell')} under {counted(width, 'name')}"
            if count
            else "left out: no object"
        )
        twice = count == 2 * width or (count > width and any("," not in header for header in grid.headers))
        help = ["put figures with commas into quotes, or part cells by semicolons"] if twice else []
        spans = [grid.locate(line, -1) for line in lines[: POINTED + 1]]
        rows.findings.append(told("F006", what, lines, spans, help=help))


def _cells(rows: Rows, name: str, chosen: Chosen, *, needed: bool, log: bool) -> None:
    header, place = rows.grid.headers[chosen.place], chosen.place
    act: Callable[..., None] = rows.leave if needed else rows.say
    verb = "left out" if needed else "read without it"
    by_reason: dict[str, list[tuple[int, int]]] = {}
    for row, wrong in chosen.figures.wrong.items():
        by_reason.setdefault(_DIGITS.sub("0", wrong.reason), []).append((row, place))
    for places in by_reason.values():
        first, reason = chosen.figures.wrong[places[0][0]].text, chosen.figures.wrong[places[0][0]].reason
        if name == "loss" and reason in ("NaN", "infinite") and needed:
            rows.leave("F010", f"left out, with a `{cut(header)}` that is {reason}: the run diverged", places)
        else:
            act("F006", f"{verb}, with `{first}` as `{cut(header)}`: {reason}", places)
    if needed and chosen.figures.missing:
        places = [(row, place) for row in chosen.figures.missing]
        rows.leave("F006", f"left out, without a `{cut(header)}`", places, severity="info" if log else None)


def _domain(rows: Rows, name: str, chosen: Chosen, *, needed: bool, log: bool) -> None:
    """What figures may not be: zero, negative, or so far off that they are in another unit."""
    values, place, sort = chosen.figures.values, chosen.place, chosen.sort
    # What is wrong with a figure that others give is said of those.
    if sort.between is None or (place < 0 and not needed):
        return
    header = cut(rows.grid.headers[place]) if place >= 0 else name
    low, high = sort.between
    act: Callable[..., None] = rows.leave if needed else rows.say
    verb = "left out" if needed else "doubtful"
    bad = (values <= 0) if low > 0 and (needed or not log) else (values < 0)
    for sign, mask in (("negative", bad & (values < 0)), ("zero", bad & (values == 0))):
        if mask.any():
            act("F006", f"{verb}, with a `{header}` that is {sign}", [(int(row), place) for row in np.nonzero(mask)[0]])
    off = ((values < low) | (values > high)) & ~bad & rows.kept
    # What a log counts begins with little.
    if not off.any() or (log and not needed):
        return
    places = [(int(row), place) for row in np.nonzero(off)[0]]
    first = show(float(values[places[0][0]]), chosen.figures.dim)
    share = off.sum() / (np.isfinite(values) & rows.kept).sum()
    if share > MANY and needed:
        line = rows.grid.lines[places[0][0]]
        if share > MOST:
            message = f"`{header}` is {first} in line {line}: that is no `{name}`"
            help = [f"say the unit that it is in: `--unit {name}={word}`" for word in _likely(chosen)]
        else:
            message = f"`{header}` is {first} in line {line}, and no `{name}` in {len(places)} rows: it is in two units"
            help = [] if sort.instead else ["write the unit into each cell, such as `1.3B`"]
        if sort.instead:
            help.append(f"if it is a {sort.instead}: `{by_column(sort.instead, rows.grid.headers[place])}`")
        rows.findings.append(finding("F004", message, rows.grid.at(*places[0]), help=help))
        return
    act("F006", f"{verb}, with {first} as `{header}`, which is in another unit, most likely", places)


def _likely(chosen: Chosen) -> list[str]:
    """Units in which most of the figures would lie where such figures do."""
    values, (low, high) = chosen.figures.values, chosen.sort.between or (0.0, np.inf)
    some = values[np.isfinite(values)]
    usual = chosen.sort.units[""]
    base = usual.factor if usual is not None else 1.0
    out: dict[float, str] = {}
    for word in (*chosen.sort.units, "B", "M", "K"):
        try:
            factor = chosen.sort.unit(word).factor / base if word else 1.0
        except UnknownUnit:
            continue
        if factor != 1.0 and np.mean((some * factor >= low) & (some * factor <= high)) > 0.5:
            out.setdefault(factor, word)
    return list(out.values())[:2] or ["UNIT"]


def twice(rows: Rows, cells: Sequence[Sequence[str]]) -> None:
    """Leave out rows that stand there again, to the letter."""
    seen: dict[tuple[str, ...], int] = {}
    again: list[tuple[int, int]] = []
    for row, key in enumerate(zip(*cells, strict=True)):
        if rows.kept[row] and seen.setdefault(key, row) != row:
            again.append((row, -1))
    if again:
        first = {rows.grid.lines[seen[tuple(column[row] for column in cells)]] for row, _ in again}
        before = f"as in line {min(first)}" if len(first) == 1 else "each as in a line before it,"
        rows.leave("F007", f"left out, {before} to the letter", again)


def repeats(rows: Rows, columns: Mapping[str, Chosen], inputs: Sequence[str]) -> None:
    """Say which runs are of the same inputs: they differ by noise, and are kept."""
    values = [columns[name].figures.values for name in inputs if name in columns]
    kept = np.nonzero(rows.kept)[0]
    if not values or not len(kept):
        return
    table = np.stack([v[kept] for v in values], axis=1)
    _, group, counts = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    again = [(int(row), -1) for row, own in zip(kept, group, strict=True) if counts[own] > 1]
    if again:
        alike = [kept[group == own] for own in np.nonzero(counts > 1)[0][:COMPARED]]
        headers = [
            cut(rows.grid.headers[columns[name].place]) for name in SETTINGS if _differ(columns.get(name), alike)
        ]
        beside = f", which differ in {enumerated([f'`{header}`' for header in headers])}" if headers else ""
        noise = "the noise, with what that does in it" if headers else "the noise"
        rows.say("F008", f"kept, of runs of the same inputs{beside}: they tell {noise}", again)


def _differ(setting: Chosen | None, alike: Iterable[NDArray[np.intp]]) -> bool:
    """Whether runs that are alike otherwise differ in a setting that the file says."""
    if setting is None or setting.place < 0:
        return False
    every = (setting.figures.values[rows] for rows in alike)
    return any(np.isfinite(values).all() and np.ptp(values) > 0 for values in every)


def ended(rows: Rows, columns: Mapping[str, Chosen], states: Sequence[str] | None, known: Mapping[str, float]) -> None:
    """Leave out runs that diverged, and such as did not end.

    Args:
        states: What the file says of how each ended; None where it does not.
        known: What such words mean, in lower case.
    """
    if states is not None:
        place = -1
        words = [word.strip().lower() for word in states]
        diverged = [(row, place) for row, word in enumerate(words) if known.get(word) == DIVERGED]
        unfinished = [(row, place) for row, word in enumerate(words) if word and known.get(word) is None]
        rows.leave("F010", "left out, which the file says diverged", diverged)
        if unfinished:
            said = listing(dict.fromkeys(cut(words[row]) for row, _ in unfinished))
            rows.leave("F011", f"left out, of runs that did not end ({said})", unfinished)
    loss, vocab = columns.get("loss"), columns.get("vocab")
    if loss is not None and vocab is not None:
        guess = np.log(vocab.figures.values)
        worse = [(int(row), loss.place) for row in np.nonzero(loss.figures.values >= guess)[0]]
        rows.leave(
            "F010", "left out, with a loss no less than the logarithm of the vocabulary: the run diverged", worse
        )
    for done, planned in (("tokens", "planned_tokens"), ("steps", "planned_steps")):
        if done in columns and planned in columns:
            short = columns[done].figures.values < WHOLE * columns[planned].figures.values
            places = [(int(row), columns[done].place) for row in np.nonzero(short)[0]]
            rows.leave("F011", f"left out, of runs that ended before they had all of their {done}", places)
    if loss is not None and "params" in columns and "tokens" in columns:
        far = _worse(rows, *(columns[name].figures.values for name in ("params", "tokens", "loss")))
        what = f"left out, with a loss {WORSE:g} times what the size of another run allows it: the run diverged"
        rows.leave("F010", what, [(row, loss.place) for row in far])


def _worse(rows: Rows, params: Floats, tokens: Floats, loss: Floats) -> list[int]:
    """Rows whose loss is far above what another run allows; none where there are too many to compare.

    With no less of anything a run comes out no worse, and with a half of the params or tokens at most at twice the
    loss: no law has an exponent above one.
    """
    kept = np.nonzero(rows.kept & (params > 0) & (tokens > 0) & (loss > 0))[0]
    if not 1 < len(kept) <= COMPARED:
        return []
    n, d, y = params[kept], tokens[kept], loss[kept]
    allowed = y * np.maximum(n / n[:, None], 1.0) * np.maximum(d / d[:, None], 1.0)
    return [int(row) for row in kept[y > WORSE * allowed.min(axis=1)]]
