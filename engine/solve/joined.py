"""Parts of a problem that each bend well in logarithms or in figures, and hang together by single variables.

Sizes, tokens and money multiply: what is asked of them is convex in logarithms. Phases and sources add up: what is
asked of them is convex in figures. A plan asks both, and its problem is convex in neither.

**Where every valley is the lowest.** Say that each limit and goal belongs to one of some parts: those of one part are
convex in logarithms, those of each other part in figures, and a part of figures has at most one variable, its *hinge*,
in common with all that is not of it. From any point that keeps the limits there is a path to any other: in logarithms
straight; and in each part of figures straight as well, and as fast as its hinge moves on the first. A hinge goes only
up, or only down, so that both paths are one. Each limit holds along it, since it holds at both ends. A goal that is
lower at the other end falls from the start on: it is convex, in logarithms or in figures, and one runs with the other
in one way. So where no small step is better, nothing is; and what the goals in turn leave is of the same form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name


@dataclass(frozen=True, slots=True)
class Item:
    """A limit, or a goal.

    Attributes:
        of: The variables that it hangs on.
        in_logarithms, in_figures: Whether it is proven convex in these.
    """

    of: frozenset[Name]
    in_logarithms: bool
    in_figures: bool


def has_one_valley(items: Sequence[Item]) -> bool:
    """Whether limits and goals fall into parts of which each bends well, joined by one variable at most."""
    bent = [item for item in items if not item.in_logarithms]
    multiplied = frozenset(name for item in items if not item.in_figures for name in item.of)
    return all(item.in_figures and len(_part(item.of, items, multiplied) & multiplied) <= 1 for item in bent)


def _part(start: Iterable[Name], items: Sequence[Item], multiplied: Collection[Name]) -> frozenset[Name]:
    """The variables of the part of figures with some of them: all that hangs on one which nothing multiplies."""
    found = set(start)
    while True:
        inner = found - set(multiplied)
        more = {name for item in items if not inner.isdisjoint(item.of) for name in item.of} - found
        if not more:
            return frozenset(found)
        found |= more
