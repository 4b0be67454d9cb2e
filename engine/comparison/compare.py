"""Reports to a comparison: laws, or plans, side by side, what each choice costs under the others, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Objective, Plan
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.types import TYPE_CHECKING, Literal
from runplan.dsl.units.show import show
from runplan.engine.analysis.counted import count_of
from runplan.engine.analysis.regret import regret_at, surface_of
from runplan.engine.comparison.rows import SAME, Column, losses, row, times
from runplan.engine.comparison.why import Why, reasons_of
from runplan.engine.formulate.alone import objective_of
from runplan.engine.formulate.formulate import formulate
from runplan.engine.judge.judge import beyond_of
from runplan.engine.laws.form import BUDGETS, CHOICES, functions_for, weighs, without_variants
from runplan.engine.numeric.sample import mean
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report
from runplan.engine.solve.reach import reached
from runplan.engine.solve.values import solved

if TYPE_CHECKING:
    from runplan.engine.decide.decision import Decision

# What a choice is, and what a law says of it.
JUDGED = (q.PARAMS, q.LAW_PARAMS, q.TOKENS, q.COMPUTE, q.LOSS, q.REGRET)
# Quantities whose spread is what the laws, or the plans, disagree about.
CHOSEN = ("params", "tokens")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a law says of a choice of params and tokens: its loss, and the extra compute, as a share, that it costs."""

    loss: float
    regret: float


@dataclass(frozen=True)
class Comparison:
    """Laws, or plans, side by side.

    Attributes:
        by: What the columns are.
        judges: Indices of the columns whose laws have a loss surface.
        verdicts: For each column what each judge says of its choice; None where the column has none.
        least_worst: Index of the choice whose worst regret is the least; None where nobody judges them, or all cost
            the same.
        losses: Why losses of the columns must not be compared; empty where they may be.
        findings: Those of the plans, and L002.
        files: How many plans there were, also those that cannot be read.
        decide: What to choose, and where that changes, computed when it is asked for.
    """

    by: Literal["law", "plan"]
    columns: tuple[Column, ...]
    judges: tuple[int, ...]
    verdicts: tuple[tuple[Verdict | None, ...], ...]
    least_worst: int | None
    losses: str
    reasons: tuple[Why, ...]
    findings: tuple[Finding, ...]
    files: int = 1
    decide: Callable[[], Decision | None] = lambda: None

    @cached_property
    def decision(self) -> Decision | None:
        """What to choose, and where that changes; None where there is nothing to choose by."""
        return self.decide()

    @property
    def knowing_law(self) -> float | None:
        """The compute, as a share, that it is worth to know which law is right, each being as likely.

        It is what the choice of least mean regret costs beyond the best choice under each law; None where nobody judges
        them, or a law has no opinion of one.
        """
        told = [[v.regret for v in said if v] for said in self.verdicts if said and all(said)]
        if len(self.judges) < 2 or len(told) < 2:
            return None
        return min(map(mean, told)) - mean(map(min, zip(*told, strict=True)))

    def worst(self, choice: int) -> float | None:
        """The worst regret of a column's choice; None where nobody judges it."""
        return max((verdict.regret for verdict in self.verdicts[choice] if verdict), default=None)


def fitting(plan: Plan, catalogue: Library, first: str, variants: bool = False) -> tuple[str, ...]:
    """A law, then by name every other one that is for the plan's objective, can choose a size and is not set aside.

    Args:
        variants: Whether `kaplan.joint` is taken where there is a `kaplan`. They are where there is nothing else.
    """
    known = catalogue.with_pack(plan.definitions)
    taken = known.law(first)
    fit = [law for law in known.laws() if law != taken and not law.aside]
    fit = [law for law in fit if can_choose(law, objective_of(plan))]
    fit = [law for law in fit if not _lacks(plan, law, known)]
    plain = without_variants(fit, [taken] if taken else [])
    return (first, *(law.name for law in (fit if variants or not plain else plain)))


def can_choose(law: Law, objective: Objective) -> bool:
    """Whether a law is for an objective and says of a budget how it is best spent."""
    if str(objective) not in law.objectives:
        return False
    for function in functions_for(law, objective):
        inputs = set(function.needs)
        line = function.output in CHOICES and len(inputs) == 1 and inputs < set(BUDGETS)
        if line or weighs(function) or function.output == "transferred_tokens":
            return True
    return False


def _lacks(plan: Plan, law: Law, catalogue: Library) -> bool:
    """Whether a plan asks of a law what it does not give, or the law asks of the plan what that does not say."""
    problem = formulate(plan, law, law.name, catalogue)
    given = problem.line is not None or not {q.LOSS, q.TRANSFERRED_TOKENS}.isdisjoint(problem.definitions)
    return not given or any(found.code == "L004" for found in problem.findings)


def compared_laws(report: Report, most: float | None = None) -> Comparison:
    """The laws of one plan side by side; `most` is the spread of params or tokens above which they disagree."""
    columns = tuple(Column(s.law, report, s, beyond_of(s)) for s in report.solutions)
    judges, verdicts = _judged(columns)
    least = _least_worst(verdicts)
    findings = (*report.findings, *_disagreement("laws", columns, most))
    reasons = tuple(reasons_of(columns))
    decide = partial(_decided_by_laws, columns, least)
    return Comparison("law", columns, judges, verdicts, least, losses(columns), reasons, findings, decide=decide)


