"""Some rows of a job to arrays, whichever they are: no bit of a row hangs on which others are asked for with it.

Rows are solved on arrays where they lie in a box of `prepared.py`, always in whole blocks, and the others one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.types import Any
from runplan.engine.sweep.axes import places
from runplan.engine.sweep.job import STATUSES, Columns, Job, Row
from runplan.engine.sweep.point import Solver
from runplan.engine.sweep.prepared import Box, Places, boxes_of
from runplan.engine.sweep.regions import Mask
from runplan.engine.sweep.template import Template

# Jobs whose plan is kept read: a worker has chunks of one job, one after the other.
KEPT = 2
# Points that are solved together. Where a row stands in its block is told by its number, and not by what is asked:
# functions of arrays may differ in the last bit by where in an array an element is.
BLOCK = 8192
SOLVED, BROKEN, INFEASIBLE = map(STATUSES.index, ("solved", "broken", "infeasible"))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A job with what its rows are solved by."""

    solver: Solver
    boxes: tuple[Box, ...]


_prepared: dict[str, _Prepared] = {}


def solved(job: Job, start: int, stop: int) -> Columns:
    """The rows of a job from `start` to `stop`, which is not among them."""
    prepared, laws = _of(job), len(job.laws)
    first, last = start // laws // BLOCK, -(-stop // (laws * BLOCK))
    parts = []
    for at in range(first, last):
        block = _Block(prepared, at * BLOCK, min((at + 1) * BLOCK, job.size // laws))
        parts.append(block.rows(max(start, block.start * laws), min(stop, block.stop * laws)))
    return parts[0] if len(parts) == 1 else _joined(parts, start)


def _of(job: Job) -> _Prepared:
    """What solves a job; it is kept for its next chunk."""
    if job.key not in _prepared:
        while len(_prepared) >= KEPT:
            del _prepared[next(iter(_prepared))]
        solver = Solver.of(job)
        _prepared[job.key] = _Prepared(solver, boxes_of(solver))
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


class _Block:
    """Some points, those of boxes solved on arrays."""

    def __init__(self, prepared: _Prepared, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        self._prepared = prepared
        job = prepared.solver.job
        laws, count = len(job.laws), stop - start
        self._sure = np.zeros((count, laws), dtype=np.bool_)
        self._figures = np.full((len(job.asked), count, laws), np.nan)
        self._wanted = np.zeros((count, laws), dtype=np.bool_)
        self._infeasible = np.zeros((count, laws), dtype=np.bool_)
        self._why = np.full((count, laws), -1, dtype=np.int32)
        self._reasons: dict[str, int] = {}
        self._single: dict[int, tuple[Row, ...]] = {}
        columns = _places(job, start, stop)
        for box in prepared.boxes:
            inside = np.ones(count, dtype=np.bool_)
            for own, some, axis in zip(columns, box.places, job.axes, strict=True):
                there = np.zeros(len(axis), dtype=np.bool_)
                there[some] = True
                inside &= there[own]
            at = np.flatnonzero(inside)
            if len(at):
                self._solve(box, at, [own[at] for own in columns])

    def _solve(self, box: Box, at: Places, columns: Sequence[Places]) -> None:
        """Solve the points of a box on arrays."""
        env = box.env(columns)
        for law, template in enumerate(box.templates):
            if template is None:
                continue
            reached = template.reached(env, len(at))
            self._at_odds(template, env, at[~reached.settled], ~reached.settled, law)
            figures, sure, wanted, broken = template.told(reached, len(at))
            for own, some in zip(self._figures, figures, strict=True):
                own[at, law] = some
            self._sure[at, law] |= sure
            self._wanted[at, law] |= wanted
            for kinds in np.unique(np.stack([breaks for _, breaks in broken], axis=1), axis=0) if broken else ():
                texts = dict.fromkeys(text for (text, _), is_broken in zip(broken, kinds, strict=True) if is_broken)
                if texts:
                    same = np.all([breaks == one for (_, breaks), one in zip(broken, kinds, strict=True)], axis=0)
                    self._why[at[same], law] = self._place("; ".join(texts))

    def _at_odds(self, template: Template, env: Mapping[Name, Any], at: Places, some: Mask, law: int) -> None:
        """Tell the points, of some of a box, at which it is known what cannot hold together."""
        job, found = self._prepared.solver.job, template.at_odds(env, some, len(some))[some]
        for point, which in zip(at[found >= 0].tolist(), found[found >= 0].tolist(), strict=True):
            said = [axis.text(one) for axis, one in zip(job.axes, places(job.axes, self.start + point), strict=True)]
            self._why[point, law] = self._place(template.conflicts[which][1].text(said))
            self._infeasible[point, law] = self._sure[point, law] = True
            self._wanted[point, law] = job.where is None

    def _place(self, reason: str) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))

    def rows(self, start: int, stop: int) -> Columns:
        """The rows from one to another, those that arrays did not settle solved one by one."""
        job = self._prepared.solver.job
        laws = len(job.laws)
        some = slice(start - self.start * laws, stop - self.start * laws)
        figures = self._figures.reshape(len(job.asked), -1)[:, some].copy()
        why, kept = self._why.reshape(-1)[some].copy(), self._wanted.reshape(-1)[some].copy()
        status = np.where(why >= 0, BROKEN, SOLVED).astype(np.uint8)
        status[self._infeasible.reshape(-1)[some]] = INFEASIBLE
        for at in np.flatnonzero(~self._sure.reshape(-1)[some]).tolist():
            row = self._row(start + at)
            figures[:, at] = row.figures or np.nan
            status[at], kept[at] = STATUSES.index(row.status), row.kept
            why[at] = self._place(row.reason) if row.reason else -1
        columns = {asked.text: column for asked, column in zip(job.asked, figures, strict=True)}
        return Columns(start, columns, status, why, tuple(self._reasons), kept)

    def _row(self, number: int) -> Row:
        """One row, by the way that any plan takes; the rows of its point are kept for the next."""
        point, law = divmod(number, len(self._prepared.solver.job.laws))
        if point not in self._single:
            self._single = {point: tuple(self._prepared.solver.rows(point))}
        return self._single[point][law]


def _places(job: Job, start: int, stop: int) -> list[Places]:
    """Of each axis, the places of its values at points."""
    points = np.arange(start, stop, dtype=np.int64)
    found = []
    for axis in reversed(job.axes):
        points, at = np.divmod(points, len(axis))
        found.append(at)
    return found[::-1]
