"""The report of a solved plan as Markdown, for a comment on a pull request: the verdict, the figures, the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runplan.cli.show.report.content import Content, content
from runplan.cli.show.text.content import Mood, Table, table
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import folded, headed, inline, literal, paragraph, section, small
from runplan.cli.show.text.markdown import table as lines_of
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.engine.report import Report

_MARKS: dict[Mood, str] = {"good": "✅", "doubtful": "⚠️", "bad": "❌"}


def render(report: Report, look: Look = PLAIN) -> str:
    """The report; all that a plan or a pack says in it is escaped. What a reader may want to know more is folded."""
    return (
        "\n".join(_lines(content(report, details=look.details), content(report, anew=look.details), look.details))
        + "\n"
    )


def _lines(shown: Content, whole: Content, details: bool) -> Iterator[str]:
    """What is shown at once, and the whole of it for what is folded away."""
    verdict = shown.verdict
    yield f"### {literal(shown.title or shown.path)}"
    yield ""
    yield f"{_MARKS[verdict.mood]} **{verdict.word}:** {inline(verdict.said)}"
    yield from paragraph(verdict.about.help if verdict.about and not shown.conflicts else ())
    yield from paragraph([*shown.hardware, *([" \N{MIDDLE DOT} ".join(shown.budget)] if shown.budget else [])])
    for part in shown.conflicts:
        yield from section(part)
    if shown.solutions.rows:
        yield from lines_of(shown.solutions)
        yield from paragraph(shown.said)
        yield from small(shown.notes)
    infos = [finding for finding in shown.findings if finding.severity == "info"]
    if told := [finding for finding in shown.findings if finding not in infos]:
        yield from headed("Findings")
        yield from lines_of(_findings(told))
    titles = " \N{MIDDLE DOT} ".join(part.title for part in whole.sections)
    sections = [line for part in whole.sections for line in section(part)]
    if sections:
        yield from sections if details else folded(titles, sections)
    if infos:
        yield from folded(counted(len(infos), "info"), lines_of(_findings(infos)))
    if whole.remarks:
        yield from folded(counted(len(whole.remarks), "note"), lines_of(table(whole.remarks, ("law", "note"))))
    if whole.assumptions.rows:
        yield from folded(counted(len(whole.assumptions.rows), "assumption"), lines_of(whole.assumptions))


def _findings(found: Iterable[Finding]) -> Table:
    places = [(f.severity, f.code, f"{f.at.span.source.path}:{f.at.span.line}", f.message) for f in found]
    return table(places, ("severity", "code", "place", "finding"))
