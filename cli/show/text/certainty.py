"""A solution to the words that says what proves that no plan is better, or that nothing does."""

from __future__ import annotations

from runplan.engine.problem.solution import Solution
from runplan.engine.solve.search import STARTS


def proof(solution: Solution) -> str:
    """What proves that nothing is better by what is wanted first; empty where nothing is chosen."""
    problem = solution.problem
    if solution.status != "solved" or not (problem.variables and problem.goals):
        return ""
    if solution.certainty == "convex":
        return "this is the best there is: the problem is convex in logarithms"
    if solution.certainty == "bounds":
        share = f"{100 * solution.gap:.1g}" if solution.gap else "0"
        return f"none is better by more than {share} %: bounds on all that there are prove it"
    return f"this is a local optimum, the best of {STARTS + 1} searches: nothing proves that none is better"
