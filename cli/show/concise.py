"""Findings as one line each, `FILE:LINE:COL: SEVERITY[CODE] message`, for grep, editors and pre-commit."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.summary import Summary, plain
from runplan.dsl.text.finding import Finding


def render(findings: Sequence[Finding], summary: Summary) -> str:
    """One line a finding and nothing else; empty where there is none."""
    return "".join(f"{line(finding)}\n" for finding in findings)


def line(finding: Finding) -> str:
    """One finding, without a line end."""
    span = finding.at.span
    path = plain(span.source.path)
    if path.lstrip().startswith(":"):
        path = f"./{path}"  # at the start of a line, GitHub would run it as a workflow command
    return f"{path}:{span.line}:{span.column}: {finding.severity}[{finding.code}] {plain(finding.message)}"
