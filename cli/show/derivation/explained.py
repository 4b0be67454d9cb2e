"""What `plan explain` is asked: a value of a plan's solution, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass

from runplan.cli.show.derivation.names import target
from runplan.dsl.packs.catalogue import Catalogue
from runplan.dsl.plan.ir import Plan
from runplan.engine.analysis.sensitivity import Change, changes
from runplan.engine.problem.solution import Solution


@dataclass(frozen=True, slots=True)
class Explained:
    """A value of a plan's solution, by name; the catalogue is the one that the plan was solved by."""

    plan: Plan
    solution: Solution
    name: str
    catalogue: Catalogue

    def changes(self) -> tuple[Change, ...]:
        """What would change the value, the strongest first; the plan is solved anew for each."""
        return changes(self.plan, self.solution, target(self.solution, self.name), self.catalogue)
