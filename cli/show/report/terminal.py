"""The report of a solved plan as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from runplan.cli.show.findings import full
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.report.content import Content, content, in_brief
from runplan.cli.show.text.content import NOTHING, Cell, Line, Section, Table
from runplan.cli.show.text.ink import GAP, Column, Grid, Styled
from runplan.cli.show.text.layout import Block, lay_out
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import INDENT, MOODS, Page, column_widths, in_a_line, styled
from runplan.cli.show.text.width import columns
from runplan.dsl.dataclass import dataclass, replace
from runplan.engine.report import Report

# Notes on the laws that a page has room for, about.
_NOTES = 6
# Lines of a screen, and its columns where it is narrow.
_ROWS, _NARROW = 50, 80


def render(report: Report, look: Look = PLAIN) -> str:
    """The report, no line longer than the page is wide; of a text that is no plan, what is wrong with it."""
    if report.plan is None:
        return full.render(Checked(report.findings, 1), look)
    shown = content(report, details=look.details, anew=look.details)
    text = page_of(shown, look)
    # A wide page says no other things than a narrow one.
    if look.details or not _is_long(text if look.width <= _NARROW else page_of(shown, replace(look, width=_NARROW))):
        return text
    brief = in_brief(shown, report)
    return text if brief == shown else page_of(brief, look)


def page_of(shown: Content, look: Look) -> str:
    """A report's content on a page, with what is not asked for where a screen has room for that."""
    text = _page_of(shown, look)
    if _is_long(text) or not (spare := shown.spare()):
        return text
    more = _page_of(replace(shown, sections=(*shown.sections, *spare)), look)
    return text if _is_long(more) else more


def _is_long(text: str) -> bool:
    """Whether a page is more than a screen."""
    return text.count("\n") > _ROWS


def _page_of(shown: Content, look: Look) -> str:
    page = Page(look)
    if shown.title and columns(shown.title) + columns(shown.path) + 2 * GAP > page.width:
        page.line(shown.title, style="bold")
        page.line(shown.path, style="dim")
    else:
        page.line(
            f"{shown.title}{' ' * 2 * GAP if shown.title else ''}{shown.path}", style="bold", upto=len(shown.title)
        )
    page.blank()
    verdict = shown.verdict
    page.line(f"{verdict.word}: {verdict.said}", style=MOODS[verdict.mood], upto=len(verdict.word) + 1)
    # Where there is a conflict its table says it.
    for help in verdict.about.help if verdict.about and not shown.conflicts else ():
        page.line(f"help: {help}", indent=INDENT)
    lay_out(page, list(_blocks(shown, look)))
    if elsewhere := _elsewhere(shown, look):
        page.blank()
        page.line(elsewhere, style="dim")
    return page.text()


def _blocks(shown: Content, look: Look) -> Iterator[Block]:
    """The parts of the report in their order."""
    yield from map(_block, shown.conflicts)
    if shown.hardware or shown.budget:
        yield Block("Budget", partial(_budget, shown=shown), whole=True)
    if shown.solutions.rows:
        title = "Solution" if len(shown.solutions.heads) == 2 else "Solutions"
        # How to read the table takes fewer lines in one piece.
        notes = shown.notes if look.details or not shown.notes else (" ".join(shown.notes),)
        said = partial(Page.sentences, texts=shown.said, notes=notes)
        yield Block(title, partial(_solutions, table=shown.solutions), said if shown.said or notes else None)
    yield from map(_block, shown.sections)
    if shown.remarks:
        yield Block("Notes", partial(_remarks, notes=shown.remarks), whole=True)
    if shown.assumptions.rows:
        yield Block("Assumptions", partial(_assumptions, table=shown.assumptions), whole=True)
    # What the verdict has said in full is not said again.
    if rest := [finding for finding in shown.findings if look.details or finding is not shown.verdict.about]:
        yield Block("Findings", partial(Page.findings, found=rest, short=not look.details), whole=True)


def _block(section: Section) -> Block:
    said = partial(Page.sentences, texts=section.said, notes=section.notes)
    body = partial(Page.shown, section=section)
    return Block(section.title, body, said if section.said or section.notes else None, wraps=not section.table.figures)


def _budget(page: Page, shown: Content) -> None:
    """What the run is on, a pool a line; then what that gives and costs, as many figures a line as it has room for."""
    for pool in shown.hardware:
        page.line(pool, indent=INDENT)
    lines = [""]
    for figure in shown.budget:
        longer = f"{lines[-1]} \N{MIDDLE DOT} {figure}" if lines[-1] else figure
        fits = not lines[-1] or columns(longer) <= page.width - INDENT
        lines[-1:] = [longer] if fits else [lines[-1], figure]
    for line in filter(None, lines):
        page.line(line, indent=INDENT)


