"""A derivation as JSON text, `plan.explain/v1`."""

from __future__ import annotations

from runplan.cli.show.derivation.content import Derivation, Node, derivation
from runplan.cli.show.derivation.explained import Explained
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.engine.documents.decision import decision_document
from runplan.engine.documents.figures import quantity
from runplan.engine.documents.worth import swings_document


def render(explained: Explained, look: Look = PLAIN) -> str:
    """The document as text."""
    found = derivation(explained.solution, explained.name, explained.depth)
    anew = {
        "changes": swings_document(explained.solution, explained.of),
        "decision": decision_document(explained.plan, explained.solution),
    }
    return document_text(document(found) | anew)


def document(found: Derivation) -> dict[str, object]:
    """The derivation as plain data: every value once, with the names of its inputs, the one asked for first."""
    return {
        "schema": "plan.explain/v1",
        "law": found.solution.law,
        "resolved": found.solution.resolved,
        "status": found.solution.status,
        "quantity": str(found.name),
        "nodes": [_node(str(name), node) for name, node in found.nodes.items()],
    }


def _node(name: str, node: Node) -> dict[str, object]:
    value = node.value
    out: dict[str, object] = {"name": name, "label": node.label, **quantity(value), "kind": value.kind}
    texts = {
        "formula": plain(value.formula),
        "substituted": node.substituted,
        "note": plain(value.note),
        "source": plain(value.source),
        "law": plain(value.by),
    }
    out |= {key: text for key, text in texts.items() if text}
    if value.span is not None:
        out |= {"file": value.span.source.path, "line": value.span.line}
    return {**out, "inputs": [str(name) for name in node.inputs]}
