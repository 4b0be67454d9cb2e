"""A file, in the spelling that its name tells, to its comments."""

from __future__ import annotations

from runplan.dsl.syntax.comments import comments
from runplan.dsl.syntax.tree import Word
from runplan.dsl.text.source import Source


def comments_of(source: Source) -> tuple[Word, ...]:
    """The comments of a file, each with its `#`."""
    if not source.in_yaml:
        return comments(source)
    from runplan.dsl.syntax.yaml import comments_in_yaml  # only where a plan is in it
    from runplan.dsl.syntax.yaml_values import composed

    return comments_in_yaml(source, composed(source)[0])
