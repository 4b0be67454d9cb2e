"""A backtest as data for people: the scorecard, how each run came out, and what could not be judged and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import NOTHING, Cell, Section, Table, table
from runplan.cli.show.text.figures import bare, figure, per_cent
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.words import counted
from runplan.engine.backtest.backtest import COLUMNS, Backtest, Column, Trial, Tried
from runplan.engine.backtest.scores import Score, scores

# Runs of a column that are shown where not all are: those that are furthest off.
SHOWN = 10
OUTSIDE = "*"
HEADS = ("runs", "ratio", "10 \N{EN DASH} 90 %", "within 2x", "inside")
READING = (
    "ratio: what is predicted over what was reported, the middle of all runs, and where the middle 80 % of them lie; "
    "inside: the share of runs whose figure lies in the 80 % interval of the prediction.",
    "default rate: as a plan has it that states none; own rate: as the run states it of its steps.",
    "No run is judged by itself: it is planned without what is known of its family. Only a law keeps its constants, "
    "and one that was fitted to runs of the library has seen them.",
)


@dataclass(frozen=True, slots=True)
class Content:
    """All that a backtest for people says, safe to print.

    Attributes:
        headline: How near the first column is, in a line that stands alone.
        scorecard: Each column over all runs.
        sections: For each column the groups of runs, and the runs.
        unjudged: What could not be judged of which runs, and why, in a sentence each.
        aside: Runs that no score counts, and why.
    """

    headline: str
    scorecard: Section
    sections: tuple[Section, ...]
    unjudged: tuple[str, ...]
    aside: Table


def content(found: Backtest, details: bool = False) -> Content:
    """All that there is to say of a backtest.

    Args:
        details: Whether every run is shown, or those that are furthest off.
    """
    card = scores(found)
    whole = [score for score in card if score.group == "all"]
    rows = [(score.column.title, *_score(score)) for score in whole]
    return Content(
        headline=_headline(found, whole),
        scorecard=Section("Scorecard", table(rows, ("", *HEADS), figures=True), notes=READING if rows else ()),
        sections=tuple(section for column in COLUMNS for section in _sections(column, found, card, details)),
        unjudged=tuple(_unjudged(found, details)),
        aside=table(
            ((plain(tried.run.name), plain(tried.aside)) for tried in found.tried if tried.aside), ("run", "why")
        ),
    )


def _headline(found: Backtest, whole: Sequence[Score]) -> str:
    runs = counted(len(found.tried), "run")
    if not whole:
        return f"{runs}, none of which can be judged"
    first = whole[0]
    covered = "" if first.covered is None else f", {per_cent(_whole(first.covered))} inside the interval"
    took = "it took" if first.count == len(found.tried) == 1 else f"{counted(first.count, 'run')} took"
    return f"{runs}; {first.column.title}: {_ratio(first.median)} of what {took}{covered}"


def _score(score: Score) -> Iterator[str]:
    yield str(score.count)
    yield _ratio(score.median)
    yield f"{_ratio(score.low)} {NOTHING} {_ratio(score.high)}" if score.count > 1 else NOTHING
    yield per_cent(_whole(score.within))
    yield NOTHING if score.covered is None else per_cent(_whole(score.covered))


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 99.5 else f"{ratio:,.0f}"


def _whole(share: float) -> float:
    """A share of runs, in whole per cent."""
    return round(share, 2)


# ---- one column


def _sections(column: Column, found: Backtest, card: Sequence[Score], details: bool) -> Iterator[Section]:
    groups = [score for score in card if score.column == column and score.group != "all"]
    several = [score for score in groups if sum(other.group == score.group for other in groups) > 1]
    title = f"{column.title[0].upper()}{column.title[1:]}"
    if several:
        rows = [(_group(score), *_score(score)) for score in several]
        yield Section(f"{title}: by what runs have in common", table(rows, ("", *HEADS), figures=True))
    # What no score counts is told with all runs only.
    told = [one for one in found.tried if details or not one.aside]
    tried = [one for one in told if one.trial(column.key).ratio is not None]
    if tried:
        yield _runs(column, title, tried, found, details)


def _group(score: Score) -> str:
    return plain(f"by `{score.name}`" if score.group == "law" else score.name)


def _runs(column: Column, title: str, tried: Sequence[Tried], found: Backtest, details: bool) -> Section:
    """The runs of a column, by name; or those that are furthest off, the furthest first."""
    cut = not details and len(tried) > SHOWN
    shown = sorted(tried, key=lambda one: -_off(one.trial(column.key)))[:SHOWN] if cut else tried
    rows = [_row(one, one.trial(column.key), found) for one in shown]
    heads = ("run", "reported", "predicted", "80 % interval", "ratio")
    notes = []
    if any(one.trial(column.key).inside is False for one in shown):
        notes.append(f"{OUTSIDE} outside the 80 % interval of the prediction.")
    if column.quantity == "loss":
        notes.append("A loss is of its own corpus and tokenizer, and seldom of those that the law was fitted to.")
    if cut:
        notes.append(f"The {SHOWN} of {len(tried)} runs that are furthest off; `--details` shows all.")
    of = ": furthest off" if cut else ": run by run"
    return Section(f"{title}{of}", table(rows, heads, figures=True), notes=tuple(notes))


def _off(trial: Trial) -> float:
    """How far a prediction is from what was reported, above or below."""
    return abs(math.log(trial.ratio)) if trial.ratio else 0.0


def _row(tried: Tried, trial: Trial, found: Backtest) -> tuple[str | Cell, ...]:
    def told(value: float | None) -> str:
        if value is None:
            return NOTHING
        name = trial.column.quantity
        return bare(figure(name, value, found.quantities[name].counted.dim, found.quantities))

    interval = NOTHING if trial.low is None else f"{told(trial.low)} {NOTHING} {told(trial.high)}"
    ratio = Cell(_ratio(trial.ratio or 0.0), mark=OUTSIDE if trial.inside is False else "")
    figures = (Cell(told(trial.reported), mark=""), Cell(told(trial.predicted), mark=""), Cell(interval, mark=""))
    return (plain(tried.run.name) + (" (set aside)" if tried.aside else ""), *figures, ratio)


# ---- what is not judged


def _unjudged(found: Backtest, details: bool) -> Iterator[str]:
    for column in COLUMNS:
        reasons: dict[str, list[str]] = {}
        for tried in found.tried:
            if why := tried.trial(column.key).why:
                reasons.setdefault(why, []).append(tried.run.name)
        for why, names in reasons.items():
            shown = names if details or len(names) <= SHOWN else names[:SHOWN]
            more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
            yield plain(f"{column.title}: {why}: {', '.join(shown)}{more}")