def _assumptions(page: Page, table: Table) -> None:
    """The defaults, a line each where they have no heads, and as long as it takes where they have."""
    if table.heads:
        page.table(table)
        return
    widths = column_widths(table.lines, ())
    room = page.width - INDENT - widths[0] - widths[1] - 2 * GAP
    page.texts([(name, value, in_a_line(source, room)) for name, value, source in table.lines], (), wrap=2)


def _elsewhere(shown: Content, look: Look) -> str:
    """Where the rest is."""
    if look.details:
        return f"`plan check {shown.path}` shows them in full, on the lines they are about." if shown.findings else ""
    details = f"`--details`: {', '.join(shown.more)}" if shown.more else ""
    found = "`plan check`: findings in full" if shown.findings else ""
    return f"{'; '.join(filter(None, (details, found)))}." if details or found else ""


def _remarks(page: Page, notes: Sequence[tuple[str, str]]) -> None:
    """What is true of all laws, then of each law the first few notes, and where the others are."""
    for law, text in notes:
        if not law:
            page.line(text, indent=INDENT)
    lines: list[Line] = []
    laws = list(dict.fromkeys(law for law, _ in notes if law))
    most = max(1, _NOTES // max(len(laws), 1))
    for law in laws:
        texts = [text for name, text in notes if name == law]
        if len(texts) > most:
            texts[most:] = [f"{len(texts) - most} more: `plan law {law}`"]
        lines += [("" if i else law, text) for i, text in enumerate(texts)]
    if lines:
        page.texts(lines, (), wrap=1)


def _solutions(page: Page, table: Table) -> None:
    """The table of solutions, in as many parts as the width asks for."""
    names = [row[0] for row in table.rows]
    laws = [_Law.of(head, [row[i] for row in table.rows]) for i, head in enumerate(table.heads) if i]
    first = min(max(columns(name.text) for name in names), max(8, page.width // 2))
    room = page.width - INDENT - first
    # Intervals stand beside the figures, or under them where that saves a part.
    beside = len(_parts([law.wide for law in laws], room)) <= len(_parts([law.narrow for law in laws], room))
    widths = [min(law.wide if beside else law.narrow, max(room - GAP, 8)) for law in laws]
    for part in _parts(widths, room):
        if part.start:
            page.blank()
        # What limits a solution takes what room is left, and wraps there.
        spare = room - sum(widths[i] + GAP for i in part)
        for i in part:
            more = max(0, min(laws[i].words - widths[i], spare))
            widths[i], spare = widths[i] + more, spare - more
        _part(page, names, [laws[i] for i in part], [first, *(widths[i] for i in part)], beside)


def _part(page: Page, names: Sequence[Cell], laws: Sequence[_Law], widths: Sequence[int], beside: bool) -> None:
    heads = []
    for law in laws:
        head = styled(law.head[0], "bold")
        for line in law.head[1:]:
            head.append_text(styled(f"\n{line}", "dim", lines=True))
        heads.append(head)
    told = [i for i in range(len(names)) if any(law.cells[i].text != NOTHING for law in laws)]
    rows = [[styled(names[i].text), *(law.shown(i, beside) for law in laws)] for i in told]
    page.put(Grid([*map(Column, widths, [styled(""), *heads])], rows))


@dataclass(frozen=True, slots=True)
class _Law:
    """A column of the table of solutions.

    Attributes:
        figure: Columns of the widest figure that has an interval.
        wide, narrow: Columns that it takes with the intervals beside, or under, the figures.
        words: Columns of the longest of its texts.
    """

    head: Sequence[str]
    cells: Sequence[Cell]
    figure: int
    wide: int
    narrow: int
    words: int

    @classmethod
    def of(cls, head: str, cells: Sequence[Cell]) -> _Law:
        lines = head.split("\n")
        figures = [cell for cell in cells if not cell.code]
        figure = max((columns(cell.text) for cell in figures if cell.ends), default=0)
        least = max(map(columns, (*lines, *(cell.text for cell in figures))))
        ends = max((columns(cell.ends) for cell in figures), default=0)
        words = [columns(line) for cell in cells if cell.code for line in cell.text.split("\n")]
        wide = max(least, figure + GAP + ends if ends else 0)
        return cls(lines, cells, figure, wide, max(least, ends), max(words, default=0))

    def shown(self, i: int, beside: bool) -> Styled:
        """A figure with its interval, or a text."""
        cell = self.cells[i]
        style = "dim" if cell.text == NOTHING else MOODS[cell.mood] if cell.mood else ""
        out = styled(cell.text, style, lines=cell.code)
        if cell.ends:
            out.append(" " * (self.figure - columns(cell.text) + GAP) if beside else "\n")
            out.append_text(styled(cell.ends, "dim"))
        return out


def _parts(widths: Sequence[int], room: int) -> list[range]:
    """Neighbouring columns that fit beside each other; at least one a part."""
    out: list[range] = []
    at, used = 0, 0
    for i, width in enumerate(widths):
        if i > at and used + width + GAP > room:
            out.append(range(at, i))
            at, used = i, 0
        used += width + GAP
    return [*out, range(at, len(widths))]
