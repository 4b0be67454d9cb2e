"""Runs that were done to a backtest: each is planned as if it were still to come, and held to what it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.text.reader import Files
from runplan.engine.backtest.plan import lacking, plan_of, stated_rate
from runplan.engine.formulate.settings import adamw_like
from runplan.engine.layout.fit import GLANCE
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report
from runplan.engine.runs.record import Run, runs_of

PLAN = "run.plan"


@dataclass(frozen=True, slots=True)
class Column:
    """What of a run is predicted, and held to what it reports.

    Attributes:
        key: As documents name it.
        quantity: Of the plan, and the entry of the record.
        at_its_rate: Whether the plan states the rate that the run states of itself.
    """

    key: str
    title: str
    quantity: str
    at_its_rate: bool = False

    def reported(self, run: Run) -> float | None:
        """What a run tells of it, in base units."""
        return run.gpu_hours if self.quantity == "gpu_hours" else run.record.figure(self.quantity)


COLUMNS = (
    Column("gpu_hours", "GPU-hours, default rate", "gpu_hours"),
    Column("gpu_hours_at_its_rate", "GPU-hours, own rate", "gpu_hours", at_its_rate=True),
    Column("batch", "batch", "batch"),
    Column("learning_rate", "learning rate", "learning_rate"),
    Column("loss", "loss", "loss"),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One column of a run: what was predicted of it, and what it reports, in base units.

    Attributes:
        low, high: The 80 % interval of what is predicted; None where it has none.
        by: The law that predicts it, or the entry of the record with the run's own rate; empty where neither does.
        why: Why it cannot be judged; empty where it can.
    """

    column: Column
    reported: float | None
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    by: str = ""
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """What is predicted over what is reported; None where it cannot be judged."""
        return self.predicted / self.reported if self.predicted and self.reported and not self.why else None

    @property
    def inside(self) -> bool | None:
        """Whether what is reported lies in the interval; None where there is no interval, or nothing to judge."""
        if self.ratio is None or self.reported is None or self.low is None or self.high is None:
            return None
        return self.low <= self.reported <= self.high


@dataclass(frozen=True, slots=True)
class Tried:
    """A run with its trials, one for each column.

    Attributes:
        others: Trials by other laws than a plan takes that names none.
    """

    run: Run
    trials: tuple[Trial, ...]
    others: tuple[Trial, ...] = ()

    def trial(self, key: str) -> Trial:
        """The trial of a column."""
        return next(trial for trial in self.trials if trial.column.key == key)

    @property
    def aside(self) -> str:
        """Why nothing is planned by the run, and no score counts it; empty where they do."""
        return self.run.record.text("aside")


@dataclass(frozen=True, slots=True)
class Backtest:
    """Runs, each with what was predicted of it by all that is known but for its own family.

    Attributes:
        quantities: What is known of each quantity that is predicted.
    """

    tried: tuple[Tried, ...]
    quantities: Quantities


def backtest(runs: Iterable[Run], library: Library, laws: tuple[str, ...] = ()) -> Backtest:
    """Each run planned without what is known of its family, and held to what it took.

    Args:
        laws: Names of laws whose settings, or loss, are held to it, too.

    Raises:
        UnknownLaw: For a name that no law has.
    """
    families: dict[str, list[str]] = {}
    for one in runs_of(library):
        families.setdefault(one.family, []).append(one.name)
    without: dict[str, Library] = {}
    tried = []
    for run in runs:
        if run.family not in without:
            without[run.family] = library.without("run", families.get(run.family, ()))
        known, trials = without[run.family], tuple(_trials(run, without[run.family]))
        tried.append(Tried(run, trials, tuple(_by_others(run, trials, known, laws)) if laws else ()))
    return Backtest(tuple(tried), library.quantities())


# ---- one run


def _trials(run: Run, library: Library) -> Iterator[Trial]:
    """The trials of a run: it is planned once by the default rate, and once by its own."""
    reports: dict[bool, Report] = {}
    for column in COLUMNS:
        reported = column.reported(run)
        if why := _untried(run, column, reported, library):
            yield Trial(column, reported, why=why)
            continue
        if column.at_its_rate not in reports:
            text = plan_of(run, at_its_rate=column.at_its_rate)
            reports[column.at_its_rate] = report_of(PLAN, Files({PLAN: text}), catalogue=library, look=GLANCE)
        yield _judged(run, column, reported, reports[column.at_its_rate])


def _untried(run: Run, column: Column, reported: float | None, library: Library) -> str:
    """Why a run is not planned for a column; empty where it is."""
    if reported is None:
        what = {"gpu_hours": "GPU-hours"}.get(column.quantity, column.title)
        return f"no {what} in its record"
    if key := lacking(run):
        return f"no {key} in its record"
    if column.quantity == "gpu_hours" and not run.record.text("device"):
        return "no device in its record"
    if column.at_its_rate and not stated_rate(run):
        return "it states no rate of its own"
    optimizer = run.record.text("optimizer")
    if column.quantity == "learning_rate" and optimizer and optimizer.lower() not in adamw_like(library):
        return f"{optimizer}'s, and laws are of AdamW's"
    return ""


def _by_others(run: Run, trials: Iterable[Trial], library: Library, laws: tuple[str, ...]) -> Iterator[Trial]:
    """What other laws say of the columns that are judged, of those that they give."""
    judged = [trial for trial in trials if trial.ratio is not None and trial.column.quantity != "gpu_hours"]
    if not judged:
        return
    report = report_of(PLAN, Files({PLAN: plan_of(run)}), catalogue=library, laws=laws, look=GLANCE)
    for solution in report.solutions:
        # A law of settings stands beside one of the loss, which is not what is asked for then.
        law = library.law(solution.law)
        for trial in judged:
            value = solution.quantity(trial.column.quantity)
            if value is None or law is None or value.by != law.name or value.by == trial.by:
                continue
            # Beyond its range a law may say less than nothing.
            why = "" if value.value > 0 else f"it gives {value}"
            yield Trial(trial.column, trial.reported, value.value, value.low, value.high, value.by, why)


def _judged(run: Run, column: Column, reported: float | None, report: Report) -> Trial:
    if report.plan is None:
        return Trial(column, reported, why=f"it cannot be planned: {_first_error(report)}")
    solution = report.solutions[0]
    value = solution.quantity(column.quantity)
    if value is None:
        return Trial(column, reported, why=_unsaid(solution, column))
    by = stated_rate(run) if column.at_its_rate else value.by
    return Trial(column, reported, value.value, value.low, value.high, by)


def _first_error(report: Report) -> str:
    return next(found.message for found in report.findings if found.severity == "error")


def _unsaid(solution: Solution, column: Column) -> str:
    """Why a solution does not have a quantity."""
    if column.quantity == "loss":
        return next((f.message for f in solution.findings if f.code == "L004"), f"`{solution.law}` gives no loss")
    return f"no law gives it for {solution.problem.objective}"
