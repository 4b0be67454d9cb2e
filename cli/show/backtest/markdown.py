"""A backtest as Markdown: for a comment on a pull request, and the page in `docs/`."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.backtest.content import Content, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import headed, inline, section, table
from runplan.engine.backtest.backtest import Backtest

NOTE = "<!-- Made from stdlib/: UPDATE_SNAPSHOTS=1 python -m pytest tests/stdlib/test_backtest_page.py -->"
INTRODUCTION = """\
Every run of `stdlib/runs/`, planned as if it were still to come and without what is known of its family, and held to
what it reported. `plan backtest` prints the same; [plan backtest](cli.md#plan-backtest) says how to read it, and how to
hold your own runs to it. The records, each figure with its source, are what default rates and settings are taken from:
[how numbers are made](how-numbers-are-made.md)."""


def page(found: Backtest) -> str:
    """The page of `docs/` that has every run."""
    return "\n\n".join(["# The backtest", NOTE, INTRODUCTION, render(found, Look(details=True))])


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
