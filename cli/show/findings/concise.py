"""Findings as one line each, `FILE:LINE:COL: SEVERITY[CODE] message`, for grep, editors and pre-commit."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.finding import Finding


def render(checked: Checked, look: Look = PLAIN) -> str:
    """One line a finding and nothing else; empty where there is none."""
    return "".join(f"{line(finding)}\n" for finding in checked.findings)


def line(finding: Finding) -> str:
    """One finding, without a line end."""
    span = finding.at.span
    path = plain(span.source.path)
    if path.lstrip().startswith(":"):
        path = f"./{path}"  # at the start of a line, GitHub would run it as a workflow command
    return f"{path}:{span.line}:{span.column}: {finding.severity}[{finding.code}] {plain(finding.message)}"
