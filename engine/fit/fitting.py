"""A law whose constants are free, and a table of runs, into the law that the runs tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source
from runplan.dsl.text.words import counted
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show_dim
from runplan.engine.fit.bootstrap import DRAWS, skew, tame
from runplan.engine.fit.covariance import LEAST, lifted, local, sandwich
from runplan.engine.fit.doubts import rounding
from runplan.engine.fit.drift import BY_SIZE, SHARE
from runplan.engine.fit.expression import FormulaModel
from runplan.engine.fit.fit import fit
from runplan.engine.fit.form import COUNTS, Form, columns_of, forms_of
from runplan.engine.fit.future import NOTHING, since
from runplan.engine.fit.heads import heads_of
from runplan.engine.fit.kinds import kinds_apart, off_powers
from runplan.engine.fit.lack import Noise
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.objective import residual_slopes
from runplan.engine.fit.outcome import Fitted, Objective, Since
from runplan.engine.fit.pose import posed
from runplan.engine.fit.reduce import Profile
from runplan.engine.fit.search import STARTS
from runplan.engine.fit.table import Floats, RunTable
from runplan.engine.scatter.work import Workers

MOST_STARTS = 4096
# Runs that are too small for a form are left out up to this share of all.
FEW = 1 / 3


@dataclass(frozen=True)
class Part:
    """A formula of a law with the constants that runs tell of it.

    Attributes:
        columns: Of each input, and of what it gives, the column of the runs.
    """

    form: Form
    columns: Mapping[str, str]
    model: FormulaModel
    fitted: Fitted

    @property
    def constants(self) -> dict[str, float]:
        """Their values at the best minimum, as the formula counts them."""
        return self.at(self.fitted.minima[0].theta)

    def at(self, theta: Floats) -> dict[str, float]:
        """The values of the constants at a point, (k), as the formula counts them."""
        return {name: float(column[0, 0]) for name, column in self.model.constants(theta[None, :]).items()}

    @property
    def predicted(self) -> list[float]:
        """What the form gives of each run, as it counts it."""
        found: list[float] = self.model.predicted(self.fitted.minima[0].theta[None, :])[0].tolist()
        return found

    @property
    def rms(self) -> float:
        """The root mean square of the residuals."""
        return float(np.sqrt(np.mean(self.fitted.residuals**2)))

    @property
    def exact(self) -> bool:
        """Whether no run is off the form by more than rounding."""
        return bool(np.max(np.abs(self.fitted.residuals)) < rounding(self.model, self.fitted.objective.log))

    @property
    def furthest(self) -> list[int]:
        """The runs, that which is furthest from the form first."""
        order: list[int] = np.argsort(-np.abs(self.fitted.residuals), kind="stable").tolist()
        return order

    def in_base(self, inputs: Mapping[str, float]) -> dict[str, tuple[float, Dim]]:
        """Figures of inputs as the formula counts them in base units, each with its dimension."""
        counted = {p.quantity: p.counted for p in self.form.function.parameters}
        return {name: (inputs[name] * one.factor, one.dim) for name, one in counted.items() if name in inputs}

    def within(self, coverage: float) -> dict[str, tuple[float, float]]:
        """The interval of each constant, as the formula counts it; without those that the runs do not tell."""
        out = {}
        for c, known in zip(self.fitted.coordinates, self.fitted.known, strict=True):
            ends = known.within.get(coverage)
            if known.identified and ends is not None:
                out[c.constant] = (natural(c, ends.low), natural(c, ends.high))
        return out

    @property
    def errors(self) -> dict[str, float]:
        """The standard error of each constant, as the formula counts it."""
        terms, covariance = self.jointly
        every = zip(self.fitted.coordinates, self.fitted.known, self.constants.items(), terms, strict=True)
        own = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
        return {
            name: known.error * abs(value) if c.log and term != name else float(own[i]) if c.log else known.error
            for i, (c, known, (name, value), term) in enumerate(every)
        }

    @property
    def together(self) -> list[tuple[str, str, float]]:
        """The correlation of each two coordinates, the strongest first; without those that have none."""
        names = [f"ln({c.constant})" if c.log else c.constant for c in self.fitted.coordinates]
        errors = np.sqrt(np.diagonal(self.fitted.covariance))
        with np.errstate(all="ignore"):
            by = self.fitted.covariance / np.outer(errors, errors)
        pairs = [(names[i], names[j], float(by[i, j])) for i in range(len(names)) for j in range(i)]
        return sorted((pair for pair in pairs if np.isfinite(pair[2])), key=lambda pair: -abs(pair[2]))

    @property
    def jointly(self) -> tuple[tuple[str, ...], Floats]:
        """What a pack says varies jointly, constants or logarithms of them, and their covariance.

        It is that by which forecasts of the runs are as uncertain as the draws say: what the draws have of the
        constants alone may be far more, along the curve on which they predict the same. A constant that draws bring
        near to nothing has no logarithm that is normal; it has more of a middle itself. One that has all but vanished
        may only grow, and by its logarithm it would hardly do so: then the draws are all that tells, without those far
        beyond the interval in which most are.
        """
        as_log = np.array([c.log for c in self.fitted.coordinates])
        logs, covariance, draws = as_log, self.fitted.covariance, self.fitted.draws
        if len(draws):
            draws = tame(draws)
            own = np.where(as_log, np.exp(np.minimum(draws, 700.0)), draws)
            logs = as_log & ~(skew(draws) > 2 * skew(own)) & ~self._vanished
            if self._vanished.any():
                covariance = np.atleast_2d(np.cov(np.where(logs, draws, own), rowvar=False))
            else:
                size = np.where(logs == as_log, 1.0, np.exp(np.minimum(self.fitted.minima[0].theta, 700.0)))
                covariance = covariance * np.outer(size, size)
        elif (gone := self._vanished).any():
            # At nothing there is no slope: it is that of where they make up a little of some run.
            objective, theta = self.fitted.objective, self.fitted.minima[0].theta
            here = local(self.model, objective, theta)
            lift = lifted(self.model, theta, here)
            there = replace(local(self.model, objective, lift), residuals=here.residuals)
            logs, size = as_log & ~gone, np.exp(np.where(gone & as_log, lift, 0.0))
            covariance = sandwich(objective, there) * np.outer(size, size)
        names = (c.constant for c in self.fitted.coordinates)
        return tuple(f"ln({name})" if log else name for name, log in zip(names, logs, strict=True)), covariance

    @property
    def _vanished(self) -> NDArray[np.bool_]:
        """(k), which terms make up next to nothing of every run."""
        slopes = residual_slopes(self.model, self.fitted.objective.log, self.fitted.minima[0].theta[None])[1][0]
        found: NDArray[np.bool_] = np.abs(slopes).max(axis=1) < LEAST
        return found

    @property
    def misfit(self) -> float:
        """How far a run is from the form, as a standard deviation of the logarithm, with what larger runs were off
        beyond that, and no less than what is rounding; where nothing tells how it grows with size, no less than by how
        much the larger of them were off.
        """
        size = 1.0 if self.model.log else float(np.mean(np.abs(self.model.measured)))
        near = max(float(np.hypot(self.fitted.usual / size, self.fitted.scatter)), NOTHING)
        told = self.fitted.drift is not None and self.size_in
        return near if told else max(near, self.fitted.future_error or 0.0)

    @property
    def drift(self) -> float:
        """By how much more a forecast is off for each e-fold beyond the largest run; 0 where that is not known."""
        drift = self.fitted.drift
        return drift if drift is not None and np.isfinite(drift) and self.size_in and not self.exact else 0.0

    @property
    def size_in(self) -> tuple[str, ...]:
        """The inputs whose product says how large a run is, the first choice that it has."""
        own = {p.quantity for p in self.form.function.parameters}
        return next((names for names in BY_SIZE if own >= set(names)), ())


@dataclass(frozen=True)
class LawFit:
    """A law as runs tell it.

    Attributes:
        law: As the library has it.
        counts: How the runs count the params that it takes.
        table: The runs that it was fitted to.
        held: Constants that were not free.
        named: What the user called the form.
        profiles: Of a form of minima: the budgets that its runs came from.
        whole: All runs, where `table` has what they were made into; None where it has the runs themselves.
        findings: Of the runs and of the fit.
    """

    law: Law
    counts: str
    table: RunTable
    parts: tuple[Part, ...]
    held: Mapping[str, float]
    named: str
    findings: tuple[Finding, ...] = field(default=())
    profiles: tuple[Profile, ...] = ()
    whole: RunTable | None = None

    @property
    def runs(self) -> RunTable:
        """The runs themselves."""
        return self.whole or self.table

    @property
    def main(self) -> Part | None:
        """The formula by which it is judged: that of the loss, if it has one; None where the runs tell none."""
        return next((part for part in self.parts if part.form.output == "loss"), next(iter(self.parts), None))

    @property
    def large_enough(self) -> str:
        """The condition that leaves out the runs that are too small for the form, as `--where` takes it; empty where
        there are none.
        """
        since = self.main.fitted.since if self.main is not None else None
        return "" if since is None else from_size(since, self.table, self.spent)

    @property
    def spent(self) -> str:
        """The column by which one run is larger than another; empty where none tells."""
        return spent_on(self.table)

    @property
    def budget(self) -> float | None:
        """The most compute of a run, in FLOP; None where the runs do not say."""
        return float(np.max(self.table.values("compute"))) if "compute" in self.table.columns else None

    @property
    def by_size(self) -> list[int]:
        """The runs, the smallest first."""
        by = self.table.values(self.spent) if self.spent else np.arange(len(self.table))
        order: list[int] = np.argsort(by, kind="stable").tolist()
        return order

    @property
    def constants(self) -> dict[str, float]:
        """All that were found or held, by name, in the order of the law."""
        known = {**self.held, **{name: value for part in self.parts for name, value in part.constants.items()}}
        return {name: known[name] for name in self.law.constants if name in known}


def forms_for(
    law: Law, table: RunTable, counts: str, held: Mapping[str, float]
) -> Iterator[tuple[Form, Mapping[str, str]]]:
    """The formulas of a law that the runs can tell, no two of which share a constant; the loss comes first."""
    found: set[str] = set()
    forms = forms_of(law, held)
    for form in forms if law.reads is not None else sorted(forms, key=lambda form: form.output != "loss"):
        columns = columns_of(form, counts, table.columns)
        if set(columns.values()) <= set(table.columns) and found.isdisjoint(form.free):
            found |= set(form.free)
            yield form, columns


def fitted(
    law: Law,
    table: RunTable,
    *,
    counts: str = "",
    held: Mapping[str, float],
    objective: Objective,
    named: str = "",
    starts: int | None = None,
    bootstrap: int = DRAWS,
    seed: int = 0,
    workers: Workers | None = None,
    source: Source | None = None,
    coarse: float = 0.0,
    noise: Mapping[str, Noise] | None = None,
) -> LawFit:
    """The law whose constants make the objective small, each formula that the runs tell by itself.

    Args:
        counts: How the params are counted; as the law does unless said.
        source: The text of the file, for findings to point into.
        noise: By column, how uncertain it is, where more than the fit tells it, as `Reduced` has it.
        coarse: How far sizes that are best of a few lie from the best of all, as `Reduced` has it.
        starts, bootstrap, seed, workers: Of `fit`; as many starts as the form asks for unless said.
    """
    parts, spent = [], spent_on(table)
    for form, columns in forms_for(law, table, counts, held):
        model = posed(form, table, columns)
        heads = heads_of(columns, table, source or Source(table.path, ""))
        own = Objective(objective.kind, objective.delta, objective.log and model.log)
        with np.errstate(all="ignore"):  # far from the runs a form may have no value
            told = fit(
                model,
                own,
                starts=starts or starts_for(model),
                bootstrap=bootstrap,
                seed=seed,
                workers=workers,
                sizes=table.values(spent) if spent else None,
                share=law.drifts[form.output].share if form.output in law.drifts else SHARE,
                noise=(noise or {}).get(columns[form.output]),
                labels=[label or f"line {line}" for label, line in zip(table.labels, table.lines, strict=True)],
                at=heads[form.output].at,
                heads=heads,
            )
            told = without_smallest(model, own, told, table, spent)
        if model.log:
            # Runs of several kinds may be what keeps a form from being told.
            off = told.residuals if told.minima else off_powers(model.inputs, model.measured)
            apart = kinds_apart(table, off, source or Source(table.path, ""))
            told = replace(told, findings=(*told.findings, *apart))
        if law.reads is not None and form.output != law.reads.of:
            told = replace(told, scatter=float(np.hypot(told.scatter, coarse)))
        parts.append(Part(form, columns, model, told))
    by = counts or law.counts or "any"
    if by == "any":
        by = counted_by(parts)
    told_parts = tuple(part for part in parts if part.fitted.minima)
    # A formula that the runs do not tell is left out where they tell another.
    findings = tuple(
        replace(found, severity="warning") if told_parts and not part.fitted.minima else found
        for part in parts
        for found in part.fitted.findings
    )
    return LawFit(law, by, table, told_parts, held, named or law.name, findings)


def without_smallest(model: FormulaModel, objective: Objective, told: Fitted, table: RunTable, spent: str) -> Fitted:
    """A fit whose larger runs came out further off than is chance, with the runs to leave out if that makes its
    forecasts better; any other as it is: where all is chance, so is which runs would make it less.
    """
    if not spent or all(found.code != "F030" for found in told.findings):
        return told
    later = since(model, objective, told.minima[0].theta, table.values(spent))
    if later is None:
        return told
    help = (
        f"without the {counted(later.left_out, 'smallest run')} they come out {100 * later.error:.2g} % from it, with "
        f"them {100 * later.whole:.2g} %: `--where '{from_size(later, table, spent)}'`"
    )
    helped = (replace(found, help=(help, *found.help)) if found.code == "F030" else found for found in told.findings)
    return replace(told, findings=tuple(helped), since=later)


def few_too_small(found: LawFit) -> tuple[Finding, ...]:
    """What is said of a fit where its smallest runs are left out as too small for the form; nothing where they stay.

    Where these are more than a few it is not that they are too small, but that the form holds of no runs so far apart.
    """
    since = found.main.fitted.since if found.main is not None else None
    if since is None or since.left_out > FEW * len(found.runs):
        return ()
    unit = show_dim(found.table.columns[found.spent].dim)
    return tuple(
        replace(
            one,
            message=f"{counted(since.left_out, 'run')} left out as too small for the form: with them {one.message}",
            help=(
                f"without them the larger runs come out {100 * since.error:.2g} % from what the smaller forecast, with "
                f"them {100 * since.whole:.2g} %",
                f"`--where '{found.spent} > 0 {unit}'` keeps them",
            ),
        )
        for one in found.findings
        if one.code == "F030"
    )


def from_size(later: Since, table: RunTable, spent: str) -> str:
    """The condition that leaves out the runs that are too small, as `--where` takes it."""
    return f"{spent} >= {later.size:.4g} {show_dim(table.columns[spent].dim)}"


def spent_on(table: RunTable) -> str:
    """The column by which one run is larger than another; empty where none tells."""
    return next((name for name in ("compute", "tokens", "params") if name in table.columns), "")


def starts_for(model: FormulaModel) -> int:
    """From how many points a search sets out: space is wider in more directions that are not linear."""
    bent = len(model.linear) - sum(model.linear)
    return int(min(STARTS * 3 ** max(bent - 2, 0), MOST_STARTS))


def natural(coordinate: Coordinate, at: float) -> float:
    """A constant by its coordinate."""
    with np.errstate(over="ignore"):
        return float(np.exp(at)) if coordinate.log else at


def counted_by(parts: list[Part]) -> str:
    """How params are counted in the column that was taken for them."""

    taken = {
        column for part in parts for quantity, column in part.columns.items() if quantity in ("params", "active_params")
    }
    return next((counts for counts, column in COUNTS.items() if column in taken), "any")
