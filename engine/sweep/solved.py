"""Some rows of a job to arrays, whichever they are: no bit of a row hangs on which others are asked for with it.

Rows are solved on arrays where they lie in a box of `prepared.py`, always in whole blocks, and the others one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.types import Any
from runplan.engine.sweep.blocks import Block, Blocks
from runplan.engine.sweep.grid import Array
from runplan.engine.sweep.job import STATUSES, Columns, Job, Row
from runplan.engine.sweep.point import Solver
from runplan.engine.sweep.prepared import Box, Places, boxes_of
from runplan.engine.sweep.template import Found

# Jobs whose plan is kept read: a worker has chunks of one job, one after the other.
KEPT = 2
SOLVED, BROKEN, INFEASIBLE = map(STATUSES.index, ("solved", "broken", "infeasible"))


@dataclass(slots=True)
class _Prepared:
    """A job with what its rows are solved by.

    Attributes:
        last: The block that was solved last: the next chunk may begin in it.
    """

    solver: Solver
    boxes: tuple[Box, ...]
    blocks: Blocks
    last: list[_Solved] = field(default_factory=list)


_prepared: dict[str, _Prepared] = {}


def solved(job: Job, start: int, stop: int) -> Columns:
    """The rows of a job from `start` to `stop`, which is not among them."""
    prepared, laws, parts, at = _of(job), len(job.laws), list[Columns](), start
    while at < stop or not parts:
        block = prepared.blocks.at(at // laws)
        if not prepared.last or prepared.last[0].block != block:
            prepared.last = [_Solved(prepared.solver, prepared.boxes, block)]
        end = min(stop, block.stop * laws)
        parts.append(prepared.last[0].rows(at, end))
        at = end
    return parts[0] if len(parts) == 1 else _joined(parts, start)


def _of(job: Job) -> _Prepared:
    """What solves a job; it is kept for its next chunk."""
    if job.key not in _prepared:
        while len(_prepared) >= KEPT:
            del _prepared[next(iter(_prepared))]
        solver = Solver.of(job)
        _prepared[job.key] = _Prepared(solver, boxes_of(solver), job.blocks)
    return _prepared[job.key]


def _joined(parts: Sequence[Columns], start: int) -> Columns:
    """Columns after each other, as one."""
    reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
    places = {reason: at for at, reason in enumerate(reasons)}
    # The last place is that of no reason, which -1 finds.
    whys = [np.array([*(places[r] for r in part.reasons), -1], dtype=np.int32)[part.why] for part in parts]
    figures = {text: np.concatenate([part.figures[text] for part in parts]) for text in parts[0].figures}
    status, kept = (np.concatenate([getattr(part, name) for part in parts]) for name in ("status", "kept"))
    return Columns(start, figures, status, np.concatenate(whys), reasons, kept)


class _Solved:
    """The points of a block, those of boxes solved on arrays."""

    def __init__(self, solver: Solver, boxes: Sequence[Box], block: Block) -> None:
        self.block = block
        self._solver = solver
        job = solver.job
        shape = (*map(len, block.sides), len(job.laws))
        self._figures = [np.full(shape, np.nan) for _ in job.asked]
        self._sure, self._kept = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        self._status, self._why = np.full(shape, SOLVED, dtype=np.uint8), np.full(shape, -1, dtype=np.int32)
        self._reasons: dict[str, int] = {}
        self._single: dict[int, tuple[Row, ...]] = {}
        for box in boxes:
            each = [
                some[(some >= side.start) & (some < side.stop)]
                for some, side in zip(box.places, block.sides, strict=True)
            ]
            if all(map(len, each)):
                self._solve(box, each)

    def _solve(self, box: Box, each: Sequence[Places]) -> None:
        """Solve the points of a box that have some values of each axis."""
        job = self._solver.job
        env, own = box.env(each)
        shape = tuple(map(len, each))
        inside: Any = tuple(slice(int(some[0]) - side.start, int(some[-1]) + 1 - side.start)
                            for some, side in zip(each, self.block.sides, strict=True))  # fmt: skip
        if any(part.stop - part.start > len(some) for part, some in zip(inside, each, strict=True)):
            inside = np.ix_(*(some - side.start for some, side in zip(each, self.block.sides, strict=True)))

        def spread(values: Array) -> Array:
            return np.broadcast_to(values, own).reshape(shape)

        for law, template in enumerate(box.templates):
            if template is None:
                continue
            found = template.found(env)
            at = (*inside, law)
            for figures, values in zip(self._figures, found.figures, strict=True):
                figures[at] = spread(values)
            self._sure[at], self._kept[at] = spread(found.sure), spread(found.wanted)
            self._break(found, at, spread)
            if not found.solved.all():
                left = ~np.broadcast_to(found.solved, own)
                at_odds = template.conflicts.found(env, left).reshape(shape)
                for which in np.unique(at_odds[at_odds >= 0]).tolist():
                    some = at_odds == which
                    reason = template.conflicts.every[which][1]
                    self._why[at] = np.where(some, self._texts(reason.axes, each, reason.text), self._why[at])
                    for column, value in (
                        (self._status, INFEASIBLE),
                        (self._sure, True),
                        (self._kept, job.where is None),
                    ):
                        column[at] = np.where(some, value, column[at])

    def _break(self, found: Found, at: Any, spread: Callable[[Array], Array]) -> None:
        """Tell of the requirements that the givens decide, and that are broken."""
        # What is broken at a point is one of these kinds; those that are at none are left out as they come.
        kinds: list[tuple[str, ...]] = [()]
        kind = np.zeros((), dtype=np.int64)
        for text, mask in found.broken:
            if mask.any():
                kind = kind + len(kinds) * mask
                kinds = [*kinds, *((*one, text) for one in kinds)]
                there = np.flatnonzero(np.bincount(kind.reshape(-1), minlength=len(kinds)))
                back = np.zeros(len(kinds), dtype=np.int64)
                back[there] = np.arange(len(there))
                kind, kinds = back[kind], [kinds[one] for one in there.tolist()]
        if kinds != [()]:
            whys = [self._place("; ".join(dict.fromkeys(texts))) if texts else -1 for texts in kinds]
            self._why[at] = spread(np.array(whys, dtype=np.int32)[kind])
            self._status[at] = spread(np.array([BROKEN if texts else SOLVED for texts in kinds], dtype=np.uint8)[kind])

    def _texts(self, axes: Sequence[int], each: Sequence[Places], text: Any) -> npt.NDArray[np.int32]:
        """The places of a reason's words over points that have some values of each axis, once for each that it says."""
        job = self._solver.job
        counts = [len(some) if axis in axes else 1 for axis, some in enumerate(each)]
        found = []
        for places_ in np.ndindex(*counts):
            said = [axis.text(int(some[one])) for axis, some, one in zip(job.axes, each, places_, strict=True)]
            found.append(self._place(text(said)))
        return np.array(found, dtype=np.int32).reshape(counts)

    def _place(self, reason: str) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))

    def rows(self, start: int, stop: int) -> Columns:
        """The rows from one to another, those that arrays did not settle solved one by one."""
        job = self._solver.job
        first = self.block.start * len(job.laws)
        some = slice(start - first, stop - first)
        figures = [column.reshape(-1)[some] for column in self._figures]
        status, why, kept = self._status.reshape(-1)[some], self._why.reshape(-1)[some], self._kept.reshape(-1)[some]
        unsure = np.flatnonzero(~self._sure.reshape(-1)[some]).tolist()
        if unsure:
            figures = [column.copy() for column in figures]
            status, why, kept = status.copy(), why.copy(), kept.copy()
        for at in unsure:
            row = self._row(start + at)
            for column, figure in zip(figures, row.figures or (np.nan,) * len(figures), strict=True):
                column[at] = figure
            status[at], kept[at] = STATUSES.index(row.status), row.kept
            why[at] = self._place(row.reason) if row.reason else -1
        columns = {asked.text: column for asked, column in zip(job.asked, figures, strict=True)}
        return Columns(start, columns, status, why, tuple(self._reasons), kept)

    def _row(self, number: int) -> Row:
        """One row, by the way that any plan takes; the rows of its point are kept for the next."""
        point, law = divmod(number, len(self._solver.job.laws))
        if point not in self._single:
            self._single = {point: tuple(self._solver.rows(point))}
        return self._single[point][law]
