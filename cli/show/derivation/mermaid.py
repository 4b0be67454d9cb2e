"""A derivation as a Mermaid flowchart, inputs above what they go into."""

from __future__ import annotations

import re

from runplan.cli.show.derivation.content import Derivation, derivation
from runplan.cli.show.derivation.explained import Explained
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.problem.parts import Kind

# Colours that read on a light and on a dark page: what was given, assumed, found.
_CLASSES: dict[Kind, str] = {
    "given": "fill:#e6f4ea,stroke:#34a853,color:#202124",
    "assumed": "fill:#fef7e0,stroke:#f9ab00,color:#202124",
    "derived": "fill:#ffffff,stroke:#5f6368,color:#202124",
    "law": "fill:#e8f0fe,stroke:#4285f4,color:#202124",
    "constant": "fill:#f1f3f4,stroke:#9aa0a6,color:#202124",
    "solved": "fill:#f3e8fd,stroke:#a142f4,color:#202124",
}


def render(explained: Explained, look: Look = PLAIN) -> str:
    """The flowchart."""
    return flowchart(derivation(explained.solution, explained.name, explained.depth))


def flowchart(found: Derivation) -> str:
    """A box a value, with its figure, formula and source."""
    ids = {name: f"n{i}" for i, name in enumerate(found.nodes)}
    lines = ["flowchart TD"]
    for name, node in found.nodes.items():
        texts = [f"{node.label} = {node.figure}", node.formula, node.source]
        label = "<br>".join(_escaped(text) for text in texts if text)
        lines.append(f'    {ids[name]}["{label}"]:::{node.value.kind}')
    for name, node in found.nodes.items():
        lines += [f"    {ids[child]} --> {ids[name]}" for child in node.inputs if child in ids]
    used = {node.value.kind for node in found.nodes.values()}
    lines += [f"    classDef {kind} {style}" for kind, style in _CLASSES.items() if kind in used]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Text for a quoted label: what would end it, or is markup in it, as an entity."""
    return re.sub(r"[^\w\s.,:/()+*=^%-]", lambda match: f"#{ord(match[0])};", text)
