"""A plan that is read to its solutions: solved, verified, analysed, and laid out on its devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.analysis.ranges import ends_of, spread
from runplan.engine.layout.fit import ALL, GLANCE, Kept, Look, with_memory
from runplan.engine.layout.short import needs_more
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.read import Read
from runplan.engine.solve.solve import solve
from runplan.engine.solve.verify import verify

if TYPE_CHECKING:
    from runplan.engine.scatter.work import Workers


def first_solution(read: Read) -> Solution | None:
    """The solution of a plan under the law that decides, without intervals; None where it cannot be solved."""
    return next(solutions_of(read, False), None)


def solutions_of(
    read: Read,
    intervals: bool,
    *,
    why: bool = True,
    draws: int | None = None,
    workers: Workers | None = None,
    look: Look | None = ALL,
    about: str = "",
) -> Iterator[Solution]:
    """The solution of a plan under each law, with how likely it keeps what it requires, and how it lies on devices.

    Args:
        why: See `solve`.
        look: How closely to look at that; None where nothing that is asked, or required, hangs on it.
        about: The value that is asked for, as it is written, where that is one: of others no interval is told.
    """
    plan = read.plan
    if plan is None:
        return

    def found(problem: Problem) -> Solution:
        solution = solution_of(problem, intervals, why=why, draws=draws, workers=workers, about=about)
        if intervals and plan.requires:
            from runplan.engine.analysis.odds import with_odds

            solution = with_odds(plan, solution, about)
        verify(solution)
        return solution

    kept: Kept = {}
    for problem in read.problems():
        solution = found(problem)
        yield solution if look is None else _laid_out(plan, solution, read.catalogue, found, look, kept)


def within_memory(
    plan: Plan,
    solution: Solution,
    catalogue: Library,
    found: Callable[[Problem], Solution],
    look: Look,
    kept: Kept,
) -> tuple[Solution, Solution]:
    """A solution, and the same with the memory that it takes; where it breaks what is required of that, and more
    devices or a smaller model keep it, both are of the problem with these.

    Args:
        found: Solves a problem.
        kept: See `with_memory`.
    """
    laid = with_memory(plan, solution, catalogue, look, kept)
    if needs_more(plan, laid, catalogue):
        from runplan.engine.layout.bound import bounded, with_size

        problem = bounded(plan, solution, laid, catalogue)
        again = found(problem) if problem is not None else solution
        if problem is not None and again.status == "solved":
            solution, laid = again, with_memory(plan, again, catalogue, look, kept)
        laid = with_size(plan, solution, laid, catalogue)
    return solution, laid


def bare_solution(read: Read, problem: Problem) -> Solution:
    """The solution of a problem of a plan without intervals, and without what it conflicts with; of the devices and
    size with which it keeps what is required of memory, as `plan solve` has them.
    """
    assert read.plan is not None, "it has a problem"

    def found(problem: Problem) -> Solution:
        return solution_of(problem, intervals=False, why=False)

    return within_memory(read.plan, found(problem), read.catalogue, found, GLANCE, {})[0]


def _laid_out(
    plan: Plan,
    solution: Solution,
    catalogue: Library,
    found: Callable[[Problem], Solution],
    look: Look,
    kept: Kept,
) -> Solution:
    """A solution with how its model lies on the devices; one that breaks what is required of their memory is found
    anew, with what keeps it."""
    solution, laid = within_memory(plan, solution, catalogue, found, look, kept)
    if any(len(stage.hardware) > 1 for stage in plan.stages):
        from runplan.engine.layout.pools import with_pools

        laid = with_pools(plan, laid, catalogue, look)
    if plan.outer.inference is not None:
        from runplan.engine.layout.serve import with_serving

        laid = with_serving(plan, solution, laid, catalogue)
    return laid


def solution_of(
    problem: Problem,
    intervals: bool,
    *,
    why: bool = True,
    draws: int | None = None,
    workers: Workers | None = None,
    about: str = "",
) -> Solution:
    """The solution of a problem; with ranges on what nature decides at their middle, with what the ends make of it.

    Args:
        why: See `solve`.
        draws, workers: See `report_of`.
        about: See `solutions_of`.
    """

    def analysed(problem: Problem, why: bool = why) -> Solution:
        solution = _analysed(problem, why)
        return _with_intervals(solution, draws, workers, about) if intervals else solution

    worst, best = ends_of(problem)
    if not worst:
        return analysed(problem)
    # A conflict is told of the worst end alone: what conflicts elsewhere conflicts there.
    middle, at_worst = analysed(problem, False), analysed(problem.at(worst))
    if middle.status == "infeasible" and why:
        from runplan.engine.solve.conflict import beside

        middle = beside(middle.problem, at_worst.conflicts) if at_worst.status == "infeasible" else analysed(problem)
    return spread(middle, at_worst, analysed(problem.at(best), False))


def _analysed(problem: Problem, why: bool) -> Solution:
    """The solution of a problem, with what it is worth over a life."""
    solution = solve(problem, why=why)
    # What a plain check has no use for is imported where it is: docs/design/0004-what-check-does-not-import.md.
    if q.INFERENCE_TOKENS in solution.values:
        from runplan.engine.analysis.lifetime import with_lifetime

        solution = with_lifetime(solution)
    return solution


def _with_intervals(solution: Solution, draws: int | None, workers: Workers | None, about: str) -> Solution:
    """The solution with what it may lose, and with its intervals."""
    from runplan.engine.analysis.certainty import with_bounds
    from runplan.engine.analysis.intervals import with_intervals
    from runplan.engine.analysis.regret import with_regret

    solution = with_bounds(solution)
    if not about or about == q.REGRET.text:
        solution = with_regret(solution)
    return with_intervals(solution, draws, workers, about)
