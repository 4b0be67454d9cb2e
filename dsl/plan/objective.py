"""`objective` to what a run trains for."""

from __future__ import annotations

from runplan.dsl.plan.ir import Objective
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Node, Word
from runplan.dsl.syntax.views import ObjectiveSpec, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.typed.fields import OBJECTIVES, SHARE

# How one says that a run has several objectives.
MIXED = ("mixed", "joint")


def objective(reading: Reading, node: Node) -> Objective | None:
    """The objective of a plan or a stage; None, with a finding, where there is no such one."""
    spec = spec_of(node)
    parts = ObjectiveSpec(spec)
    domain = parts.domain.text if parts.domain else "text"
    if spec.rule == "transfer":
        start, target = (OBJECTIVES.get(name.text.lower(), name.text) for name in parts.names)
        if start == target:
            reading.findings.append(finding("C001", f"a transfer from {start} to itself", spec.span))
        return Objective("transfer", start, target, domain, spec.span)
    if spec.rule == "mixed" or parts.names[0].text.lower() in MIXED:
        return _mixed(reading, parts, domain, spec)
    kind = OBJECTIVES.get(parts.names[0].text.lower())
    if kind is None:
        _unknown(reading, parts.names[0])
        return None
    return Objective(kind, None, None, domain, spec.span)


def _mixed(reading: Reading, parts: ObjectiveSpec, domain: str, spec: Node) -> Objective | None:
    """Several objectives in one run: read, so that rules can say what is wrong with them."""
    unknown = [word for part in parts.parts if (word := next(part.words())).text.lower() not in OBJECTIVES]
    unknown += [lead for lead in parts.names if lead.text.lower() not in MIXED]
    for word in unknown:
        _unknown(reading, word)
    for part in parts.parts:
        for share in part.nodes():
            reading.given_by(share, SHARE)
    return None if unknown else Objective("mixed", None, None, domain, spec.span)


def _unknown(reading: Reading, word: Word) -> None:
    help = ["write `CLM`, `MLM` or `transfer from CLM to MLM`"]
    fixes = respelled(word.span, word.text, OBJECTIVES.values())
    reading.findings.append(finding("N002", f"unknown objective `{word.text[:60]}`", word.span, help=help, fixes=fixes))
