"""Cells of a file as text, column by column, with the place of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.source import Source, Span

# Where a cell stands: the line, from 1, and the column of the file, from 0; line and -1 for a whole row.
Locate = Callable[[int, int], Span]


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a file.

    Attributes:
        headers: What each column is called.
        columns: Of each column its cells, in order; empty where a row has none.
        lines: Of each row the line, or the number of the row where there are no lines, from 1.
        ragged: Rows that are left out: of each its line, and how many cells it has.
        heading: The line of the headers; 0 where each row says them itself.
        aside: What else the file says once, by its name: such as how many steps there will be.
    """

    source: Source
    headers: tuple[str, ...]
    columns: tuple[Sequence[str], ...]
    lines: Sequence[int]
    locate: Locate
    ragged: tuple[tuple[int, int], ...] = ()
    heading: int = 0
    aside: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def at(self, row: int, column: int = -1) -> Span:
        """The place of a cell, or of a whole row, by its place in the grid."""
        return self.locate(self.lines[row], column)

    def header(self, column: int) -> Span:
        """The place of a column's name; the beginning of the file where it has none."""
        return self.locate(self.heading, column) if self.heading else Span(self.source, 0, 0)


def line_span(source: Source, line: int) -> Span:
    """A whole line, without its end."""
    start = source.line_start(line)
    return Span(source, start, start + len(source.line_text(line)))
