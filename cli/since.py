"""Checks of plans to what is left of them that a commit did not find: the findings of a change, and no others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from runplan.cli.baseline import SAME, off
from runplan.cli.stream import tell
from runplan.cli.then import Then
from runplan.dsl.dataclass import replace
from runplan.dsl.syntax.changes import slot_at
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.codes import RANK, silenceable
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan import Project
    from runplan.engine.gate import Gate

# The code, the file and the statement: no line and no figure, which move.
Who = tuple[str, str, str]
# How severe and how far off.
Size = tuple[int, float]


def new_since(gates: Sequence[Gate], then: Then, check: Callable[[Project, str], Gate]) -> tuple[list[Gate], int]:
    """The checks without what the same checks of a commit found, and how many findings that are.

    A finding that has grown since is new. What keeps a plan from being read or solved is told no more where the commit
    had it, too, and decides all the same.

    Args:
        check: The check of a plan of a project.
    """
    was = then.names_of(dict.fromkeys(gate.verdict.file for gate in gates))
    left, known = [], 0
    for gate in gates:
        file = was[gate.verdict.file]
        before = None if file is None else _checked(then, file, check)
        shown = gate if before is None else _without(gate, before, {str(file): gate.verdict.file})
        left.append(shown)
        known += len(gate.findings) - len(shown.findings)
    return left, known


def _checked(then: Then, file: str, check: Callable[[Project, str], Gate]) -> Gate | None:
    """The check of a plan as it was; None where it could not be checked then, so that all that is found is new."""
    try:
        path, project = then.projects.of(file)
        return check(project, path)
    except (BadConfig, OSError) as error:
        tell(f"plan check: {file} could not be checked as of {then.revision.ref}: {error}")
        return None


def _without(gate: Gate, before: Gate, renamed: Mapping[str, str]) -> Gate:
    known: dict[Who, list[Size]] = {}
    for found in before.findings:
        known.setdefault(_who(found, renamed), []).append(_size(found))

    def is_known(found: Finding) -> bool:
        there, (rank, far) = known.get(_who(found, {}), []), _size(found)
        # The tightest that it fits: another that is alike may be further off.
        fits = min((one for one in there if one[0] <= rank and far <= one[1] * SAME), default=None, key=_further)
        if fits is not None:
            there.remove(fits)
        return fits is not None

    told = [(found, is_known(found)) for found in gate.findings]
    places = {(f.code, f.at.span.start) for f, known in told if known and gate.verdict.solved and silenceable(f.code)}
    by = tuple(f for f in gate.verdict.by if (f.code, f.at.span.start) not in places)
    shown = tuple(found for found, known in told if not known)
    return replace(gate, findings=shown, verdict=replace(gate.verdict, by=by))


def _further(size: Size) -> Size:
    return -size[0], size[1]


def _size(found: Finding) -> Size:
    return RANK[found.severity], off(found)


def _who(found: Finding, renamed: Mapping[str, str]) -> Who:
    source = found.at.span.source
    if found.key and "[" not in found.key:
        where = found.key
    else:
        where = ": ".join(slot_at(syntax_of(source)[0].statements, found.at.span.start))
    path = source.path.replace(os.sep, "/")
    return found.code, renamed.get(path, path), where
