"""A `rule` block to a rule: when it holds, what it says, and the examples that it is tried on."""

from __future__ import annotations

from runplan.dsl.expr.logic import needed
from runplan.dsl.expr.tree import words
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import Rule
from runplan.dsl.syntax.pack_views import RuleHead
from runplan.dsl.syntax.tree import Node, text_of
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal

SEVERITIES: tuple[Severity | Literal["note"], ...] = ("error", "warning", "info", "note")


def rule(reader: Definitions, node: Node) -> Rule | None:
    """One `rule` block; None, with a finding, where it lacks what it needs to be tried."""
    head = RuleHead(node)
    severity = next((s for s in SEVERITIES if s == head.severity.text), None)
    if severity is None:
        reader.unknown("severity", head.severity, SEVERITIES)
        return None
    said = [item for item in head.block.nodes() if item.rule.startswith("rule_")]
    reader.given_once((item.rule, item.rule.removeprefix("rule_"), item.span) for item in said)
    parts: dict[str, Node] = {}
    for item in said:
        parts.setdefault(item.rule.removeprefix("rule_"), item)
    missing = next((part for part in ("when", "says") if part not in parts), None)
    if missing is not None:
        reader.findings.append(finding("P001", f"rule `{head.code.text}` has no `{missing}`", head.code.span))
        return None
    when = reader.expr(next(parts["when"].nodes()))
    texts = {part: parts[part].word(0) for part in ("says", "help", "blames") if part in parts}
    rows = parts["rows"].words() if "rows" in parts else ()
    return Rule(
        code=head.code.text,
        name=head.name.text,
        severity=severity,
        rows=tuple(int(reader.number(word)) for word in rows),
        when=when,
        says=text_of(texts.get("says")),
        help=text_of(texts.get("help")),
        blames=text_of(texts.get("blames")),
        cites=tuple(reader.cite(item) for item in head.block.nodes("law_cites")),
        notes=reader.notes(head.block),
        breaks=_example(parts.get("breaks")),
        keeps=_example(parts.get("keeps")),
        span=head.code.span,
        asks=words(when),
        needs=needed(when),
        places={part: word.span for part, word in texts.items()},
    )


def _example(node: Node | None) -> tuple[Span, ...]:
    """The statements of an example plan."""
    block = node.node("plan_block") if node else None
    return tuple(item.span for item in block.nodes()) if block else ()
