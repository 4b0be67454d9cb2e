"""The chunks of a sweep to where its rows were asked for: files that grow with them, standard output, a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from time import monotonic

from runplan.cli.growing import Growing, growing
from runplan.cli.outcome import CannotRun
from runplan.cli.output import show, spelled
from runplan.cli.show.sweep.content import Swept
from runplan.cli.show.sweep.growing import GROWING, Format
from runplan.cli.show.text.quantities import Known
from runplan.engine.scatter.work import Done
from runplan.engine.sweep.job import Columns, Job
from runplan.engine.sweep.packed import columns_file
from runplan.engine.sweep.rows import Choice, Rows, Seen, kept, together

# Rows that a table holds; of more it shows the first.
HELD = 20_000
# Seconds before progress is told, and between tellings.
PATIENCE = 1.0


def progress(chunks: Iterable[Done[Columns]], size: int) -> Iterator[Done[Columns]]:
    """The chunks, with how far they are on standard error, where that is a terminal and they take long."""
    began = told = monotonic()
    for done in chunks:
        yield done
        now = monotonic()
        if sys.stderr.isatty() and now - told >= PATIENCE:
            left = (now - began) / done.stop * (size - done.stop)
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

    Raises:
        CannotRun: Where a format cannot go where it is to.
    """

    def __init__(
        self,
        job: Job,
        outputs: Sequence[tuple[str, str | None]],
        choice: Choice,
        known: Known,
        *,
        details: bool = False,
    ) -> None:
        self._job, self._choice, self._known, self._details = job, choice, known, details
        self._growing = [(GROWING[name], file) for name, file in outputs if name in GROWING]
        self._whole = [(name, file) for name, file in outputs if name not in GROWING]
        for name, file in outputs:
            if file is None and name != "table" and not (name in GROWING and GROWING[name].is_text):
                raise CannotRun(f"`{name}` is no text: write it to a file, as `-o {name}=sweep.{name}`")

    def fill(self, chunks: Iterable[Done[Columns]]) -> Seen:
        """Write all rows as they come, or what is chosen of them in the end; and how they came out."""
        seen, held = Seen(), list[Rows]()
        with ExitStack() as stack:
            files = self._files(stack)
            count = 0
            self._say([format.head(self._job, 0) for format in self._spoken])
            for rows, point in self._parts(chunks, seen):
                texts = [format.rows(self._job, rows, count) for format, _ in self._growing]
                self._say([text for text, (_, file) in zip(texts, self._growing, strict=True) if file is None])
                if files is not None:
                    files.add([t for t, (_, file) in zip(texts, self._growing, strict=True) if file], point)
                if self._holds(count):
                    held.append(rows)
                count += len(rows)
            self._say([format.tail for format in self._spoken])
            if files is not None:
                formats = [format for format, file in self._growing if file]
                files.add([format.tail for format in formats], self._job.size)
                files.rewrite([format.head(self._job, count) for format in formats])
        if self._whole and held:
            self._show(together(held), seen)
        return seen

    def _parts(self, chunks: Iterable[Done[Columns]], seen: Seen) -> Iterator[tuple[Rows, int]]:
        """The rows that are wanted, with the point up to which they are all."""

        def counted() -> Iterator[tuple[Rows, int]]:
            for done in chunks:
                rows = kept(done.result)
                seen.add(rows)
                yield rows, done.stop

        if not self._choice:
            yield from counted()
            return
        chosen = self._choice.of(rows for rows, _ in counted())
        if chosen is not None:
            yield chosen, self._job.size

    @property
    def _spoken(self) -> list[Format]:
        """What goes to standard output."""
        return [format for format, file in self._growing if file is None]

    def _files(self, stack: ExitStack) -> Growing | None:
        files = [(format, file) for format, file in self._growing if file is not None]
        if not files:
            return None
        heads = [format.head(self._job, 0) for format, _ in files]
        return stack.enter_context(growing([file for _, file in files], heads, self._job.key, resume=False))

    def _holds(self, count: int) -> bool:
        """Whether rows are held, when so many were: all for a file that is written whole, some for a table."""
        return any(name != "table" or count < HELD for name, _ in self._whole)

    def _say(self, texts: Sequence[bytes]) -> None:
        """Write texts to standard output."""
        for text in texts:
            sys.stdout.write(spelled(text.decode(), sys.stdout.encoding or "utf-8"))

    def _show(self, rows: Rows, seen: Seen) -> None:
        for name, file in self._whole:
            if name == "table":
                swept = Swept(self._job, seen, rows, self._known, str(self._choice))
                show("sweep", swept, [(name, file)], details=self._details)
            elif file is not None:
                _write(columns_file(self._job, rows), file)


def _write(content: bytes, file: str) -> None:
    try:
        with open(file, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise CannotRun(f"{file}: {error.strerror or 'cannot be written'}") from error
