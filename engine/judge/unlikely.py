"""What a plan asks of a probability, and what is not as likely, to its finding: how likely it is, and what would do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import clauses, kleene, parts, verdict, ways
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Op
from runplan.dsl.expr.values import compiled
from runplan.dsl.plan.ir import Requirement
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.later import Later
from runplan.engine.formulate.probable import chance_of, sides_of_chance
from runplan.engine.judge.changes import keeping
from runplan.engine.judge.requirements import budget_quantity, fits_with, fixes_of
from runplan.engine.problem.parts import Chance, Constraint
from runplan.engine.problem.solution import Change, Solution
from runplan.engine.solve.bound_knobs import chance_knobs
from runplan.engine.solve.rounding import DIGITS, TOLERANCE

# A share of draws is told to this many digits.
TOLD = 3


def unlikely(solution: Solution, requirement: Requirement) -> Iterator[Finding]:
    """The finding of what is to be likely by a requirement or preference, and is less so at what is chosen."""
    every = clauses(ways(requirement.condition))
    asked = [(each, part, chance) for each in every for part in parts(each) if (chance := chance_of(part)) is not None]
    if not asked:
        return
    # What a plan that asks for no probability has no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.solve.chances import is_likely, level_of
    from runplan.engine.solve.likely import Likely

    problem, values = solution.problem.settled(), {name: value.value for name, value in solution.values.items()}

    def holds(part: Expr) -> bool | None:
        chance = chance_of(part)
        if chance is None:
            return verdict(part, values, TOLERANCE)
        if not Likely.of(problem, chance.condition).is_told(values):
            return None
        return is_likely(problem, _of_chance(part, chance), values)

    for clause, part, chance in asked:
        own, likely = _of_chance(part, chance), Likely.of(problem, chance.condition)
        if kleene(clause, holds) or not likely.is_told(values):
            continue
        level, found = level_of(problem, own), likely.likelihood(values)
        inner = chance.condition
        negated = isinstance(inner, Op) and inner.op == "not"
        said = shown(inner.args[0] if isinstance(inner, Op) and negated else inner)
        share, limit = (1.0 - found.share, 1.0 - level) if negated else (found.share, level)
        budget = budget_quantity(problem, own.left, True)
        code = "B003" if requirement.soft else "B001" if budget else "B002"
        more = "at most " if negated else ""
        wanted = f"{requirement.by} {'prefers' if requirement.soft else 'asks for'} {more}{_share(limit)}"
        whole = "" if part is clause else f"`{requirement.span.said}` does not hold: "
        told = replace(own, requirement=requirement)
        changes = Later(partial(_changes, solution, told, share, requirement.budget is None))
        yield finding(
            code,
            f"{whole}`{said}` holds in {_share(share)} of draws; {wanted}",
            requirement.span,
            severity="warning" if requirement.soft else "error",
            notes=(f"because: {requirement.because}",) if requirement.because else (),
            help=Later(partial(fits_with, changes)),
            fixes=Later(partial(fixes_of, changes)),
            key=requirement.key,
            laws=(solution.law,),
            data={"quantity": f"P({said})", "value": round(share, 6), "limit": round(limit, 6), "unit": "1"},
        )
        return


def _of_chance(part: Expr, chance: Chance) -> Constraint:
    """A probability that is asked for as a constraint of its own."""
    return Constraint("kept", shown(part), *sides_of_chance(chance), "require", chance=chance)


def _share(share: float) -> str:
    return f"{100 * share:.{TOLD}g} %"


def _changes(solution: Solution, own: Constraint, share: float, ours: bool) -> list[Change]:
    """The bound, or the share, with which it would hold; and changes of what the plan gives, each of them solved.

    Args:
        ours: Whether it is the plan that requires it, so that it can say it otherwise.
    """
    from runplan.engine.solve.chances import is_likely, just_likely

    assert own.chance is not None
    problem, values = solution.problem, {name: value.value for name, value in solution.values.items()}
    told = just_likely(problem, own, values)
    held = []
    for knob in chance_knobs(problem, told, own.chance) if ours else ():
        nearest = share if knob.freed is None else float(compiled(knob.figure)(values))
        for digits in DIGITS:
            value = knob.written.rounded(nearest, nearest < knob.now, digits)
            (changed,) = knob.at(replace(problem, constraints=(told,)), value).constraints
            if is_likely(problem, changed, values):
                held.append(knob.change(value))
                break
    return [*held, *keeping(solution, own)]
