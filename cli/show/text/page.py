"""Rows and paragraphs as plain text of at most so many columns, for lists and pages of the catalogues."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.width import wrapped

WIDTH = 80
_GAP = "  "
_LEAST = 24  # columns that wrapped text keeps, however long what stands before it is


def paragraph(text: str, lead: str = "", width: int = WIDTH) -> str:
    """A text wrapped behind its lead, which the lines after the first are indented by."""
    lines = wrapped(plain(text), max(width - len(lead), _LEAST)).split("\n")
    return "".join(f"{lead if i == 0 else ' ' * len(lead)}{line}".rstrip() + "\n" for i, line in enumerate(lines))


def columns(rows: Sequence[Sequence[str]], indent: str = "", width: int = WIDTH) -> str:
    """Rows of cells in aligned columns; the last one is wrapped, under the others where its words are too long."""
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max((len(row[i]) for row in cells), default=0) for i in range(max(map(len, cells), default=1) - 1)]
    out = []
    for row in cells:
        lead = indent + "".join(cell.ljust(widths[i]) + _GAP for i, cell in enumerate(row[:-1]))
        room = width - len(lead)
        if len(row[-1]) > room and max(_LEAST, *map(len, row[-1].split())) > room:
            out.append(f"{lead.rstrip()}\n{paragraph(row[-1], indent + ' ' * 4, width)}")
        else:
            out.append(paragraph(row[-1], lead, width))
    return "".join(out)


def section(title: str, body: str) -> str:
    """A title and what stands below it; nothing where there is no body."""
    return f"\n{plain(title)}\n{body}" if body else ""
