"""A solved plan as Markdown, for a comment on a pull request: the verdict, the figures, the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runplan.cli.show import solve_table
from runplan.cli.show.markdown_findings import _inline, _literal
from runplan.cli.show.summary import counted
from runplan.engine.report import Report
from runplan.engine.solution import Solution

_MARKS = {"good": "✅", "doubtful": "⚠️", "bad": "❌"}


def render(report: Report) -> str:
    """The report; all that a plan or a pack says in it is escaped."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    mood, word, said = solve_table.verdict(report)
    title = solve_table.title(report) or report.source.path
    yield f"### {_literal(title)}"
    yield ""
    yield f"{_MARKS[mood]} **{word}:** {_inline(said)}"
    if rows := solve_table.budget(report):
        yield from _table(("budget", ""), rows)
    if rows := [_row(row) for row in solve_table.rows(report.solutions)]:
        yield from _table(("", *map(_law, report.solutions)), rows)
        if notes := solve_table.notes(report.solutions):
            yield ""
            yield "<br>".join(f"<sub>{_inline(note)}</sub>" for note in notes)
    for solution in report.solutions:
        if solution.conflict:
            yield from _headed(solve_table.heading(report, solve_table.ROOM, solution))
            rooms = [(line, *map(_code, texts)) for line, *texts in solve_table.conflict(solution)]
            yield from _table(solve_table.CONFLICT, rooms)
    if mix := solve_table.mix(report):
        yield from _headed(solve_table.heading(report, "Data", mix[0]))
        yield from _table(solve_table.MIX, mix[1], right=True)
    if phases := solve_table.phases(report):
        yield from _headed(solve_table.heading(report, "Schedule", phases[0]))
        yield from _table(phases[1], phases[2], right=True)
    if report.findings:
        yield from _headed("Findings")
        findings = solve_table.findings(report)
        rows = [(f.severity, f.code, f"{f.at.span.source.path}:{f.at.span.line}", f.message) for f in findings]
        yield from _table(("severity", "code", "place", "finding"), rows)
    if rows := solve_table.assumptions(report):
        yield ""
        yield f"<details><summary>{counted(len(rows), 'assumption')}</summary>"
        yield from _table(("name", "value", "rests on"), rows)
        yield ""
        yield "</details>"


def _headed(text: str) -> Iterator[str]:
    yield ""
    yield f"**{_inline(text)}**"


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
    return text if text in ("", solve_table.NOTHING, solve_table.NO_ROOM) else f"`{text}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: bool = False) -> Iterator[str]:
    """A table behind a blank line; `right` aligns all but the first column as figures."""
    yield ""
    yield f"| {' | '.join(map(_cell, heads))} |"
    yield f"| {' | '.join('---:' if right and i else '---' for i in range(len(heads)))} |"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return "<br>".join(map(_inline, text.split("\n")))
