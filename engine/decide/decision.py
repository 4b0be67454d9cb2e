"""Plans, or the laws of one, to a decision: what to choose, where that changes, and what is worth knowing for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Ref
from runplan.dsl.plan.ir import Plan
from runplan.engine.decide.candidates import Measure, best_of, broken_by, measure_of
from runplan.engine.decide.flips import Chosen, Flip, flips_of, nearest
from runplan.engine.decide.knowing import Knowing, knowing_of
from runplan.engine.decide.laws import UnderLaws, under_laws
from runplan.engine.decide.levers import Input, inputs_of
from runplan.engine.decide.standing import Standing
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution

# Of more laws than this it is not asked where the choice among them changes: it takes too long.
LAWS = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """What to choose of several plans, or of the choices of several laws.

    Attributes:
        measure: What plans are told apart by; None where laws judge each other's choices.
        choice: Its index; None where none holds.
        flips: Where that changes, the nearest first.
        knowing: The plans at joint draws; None where nothing is uncertain.
        laws: The plans under each law, where all are solved under several.
    """

    measure: Measure | None
    choice: int | None
    flips: tuple[Flip, ...]
    knowing: Knowing | None = None
    laws: UnderLaws | None = None


def decided(plans: Sequence[Plan], every: Sequence[Mapping[str, Solution]], *, losses: bool) -> Decision | None:
    """What to choose of several plans; None where there is nothing by which to choose.

    Args:
        every: The solutions of each by law; the first law decides.
        losses: Whether their losses may be compared.
    """
    solutions = [next(iter(by.values())) for by in every]
    if len(solutions) < 2 or any(solution.status == "undecided" for solution in solutions):
        return None
    problems = [solution.untaken or solution.problem for solution in solutions]
    standing = [Standing.of(problem) for problem in problems]
    outcomes = [each.outcome for each in standing]
    measure = measure_of(problems, outcomes, losses=losses)
    if measure is None:
        return None

    def choose(moved: Input, value: float) -> Chosen:
        there, own = moved.moved(problems, value), {index for index, _ in moved.levers}
        found = [standing[i].moved(each) if i in own else outcomes[i] for i, each in enumerate(there)]
        return Chosen(best_of(found, measure), lambda index: broken_by(there[index], found[index]))

    now = best_of(outcomes, measure)
    flips = nearest(flips_of(now, inputs_of(problems, [Ref(measure.name)]), choose))
    solved = all(solution.status == "solved" for solution in solutions)
    known = knowing_of(plans, solutions, measure) if solved else None
    return Decision(measure, now, flips, known, under_laws(every, measure))


def decided_by_laws(
    problems: Sequence[Problem], now: int | None, least_worst: Callable[[Sequence[Problem]], int | None]
) -> Decision | None:
    """Where the choice of least worst regret among those of several laws changes; None where there is none.

    Args:
        least_worst: The choice of least worst regret among the solutions of problems.
    """
    if now is None or not 1 < len(problems) <= LAWS:
        return None

    def choose(moved: Input, value: float) -> Chosen:
        found = least_worst(moved.moved(problems, value))
        return Chosen(now if found is None else found)  # where all cost the same, any will do

    return Decision(None, now, nearest(flips_of(now, inputs_of(problems, [Ref(q.COMPUTE)]), choose)))
