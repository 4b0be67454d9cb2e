"""What differs between two states of plans as Markdown, for a comment that each run on a pull request writes anew."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.differences.content import ARROW, Content, PlanContent, Reason, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import folded, headed, inline, literal, small, table
from runplan.engine.differences.differences import Differences

# By this line the comment of the last run is found: the next one takes its place.
MARKER = "<!-- runplan: plan diff -->"
# GitHub takes comments of up to 65,536 characters.
MOST = 60_000


def render(found: Differences, look: Look = PLAIN) -> str:
    """The comment, all that a plan or a pack says in it escaped; plans for which there is no room are counted."""
    return "\n".join(_lines(content(found))) + "\n"


def _lines(shown: Content) -> Iterator[str]:
    yield MARKER
    yield f"### Plans: {literal(shown.ends)}"
    yield ""
    yield f"**{inline(shown.headline)}**"
    if shown.exceeded:
        yield ""
        yield from (f"- :x: {inline(text)}" for text in shown.exceeded)
    if shown.totals.rows:
        yield from headed("All of these plans")
        yield from table(shown.totals)
    room = MOST - 2_000
    for at, plan in enumerate(shown.plans):
        told = "\n".join(_plan(plan))
        room -= len(told)
        if room < 0:
            yield ""
            yield f"{len(shown.plans) - at} more plans: `plan diff` shows them."
            return
        yield told


def _plan(plan: PlanContent) -> Iterator[str]:
    yield ""
    yield f"#### {literal(plan.title)}"
    yield ""
    yield f"{inline(plan.headline)}"
    yield from table(plan.values)
    yield from small(plan.notes)
    if plan.reasons:
        yield from folded(plan.because, ["", *(line for reason in plan.reasons for line in _reason(reason))])
    if plan.findings.rows:
        yield from headed("Findings")
        yield from table(plan.findings)


def _reason(reason: Reason) -> Iterator[str]:
    place = f" ({literal(reason.place)})" if reason.place else ""
    was, is_ = map(literal, reason.texts)
    said = f": {was} {ARROW} {is_}" if was and is_ else f": added {is_}" if is_ else f": taken out {was}" if was else ""
    yield f"- **{literal(reason.name)}**{place}{said}<br>{inline(reason.moves)}"
