"""Texts and tables to the lines of a terminal: without colours by itself, with colours by rich.

To import rich, and to let it draw a report, takes three times what solving a small plan does, and what is written to a
file, to a pipe or to measure how wide it is has no colours. Both ways break lines alike, which a property test holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.width import character_columns, columns
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.pattern import pattern
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

# Columns between the columns of a table.
GAP = 2
_WORD = pattern(r"\s*\S+\s*")


@dataclass(slots=True)
class Styled:
    """A text that is printed as it stands.

    Attributes:
        style: Of all of it.
        spans: Where further styles begin and end.
    """

    text: str
    style: str = ""
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def styled(self, style: str, upto: int | None = None) -> Styled:
        """The text, so many of whose characters, all unless said, have another style as well."""
        end = len(self.text) if upto is None else min(upto, len(self.text))
        return self.plus_spans([(0, end, style)])

    def plus_spans(self, spans: Sequence[tuple[int, int, str]]) -> Styled:
        """The text with further styles."""
        return Styled(self.text, self.style, [*self.spans, *(one for one in spans if one[2] and one[0] < one[1])])

    def append(self, text: str, style: str = "") -> None:
        """Put a text behind it."""
        self.append_text(Styled(plain(text) if text != "\n" else text, style))

    def append_text(self, other: Styled) -> None:
        """Put another one behind it."""
        start = len(self.text)
        self.text += other.text
        spans = [(0, len(other.text), other.style), *other.spans]
        self.spans += [(start + a, start + b, style) for a, b, style in spans if style and a < b]

    def lines(self, width: int) -> Iterator[Styled]:
        """The text in lines of at most so many columns."""
        at = 0
        for line in self.text.split("\n"):
            for start, end in pairwise((0, *_breaks(line, width), len(line))):
                kept = _cut(line[start:end], width)
                first, last = at + start, at + start + len(kept)
                spans = [(max(a, first) - first, min(b, last) - first, s) for a, b, s in self.spans]
                yield Styled(kept, self.style).plus_spans(spans)
            at += len(line) + 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        width: None for as many columns as there are.
        right: Whether it is aligned to the right.
    """

    width: int | None = None
    head: Styled | None = None
    right: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `dim` where its heads are."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Styled]]
    dim: bool = False


Item = Styled | Grid


def as_lines(item: Item, width: int, indent: int, color: bool) -> list[str]:
    """The lines of a text or a table, indented; those of a table may have blanks at their ends."""
    if not color:
        lines = _texts(item, width - indent) if isinstance(item, Styled) else _rows(item, width - indent)
        if lines is not None:
            return [" " * indent + line for line in lines]
    return by_rich(item, width, indent, color)


def _texts(item: Styled, width: int) -> list[str]:
    if columns(item.text) <= width and "\n" not in item.text:
        return [item.text]
    return [line.text for line in item.lines(width)]


def _rows(grid: Grid, width: int) -> list[str] | None:
    """The lines of a table; None where there is no room for its columns as they are wanted."""
    heads = [[column.head or Styled("") for column in grid.columns]] if any(c.head for c in grid.columns) else []
    rows = [*heads, *grid.rows]
    fixed = sum(column.width or 0 for column in grid.columns) + GAP * (len(grid.columns) - 1)
    widths = []
    for i, column in enumerate(grid.columns):
        natural = max((columns(line) for row in rows for line in row[i].text.split("\n")), default=0)
        widths.append(min(natural, width - fixed) if column.width is None else column.width)
    if min(widths) < 1 or sum(widths) + GAP * (len(widths) - 1) > width:
        return None
    out = []
    for row in rows:
        cells = [_texts(cell, each) for cell, each in zip(row, widths, strict=True)]
        if heads and row is heads[0]:  # they stand on what they are of
            most = max(map(len, cells))
            cells = [[""] * (most - len(cell)) + cell for cell in cells]
        for line in zip_longest(*cells, fillvalue=""):
            parts = zip(line, widths, grid.columns, strict=True)
            out.append((" " * GAP).join(_aligned(text, each, column.right) for text, each, column in parts))
    return out


def _aligned(text: str, width: int, right: bool) -> str:
    text = text.rstrip() if right else text
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where lines begin but the first, as rich breaks them: behind a word, and within one that is too long."""
    at, match = 0, _WORD.match(text)
    while match is not None:
        start, word = match.start(), match[0]
        size = columns(word.rstrip())
        if size <= width - at:
            at += columns(word)
        elif size > width:
            for i, piece in enumerate(pieces := list(_folded(word, width))):
                if start:
                    yield start
                at = columns(piece)
                start += len(piece) if i + 1 < len(pieces) else 0
        elif at and start:
            yield start
            at = columns(word)
        match = _WORD.match(text, match.end())


def _folded(word: str, width: int) -> Iterator[str]:
    """A word in pieces of so many columns."""
    piece, size = "", 0
    for character in word:
        more = character_columns(character)
        if size + more > width:
            yield piece
            piece, size = "", 0
        piece, size = piece + character, size + more
    if size:
        yield piece


def _cut(line: str, width: int) -> str:
    """A line without the blanks at its end that have no room."""
    while columns(line) > width and line[-1:].isspace():
        line = line[:-1]
    return line


# ---- colours


def by_rich(item: Item, width: int, indent: int, color: bool) -> list[str]:
    """The lines of a text or a table as rich draws them."""
    from rich.padding import Padding

    page = _console(width, color)
    with page.capture() as found:
        page.print(Padding(_rich(item), (0, 0, 0, indent), expand=False))
    return found.get().removesuffix("\n").split("\n")


def _rich(item: Item) -> Text | Table:
    from rich.table import Table
    from rich.text import Span, Text

    if isinstance(item, Styled):
        return Text(item.text, style=item.style, overflow="fold", spans=[Span(*span) for span in item.spans])
    has_heads = any(column.head for column in item.columns)
    table = Table(
        box=None, show_header=has_heads, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim" if item.dim else ""
    )
    for column in item.columns:
        table.add_column(
            _rich(column.head) if column.head else "",
            width=column.width,
            justify="right" if column.right else "left",
            overflow="fold",
        )
    for row in item.rows:
        table.add_row(*map(_rich, row))
    return table


def _console(width: int, color: bool) -> Console:
    """A console that asks neither the terminal nor the environment."""
    from rich.console import Console

    return Console(
        width=width,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
