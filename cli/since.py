"""Checks of plans to what is left of them that a commit did not find: the findings of a change, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runplan.cli.stream import tell
from runplan.cli.then import Then, rests_alike, side_of
from runplan.dsl.dataclass import replace
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.alike import known
from runplan.engine.differences.sides import is_same

if TYPE_CHECKING:
    from runplan import Project
    from runplan.engine.gate import Gate


def new_since(
    checked: Iterable[tuple[Project, Gate]], then: Then, check: Callable[[Project, str], Gate]
) -> tuple[list[Gate], int]:
    """The checks without what the same checks of a commit found, and how many findings that are.

    A finding that has grown since is new. What keeps a plan from being read or solved is told no more where the commit
    had it, too, and decides all the same.

    Args:
        checked: Each with the project of its plan.
        check: The check of a plan of a project.
    """
    pairs = list(checked)
    was = then.names_of(dict.fromkeys(gate.verdict.file for _, gate in pairs))
    left, count = [], 0
    for project, gate in pairs:
        file = was[gate.verdict.file]
        before = None if file is None else _before(then, file, project, gate, check)
        shown = gate if before is None else _without(gate, before, {str(file): gate.verdict.file})
        left.append(shown)
        count += len(gate.findings) - len(shown.findings)
    return left, count


def _before(then: Then, file: str, now: Project, gate: Gate, check: Callable[[Project, str], Gate]) -> Gate | None:
    """The check of a plan as it was; None where it could not be checked then, so that all that is found is new.

    What says the same and rests on the same is not solved again.
    """
    try:
        path, project = then.projects.of(file)
        alike = path == gate.verdict.file and rests_alike(project, now)
        if alike and is_same(side_of(project, path), side_of(now, path)):
            return gate
        return check(project, path)
    except (BadConfig, OSError) as error:
        tell(f"plan check: {file} could not be checked as of {then.revision.ref}: {error}")
        return None


def _without(gate: Gate, before: Gate, renamed: Mapping[str, str]) -> Gate:
    told = list(zip(gate.findings, known(gate.findings, before.findings, renamed), strict=True))
    places = {(f.code, f.at.span.start) for f, old in told if old and gate.verdict.solved and f.silenceable}
    by = tuple(f for f in gate.verdict.by if (f.code, f.at.span.start) not in places)
    shown = tuple(found for found, old in told if not old)
    return replace(gate, findings=shown, verdict=replace(gate.verdict, by=by))
