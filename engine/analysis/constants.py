"""A value of a solution to how far the constants of its law, drawn jointly, leave it open."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.engine.analysis.intervals import evaluator_of
from runplan.engine.problem.draws import HIGH, LOW, is_uncertain, of_constants, quantile
from runplan.engine.problem.points import Points
from runplan.engine.problem.solution import Solution

# Draws: enough for two digits of how far a value moves.
DRAWS = 200
# A value that moves by less than this share does not answer.
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Constants:
    """What a value comes to at the ends of the 80 % interval that the constants of a law alone give it.

    Attributes:
        low, high: In base units.
    """

    law: str
    before: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """What they are called."""
        return f"the constants of {self.law}"

    @property
    def width(self) -> float:
        """How far the value moves, at its furthest."""
        return max(abs(self.low - self.before), abs(self.high - self.before))


def constants_of(solution: Solution, name: Name) -> Constants | None:
    """How far a value moves with the constants of its law, all else as it is; None where it does not."""
    problem = solution.problem
    if solution.status != "solved" or not is_uncertain(problem.law) or name in solution.samples.still:
        return None
    if problem.deviates or not solution.samples:
        evaluate, most = evaluator_of(solution)
        middle, count = dict.fromkeys(problem.deviates, 0.0), min(most, DRAWS)
        _, samples = evaluate(Points.of_rows([{**middle, **draw} for draw in of_constants(problem.law, count)]))
    else:  # then they are all that was drawn
        samples, count = solution.samples, len(solution.samples)
    found = samples.told(name)
    before = solution.values[name].value
    if len(found) < count // 2 or not found:
        return None
    constants = Constants(problem.law.name, before, quantile(found, LOW), quantile(found, HIGH))
    return constants if constants.width > NOTHING * abs(before) else None
