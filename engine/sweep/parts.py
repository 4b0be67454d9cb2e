"""Chunks of a sweep to what is left of them for who asked, and that, chunk by chunk, to what came of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.types import Any
from runplan.engine.scatter.order import MOST
from runplan.engine.sweep.job import Job
from runplan.engine.sweep.rows import Choice, Rows, Seen, kept, no_rows, together
from runplan.engine.sweep.solved import solved

# The most rows of a chunk of which only those that may be chosen are handed back.
MOST_CHOSEN = 1 << 20
# Rows to what they add to a file: a function that can be sent to a worker.
Text = Callable[[Job, Rows], bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """What a chunk comes to.

    Attributes:
        seen: How its rows came out that are wanted.
        count: How many are in `texts`.
        texts: These rows as each kind of file has them; none where some are to be chosen of all.
        rows: The rows as such, where somebody needs them: where some are chosen of all, those that may be among them.
    """

    seen: Seen
    count: int
    texts: tuple[bytes, ...]
    rows: Rows


def part_of(job: Job, choice: Choice, texts: Sequence[Text], whole: bool, start: int, stop: int) -> Part:
    """What the rows of a job come to, from `start` to `stop`, which is not among them.

    Args:
        texts: The kinds of files that have them. They are written where the rows are solved: it may take longer.
        whole: Whether the rows are needed as such, too.
    """
    if choice:
        seen, chosen = Seen(), no_rows(job)
        while start < stop:  # block by block, as many rows as a processor has at hand
            end = min(stop, job.blocks.at(start // len(job.laws)).stop * len(job.laws))
            rows = kept(solved(job, start, end))
            seen.add(Seen.of(rows))
            chosen = choice.among(together([chosen, choice.among(rows)]))
            start = end
        return Part(seen, 0, (b"",) * len(texts), chosen)
    rows = kept(solved(job, start, stop))
    seen = Seen.of(rows)
    return Part(seen, len(rows), tuple(text(job, rows) for text in texts), rows if whole else no_rows(job))


def most_of(choice: Choice) -> int:
    """The most rows of a chunk: those that are handed back bound the memory."""
    return MOST_CHOSEN if choice else MOST


@dataclass(slots=True)
class Tally:
    """What came of a sweep up to a point.

    Attributes:
        chosen: Of the rows so far; none where all are wanted.
        written: How many rows went where they are wanted.
        ended: Whether that was all.
    """

    chosen: Rows
    seen: Seen = field(default_factory=Seen)
    written: int = 0
    ended: bool = False

    def told(self) -> dict[str, Any]:
        """All of it as JSON has it, each figure to the last bit."""
        rows, seen = self.chosen, self.seen
        return {
            "chosen": {
                "numbers": rows.numbers.tolist(),
                "figures": {name: column.tolist() for name, column in rows.figures.items()},
                "status": rows.status.tolist(),
                "why": rows.why.tolist(),
                "reasons": list(rows.reasons),
            },
            "seen": {"total": seen.total, "by_status": {**seen.by_status}, "by_reason": {**seen.by_reason}},
            "written": self.written,
            "ended": self.ended,
        }

    @staticmethod
    def read(told: Mapping[str, Any]) -> Tally:
        """That of which this was told."""
        rows = told["chosen"]
        chosen = Rows(
            np.array(rows["numbers"], dtype=np.int64),
            {name: np.array(column, dtype=np.float64) for name, column in rows["figures"].items()},
            np.array(rows["status"], dtype=np.uint8),
            np.array(rows["why"], dtype=np.int32),
            tuple(rows["reasons"]),
        )
        return Tally(chosen, Seen(**told["seen"]), told["written"], told["ended"])
