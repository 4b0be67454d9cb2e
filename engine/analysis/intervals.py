"""A solution to the same with the 80 % interval of each value: of its law's constants, and of what is assumed."""

from __future__ import annotations

import math
from functools import cached_property

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import written
from runplan.dsl.expr.tree import Num, Ref, names
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.analysis.resolve import Evaluator, evaluator
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import HIGH, LOW, drawn, is_uncertain, quantile_of_ordered, uncertain_constants
from runplan.engine.problem.parts import QUANTILE, leads_to
from runplan.engine.problem.points import Points
from runplan.engine.problem.seeded import DRAWS
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.likely import outcomes

if TYPE_CHECKING:
    from runplan.engine.scatter.work import Workers


def with_intervals(
    solution: Solution, draws: int | None = None, workers: Workers | None = None, about: str = ""
) -> Solution:
    """The solution with `low` and `high` of each value that the law's constants or what is assumed with a spread move.

    Where the law publishes no uncertainty a note says so.

    Args:
        draws: How many; as many as their cost allows unless said.
        workers: Who evaluates them; this process unless said.
        about: The value that is asked for, as it is written, where that is one: nothing is drawn that does not move it.

    Raises:
        NoWorker: Where those who are to evaluate the draws cannot.
    """
    if solution.status == "undecided" or not solution.values:
        return solution
    if about and (still := _unmoved(solution, about)) is not None:
        return replace(solution, samples=still)
    problem, law = solution.problem.deviating(), solution.problem.law
    if not is_uncertain(law):
        solution = replace(solution, interval_note=f"`{law.name}` publishes no uncertainty of its constants")
        if not problem.deviates:
            return solution
    work = Drawn(solution, draws)
    if workers is None:
        samples = work(0, work.count)
    else:
        from runplan.engine.scatter.order import in_order

        samples = Points.one_after_the_other(done.result for done in in_order(work, work.count, workers))
    values = {name: _with_ends(solution, value, samples, work.count) for name, value in solution.values.items()}
    return replace(solution, values=values, draws=work.count if work.count != DRAWS else 0, samples=samples)


def _unmoved(solution: Solution, about: str) -> Points | None:
    """A value, and those behind it, as they are in all draws; None where some of them may be others."""
    asked, problem = written(solution.values).get(about), solution.problem.deviating()
    if asked is None:
        return None
    behind = leads_to((Ref(asked),), problem.definitions)
    moved = {*problem.deviates, *uncertain_constants(problem.law), *(variable.name for variable in problem.variables)}
    if not moved.isdisjoint(behind) or not behind <= problem.definitions.keys():
        return None
    return Points(DRAWS, {name: value.value for name, value in solution.values.items() if name in behind})


@dataclass(frozen=True)
class Drawn:
    """The draws of what is uncertain of a solution, by number, to all values that the plan has then.

    Attributes:
        said: How many there are; as many as their cost allows where it is not said.
    """

    solution: Solution
    said: int | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return self.said or self._evaluator[1]

    @cached_property
    def _evaluator(self) -> tuple[Evaluator, int]:
        return evaluator_of(self.solution)

    @cached_property
    def _draws(self) -> Points:
        return drawn(self.solution.problem.deviating(), self.count)

    def __call__(self, start: int, stop: int) -> Points:
        """The values in the draws from `start` to `stop`, which is not among them, in which there is a plan."""
        evaluate, _ = self._evaluator
        return evaluate(self._draws.only(range(start, stop)))[1]

    def __reduce__(self) -> tuple[type[Drawn], tuple[Solution, int | None]]:
        return Drawn, (self.solution, self.said)


def evaluator_of(solution: Solution) -> tuple[Evaluator, int]:
    """All values at a draw: of a plan that asks how likely something is, with what it chooses held as it asks there."""
    if solution.problem.is_of_chance:
        values = {name: value.value for name, value in solution.values.items()}
        return Evaluator(outcomes(solution.problem.settled(), values)), DRAWS
    return evaluator(solution)


def _with_ends(solution: Solution, value: Value, samples: Points, count: int) -> Value:
    """A value with the ends of its interval; as it is where fewer than half of the draws have it, or it is fixed.

    Args:
        count: How many draws there are, with a plan and without.
    """
    assumed = solution.problem.definitions.get(value.name)
    uncertain = value.kind in ("derived", "law", "solved")
    uncertain |= assumed is not None and (assumed.spread is not None or bool(names(assumed.expr)))
    if not uncertain:
        return value
    still = samples.still.get(value.name)
    if still is not None and len(samples) == count and value.name.text != q.GPUS.text:
        return value  # the same in all draws
    found = sorted(samples.told(value.name)) if still is None else [still]
    many = len(found) if still is None else len(samples)
    if not many or many < count // 2:
        return value
    low, high = quantile_of_ordered(found, LOW), quantile_of_ordered(found, HIGH)
    if many < count and assumed is not None and assumed.spread and isinstance(assumed.expr, Num):
        far = math.exp(QUANTILE * assumed.spread)  # it may be what it may be, whether the plan can then be done or not
        low, high = value.value / far, value.value * far
    known = solution.problem.quantities.get(value.name.text)
    if known is not None and known.facts.per_cent and value.name != q.REGRET:
        low, high = max(low, 0.0), min(high, 1.0)  # what is a share of a whole
    if value.name.text == q.GPUS.text:
        low, high = float(math.floor(low)), float(math.ceil(high))
    if not (math.isfinite(low) and math.isfinite(high) and high - low > 1e-9 * abs(value.value)):
        return value
    return replace(value, low=min(low, value.value), high=max(high, value.value))
