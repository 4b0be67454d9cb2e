"""A ladder as Markdown, for a page or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.ladder.content import Content, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, literal, small, table
from runplan.engine.ladder.ladder import Ladder


def render(ladder: Ladder, look: Look = PLAIN) -> str:
    """The ladder, all that a plan says in it escaped."""
    return "\n".join(_lines(content(ladder))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    yield f"### {literal(shown.path)}"
    yield ""
    yield f"**{inline(shown.what)}:** {inline(shown.headline)}"
    for title, each in (("Runs", shown.runs), ("Designs", shown.designs), ("In all", shown.totals)):
        yield from headed(title)
        yield from table(each)
    yield from small(shown.notes)
    if shown.findings.rows:
        yield from headed("Findings")
        yield from table(shown.findings)
