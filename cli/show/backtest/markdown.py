"""A backtest as Markdown: for a comment on a pull request, and the page in `docs/`."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.backtest.content import Content, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, section, table
from runplan.engine.backtest import Backtest


def render(found: Backtest, look: Look = PLAIN) -> str:
    """The backtest, all that a pack says in it escaped."""
    return "\n".join(_lines(content(found, look.details))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    yield f"**Backtest:** {inline(shown.headline)}"
    if shown.scorecard.table.rows:
        yield from section(shown.scorecard)
    for part in shown.sections:
        yield from section(part)
    if shown.unjudged:
        yield from headed("Not judged")
        yield ""
        yield from (f"- {inline(text)}" for text in shown.unjudged)
    if shown.aside.rows:
        yield from headed("Set aside: no score counts them")
        yield from table(shown.aside)
