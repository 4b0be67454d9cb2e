"""A derivation as JSON text, `plan.explain/v1`."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.derivation.content import Derivation, Node, derivation
from runplan.cli.show.derivation.explained import Explained
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.engine.analysis.sensitivity import Change
from runplan.engine.document import amount, quantity
from runplan.engine.problem.problem import Constraint


def render(explained: Explained, look: Look = PLAIN) -> str:
    """The document as text."""
    found = derivation(explained.solution, explained.name, explained.depth)
    return document_text(document(found) | {"changes": _changes(explained.changes(), found.nodes[found.root.name])})


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


def _changes(found: Sequence[Change], root: Node) -> list[dict[str, object]]:
    """By which share each cause is moved, what the value is then, and how many per cent it goes up for one of it."""
    out: list[dict[str, object]] = []
    for change in found:
        span = change.cause.span
        place = {"file": span.source.path, "line": span.line} if span else {}
        elasticity = float(f"{change.elasticity:.4g}")
        kind = "given" if isinstance(change.cause, Constraint) else change.cause.kind
        to = amount(change.after, root.value.dim)
        out.append(
            {"name": change.text, "kind": kind, "step": change.step, "to": to, "elasticity": elasticity, **place}
        )
    return out
