"""Findings, and verdicts on plans, to their document, `plan.check/v1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding, Fix
from runplan.dsl.text.source import Span
from runplan.engine.gate import Verdict


def document(findings: Iterable[Finding], files: int, verdicts: Iterable[Verdict] = ()) -> dict[str, object]:
    """What was found in so many files, and the verdict on each, `plan.check/v1`."""
    found = tuple(findings)
    count = Counter(finding.severity for finding in found)
    out: dict[str, object] = {
        "schema": "plan.check/v1",
        "findings": [finding_document(finding) for finding in found],
        "summary": {**{f"{severity}s": count[severity] for severity in RANK}, "files": files},
    }
    if judged := [{"file": verdict.file, **verdict_document(verdict)} for verdict in verdicts]:
        out["verdicts"] = judged
    return out


def verdict_document(verdict: Verdict) -> dict[str, object]:
    """Whether a plan holds, by its first law; and the code of what keeps it from that."""
    said = {"law": verdict.law, "code": "" if verdict.holds else verdict.by[0].code}
    return {"holds": verdict.holds, **{key: text for key, text in said.items() if text}}


def finding_document(finding: Finding) -> dict[str, object]:
    """The object of one finding; lines and columns count from 1, columns in code points, ends exclusive."""
    result: dict[str, object] = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        **_place(finding.at.span),
        "help": list(finding.help),
        "laws": list(finding.laws),
        "data": dict(finding.data),
        "notes": list(finding.notes),
        "also": [{**_place(label.span), "text": label.text} for label in finding.also],
    }
    if finding.budget:
        result["budget"] = finding.budget.file
    if finding.fixes:
        result["fixes"] = [_fix(fix) for fix in finding.fixes]
    return result


def _fix(fix: Fix) -> dict[str, object]:
    edits = [{**_place(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _place(span: Span) -> dict[str, object]:
    return {
        "file": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
