"""A comparison as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.comparison.content import Content, content
from runplan.cli.show.findings import markdown as findings
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, literal, section, small, table
from runplan.engine.comparison.compare import Comparison


def render(comparison: Comparison, look: Look = PLAIN) -> str:
    """The comparison, all that a plan or a pack says in it escaped; where no plan could be read, what is wrong."""
    if not comparison.columns:
        return findings.render(Checked(comparison.findings, comparison.files), look)
    return "\n".join(_lines(content(comparison))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    yield f"### {literal(', '.join(shown.paths))}"
    yield ""
    yield f"**{shown.what}:** {inline(shown.headline)}"
    yield from table(shown.table)
    yield from small(shown.notes)
    if shown.regret:
        yield from section(shown.regret)
    for part in shown.decision:
        yield from section(part)
    if shown.reasons:
        yield from headed("Why they differ")
        yield ""
        yield from (f"- {inline(reason)}" for reason in shown.reasons)
    if shown.findings.rows:
        yield from headed("Findings")
        yield from table(shown.findings)
