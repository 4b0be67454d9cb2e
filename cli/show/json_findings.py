"""Findings as JSON: the shape that `check`, `solve` and every other verb give them in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from runplan.cli.show.summary import REPLACED, Summary
from runplan.dsl.text.finding import Edit, Finding
from runplan.dsl.text.source import Span

# JSON allows these unescaped, but a terminal acts on them, or a reader of lines breaks at them.
_TO_ESCAPE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def render(findings: Sequence[Finding], summary: Summary) -> str:
    """One document, `plan.check/v1`."""
    return document_text(
        {
            "schema": "plan.check/v1",
            "findings": [finding_json(finding) for finding in findings],
            "summary": {
                "errors": summary.errors,
                "warnings": summary.warnings,
                "infos": summary.infos,
                "files": summary.files,
            },
        }
    )


def document_text(document: object, indent: int | None = 2) -> str:
    """A document as text that ends with a line end; a NaN or an infinity in it is a bug and raises."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False, indent=indent)
    # Both are only ever found inside strings. A lone surrogate has no UTF-8.
    text = _SURROGATES.sub(REPLACED, text)
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def finding_json(finding: Finding) -> dict[str, object]:
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
    if finding.edits:
        result["edits"] = [_edit(edit) for edit in finding.edits]
    return result


def _edit(edit: Edit) -> dict[str, object]:
    return {"title": edit.title, **_place(edit.span), "text": edit.text, "safe": edit.safe}


def _place(span: Span) -> dict[str, object]:
    return {
        "file": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
