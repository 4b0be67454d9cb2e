"""Tables and sections of a report to text for a terminal, of at most so many columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from io import StringIO

from runplan.cli.show.text.chart import drawn
from runplan.cli.show.text.content import Line, Mood, Section, Table
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.width import columns, wrapped
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_SEVERITY: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}
MOODS: dict[Mood, str] = {"good": "bold green", "doubtful": "bold yellow", "bad": "bold red"}
INDENT = 2
GAP = 2
_TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)


class Page:
    """Lines for a terminal, one under the other."""

    def __init__(self, look: Look, least: int = 20) -> None:
        self.width, self.color = max(look.width, least), look.color
        self.console = console(self.width, look.color)

    def text(self) -> str:
        """All that was put on the page."""
        return printed(self.console)

    def put(self, item: RenderableType, indent: int = INDENT) -> None:
        """Anything that rich can print, indented."""
        from rich.padding import Padding

        self.console.print(Padding(item, (0, 0, 0, indent), expand=False))

    def lines(self, lines: Sequence[str]) -> None:
        """Lines of another page."""
        self.console.file.write("\n".join(lines) + "\n")

    def blank(self) -> None:
        """An empty line."""
        self.console.print()

    def line(self, text: str, style: str = "", indent: int = 0, upto: int | None = None) -> None:
        """A line, wrapped; `upto` ends the style after so many characters."""
        said = styled(text)
        said.stylize(style, 0, upto)
        self.put(said, indent)

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
        from rich.table import Table

        table = Table(box=None, show_header=bool(heads), pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
        for i, width in enumerate(widths):
            right = figures and i > 0
            table.add_column(
                styled(heads[i]) if heads else "", width=width, justify="right" if right else "left", overflow="fold"
            )
        for line in lines:
            table.add_row(*(styled(text, lines=True) for text in line))
        self.put(table)

    def findings(self, found: Sequence[Finding], short: bool = False) -> None:
        """Findings: severity, code and message, wrapped.

        Args:
            short: Whether what is but worth knowing is told in a line a code.
        """
        from rich.table import Table

        widths = [max(len(f.severity) for f in found), max(len(f.code) for f in found)]
        room = self.width - INDENT - sum(widths) - 2 * GAP
        table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        for width in widths:
            table.add_column(width=width)
        table.add_column(overflow="fold")
        infos = Counter(f.code for f in found if short and f.severity == "info")
        for finding in found:
            style, message = _SEVERITY[finding.severity], finding.message
            if short and finding.severity == "info":
                if not (count := infos.pop(finding.code, 0)):
                    continue
                more = f" ({count - 1} more)" if count > 1 else ""
                message = in_a_line(message, room - columns(more)) + more
            table.add_row(styled(finding.severity, style), styled(finding.code, style), styled(message))
        self.put(table)


def console(width: int, color: bool) -> Console:
    """A console that writes to a text and asks neither the terminal nor the environment."""
    from rich.console import Console

    return Console(
        file=StringIO(),
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


def column_widths(lines: Sequence[Line], heads: Sequence[str]) -> list[int]:
    """For each column the columns that its widest cell takes."""
    rows = [*lines, *([tuple(heads)] if heads else [])]
    return [max(map(columns, column)) for column in zip(*rows, strict=True)]


def printed(console: Console) -> str:
    """What a console of ours was given to print, without trailing blanks."""
    stream = console.file
    assert isinstance(stream, StringIO)
    return _TRAILING.sub(lambda match: match[0].replace(" ", ""), stream.getvalue())


def styled(text: str, style: str = "", lines: bool = False) -> Text:
    """Text that is printed as it stands: no markup, nothing that moves a cursor, one line unless `lines`."""
    from rich.text import Text

    return Text("\n".join(map(plain, text.split("\n"))) if lines else plain(text), style=style, overflow="fold")


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
