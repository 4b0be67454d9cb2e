"""A tracked run as Markdown, for a comment or a page of a job."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.content import table as cells
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, literal, small, table
from runplan.cli.show.text.plain import plain
from runplan.cli.show.track.content import content
from runplan.engine.track.track import Track


def render(track: Track, look: Look = PLAIN) -> str:
    """The run, all that a plan or a log says in it escaped."""
    return "\n".join(_lines(track)) + "\n"


def _lines(track: Track) -> Iterator[str]:
    shown = content(track)
    yield f"### {literal(shown.path)}"
    yield ""
    yield f"**{inline(shown.headline)}**"
    yield from table(shown.rows)
    yield from small(shown.notes)
    if track.findings:
        yield from headed("Findings")
        rows = ((f.severity, f.code, plain(f.message)) for f in track.findings)
        yield from table(cells(rows, ("severity", "code", "finding"), wrap=2))
