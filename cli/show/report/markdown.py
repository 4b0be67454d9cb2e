"""The report of a solved plan as Markdown, for a comment on a pull request: the verdict, the figures, the findings."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.report.content import Content, content
from runplan.cli.show.text.content import Mood, table
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import folded, headed, inline, literal, section, small
from runplan.cli.show.text.markdown import table as lines_of
from runplan.dsl.text.words import counted
from runplan.engine.report import Report

_MARKS: dict[Mood, str] = {"good": "✅", "doubtful": "⚠️", "bad": "❌"}


def render(report: Report, look: Look = PLAIN) -> str:
    """The report; all that a plan or a pack says in it is escaped."""
    return "\n".join(_lines(content(report))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    verdict = shown.verdict
    yield f"### {literal(shown.title or shown.path)}"
    yield ""
    yield f"{_MARKS[verdict.mood]} **{verdict.word}:** {inline(verdict.said)}"
    if shown.budget.rows:
        yield from lines_of(table(shown.budget.lines, ("budget", "")))
    if shown.solutions.rows:
        yield from lines_of(shown.solutions)
        yield from small(shown.notes)
    for part in shown.sections:
        yield from section(part)
    if general := [text for law, text in shown.remarks if not law]:
        yield ""
        yield from map(inline, general)
    if shown.findings:
        yield from headed("Findings")
        places = [(f.severity, f.code, f"{f.at.span.source.path}:{f.at.span.line}", f.message) for f in shown.findings]
        yield from lines_of(table(places, ("severity", "code", "place", "finding")))
    if of_laws := [(law, text) for law, text in shown.remarks if law]:
        yield from folded(f"{counted(len(of_laws), 'note')} on the laws", table(of_laws, ("law", "note")))
    if rows := shown.assumptions.rows:
        yield from folded(counted(len(rows), "assumption"), shown.assumptions)
