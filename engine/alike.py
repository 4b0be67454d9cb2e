"""Findings of two checks to those that only one has: a finding is known by what it is about, and not by its line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from runplan.dsl.syntax.changes import slot_at
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding

# By how much a figure may be further off than it was: what rounding in the solver does.
SAME = 1 + 1e-6

# The code, the file, and the rule or the statement: no line and no figure, which move.
Who = tuple[str, str, str]
# How severe and how far off.
Size = tuple[int, float]


def known(
    found: Sequence[Finding], before: Sequence[Finding], renamed: Mapping[str, str], *, grown: bool = False
) -> tuple[bool, ...]:
    """For each finding whether another check has it, too.

    Args:
        before: The findings of the other check.
        renamed: What files of the other check are called in this one, where that is another name.
        grown: Whether one that is further off, or more severe, is the same still.
    """
    there: dict[Who, list[Size]] = {}
    for one in before:
        there.setdefault(_who(one, renamed), []).append(size_of(one))

    def is_known(one: Finding) -> bool:
        sizes, (rank, far) = there.get(_who(one, {}), []), size_of(one)
        # The tightest that it fits: another that is alike may be further off.
        fit = [size for size in sizes if grown or (size[0] <= rank and far <= size[1] * SAME)]
        if fit:
            sizes.remove(min(fit, key=lambda size: (abs(size[0] - rank), size[1])))
        return bool(fit)

    return tuple(map(is_known, found))


def off(found: Finding) -> float:
    """How far a figure is beyond its limit, as a factor; 1 where the finding has no figures."""
    value, limit = found.data.get("value"), found.data.get("limit")
    if isinstance(value, float | int) and isinstance(limit, float | int) and value > 0 and limit > 0:
        return max(value / limit, limit / value)
    factor = found.data.get("factor")
    return float(factor) if isinstance(factor, float | int) and factor > 0 else 1.0


def size_of(found: Finding) -> Size:
    """How severe a finding is, and how far off."""
    return RANK[found.severity], off(found)


def _who(found: Finding, renamed: Mapping[str, str]) -> Who:
    source = found.at.span.source
    if found.key and "[" not in found.key:
        where = found.key
    else:
        where = ": ".join(slot_at(syntax_of(source)[0].statements, found.at.span.start))
    path = source.path.replace(os.sep, "/")
    return found.code, renamed.get(path, path), where
