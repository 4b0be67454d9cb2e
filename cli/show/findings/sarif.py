"""Findings as SARIF 2.1.0 (OASIS), which code scanning reads: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

from urllib.parse import quote

import runplan
from runplan.cli.show.findings.content import Checked, told
from runplan.cli.show.findings.identity import identified
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.codes import CODES, RANK, Severity
from runplan.dsl.text.finding import Finding, Fix
from runplan.dsl.text.source import Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_LONGEST = 1000  # GitHub refuses a description of more than 1,024 characters


def render(checked: Checked, look: Look = PLAIN) -> str:
    """One run, with every rule that is looked for; without results where nothing was found, so that alerts close."""
    rules = _rules(checked)
    index = {str(rule["id"]): at for at, rule in enumerate(rules)}
    driver = {
        "name": "runplan",
        "version": runplan.__version__,
        "semanticVersion": runplan.__version__,
        "informationUri": "https://github.com/runplan/runplan",
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "plan/check/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(checked, finding, known, index) for finding, known in identified(checked)],
    }
    return document_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rules(checked: Checked) -> list[dict[str, object]]:
    """What is looked for, by code: the engine's own, the libraries' rules, and those that only a plan has."""
    found: dict[str, tuple[str, Severity, str]] = {code: (c.name, c.severity, c.says) for code, c in CODES.items()}
    for rule in (rule for library in checked.libraries for rule in library.rules()):
        if rule.severity != "note" and (rule.code not in found or RANK[rule.severity] < RANK[found[rule.code][1]]):
            found[rule.code] = (rule.name, rule.severity, rule.says)
    for finding in checked.findings:
        found.setdefault(finding.code, (finding.name, finding.severity, finding.name.replace("-", " ")))
    return [_rule(code, *found[code]) for code in sorted(found)]


def _rule(code: str, name: str, severity: Severity, says: str) -> dict[str, object]:
    text = plain(says)[:_LONGEST]
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": name.replace("-", " ")},
        "fullDescription": {"text": text},
        "help": {"text": f"{text}\n\n`plan rule {code}` says when, why, and how it is mended."},
        "defaultConfiguration": {"level": _LEVEL[severity]},
    }


def _result(checked: Checked, finding: Finding, known: str, index: dict[str, int]) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVEL[finding.severity],
        "message": {"text": "\n".join(told(finding))},
        "locations": [{"physicalLocation": _place(checked, finding.at.span)}],
        "partialFingerprints": {"planFinding/v1": known},
    }
    if finding.also:
        result["relatedLocations"] = [
            {
                "id": at,
                "physicalLocation": _place(checked, label.span),
                **({"message": {"text": plain(label.text)}} if label.text else {}),
            }
            for at, label in enumerate(finding.also, 1)
        ]
    if finding.fixes:
        result["fixes"] = [_fix(checked, fix) for fix in finding.fixes]
    return result


def _fix(checked: Checked, fix: Fix) -> dict[str, object]:
    """A fix, its edits by the file that they are in."""
    files = {edit.span.source.path: edit.span for edit in fix.edits}
    changes = [
        {
            "artifactLocation": _artifact(checked, span),
            "replacements": [
                {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                for edit in fix.edits
                if edit.span.source.path == file
            ],
        }
        for file, span in files.items()
    ]
    return {"description": {"text": plain(fix.title)}, "artifactChanges": changes}


def _place(checked: Checked, span: Span) -> dict[str, object]:
    return {"artifactLocation": _artifact(checked, span), "region": _region(span)}


def _artifact(checked: Checked, span: Span) -> dict[str, object]:
    return {"uri": quote(checked.place(span).encode("utf-8", "replace")), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
