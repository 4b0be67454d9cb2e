"""Findings as Markdown, a verdict and a table, for a comment on a pull request or a job's summary."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.markdown import inline, rows
from runplan.dsl.text.finding import Finding


def render(checked: Checked, look: Look = PLAIN) -> str:
    """The verdict in bold, then one row a finding; no table where there is none."""
    lines = [f"**plan check: {checked.summary()}**"]
    if checked.findings:
        lines += ["", "| severity | code | place | finding |", "| --- | --- | --- | --- |"]
        lines += rows(map(_row, checked.findings))
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> tuple[str, ...]:
    span = finding.at.span
    place = f"{span.source.path}:{span.line}:{span.column}"
    helps = [f"help: {line}" for text in finding.help for line in text.splitlines()]
    text = "<br>".join(inline(line) for line in (finding.message, *helps))
    return finding.severity, finding.code, inline(f"`{place}`"), text
