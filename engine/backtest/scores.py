"""A backtest to its scorecard: how near predictions are, over all runs and by what runs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.engine.backtest.backtest import COLUMNS, Backtest, Column, Trial, Tried
from runplan.engine.problem.draws import quantile
from runplan.engine.runs.record import Run

# What runs are grouped by, in order.
GROUPS = ("all", "device", "size", "kind", "law")
# The sizes by which they are: from so many params in total on.
SIZES = ((0.0, "below 1B"), (1e9, "1B to 10B"), (1e10, "10B to 100B"), (1e11, "100B and more"))
# A ratio from one over this to this is near.
NEAR = 2.0


@dataclass(frozen=True, slots=True)
class Score:
    """How near a column is to what a group of runs reports.

    Attributes:
        group: What the runs have in common, one of `GROUPS`; `name` is which of these.
        count: Runs that are judged.
        median, low, high: Of the ratios of what is predicted to what is reported: the middle, and the ends of the
            middle 80 %.
        within: The share of ratios within a factor of two.
        covered: The share of runs whose figure is inside the interval, of `intervals` runs that have one; None where
            there are none.
    """

    column: Column
    group: str
    name: str
    count: int
    median: float
    low: float
    high: float
    within: float
    covered: float | None
    intervals: int


def scores(found: Backtest) -> tuple[Score, ...]:
    """The scorecard: each column over all runs, then by what they have in common; without runs that are set aside."""
    kept = [tried for tried in found.tried if not tried.aside]
    return tuple(score for column in COLUMNS for score in _scores(column, kept))


def _scores(column: Column, kept: Sequence[Tried]) -> Iterator[Score]:
    groups: dict[tuple[str, str], list[Trial]] = {}
    for tried in kept:
        trial = tried.trial(column.key)
        if trial.ratio is not None:
            for group in _groups(tried.run, trial):
                groups.setdefault(group, []).append(trial)
        for other in tried.others:
            if other.column == column and other.ratio is not None:
                groups.setdefault(("law", other.by), []).append(other)
    for key in sorted(groups, key=_rank):
        yield _score(column, *key, groups[key])


def _groups(run: Run, trial: Trial) -> Iterator[tuple[str, str]]:
    yield "all", "all"
    if trial.column.quantity == "gpu_hours" and run.device:
        yield "device", run.device.name
    yield "size", next(name for least, name in reversed(SIZES) if (run.params or 0.0) >= least)
    yield "kind", "mixture" if run.mixture else "dense"
    if trial.by:
        yield "law", trial.by


def _rank(group: tuple[str, str]) -> tuple[int, int, str]:
    kind, name = group
    sizes = [size for _, size in SIZES]
    return GROUPS.index(kind), sizes.index(name) if name in sizes else 0, name


def _score(column: Column, group: str, name: str, trials: Sequence[Trial]) -> Score:
    ratios = [trial.ratio for trial in trials if trial.ratio is not None]
    inside = [trial.inside for trial in trials if trial.inside is not None]
    return Score(
        column=column,
        group=group,
        name=name,
        count=len(ratios),
        median=quantile(ratios, 0.5),
        low=quantile(ratios, 0.1),
        high=quantile(ratios, 0.9),
        within=sum(1 / NEAR <= ratio <= NEAR for ratio in ratios) / len(ratios),
        covered=sum(inside) / len(inside) if inside else None,
        intervals=len(inside),
    )
