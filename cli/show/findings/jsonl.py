"""Findings as lines of JSON: one a finding, as in `plan.check/v1`, and a last one that sums them up."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look


def render(checked: Checked, look: Look = PLAIN) -> str:
    """The lines; the last one's `type` is `summary`, and it carries the schema and the verdicts."""
    whole = checked.document()
    findings = whole.pop("findings")
    assert isinstance(findings, list)
    lines = [*({"type": "finding", **finding} for finding in findings), {"type": "summary", **whole}]
    return "".join(document_text(line, indent=None) for line in lines)
