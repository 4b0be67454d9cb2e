"""Several plans, each solved under the same laws, to what choosing each costs under each law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.engine.decide.candidates import Measure, Outcome, best_of
from runplan.engine.numeric.sample import mean
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.margin import broken_of


@dataclass(frozen=True, slots=True)
class UnderLaws:
    """What plans come to under each of several laws, in the measure by which they are told apart.

    Attributes:
        best: For each law the plan to choose.
        regrets: For each plan, and in it for each law, by how much it is worse than that, in base units of the measure;
            None where it does not hold.
    """

    laws: tuple[str, ...]
    best: tuple[int, ...]
    regrets: tuple[tuple[float | None, ...], ...]

    def worst(self, plan: int) -> float | None:
        """The largest regret of a plan; None where it does not hold under each law."""
        told = [regret for regret in self.regrets[plan] if regret is not None]
        return max(told) if len(told) == len(self.laws) else None

    @property
    def least_worst(self) -> int | None:
        """The plan whose worst regret is the least."""
        told = {i: worst for i in range(len(self.regrets)) if (worst := self.worst(i)) is not None}
        return min(told, key=lambda i: told[i]) if told else None

    @property
    def knowing_law(self) -> float | None:
        """What it is worth to know which law is right, each being as likely: the least mean regret of a plan."""
        whole = [[r for r in row if r is not None] for row in self.regrets]
        return min((mean(row) for row in whole if len(row) == len(self.laws)), default=None)


def under_laws(plans: Sequence[Mapping[str, Solution]], measure: Measure) -> UnderLaws | None:
    """Plans under the laws that all of them are solved under; None where these are fewer than two.

    Args:
        plans: The solutions of each by law.
    """
    common = [law for law in plans[0] if all(law in plan for plan in plans)]
    columns = [found for law in common if (found := _under(law, [plan[law] for plan in plans], measure)) is not None]
    if len(columns) < 2:
        return None
    regrets = tuple(tuple(one.regrets[i] for one in columns) for i in range(len(plans)))
    return UnderLaws(tuple(one.law for one in columns), tuple(one.best for one in columns), regrets)


@dataclass(frozen=True, slots=True)
class _UnderLaw:
    """Plans under one law.

    Attributes:
        best: The one to choose.
        regrets: By how much each is worse, in base units of the measure; None for one that does not hold.
    """

    law: str
    best: int
    regrets: tuple[float | None, ...]


def _under(law: str, solutions: Sequence[Solution], measure: Measure) -> _UnderLaw | None:
    """The plan to choose under a law, and by how much each is worse; None where the law tells none."""
    outcomes = [_outcome(solution) for solution in solutions]
    best = best_of(outcomes, measure)
    if best is None:
        return None
    told = [measure.of(o.values) if o.values and o.holds and measure.name in o.values else None for o in outcomes]
    least = told[best]
    assert least is not None, "what is best is told"
    return _UnderLaw(law, best, tuple(None if value is None else max(0.0, value - least) for value in told))


def _outcome(solution: Solution) -> Outcome:
    """What became of a plan that is solved."""
    if solution.status != "solved":
        return Outcome(None)
    values = {name: value.value for name, value in solution.values.items()}
    return Outcome(lambda: values, tuple(sorted(broken_of(solution.problem, values))))