def compared_plans(reports: Sequence[tuple[str, Report]], most: float | None = None) -> Comparison:
    """Several plans by name side by side, each under its first law; one that cannot be read has no column."""
    columns = tuple(
        Column(name, report, report.solutions[0], beyond_of(report.solutions[0]))
        for name, report in reports
        if report.solutions
    )
    nobody = tuple(() for _ in columns)
    findings = (
        *(found for _, report in reports for found in report.findings),
        *_disagreement("plans", columns, most),
    )
    reasons, apart = tuple(reasons_of(columns)), losses(columns)
    plans = [column.report.plan for column in columns if column.report.plan is not None]
    every = [{solution.law: solution for solution in column.report.solutions} for column in columns]
    decide = partial(_decided, plans, every, losses=not apart)
    return Comparison("plan", columns, (), nobody, None, apart, reasons, findings, len(reports), decide)


# ---- quantities


def _disagreement(who: str, columns: Sequence[Column], most: float | None) -> Iterator[Finding]:
    """Findings L002: params or tokens lie further apart than is allowed."""
    for name in CHOSEN if most is not None else ():
        found = row(columns, name)
        if found is None or found.spread is None or most is None or found.spread <= most * (1 + SAME):
            continue
        sides = [
            (value, column)
            for value, column in zip(found.values, columns, strict=True)
            if value is not None and column.solution.status == "solved"
        ]
        (low, least), (high, greatest) = (pick(sides, key=lambda side: side[0]) for pick in (min, max))
        dim, plan = found.dims[0], columns[0].report.plan
        assert plan is not None, "what has a solution has a plan"
        spans = {law.text: law.span for law in plan.laws}
        yield finding(
            "L002",
            f"the {who} disagree about {name}: {show(low, dim)} by `{least.name}`, {show(high, dim)} by "
            f"`{greatest.name}`, {times(found.spread)} where {times(most)} is allowed",
            spans.get(greatest.solution.law, spans.get(least.solution.law, plan.first_statement)),
            laws=tuple(dict.fromkeys((least.solution.law, greatest.solution.law))),
            key=f"spread {name}",
            data={"quantity": name, "value": found.spread, "limit": most, "unit": "1"},
        )


# ---- what each law says of the others' choices


def _judged(columns: Sequence[Column]) -> tuple[tuple[int, ...], tuple[tuple[Verdict | None, ...], ...]]:
    judges = tuple(
        i
        for i, column in enumerate(columns)
        if column.solution.status == "solved"
        and not column.solution.lends
        and surface_of(column.solution)
        and _has_surface(column.solution)
    )
    verdicts = tuple(tuple(verdict_on(column.solution, columns[i].solution) for i in judges) for column in columns)
    return judges, verdicts


def _has_surface(solution: Solution) -> bool:
    functions = functions_for(solution.problem.law, solution.problem.objective)
    return any(map(weighs, functions))


def verdict_on(choice: Solution, judge: Solution) -> Verdict | None:
    """What a law with a loss surface says of the params and tokens that another one chose for the same plan."""
    if choice.status != "solved":
        return None
    env: dict[Name, float] = {}
    for variable in judge.problem.variables:
        name = variable.name
        value = choice.get("params" if name == q.LAW_PARAMS else name)
        if value is None:
            return None
        env[name] = count_of(judge, value) if name == q.LAW_PARAMS else value
    is_its_own = all(judge.get(name) == value for name, value in env.items())
    there = judge if is_its_own else solved(judge.problem, env, about=JUDGED)
    loss, regret = there.get("loss"), regret_at(there)
    return None if loss is None or regret is None else Verdict(loss, regret)


# Laws that have nothing to choose by have no use for what decides: docs/design/0004-what-check-does-not-import.md.


def _decided(plans: Sequence[Plan], every: Sequence[Mapping[str, Solution]], *, losses: bool) -> Decision | None:
    from runplan.engine.decide.decision import decided

    return decided(plans, every, losses=losses)


def _decided_by_laws(columns: Sequence[Column], least: int | None) -> Decision | None:
    """Where the choice of least worst regret becomes that of another law."""
    solutions = [column.solution for column in columns]
    if least is None or any(solution.status != "solved" or solution.lends for solution in solutions):
        return None
    from runplan.engine.decide.decision import decided_by_laws

    judging = {i for i, solution in enumerate(solutions) if surface_of(solution) and _has_surface(solution)}

    def least_worst(problems: Sequence[Problem]) -> int | None:
        found = [reached(problem) for problem in problems]
        if not all(one.is_optimal for one in found):
            return None
        there = [solved(one.problem, one.found.values, about=JUDGED) for one in found]
        return _least_worst([[verdict_on(choice, there[i]) for i in sorted(judging)] for choice in there])

    return decided_by_laws([solution.problem for solution in solutions], least, least_worst)


def _least_worst(verdicts: Sequence[Sequence[Verdict | None]]) -> int | None:
    """The choice whose worst regret is the least, among those that all judges have an opinion of; of some that are as
    good, such as one that several laws make, the first."""
    worst = {i: max(v.regret for v in said if v) for i, said in enumerate(verdicts) if said and all(said)}
    if not worst or max(worst.values()) - min(worst.values()) <= SAME:
        return None
    return next(i for i, regret in worst.items() if regret <= min(worst.values()) + SAME)
