"""What `plan explain` is asked: a value of a plan's solution, and what would change it."""

from __future__ import annotations

from runplan.cli.show.derivation.names import target
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.plan.ir import Plan
from runplan.engine.analysis.tornado import Swing, swings
from runplan.engine.decide.alone import Alone, decided_alone
from runplan.engine.problem.solution import Solution


@dataclass(frozen=True, slots=True)
class Explained:
    """A value of a plan's solution, by name, and how deep its tree is shown; all of it unless said."""

    plan: Plan | None
    solution: Solution
    name: Name
    depth: int | None = None

    @property
    def of(self) -> Name:
        """The value that the name stands for."""
        return target(self.solution, self.name)

    def swings(self) -> tuple[Swing, ...]:
        """The figures that matter most to it; the plan is solved anew for each end of each."""
        return swings(self.solution, self.of)

    def decided(self) -> Alone | None:
        """Where what the plan chooses changes, and what is worth knowing for it."""
        return None if self.plan is None else decided_alone(self.plan, self.solution)
