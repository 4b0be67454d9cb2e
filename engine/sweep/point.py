"""One point of a sweep to its rows, a law each, by the way that any plan takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import PackFile
from runplan.dsl.packs.standard import standard
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Finding
from runplan.engine.layout.fit import Look, of_layout
from runplan.engine.pipeline import plan_at
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution
from runplan.engine.read import Read
from runplan.engine.report import Report
from runplan.engine.solutions import solutions_of
from runplan.engine.solve.conflict import conflicting
from runplan.engine.solve.margin import broken_of
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.sweep.axes import places
from runplan.engine.sweep.job import FIGURED, Job, Row

# What is known with some packs: to read it takes as long as a million points.
_catalogues: dict[tuple[PackFile, ...], Library] = {}


def keep(catalogue: Library) -> None:
    """Have what is known with some packs at hand for jobs that are solved by this process; the last ones only."""
    if catalogue == Library(catalogue.shelf):
        _catalogues.clear()
        _catalogues[catalogue.shelf.brought] = catalogue


@dataclass(frozen=True, slots=True)
class Solver:
    """What solves the points of a job, one by one.

    Attributes:
        catalogue: What is known.
        imported: The reports of plans that are imported, by path, once they are solved: they are varied by nothing.
    """

    job: Job
    catalogue: Library
    imported: dict[str, Report] = field(default_factory=dict)

    @staticmethod
    def of(job: Job) -> Solver:
        """The solver of a job."""
        known = _catalogues.get(job.packs)
        if known is None:
            known = standard().with_files(job.packs)
            keep(known)
        return Solver(job, known)

    def read(self, settings: Sequence[str]) -> Read:
        """The plan with settings, as it is read."""
        return plan_at(
            self.job.path,
            self.job.files,
            catalogue=self.catalogue,
            settings=settings,
            laws=self.job.named,
            intervals=False,
            solved=self.imported,
        )

    def rows(self, point: int) -> Iterator[Row]:
        """The rows of a point."""
        return self.rows_of(places(self.job.axes, point))

    def rows_of(self, at: Sequence[int]) -> Iterator[Row]:
        """The rows of the point that has some value of each axis, by its places."""
        job, read = self.job, self.read(self.job.settings_of(at))
        if read.plan is None:
            wrong = next(f for f in read.findings if f.severity == "error")
            yield from (Row("refused", (), _said(wrong), job.where is None) for _ in job.laws)
            return
        found = solutions_of(read, intervals=False, why=False, look=self.look(read.plan))
        yield from (self._row(read.plan, solution) for solution in found)

    def look(self, plan: Plan) -> Look | None:
        """How closely to look at how the model lies on its devices; None where nothing hangs on that."""
        where = () if self.job.where is None else (self.job.where,)
        asked = (*(one.expr for one in self.job.asked), *where, *(one.condition for one in plan.requires))
        laid = of_layout(plan, asked, self.catalogue)
        return Look(fitting=q.FITTING_GPUS.text in laid) if laid else None

    def _row(self, plan: Plan, solution: Solution) -> Row:
        job, env = self.job, {name: value.value for name, value in solution.values.items()}
        laid = [one for one in plan.requires if of_layout(plan, (one.condition,), self.catalogue)]
        status, reason = _outcome(solution, laid)
        if status not in FIGURED:
            return Row(status, (), reason, job.where is None)
        figures = tuple(_figure(asked.expr, env) for asked in job.asked)
        return Row(status, figures, reason, job.where is None or _holds(job.where, env))


def _outcome(solution: Solution, of_layout: Iterable[Requirement]) -> tuple[str, str]:
    """What came of a problem, and what is wrong with it.

    Args:
        of_layout: What is required of how the model lies on its devices, which is no part of a problem.
    """
    if solution.status == "infeasible":
        at = solution.worst or solution
        return "infeasible", "; ".join(conflicting(at.problem))
    if solution.status == "undecided":
        wrong = [f for f in solution.findings if f.severity == "error"]
        return "undecided", _said(wrong[0]) if wrong else "nothing decides it"
    at = solution.worst or solution
    broken = broken_of(at.problem, {name: value.value for name, value in at.values.items()})
    texts = [part.text for one in at.problem.held if one.key in broken for part in one.parts]
    env = {name: value.value for name, value in solution.values.items()}
    kept = [(one, verdict(one.condition, env, TOLERANCE)) for one in of_layout]
    texts += [one.span.said for one, holds in kept if holds is False]
    if texts:
        return "broken", "; ".join(dict.fromkeys(texts))
    # Where nothing tells the layout, as of a device whose memory is not known, it is not known to be kept.
    unsaid = next((found for one, holds in kept if holds is None and (found := at.problem.unsaid.get(one.key))), None)
    return ("undecided", _said(unsaid)) if unsaid else ("solved", "")


def _said(found: Finding) -> str:
    return f"{found.code}: {found.message}"


def _figure(expr: Expr, env: Mapping[Name, float]) -> float:
    """What is asked, of the values of a solution; NaN where they have none."""
    try:
        found = float(value_of(expr, env))
    except (KeyError, ArithmeticError, ValueError):
        return math.nan
    return found if math.isfinite(found) else math.nan


def _holds(condition: Expr, env: Mapping[Name, float]) -> bool:
    try:
        return verdict(condition, env, TOLERANCE) is True
    except (ArithmeticError, ValueError):
        return False
