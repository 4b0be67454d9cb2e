"""What testing packs gave, as text and as JSON text."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.show.catalogue.subjects import Tested
from runplan.cli.show.findings import concise
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import paragraph
from runplan.dsl.text.words import counted
from runplan.engine.documents.check import finding_document
from runplan.engine.laws.goldens import GoldenResult


def listed(tested: Tested, look: Look = PLAIN) -> str:
    """One line a law, one more for each value that is off, then what is wrong with the packs, and the sums."""
    lines = []
    for law in dict.fromkeys(result.law for result in tested.results):
        own = [result for result in tested.results if result.law == law]
        failed = [result for result in own if result.verdict == "fail"]
        lines.append(
            paragraph(
                f"{law}: {len(own) - len(failed)} of {counted(len(own), 'value')}", "FAIL  " if failed else "pass  "
            )
        )
        for result in failed:
            lines.append(paragraph(f"{result.id}: {off(result)}", "        "))
    checked, summary = Checked(tested.findings, tested.files), tested.summary()
    found = concise.render(checked, look)
    sums = f"{summary['passed']} passed, {summary['failed']} failed, {checked.summary()}\n"
    return "".join(lines) + (f"\n{found}" if found else "") + ("\n" if lines else "") + sums


def listed_json(tested: Tested, look: Look = PLAIN) -> str:
    """Every result, `plan.test/v1`."""
    return document_text(
        {
            "schema": "plan.test/v1",
            "results": [_result(result) for result in tested.results],
            "summary": tested.summary() | {"findings": len(tested.findings)},
            "untested": list(tested.untested),
            "findings": [finding_document(finding) for finding in tested.findings],
        }
    )


def off(result: GoldenResult) -> str:
    """What a result that failed has in the place of what it should."""
    if result.law.startswith("rule "):
        holds = "is flagged" if result.got.get("flagged") else "is not flagged"
        return result.note or f"the example {holds}"
    off = [
        f"{name} is {result.got[name]:.10g}, not {value:.10g}" if name in result.got else f"{name} is not given"
        for name, value in result.expected.items()
    ]
    return "; ".join([*off, *([result.note] if result.note else [])]) + f" (within {result.rtol:g})"


def _result(result: GoldenResult) -> dict[str, object]:
    note: dict[str, object] = {"note": result.note} if result.note else {}
    return {
        "id": result.id,
        "law": result.law,
        "expected": _one_or_all(result.expected, result),
        "got": _one_or_all(result.got, result),
        "rtol": result.rtol,
        "verdict": result.verdict,
        **note,
    }


def _one_or_all(values: Mapping[str, float], result: GoldenResult) -> object:
    """A number where the golden value is one, else an object by expression; null for what the law does not give."""
    if len(result.expected) == 1:
        return values.get(next(iter(result.expected)))
    return {name: values.get(name) for name in result.expected}
