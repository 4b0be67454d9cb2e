"""A solved plan as Markdown, for a comment on a pull request: the verdict, the figures, the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runplan.cli.show import solve_table
from runplan.cli.show.figures import NOTHING
from runplan.cli.show.markdown_findings import inline, literal
from runplan.cli.show.section import under
from runplan.cli.show.summary import counted
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_MARKS = {"good": "✅", "doubtful": "⚠️", "bad": "❌"}


def render(report: Report) -> str:
    """The report; all that a plan or a pack says in it is escaped."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    mood, word, said = solve_table.verdict(report)
    title = solve_table.title(report) or report.source.path
    yield f"### {literal(title)}"
    yield ""
    yield f"{_MARKS[mood]} **{word}:** {inline(said)}"
    if rows := solve_table.budget(report):
        yield from table(("budget", ""), rows)
    if rows := [_row(row) for row in solve_table.rows(report)]:
        yield from table(("", *map(_law, report.solutions)), rows)
        if notes := solve_table.notes(report.solutions):
            yield from _small(notes)
    for solution in report.solutions:
        if solution.conflict:
            yield from headed(under(report, solve_table.ROOM, solution))
            rooms = [(line, *map(_code, texts)) for line, *texts in solve_table.conflict(solution)]
            yield from table(solve_table.CONFLICT, rooms)
    for section in solve_table.sections(report):
        yield from headed(section.title)
        yield from table(section.heads or ("", ""), section.lines, right=bool(section.heads))
        if section.said:
            yield ""
            yield "<br>".join(map(inline, section.said))
        yield from _small(section.notes)
    remarks = solve_table.remarks(report)
    if general := [text for law, text in remarks if not law]:
        yield ""
        yield from map(inline, general)
    if report.findings:
        yield from headed("Findings")
        findings = solve_table.findings(report)
        rows = [(f.severity, f.code, f"{f.at.span.source.path}:{f.at.span.line}", f.message) for f in findings]
        yield from table(("severity", "code", "place", "finding"), rows)
    if of_laws := [(law, text) for law, text in remarks if law]:
        yield from _details(f"{counted(len(of_laws), 'note')} on the laws", ("law", "note"), of_laws)
    if rows := solve_table.assumptions(report):
        yield from _details(counted(len(rows), "assumption"), ("name", "value", "rests on"), rows)


def _details(summary: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table that is folded away."""
    yield ""
    yield f"<details><summary>{summary}</summary>"
    yield from table(heads, rows)
    yield ""
    yield "</details>"


def _small(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield ""
        yield "<br>".join(f"<sub>{inline(note)}</sub>" for note in notes)


def headed(text: str) -> Iterator[str]:
    """A heading behind a blank line."""
    yield ""
    yield f"**{inline(text)}**"


def _law(solution: Solution) -> str:
    if solution.resolved == solution.law:
        return solution.law
    return f"{solution.law} = {solution.resolved}"


def _row(row: solve_table.Row) -> tuple[str, ...]:
    if row.words:
        return (row.label, *("\n".join(map(_code, text.split("\n"))) for text, _ in row.cells))
    return (row.label, *(" ".join(cell).strip() for cell in row.cells))


def _code(text: str) -> str:
    """A text of the plan as code; one that a table cannot hold as code stays as it is."""
    return text if text in ("", NOTHING, solve_table.NO_ROOM) else f"`{text}`"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: bool = False) -> Iterator[str]:
    """A table behind a blank line; `right` aligns all but the first column as figures."""
    yield ""
    yield f"| {' | '.join(map(_cell, heads))} |"
    yield f"| {' | '.join('---:' if right and i else '---' for i in range(len(heads)))} |"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return "<br>".join(inline(line.strip()) for line in text.split("\n"))
