"""A frontier as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.findings import markdown as findings
from runplan.cli.show.frontier.content import Content, content, wrong
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, literal, small, table
from runplan.engine.frontier.frontier import Frontier


def render(frontier: Frontier, look: Look = PLAIN) -> str:
    """The frontier, all that a plan says in it escaped; where there is no curve, what is wrong."""
    if not frontier.points:
        return findings.render(wrong(frontier), look)
    return "\n".join(_lines(content(frontier))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    yield f"### {literal(shown.path)}"
    yield ""
    yield f"**{inline(shown.what)}:** {inline(shown.headline)}"
    yield from table(shown.points)
    yield from small(shown.notes)
    if shown.limits.rows:
        yield from headed("What limits it")
        yield from table(shown.limits)
    if shown.findings.rows:
        yield from headed("Findings")
        yield from table(shown.findings)
