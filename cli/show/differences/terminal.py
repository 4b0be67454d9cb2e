"""What differs between two states of plans as text for a terminal."""

from __future__ import annotations

from runplan.cli.show.differences.content import ARROW, Content, PlanContent, Reason, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import INDENT, Page
from runplan.dsl.dataclass import replace
from runplan.engine.differences.differences import Differences


def render(found: Differences, look: Look = PLAIN) -> str:
    """What differs, no line longer than the page is wide."""
    page = Page(look)
    _put(page, content(found))
    return page.text()


def _put(page: Page, shown: Content) -> None:
    page.line(shown.ends, style="dim")
    page.blank()
    page.line(shown.headline, style="bold")
    for text in shown.exceeded:
        page.line(text, style="bold red")
    for plan in shown.plans:
        _plan(page, plan)
    if shown.totals.rows:
        page.heading("All of these plans")
        page.table(shown.totals)


def _plan(page: Page, plan: PlanContent) -> None:
    page.heading(f"{plan.title}: {plan.headline}")
    if plan.values.rows:
        page.table(plan.values)
    page.sentences((), plan.notes)
    if plan.reasons:
        page.blank()
        page.line(plan.because, style="bold", indent=INDENT)
        for reason in plan.reasons:
            _reason(page, reason)
    if plan.findings.rows:
        page.blank()
        page.line("Findings", style="bold", indent=INDENT)
        page.table(replace(plan.findings, heads=()))


def _reason(page: Page, reason: Reason) -> None:
    place = f"  ({reason.place})" if reason.place else ""
    page.line(f"{reason.name}{place}", indent=INDENT)
    was, is_ = reason.texts
    if len(was) + len(is_) + 2 * INDENT + 6 <= page.width and was and is_:
        page.line(f"{was} {ARROW} {is_}", style="dim", indent=2 * INDENT)
    else:
        for sign, text in (("-", was), ("+", is_)):
            if text:
                page.line(f"{sign} {text}", style="dim", indent=2 * INDENT)
    page.line(reason.moves, indent=2 * INDENT)
