"""A text of its own, such as a cell or an option, into the objective that it names."""

from __future__ import annotations

from runplan.dsl.syntax.parse import parse
from runplan.dsl.syntax.views import ObjectiveSpec
from runplan.dsl.text.source import Source, View
from runplan.dsl.typed.fields import OBJECTIVES


def objective_in(text: str, place: str) -> ObjectiveSpec | None:
    """What a text such as `MLM of protein` is trained for; None where it is no objective, or a mix of several.

    Args:
        place: What the text is of, as a file is called by its path.
    """
    node, findings = parse(View(text, Source(place, text)), "obj_spec")
    return None if node is None or findings or node.rule == "mixed" else ObjectiveSpec(node)


def is_known(spec: ObjectiveSpec) -> bool:
    """Whether laws may be for it; what is transferred may be between domains, of which there is no list."""
    return spec.node.rule != "single" or spec.said in OBJECTIVES.values()
