"""A comparison as text for a terminal."""

from __future__ import annotations

from runplan.cli.show.comparison.content import SAME_EVERYWHERE, WITHIN, Content, content
from runplan.cli.show.findings import full
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.content import NOTHING, Table
from runplan.cli.show.text.ink import GAP
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import Page, column_widths
from runplan.dsl.dataclass import replace
from runplan.engine.comparison.compare import Comparison


def render(comparison: Comparison, look: Look = PLAIN) -> str:
    """The comparison, no line longer than the page is wide; where no plan could be read, what is wrong."""
    if not comparison.columns:
        return full.render(Checked(comparison.findings, comparison.files), look)
    return page_of(content(comparison), look)


def page_of(shown: Content, look: Look) -> str:
    """A comparison's content on a page."""
    page = Page(look)
    for path in shown.paths:
        page.line(path, style="dim")
    page.blank()
    page.line(f"{shown.what}: {shown.headline}", style="bold", upto=len(shown.what) + 1)
    page.heading("Side by side")
    table, same = shown.table, list[str]()
    if sum(column_widths(table.lines, table.heads)) + GAP * len(table.heads) > page.width:
        table, same = _in_parts(table)
    page.table(table)
    page.said((), [f"The same under all: {', '.join(same)}."] if same else [])
    page.said((), shown.notes)
    if shown.regret:
        page.section(shown.regret)
    for section in shown.decision:
        page.section(section)
    if shown.reasons:
        page.heading("Why they differ")
        page.texts([("-", reason) for reason in shown.reasons], (), wrap=1)
    if shown.findings.rows:
        page.heading("Findings")
        page.table(replace(shown.findings, heads=()))
    return page.text()


def _in_parts(table: Table) -> tuple[Table, list[str]]:
    """A table for several parts: the spread stands in the first, and what all agree about is said once, in words."""
    heads = table.heads
    own = slice(1, -2 if heads[-2] == WITHIN else -1)
    shared = [
        row for row in table.rows if row[-1].text == SAME_EVERYWHERE and NOTHING not in (cell.text for cell in row[own])
    ]
    kept = [row for row in table.rows if row not in shared] or table.rows
    moved = replace(
        table,
        rows=tuple((row[0], row[-1], *row[1:-1]) for row in kept),
        heads=(heads[0], heads[-1], *heads[1:-1]),
    )
    return moved, [f"{row[0].text} {row[1].text}" for row in shared]
