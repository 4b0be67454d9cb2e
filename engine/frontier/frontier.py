"""A plan and two quantities to their frontier: the best of one that each value of the other leaves, point by point.

Each point is the solution of the plan with one quantity held to a level and the other made as good as can be, so that
none is better in both.
"""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.tree import Expr, Num, Ref, names
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Optimize, Sense
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Reader
from runplan.engine.frontier.curve import Axis, Curve, Point
from runplan.engine.layout.fit import of_layout
from runplan.engine.pipeline import plan_at, report_of
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.read import Read
from runplan.engine.report import Report
from runplan.engine.solve.values import dim_of
from runplan.engine.solve.whole import counts, step_of


class NoFrontier(RunplanError):
    """Raised where two quantities have no frontier that could be asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """The curve of two quantities of a plan.

    Attributes:
        report: The plan as it stands.
        law: The law that it is under, as the plan names it; empty where the plan cannot be read.
        axes: The two quantities; empty where there is no plan to ask.
        points: From the best of the first quantity to the best of the second; one where both are best at once.
        own: Where the plan as it stands is; None where it has no solution with both.
        missed: How many levels had no solution that was found.
        findings: Those of the plan; where there is no curve, what keeps it from having one.
    """

    report: Report
    law: str = ""
    axes: tuple[Axis, ...] = ()
    points: tuple[Point, ...] = ()
    own: Point | None = None
    missed: int = 0
    findings: tuple[Finding, ...] = field(default=())


def frontier_of(
    path: str,
    reader: Reader,
    quantities: tuple[str, str],
    *,
    senses: tuple[Sense | None, Sense | None] = (None, None),
    catalogue: Library,
    settings: Sequence[str] = (),
    law: str | None = None,
    count: int = 17,
) -> Frontier:
    """The frontier of two quantities of the plan at a path.

    Args:
        quantities: Quantities, or expressions of them.
        senses: Which way each is better; what `quantities.plan` says of it where that is None.
        settings: `path=value` each, in place of what the plan says.
        law: In place of the plan's first.
        count: About how many points, at least 2.

    Raises:
        OSError: Where the file cannot be read.
        UnknownLaw: Where no law is called so.
        NoFrontier: Where a quantity is none of the plan, or it is not said which way it is better.
    """
    laws = None if law is None else (law,)
    report = report_of(path, reader, catalogue=catalogue, settings=settings, laws=laws, intervals=False)
    if report.plan is None:
        return Frontier(report, findings=report.findings)

    def asked(text: str) -> Read:
        return plan_at(path, reader, catalogue=catalogue, settings=[*settings, f"minimize={text}"], laws=laws)

    axes, problems = [], []
    for text, sense in zip(quantities, senses, strict=True):
        read = asked(text)
        if read.plan is None:
            raise NoFrontier(read.error(text))
        (goal,) = read.plan.goals
        found = sense or _better(goal.expr, read.catalogue)
        if found is None:
            raise NoFrontier(f"say which way `{text}` is better: `--minimize {text}` or `--maximize {text}`")
        plan = replace(read.plan, goals=(Optimize(found, goal.expr, goal.span),))
        problem = next(iter(replace(read, plan=plan).problems()))
        problems.append(problem)
        axes.append(Axis(text, goal.expr, dim_of(problem, goal.expr), found))
    if axes[0].expr == axes[1].expr:
        raise NoFrontier(f"a frontier is of two quantities: `{axes[0].text}` is both")
    start = Frontier(report, problems[0].named, tuple(axes), findings=report.findings)
    if wrong := [f for problem in problems for f in problem.findings if f.severity == "error"]:
        return replace(start, findings=_together(report.findings, wrong))
    for axis, problem in zip(axes, problems, strict=True):
        known = {*problem.definitions, *(variable.name for variable in problem.variables)}
        if absent := sorted(names(axis.expr) - known, key=str):
            if of_layout(report.plan, [axis.expr], catalogue):
                raise NoFrontier(
                    f"`{absent[0]}` is found for a run that is solved, and not solved for: bound it with `require`, or"
                    " vary what decides it, such as `plan sweep PATH hardware.gpus=8..512:log8`"
                )
            raise NoFrontier(f"there is no `{absent[0]}` under `{problem.law.name}`")
    by_x, by_y = map(_at_least_a_node, problems)
    is_laid = bool(of_layout(report.plan, (one.condition for one in report.plan.requires), catalogue))
    curve = Curve(axes[0], axes[1], by_x, by_y, report.plan, catalogue, is_laid)
    ends = curve.ends()
    if isinstance(ends, Solution):
        return replace(start, findings=_together(report.findings, ends.findings))
    points = tuple(filter(None, map(curve.whole, curve.between(ends, count))))
    own = curve.point(report.solutions[0]) if report.solutions[0].status == "solved" else None
    # What the plan leaves open is no fault of it where the two quantities decide it.
    findings = tuple(f for f in report.findings if f.code != "C002")
    return replace(start, axes=curve.axes, points=points, own=own, missed=curve.missed, findings=findings)


def _at_least_a_node(problem: Problem) -> Problem:
    """The problem in which no count can run down to nothing: whole ones do not, and the best of a cost may ask it."""
    least = tuple(
        Constraint(
            f"whole {name}", str(name), Num(step_of(problem, name), problem.dim(name)), Ref(name), "range", of=name
        )
        for name in counts(problem)
    )
    return replace(problem, constraints=(*problem.constraints, *least))


def _better(expr: Expr, catalogue: Library) -> Sense | None:
    """Which way a quantity is better by `quantities.plan`; None where that says nothing."""
    known = catalogue.quantities().get(expr.name.text) if isinstance(expr, Ref) else None
    better = known.facts.better if known else ""
    return "minimize" if better == "less" else "maximize" if better == "more" else None


def _together(findings: Sequence[Finding], more: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings, and those of others that say something else."""
    said = {f.message for f in findings}
    return (*findings, *{f.message: f for f in more if f.message not in said}.values())
