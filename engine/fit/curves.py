"""A fit into the curves that show it: of each budget, of what is best over budgets, of what each constant may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law, Parameter
from runplan.engine.fit.fitting import LawFit, Part
from runplan.engine.fit.forecast import Forecast, forecast
from runplan.engine.fit.profiles import profiles
from runplan.engine.fit.reduce import Profile, budgets, profile, tokens_of
from runplan.engine.fit.table import Floats
from runplan.engine.laws.form import SIZES, Refused

# Points of a curve over sizes, and of one over budgets, which goes on so many times beyond the largest.
FINE, FEW, BEYOND = 40, 13, 30.0
# More budgets than this are a cloud, and no curves; so are runs whose compute differs by more than a factor of e^0.2.
MOST, ALIKE = 24, 0.2


@dataclass(frozen=True, slots=True)
class Budget:
    """The runs of one budget.

    Attributes:
        runs: Their sizes and what was measured of them, with the parabola through them where there is one.
        curve: The form at the budget, sizes and values; empty where it is none of size and tokens.
        is_one: Whether they are of about the same compute: else no curve goes through them.
    """

    runs: Profile
    curve: tuple[tuple[float, float], ...]
    is_one: bool = True

    @property
    def parabola(self) -> tuple[tuple[float, float], ...]:
        """Points of the parabola, sizes and values."""
        if not self.runs.fit or not self.is_one:
            return ()
        along = np.linspace(self.runs.along[0], self.runs.along[-1], FINE).tolist()
        return tuple((self.runs.size_at(x), float(np.polyval(self.runs.fit, x))) for x in along)


@dataclass(frozen=True, slots=True)
class Root:
    """What one constant may be: how far it is held off its best, and how unlikely that is, both in standard errors."""

    constant: str
    held: tuple[float, ...]
    roots: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """What there is to draw of a fit.

    Attributes:
        budgets: None where the runs tell no size or no compute, or each is a budget of its own.
        best: What the law makes of budgets, with intervals; none where it has no best.
        largest: The largest compute of a run; None where the runs do not tell it.
        spent: Of each run the column that orders them, and what it is called.
        off: Of each run, how far it is from the form: as a share where residuals are of logarithms.
    """

    budgets: tuple[Budget, ...]
    best: tuple[tuple[float, Mapping[str, Forecast]], ...]
    largest: float | None
    spent: tuple[float, ...]
    off: tuple[float, ...]
    roots: tuple[Root, ...]


def curves_of(found: LawFit, law: Law, library: Library) -> Curves:
    """The curves of a fit.

    Args:
        law: As its pack says it, with its uncertainty.
    """
    part = found.parts[0]
    spent = found.table.values(found.spent) if found.spent else np.arange(1.0, len(found.table) + 1)
    return Curves(
        _budgets(found, part),
        _best(found, law, library),
        found.budget,
        tuple(spent.tolist()),
        tuple(part.fitted.residuals.tolist()),
        tuple(_roots(part)),
    )


def _budgets(found: LawFit, part: Part) -> tuple[Budget, ...]:
    """The runs by their budgets: as the form reads them, or else those of about one compute."""
    size = next((part.columns[name] for name in SIZES if name in part.columns), "params")
    table = found.runs
    of, spent = tuple(found.profiles), None
    if not of and {"compute", "loss", size} <= table.columns.keys() and part.form.output == "loss":
        spent = table.values("compute")
        groups = budgets(spent)
        if len(groups) <= MOST:
            tokens = tokens_of(table, "compute")
            of = tuple(profile(rows, spent, table.values(size), table.values("loss"), tokens) for rows in groups)
    if spent is None:
        return tuple(Budget(one, _curve(part, one, found)) for one in of)
    out = []
    for one in of:
        alike = float(np.ptp(np.log(spent[list(one.rows)]))) <= ALIKE
        out.append(Budget(one, _curve(part, one, found) if alike else (), alike))
    return tuple(out)


def _curve(part: Part, of: Profile, found: LawFit) -> tuple[tuple[float, float], ...]:
    """The form over the sizes of a budget, on the tokens that are left for each."""
    size = next((name for name in SIZES if name in part.columns), "")
    needs = {p.quantity for p in part.form.function.parameters if p.quantity in part.columns}
    if needs != {size, "tokens"} or len(set(of.sizes)) < 2 or part.form.output != "loss":
        return ()
    rows, table = list(of.rows), found.runs
    each = of.budget / np.median(table.values("compute")[rows] / np.array(of.sizes) / table.values("tokens")[rows])
    sizes = np.geomspace(min(of.sizes), max(of.sizes), FINE)
    given = {size: sizes, "tokens": each / sizes}
    inputs = {}
    for parameter in part.form.function.parameters:
        name = parameter.quantity if parameter.quantity in part.model.inputs else parameter.local
        inputs[name] = _input(parameter, given, sizes)
    model = part.model.at(inputs)
    values = model.predicted(part.fitted.minima[0].theta[None])[0] * part.form.function.counted.factor
    return tuple(zip(sizes.tolist(), values.tolist(), strict=True))


def _input(parameter: Parameter, given: Mapping[str, Floats], sizes: Floats) -> Floats:
    """The figures of an input, as the formula counts it; those of one that is not given as it is taken then."""
    if parameter.quantity in given:
        return given[parameter.quantity] / parameter.counted.factor
    return np.full_like(sizes, math.nan if parameter.default is None else parameter.default)


def _best(found: LawFit, law: Law, library: Library) -> tuple[tuple[float, Mapping[str, Forecast]], ...]:
    """What the law makes of budgets, from the smallest of the runs to far beyond the largest."""
    if found.budget is None:
        return ()
    least = float(np.min(found.runs.values("compute")))
    out = []
    for budget in np.geomspace(least, BEYOND * found.budget, FEW).tolist():
        try:
            told = forecast(law, {"compute": budget}, library)
        except Refused:
            return ()
        if {"params", "loss"} & told.keys():
            out.append((budget, told))
    return tuple(out)


def _roots(part: Part) -> Sequence[Root]:
    fitted = part.fitted
    if len(fitted.coordinates) >= len(fitted.residuals):
        return ()
    theta, which = fitted.minima[0].theta, range(len(fitted.coordinates))
    errors = np.sqrt(np.maximum(np.diagonal(fitted.covariance), 0.0))
    with np.errstate(all="ignore"):
        found = profiles(part.model, fitted.objective, theta, which)
    return [
        Root(
            f"ln {c.constant}" if c.log else c.constant,
            tuple(((one.held - theta[i]) / errors[i]).tolist()),
            tuple(one.roots.tolist()),
        )
        for i, (c, one) in enumerate(zip(fitted.coordinates, found, strict=True))
        if errors[i] > 0.0
    ]
