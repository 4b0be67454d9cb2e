"""The chunks of a sweep to where its rows were asked for: files that grow with them, standard output, a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic

from runplan.cli.growing import Growing, growing
from runplan.cli.outcome import CannotRun
from runplan.cli.output import show
from runplan.cli.show.sweep.growing import GROWING
from runplan.cli.spelling import spelled
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.scatter.mark import mark
from runplan.engine.scatter.work import Done, Work
from runplan.engine.sweep.job import Job
from runplan.engine.sweep.packed import columns_file
from runplan.engine.sweep.parts import Part, Tally, part_of
from runplan.engine.sweep.rows import Choice, Rows, Seen, no_rows, together

if TYPE_CHECKING:
    from runplan.cli.show.text.quantities import Known

# Rows that a table holds; of more it shows the first.
HELD = 20_000
# Seconds before progress is told, and between tellings.
PATIENCE = 1.0
# The chunks from a point on.
Chunks = Callable[[int], Iterable[Done[Part]]]


def progress(chunks: Iterable[Done[Part]], size: int) -> Iterator[Done[Part]]:
    """The chunks, with how far they are on standard error, where that is a terminal and they take long."""
    began = told = monotonic()
    start: int | None = None
    for done in chunks:
        yield done
        start = done.start if start is None else start
        now = monotonic()
        if sys.stderr.isatty() and now - told >= PATIENCE:
            left = (now - began) / (done.stop - start) * (size - done.stop)
            line = f"{done.stop:,} of {size:,} points, {100 * done.stop // size}%, {_time(left)} left"
            print(f"\r{line:<70}", end="", file=sys.stderr, flush=True)
            told = now
    if told > began:
        print(f"\r{'':<70}\r", end="", file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


class Outputs:
    """Where the rows of a sweep go.

    Args:
        resume: Go on with the files of a sweep that was interrupted.

    Raises:
        CannotRun: Where a format cannot go where it is to, or a sweep cannot go on with it.
    """

    def __init__(
        self,
        job: Job,
        outputs: Sequence[tuple[str, str | None]],
        choice: Choice,
        known: Known,
        *,
        details: bool = False,
        resume: bool = False,
    ) -> None:
        self._job, self._choice, self._known, self._details, self._resume = job, choice, known, details, resume
        growing = [(GROWING[name], file) for name, file in outputs if name in GROWING]
        self._spoken = [format for format, file in growing if file is None]
        self._filed = [(format, file) for format, file in growing if file is not None]
        self._formats = (*self._spoken, *(format for format, _ in self._filed))
        self._whole = [(name, file) for name, file in outputs if name not in GROWING]
        for name, file in outputs:
            if file is None and name != "table" and not (name in GROWING and GROWING[name].is_text):
                raise CannotRun(f"`{name}` is no text: write it to a file, as `-o {name}=sweep.{name}`")
        if "parquet" in (format.name for format in self._formats):
            _need_parquet()
        whole = [name for name, _ in self._whole if not choice]
        if resume and (self._spoken or whole or not self._filed):
            raise CannotRun(f"`--resume` goes on with files that grow, such as `-o csv=FILE`: {', '.join(GROWING)}")

    @property
    def work(self) -> Work[Part]:
        """What is to be done for each chunk."""
        texts = tuple(format.rows for format in self._formats)
        return partial(part_of, self._job, self._choice, texts, bool(self._whole))

    def fill(self, chunks: Chunks) -> Seen:
        """Write all rows as they come, or what is chosen of them in the end; and how they came out."""
        held: list[Rows] = []
        with self._files() as files:
            kept = files.state.kept if files is not None else None
            tally = Tally.read(kept) if kept else Tally(no_rows(self._job))
            self._say([format.head(self._job, 0) for format in self._spoken])
            for done in chunks(0 if files is None else files.state.point):
                part = done.result
                tally.seen.add(part.seen)
                if self._choice:
                    tally.chosen = self._choice.among(together([tally.chosen, part.rows]))
                elif any(name != "table" or tally.written < HELD for name, _ in self._whole):
                    held.append(part.rows)
                self._put(part.texts, part.count, done.stop, tally, files)
            chosen = self._choice.end(tally.chosen)
            if not tally.ended:
                tally.ended = True
                texts = [format.rows(self._job, chosen) for format in self._formats]
                self._put(texts, len(chosen), self._job.size, tally, files)
            if files is not None:
                files.rewrite([format.head(self._job, tally.written) for format, _ in self._filed])
        if self._whole:
            self._show(together([chosen, *held]), tally.seen)
        return tally.seen

    @contextmanager
    def _files(self) -> Iterator[Growing | None]:
        """The files that grow; None where there are none. Where they stay unfinished that is told."""
        if not self._filed:
            yield None
            return
        heads = [format.head(self._job, 0) for format, _ in self._filed]
        made = {file: partial(format.made, self._job) for format, file in self._filed if format.made is not None}
        paths = [file for _, file in self._filed]
        with growing(paths, heads, self._key, resume=self._resume, made=made) as files:
            try:
                yield files
            except BaseException:
                done = f"{files.state.point:,} of {self._job.size:,} points are done"
                print(f"plan sweep: {done}; the same with `--resume` goes on from there", file=sys.stderr)
                raise

    def _key(self) -> str:
        """What the files follow from: the job and what is chosen of it, their formats, and the program."""
        return "-".join((self._job.key, mark(), str(self._choice), *(format.name for format, _ in self._filed)))

    def _put(self, texts: Sequence[bytes], count: int, point: int, tally: Tally, files: Growing | None) -> None:
        """Add so many rows to all that grows, and after the last ones what it ends with."""
        added = [
            (format.between if tally.written and count else b"") + text + (format.tail if tally.ended else b"")
            for format, text in zip(self._formats, texts, strict=True)
        ]
        self._say(added[: len(self._spoken)])
        tally.written += count
        if files is not None:
            files.add(added[len(self._spoken) :], point, tally.told())

    def _say(self, texts: Sequence[bytes]) -> None:
        """Write texts to standard output."""
        for text in texts:
            sys.stdout.write(spelled(text.decode(), sys.stdout.encoding or "utf-8"))

    def _show(self, rows: Rows, seen: Seen) -> None:
        for name, file in self._whole:
            if name == "table":
                from runplan.cli.show.sweep.content import Swept  # what shows tables takes long to import

                swept = Swept(self._job, seen, rows, self._known, str(self._choice))
                show("sweep", swept, [(name, file)], details=self._details)
            elif file is not None:
                _write(columns_file(self._job, rows), file)


def _need_parquet() -> None:
    """See that what writes Parquet is there, before anything is solved.

    Raises:
        CannotRun: Where it is not.
    """
    from runplan.engine.sweep.axes import CannotSweep

    try:
        import runplan.engine.sweep.parquet  # noqa: F401
    except CannotSweep as error:
        raise CannotRun(str(error)) from error


def _write(content: bytes, file: str) -> None:
    try:
        with open(file, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise CannotRun(f"{file}: {error.strerror or 'cannot be written'}") from error
