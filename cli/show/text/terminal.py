"""Tables and sections of a report to text for a terminal, of at most so many columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from runplan.cli.show.text.chart import drawn
from runplan.cli.show.text.content import Line, Mood, Section, Table
from runplan.cli.show.text.ink import GAP, Column, Grid, Item, Styled, as_lines
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.width import columns, wrapped
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding

_SEVERITY: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}
MOODS: dict[Mood, str] = {"good": "bold green", "doubtful": "bold yellow", "bad": "bold red"}
INDENT = 2
_TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)


class Page:
    """Lines for a terminal, one under the other."""

    def __init__(self, look: Look, least: int = 20) -> None:
        self.width, self.color = max(look.width, least), look.color
        self._lines: list[str] = []

    def text(self) -> str:
        """All that was put on the page, without trailing blanks."""
        text = "".join(f"{line}\n" for line in self._lines)
        return _TRAILING.sub(lambda match: match[0].replace(" ", ""), text)

    def put(self, item: Item, indent: int = INDENT) -> None:
        """A text or a table, indented."""
        self._lines += as_lines(item, self.width, indent, self.color)

    def lines(self, lines: Sequence[str]) -> None:
        """Lines of another page."""
        self._lines += lines

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def line(self, text: str, style: str = "", indent: int = 0, upto: int | None = None) -> None:
        """A line, wrapped; `upto` ends the style after so many characters."""
        self.put(styled(text).styled(style, upto), indent)

    def heading(self, text: str) -> None:
        """A heading behind an empty line."""
        self.blank()
        self.line(text, style="bold")

    def section(self, section: Section) -> None:
        """A heading, the table and the chart below it, and what is said under them."""
        self.heading(section.title)
        self.shown(section)
        self.said(section.said, section.notes)

    def shown(self, section: Section) -> None:
        """The table and the chart of a section."""
        self.table(section.table)
        if section.chart and (chart := drawn(section.chart, self.width - INDENT)):
            self.blank()
            for line in chart:
                self.put(styled(line))

    def said(self, texts: Sequence[str], notes: Sequence[str] = ()) -> None:
        """Sentences behind an empty line."""
        if texts or notes:
            self.blank()
        self.sentences(texts, notes)

    def sentences(self, texts: Sequence[str], notes: Sequence[str] = ()) -> None:
        """What tells something, then, dimmed, how to read what stands above."""
        for text in texts:
            self.line(text, indent=INDENT)
        for text in notes:
            self.line(text, style="dim", indent=INDENT)

    def table(self, table: Table) -> None:
        """A table in as many parts, or lines, as the width asks for."""
        if table.figures:
            self.figures(table.lines, table.heads, apart=table.apart)
        else:
            self.texts(table.lines, table.heads, wrap=table.wrap)

    def texts(self, lines: Sequence[Line], heads: Sequence[str], *, wrap: int) -> None:
        """Rows of text; the column `wrap` takes what room is left, and wraps there.

        Where that is too little to read, the rows stand one under the other, a line a cell.
        """
        if not lines:
            return
        widths = column_widths(lines, heads)
        room = self.width - INDENT - sum(widths) + widths[wrap] - GAP * (len(widths) - 1)
        if room < min(widths[wrap], 12):
            for line in lines:
                self.line(line[0], style="bold", indent=INDENT)
                for i, cell in enumerate(line[1:], 1):
                    self.line(f"{heads[i]}: {cell}" if heads else cell, indent=2 * INDENT)
            return
        widths[wrap] = min(widths[wrap], room)
        self._table([(*line[:wrap], wrapped(line[wrap], room), *line[wrap + 1 :]) for line in lines], heads, widths)

    def figures(self, lines: Sequence[Line], heads: Sequence[str], apart: int = 0) -> None:
        """Rows of figures behind a name, in as many parts as the width asks for, one of them at the column `apart`."""
        widths = column_widths(lines, heads)
        first = min(widths[0], (self.width - INDENT) // 2)
        lines = [(wrapped(line[0], first), *line[1:]) for line in lines]
        widths = [first, *(min(width, self.width - INDENT - GAP - first) for width in widths[1:])]
        at = 1
        while at < len(widths):
            end, room = at + 1, self.width - INDENT - first - GAP - widths[at]
            while end < len(widths) and room >= GAP + widths[end]:
                end, room = end + 1, room - GAP - widths[end]
            if end < len(widths) and at < apart < end:
                end = apart
            if at > 1:
                self.blank()
            kept = [0, *range(at, end)]
            part = [tuple(line[i] for i in kept) for line in lines]
            self._table(part, [heads[i] for i in kept], [widths[i] for i in kept], figures=True)
            at = end

    def _table(self, lines: Sequence[Line], heads: Sequence[str], widths: Sequence[int], figures: bool = False) -> None:
        columns = [
            Column(width, styled(heads[i]) if heads else None, right=figures and i > 0)
            for i, width in enumerate(widths)
        ]
        rows = [[styled(text, lines=True) for text in line] for line in lines]
        self.put(Grid(columns, rows, dim=True))

    def findings(self, found: Sequence[Finding], short: bool = False) -> None:
        """Findings: severity, code and message, wrapped.

        Args:
            short: Whether what is but worth knowing is told in a line a code.
        """
        widths = [max(len(f.severity) for f in found), max(len(f.code) for f in found)]
        room = self.width - INDENT - sum(widths) - 2 * GAP
        rows = []
        infos = Counter(f.code for f in found if short and f.severity == "info")
        for finding in found:
            style, message = _SEVERITY[finding.severity], finding.message
            if short and finding.severity == "info":
                if not (count := infos.pop(finding.code, 0)):
                    continue
                more = f" ({count - 1} more)" if count > 1 else ""
                message = in_a_line(message, room - columns(more)) + more
            rows.append([styled(finding.severity, style), styled(finding.code, style), styled(message)])
        self.put(Grid([*map(Column, widths), Column()], rows))


def column_widths(lines: Sequence[Line], heads: Sequence[str]) -> list[int]:
    """For each column the columns that its widest cell takes."""
    rows = [*lines, *([tuple(heads)] if heads else [])]
    return [max(map(columns, column)) for column in zip(*rows, strict=True)]


def styled(text: str, style: str = "", lines: bool = False) -> Styled:
    """Text that is printed as it stands: no markup, nothing that moves a cursor, one line unless `lines`."""
    return Styled("\n".join(map(plain, text.split("\n"))) if lines else plain(text), style)


def in_a_line(text: str, width: int) -> str:
    """The words of a text that fit into so many columns, all or with a sign that there are more."""
    if columns(text) <= width:
        return text
    words = text.split(" ")
    while len(words) > 1 and (columns(" ".join(words)) > width - 2 or " ".join(words).count("`") % 2):
        words.pop()
    kept = " ".join(words)
    # A clause that has but begun says nothing.
    clause = kept.rfind(": ")
    kept = kept[:clause] if clause > 2 * len(kept) / 3 else kept
    return f"{kept.rstrip(',;:')} \N{HORIZONTAL ELLIPSIS}"
