"""A figure of a plan and another one to the text that is written in its place, with the words that it stands among."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op
from runplan.dsl.plan.ir import Requirement
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.engine.problem.solution import Change

# The words before a figure that say what it is a figure of, on its line, and after a count what it is a count of.
_BEFORE = pattern(
    r"""(?:
        (?P<key> (?:\b(?:data|phase)\s+)? (?:"[^"\n]*" | '[^'\n]*' | [\w.-]+) \s*:\s* )
      | (?P<word> (?<![\w.-]) (?:for|at|from|until|weight|tokens|model|compute|in\s+nodes\s+of) \s+ | @\s* )
    )?
    (?P<bound> (?<![\w.-]) (?:up\s+to | at\s+least | at\s+most) \s+ )? $""",
    re.VERBOSE,
)
_COUNTED = pattern(r"[ \t]*\b(?:(?:x|of)[ \t]+(?:\"[^\"\n]*\"|[\w.-]+)|active\b)")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a figure stands in a plan.

    Attributes:
        span: What is replaced; empty where the plan does not say it, and it is added.
        among: The figures that it is told with, such as both ends of a range.
    """

    span: Span
    among: Span

    def told(self, new: str) -> str:
        """What the plan says there with another text in its place: `for 85.3 days`, `tokens: 703.4B`, `728 x H100`."""
        text = self.among.source.text
        begin, end = self.among.start, self.among.end
        before = _BEFORE.search(text, text.rfind("\n", 0, begin) + 1, begin)
        assert before is not None, "it may be empty"
        counted = _COUNTED.match(text, end)
        start = before.start("bound") if counted and before["bound"] else begin if counted else before.start()
        own = text[start : self.span.start] + new + text[self.span.end : counted.end() if counted else end]
        return " ".join(own.split())


def put(spot: Spot, new: str, said: str, of: str = "") -> Change:
    """Another text in a place."""
    return Change(said, spot.told(new), ((spot.span, new),), of)


def together(changes: Iterable[Change]) -> Change:
    """Changes that are made at once."""
    every = tuple(changes)
    said, text = " with ".join(one.said for one in every), "` with `".join(one.text for one in every)
    return Change(said, text, tuple(edit for one in every for edit in one.edits))


def required(requirement: Requirement | None, old: Expr, new: Num, said: str) -> Change:
    """A requirement with another figure in it.

    Args:
        old: The figure, as it stands in the condition.
        said: The comparison with the new figure.
    """
    if requirement is None:
        return Change(said, said)
    condition = _with(requirement.condition, old, new)
    if condition is requirement.condition:  # what is kept is said in other words than it
        single = isinstance(condition, Op) and condition.op in COMPARISONS
        return Change(said, said, ((requirement.span, said),) if single else ())
    whole, figure = requirement.span, old.span
    if figure is None or not (figure.source is whole.source and whole.start <= figure.start <= figure.end <= whole.end):
        text = shown(condition)
        return Change(said, text, ((whole, text),))
    # Both comparisons of `loss in 2.0 .. 2.2` are all of its text, so that it cannot be put together from their texts.
    written = whole.source.text
    text = written[whole.start : figure.start] + new.text + written[figure.end : whole.end]
    return Change(said, " ".join(text.split()), ((figure, new.text),))


def _with(condition: Expr, old: Expr, new: Expr) -> Expr:
    """A condition with another expression in the place of one of its own; itself where that is not in it."""
    if condition is old:
        return new
    if not isinstance(condition, Op):
        return condition
    args = tuple(_with(arg, old, new) for arg in condition.args)
    return condition if all(a is b for a, b in zip(args, condition.args, strict=True)) else Op(condition.op, args)
