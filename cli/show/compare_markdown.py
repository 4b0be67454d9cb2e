"""A comparison as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show import compare_table
from runplan.cli.show.markdown_findings import inline, literal
from runplan.cli.show.solve_markdown import headed, table
from runplan.engine.compare import Comparison


def render(comparison: Comparison) -> str:
    """The comparison; all that a plan or a pack says in it is escaped."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    plans = dict.fromkeys(column.report.source.path for column in comparison.columns)
    yield f"### {literal(', '.join(plans))}"
    yield ""
    yield f"**{len(comparison.columns)} {comparison.by}s:** {inline(compare_table.headline(comparison))}"
    lines = [tuple(cell.strip() for cell in line) for line in compare_table.table(comparison)]
    yield from table(compare_table.heads(comparison), lines, right=True)
    yield from _notes(compare_table.notes(comparison))
    if found := compare_table.regret(comparison):
        yield from headed("Regret: extra compute for the same loss, of each choice under each law")
        yield from table(*found, right=True)
        yield from _notes(compare_table.regret_notes(comparison))
    if reasons := compare_table.reasons(comparison):
        yield from headed("Why they differ")
        yield ""
        yield from (f"- {inline(why.text)}" for why in reasons)
    if findings := compare_table.findings(comparison):
        yield from headed("Findings")
        yield from table(("severity", "code", "finding"), findings)


def _notes(texts: list[str]) -> Iterator[str]:
    if texts:
        yield ""
        yield "<br>".join(f"<sub>{inline(text)}</sub>" for text in texts)
