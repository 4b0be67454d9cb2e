"""Chunks of a sweep to the rows of it that are wanted, and to which of these are best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.plan.ir import Sense
from runplan.engine.sweep.axes import Axis, Listed
from runplan.engine.sweep.axes import numbers as numbers_of
from runplan.engine.sweep.grid import Mask
from runplan.engine.sweep.job import STATUSES, Columns, Floats, Job

Values = Floats | npt.NDArray[np.str_]
# Figures that agree to so many digits are one: the last ones are rounding of the solver's.
ALIKE = 9


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a job.

    Attributes:
        numbers: Which rows these are.
        figures, status, why, reasons: See `Columns`.
    """

    numbers: npt.NDArray[np.int64]
    figures: Mapping[str, Floats]
    status: npt.NDArray[np.uint8]
    why: npt.NDArray[np.int32]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, places: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Rows:
        """The rows at some places among these."""
        figures = {name: column[places] for name, column in self.figures.items()}
        why, reasons = _in_use(self.why[places], self.reasons)
        return Rows(self.numbers[places], figures, self.status[places], why, reasons)

    def reason(self, at: int) -> str:
        """What is wrong with the row at a place; empty where nothing is."""
        return self.reasons[self.why[at]] if self.why[at] >= 0 else ""


def _in_use(why: npt.NDArray[np.int32], reasons: Sequence[str]) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """The reasons that rows have, in the order of the rows, and which one each has."""
    found, first = np.unique(why, return_index=True)
    used = [int(place) for _, place in sorted(zip(first.tolist(), found.tolist(), strict=True)) if place >= 0]
    # The last one is that of no reason, which -1 finds.
    places = np.full(len(reasons) + 1, -1, dtype=np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    return places[why], tuple(reasons[place] for place in used)


def no_rows(job: Job) -> Rows:
    """None of the rows of a job."""
    blank = np.empty(0)
    figures = {asked.text: blank for asked in job.asked}
    return Rows(blank.astype(np.int64), figures, blank.astype(np.uint8), blank.astype(np.int32), ())


def kept(columns: Columns) -> Rows:
    """The rows of a chunk that are wanted."""
    numbers = np.arange(columns.start, columns.start + len(columns), dtype=np.int64)
    every = Rows(numbers, columns.figures, columns.status, columns.why, columns.reasons)
    return every if bool(columns.kept.all()) else every.at(columns.kept)


def together(parts: Sequence[Rows]) -> Rows:
    """Rows after each other, as one; at least one part."""
    reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
    places = {reason: at for at, reason in enumerate(reasons)}
    # The last one is that of no reason, which -1 finds.
    whys = [np.array([*(places[r] for r in part.reasons), -1], dtype=np.int32)[part.why] for part in parts]
    return Rows(
        np.concatenate([part.numbers for part in parts]),
        {name: np.concatenate([part.figures[name] for part in parts]) for name in parts[0].figures},
        np.concatenate([part.status for part in parts]),
        np.concatenate(whys),
        reasons,
    )


def best(rows: Rows, by: str, sense: Sense, count: int) -> Rows:
    """So many of the solved rows that are best by a quantity, the best first."""
    lower = _lower(rows, by, sense)
    there = np.flatnonzero(_solved(rows, [by]))
    if len(there) > count:  # of those that are no worse than the last one wanted; only these are sorted
        there = there[lower[there] <= np.partition(lower[there], count - 1)[count - 1]]
    return rows.at(there[np.lexsort((rows.numbers[there], lower[there]))[:count]])


def efficient(rows: Rows, by: Sequence[tuple[str, Sense]]) -> Rows:
    """The solved rows than which no other is better by one quantity and as good by the others, the best by the
    first quantity first; of equal ones one.
    """
    rows = rows.at(_solved(rows, [name for name, _ in by]))
    costs = np.stack([_rounded(_lower(rows, name, sense)) for name, sense in by], axis=1)
    left = np.lexsort((rows.numbers, *costs.T[::-1]))
    found = []
    while len(left):
        # The first in order is outdone by none; it outdoes all that are no better by anything.
        first = left[0]
        found.append(first)
        left = left[(costs[left] < costs[first]).any(axis=1)]
    return rows.at(np.array(found, dtype=np.int64))


def _solved(rows: Rows, names: Sequence[str]) -> Mask:
    """Which rows are solved, and have some quantities."""
    there: Mask = np.asarray(rows.status == STATUSES.index("solved"))
    for name in names:
        there &= np.isfinite(rows.figures[name])
    return there


def _lower(rows: Rows, name: str, sense: Sense) -> Floats:
    """A quantity, the lower the better."""
    return rows.figures[name] if sense == "minimize" else -rows.figures[name]


def _rounded(figures: Floats) -> Floats:
    """Figures to the digits that count."""
    with np.errstate(divide="ignore"):
        power = np.floor(np.log10(np.abs(np.where(figures == 0, 1.0, figures))))
    unit = 10.0 ** (power - ALIKE)
    return np.asarray(np.round(figures / unit) * unit)


@dataclass(frozen=True, slots=True)
class Varied:
    """A column of what is varied.

    Attributes:
        values: Figures, in the unit; or texts, where they are none, or of several units.
    """

    path: str
    unit: str
    values: Values


def varied(job: Job, numbers: npt.NDArray[np.int64]) -> tuple[Varied, ...]:
    """What is varied, in rows: a column an axis, and one for the law where there are several."""
    # Of each column its values, and how many rows each of them stays.
    columns, stay = [("law", "", np.array(job.laws), 1)] if len(job.laws) > 1 else [], len(job.laws)
    for axis in reversed(job.axes):
        unit, values = _values(axis)
        columns.append((axis.path, unit, values, stay))
        stay *= len(axis)
    in_a_row = len(numbers) > 0 and bool((np.diff(numbers) == 1).all())
    some = _in_a_row if in_a_row else _anywhere
    found = [Varied(path, unit, some(values, stay, numbers)) for path, unit, values, stay in columns]
    return (*reversed(found[1:]), found[0]) if len(job.laws) > 1 else tuple(reversed(found))


def heads(job: Job) -> tuple[Varied, ...]:
    """The columns of what is varied, for what they are: with the value of the first row alone."""
    return varied(job, np.zeros(1, dtype=np.int64))


@lru_cache(16)
def _values(axis: Axis) -> tuple[str, Values]:
    """The values of an axis, and their unit."""
    found = numbers_of(axis)
    if found is not None:
        return found[1], found[0]
    assert isinstance(axis, Listed), "a range is of figures"
    return "", np.array(axis.texts)


def _anywhere(values: Values, stay: int, numbers: npt.NDArray[np.int64]) -> Values:
    """The values of rows, where each of these stays for so many."""
    return values[numbers // stay % len(values)]


def _in_a_row(values: Values, stay: int, numbers: npt.NDArray[np.int64]) -> Values:
    """The same, of rows one after the other: without a division for each."""
    start, last = int(numbers[0]), int(numbers[-1])
    first = start // stay
    there = values[np.arange(first, last // stay + 1) % len(values)]
    if stay == 1:
        return there
    times = np.full(len(there), stay)
    times[0] -= start - first * stay
    times[-1] -= (first + len(there)) * stay - 1 - last
    return there[np.repeat(np.arange(len(there)), times)]


@dataclass(slots=True)
class Seen:
    """How many rows came out how, and what is wrong with those that are not solved."""

    total: int = 0
    by_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    by_reason: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(rows: Rows) -> Seen:
        """How some rows came out."""
        statuses = [int(np.count_nonzero(rows.status == at)) for at in range(len(STATUSES))]
        there = rows.why[rows.why >= 0] if rows.reasons else rows.why[:0]
        reasons = np.bincount(there, minlength=len(rows.reasons)).tolist()
        by_reason = {reason: count for reason, count in zip(rows.reasons, reasons, strict=True) if count}
        return Seen(len(rows), dict(zip(STATUSES, statuses, strict=True)), by_reason)

    def add(self, other: Seen) -> None:
        """Count what was counted of rows that come after these."""
        self.total += other.total
        for status, count in other.by_status.items():
            self.by_status[status] += count
        for reason, count in other.by_reason.items():
            if reason in self.by_reason or len(self.by_reason) < REASONS:
                self.by_reason[reason] = self.by_reason.get(reason, 0) + count


# Reasons that are counted: each point may have one of its own, with its own figures.
REASONS = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen of the rows of a sweep.

    Attributes:
        pareto: By which quantities no other is to be better; none for all rows.
        by: By which one the best are wanted, and `count` of them; none for all.
    """

    pareto: tuple[tuple[str, Sense], ...] = ()
    by: tuple[tuple[str, Sense], ...] = ()
    count: int | None = None

    def __bool__(self) -> bool:
        return bool(self.pareto or self.by)

    def __str__(self) -> str:
        pareto = f"none better by {' and '.join(text for text, _ in self.pareto)}" if self.pareto else ""
        top = f"the {self.count} best by {self.by[0][0]}" if self.by else ""
        return ", ".join(filter(None, (pareto, top)))

    def among(self, rows: Rows) -> Rows:
        """The rows among these that may be chosen of all, whichever the others are."""
        return efficient(rows, self.pareto) if self.pareto else self.end(rows)

    def end(self, rows: Rows) -> Rows:
        """The rows that are chosen, of those that may be among all."""
        return best(rows, *self.by[0], self.count or len(rows)) if self.by else rows
