"""What `plan explain` is asked: a value of a plan's solution, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass

from runplan.cli.show.derivation.names import target
from runplan.dsl.expr.name import Name
from runplan.engine.analysis.sensitivity import Change, changes
from runplan.engine.problem.solution import Solution


@dataclass(frozen=True, slots=True)
class Explained:
    """A value of a plan's solution, by name, and how deep its tree is shown; all of it unless said."""

    solution: Solution
    name: Name
    depth: int | None = None

    def changes(self) -> tuple[Change, ...]:
        """What would change the value, the strongest first; the problem is solved anew for each."""
        return changes(self.solution, target(self.solution, self.name))
