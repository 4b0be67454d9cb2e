"""A sweep as one value: a plan with all that it rests on, what of it is varied, and what is asked of each point.

It can be pickled and worked on anywhere: `solved` of it follows from nothing else, whatever points it is asked for.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.tree import Expr
from runplan.dsl.packs.shelf import PackFile
from runplan.dsl.text.recorded import Recorded
from runplan.dsl.units.dims import Dim
from runplan.engine.sweep.axes import Axis, places
from runplan.engine.sweep.blocks import Blocks

Floats = npt.NDArray[np.float64]
# What may come of a point: `broken` is solved, and its givens alone decide that a requirement is not kept; `refused` is
# no plan that could be solved.
STATUSES = ("solved", "broken", "infeasible", "undecided", "refused")
# What has figures, of one that is undecided as far as they are known; of a plan that cannot be kept none is shown.
FIGURED = ("solved", "broken", "undecided")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of each point: a quantity, or an expression of some.

    Attributes:
        text: As it was asked for.
        better: Which way it is better, `less` or `more`; empty where nothing says.
    """

    text: str
    expr: Expr
    dim: Dim
    better: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A sweep: one row for each combination of the axes' values, the last changing first, and in it one a law.

    Attributes:
        files: Gives the plan and what it imports.
        packs: What is known beside the standard library.
        settings: `path=value` each, in place of what the plan says, before the axes are.
        named: Laws in place of the plan's own; None for these.
        laws: The laws that the plan is solved under, as they are named.
        where: What is kept of the points: those at which it holds; None for all.
    """

    path: str
    files: Recorded
    packs: tuple[PackFile, ...]
    settings: tuple[str, ...]
    axes: tuple[Axis, ...]
    named: tuple[str, ...] | None
    laws: tuple[str, ...]
    asked: tuple[Asked, ...]
    where: Expr | None = None
    _key: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def size(self) -> int:
        """How many rows it has."""
        return math.prod(map(len, self.axes)) * len(self.laws)

    @property
    def blocks(self) -> Blocks:
        """Its points as they are solved together."""
        return Blocks.of([len(axis) for axis in self.axes], len(self.laws))

    def cut(self, start: int, stop: int) -> int:
        """Where to end a chunk of rows, by `stop`, so that no block is solved for two of them."""
        whole = self.blocks.at(min(stop, self.size - 1) // len(self.laws)).start * len(self.laws)
        return whole if start < whole and stop < self.size else stop

    @property
    def key(self) -> str:
        """A digest of all that its rows follow from, but for the program."""
        if not self._key:
            content = (
                *(self.path, self.files, self.packs, self.settings, self.axes, self.named, self.laws),
                *(self.asked, self.where),
            )
            self._key.append(blake2b(pickle.dumps(content), digest_size=16).hexdigest())
        return self._key[0]

    def head(self, asked: Asked) -> str:
        """The name of the column of what is asked, which is not that of an axis."""
        return f"solved {asked.text}" if any(axis.path == asked.text for axis in self.axes) else asked.text

    def settings_at(self, point: int) -> tuple[str, ...]:
        """The settings of a point, which is a row without its law."""
        return self.settings_of(places(self.axes, point))

    def settings_of(self, at: Sequence[int]) -> tuple[str, ...]:
        """The settings of the point that has some value of each axis, by its places."""
        return (*self.settings, *(f"{axis.path}={axis.text(one)}" for axis, one in zip(self.axes, at, strict=True)))


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a sweep, from `start` on, in arrays.

    Attributes:
        figures: What is asked, by its text, in base units; NaN where a row has none.
        status: Places in `STATUSES`.
        why: Places in `reasons`, which say what is wrong with a row that is not solved; -1 where nothing is.
        kept: Whether a row is one that is wanted.
    """

    start: int
    figures: Mapping[str, Floats]
    status: npt.NDArray[np.uint8]
    why: npt.NDArray[np.int32]
    reasons: tuple[str, ...]
    kept: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.status)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one row.

    Attributes:
        figures: What is asked, in order; NaN where there is none.
        reason: What is wrong with it; empty where nothing is.
        kept: Whether it is one that is wanted.
    """

    status: str
    figures: tuple[float, ...]
    reason: str
    kept: bool


def columns_of(job: Job, start: int, rows: Sequence[Row]) -> Columns:
    """Rows, from `start` on, as arrays."""
    reasons = tuple(dict.fromkeys(row.reason for row in rows if row.reason))
    places = {reason: at for at, reason in enumerate(reasons)}
    blank = (math.nan,) * len(job.asked)
    table = np.array([row.figures or blank for row in rows], dtype=np.float64).reshape(len(rows), len(job.asked))
    return Columns(
        start,
        {asked.text: np.ascontiguousarray(table[:, at]) for at, asked in enumerate(job.asked)},
        np.array([STATUSES.index(row.status) for row in rows], dtype=np.uint8),
        np.array([places.get(row.reason, -1) for row in rows], dtype=np.int32),
        reasons,
        np.array([row.kept for row in rows], dtype=np.bool_),
    )
