"""The stages of a plan one after the other: what each trains on, when it runs, what it costs and what it leads to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.cli.show.report import run
from runplan.cli.show.report.budget import told
from runplan.cli.show.report.under import under
from runplan.cli.show.text.content import NOTHING, Section, table
from runplan.cli.show.text.figures import bare, part
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import number
from runplan.dsl.dataclass import replace
from runplan.dsl.units.show import iso_date
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_HEADS = ("stage", "tokens", "of compute", "GPUs", "from", "to", "cost", "loss")
_DAY = 86400.0


def sections(report: Report, details: bool) -> Iterator[Section]:
    """A table of the stages, a law a section; among the details the schedule and the data of each."""
    for solution in report.solutions if report.plan and len(report.plan.stages) > 1 else ():
        if not solution.problem.stages or "tokens" not in solution:
            continue
        stages = stages_of(solution)
        lines = list(_lines(solution, stages))
        used = [i for i in range(len(_HEADS)) if any(line[i] != NOTHING for line in lines)]
        kept = [[line[i] for i in used] for line in lines]
        yield Section(under(report, "Stages", solution), table(kept, tuple(_HEADS[i] for i in used), figures=True))
        for stage, own in zip(solution.problem.stages, stages, strict=True) if details else ():
            alone = replace(report, plan=stage.plan, solutions=(own,), bands=(), notes=())
            for section in run.sections(alone, details=True):
                yield replace(section, title=under(report, f"{section.title} of {plain(stage.name)}", solution))


def _lines(solution: Solution, stages: Sequence[Solution]) -> Iterator[tuple[str, ...]]:
    whole = number(solution, "compute")
    ends = 0.0
    for stage, own in zip(solution.problem.stages, stages, strict=True):
        time = number(own, "time")
        begins, ends = ends, ends + (time or 0.0)
        dates = [number(own, name) for name in ("start", "finish")]
        when = [iso_date(date) for date in dates if date is not None]
        if len(when) < 2:
            when = [f"day {begins / _DAY:.4g}", f"day {ends / _DAY:.4g}"] if time is not None else [NOTHING] * 2
        compute = number(own, "compute")
        yield (
            plain(stage.name),
            _told(own, "tokens"),
            part(compute / whole) if compute is not None and whole else NOTHING,
            _told(own, "gpus"),
            *when,
            _told(own, "cost"),
            _told(own, "loss"),
        )


def _told(solution: Solution, name: str) -> str:
    value = solution.quantity(name)
    return NOTHING if value is None else bare(told(solution, name, value))
