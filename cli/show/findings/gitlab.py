"""Findings as GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.findings.identity import identified
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding

# Of GitLab's five; `blocker` and `critical` are left to those who know what a run is worth to them.
_SEVERITY: dict[Severity, str] = {"error": "major", "warning": "minor", "info": "info"}


def render(checked: Checked, look: Look = PLAIN) -> str:
    """The report: a list of findings, empty where there is none, so that what was mended goes away."""
    return document_text([_entry(checked, finding, known) for finding, known in identified(checked)])


def _entry(checked: Checked, finding: Finding, known: str) -> dict[str, object]:
    span = finding.at.span
    return {
        # The widget shows the description alone, so the code stands in it.
        "description": f"{finding.code}: {plain(finding.message)}",
        "check_name": finding.code,
        "fingerprint": known,
        "severity": _SEVERITY[finding.severity],
        "location": {
            "path": checked.place(span),
            "positions": {
                "begin": {"line": span.line, "column": span.column},
                "end": {"line": span.end_line, "column": span.end_column},
            },
        },
    }
