"""Parabolas through the runs of budgets into what a surface through the runs tells of them: by how much they put the
best sizes off, and which runs are too small for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.show import show
from runplan.engine.fit.fit import fit
from runplan.engine.fit.fitting import spent_on, without_smallest
from runplan.engine.fit.form import columns_of, forms_of
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.pose import posed
from runplan.engine.fit.reduce import Profile, profile
from runplan.engine.fit.table import Floats, RunTable

# How far beyond its sizes the best of a budget is looked for, and in how many steps.
BEYOND, STEPS = 10.0, 4000
# Below this share nothing is said.
LITTLE = 0.01


def bias_of_parabolas(
    surface: Law, table: RunTable, profiles: Sequence[Profile], counts: str, at: Span, *, few: bool = True
) -> tuple[Finding, ...]:
    """That a loss is no parabola in the logarithm of the size: a surface is fitted to the runs, and parabolas to it.
    And that the smallest runs are none that the surface holds of, where it forecasts the larger ones better without.

    Args:
        surface: A law that gives the loss by size and tokens.
        table: The runs that the parabolas are through.
        few: Whether the budgets are too few to forecast the larger of them: whether the smallest belong to them, all
            runs have to say then. More budgets say it themselves, and another form's mistakes are none of theirs.
    """
    form = next(form for form in forms_of(surface, {}) if form.output == "loss")
    columns = columns_of(form, counts, table.columns)
    kept = [one for one in profiles if one.size is not None]
    if not kept or not set(columns.values()) <= set(table.columns):
        return ()
    model, spent = posed(form, table, columns), spent_on(table)
    objective = Objective(log=model.log)
    told = fit(model, objective, bootstrap=0, sizes=table.values(spent), at=at)
    minima = told.minima
    if not minima:
        return ()
    told = without_smallest(model, objective, told, table, spent)
    on = f"on a surface of the form of `{surface.name}` through these runs"
    # Without the smallest fewer budgets are left, which may tell no floor, where the surface is told by their runs.
    small = tuple(
        replace(
            one,
            message=f"{on}, {one.message}",
            help=tuple(line.replace("`--where", f"`--form {surface.name} --where") for line in one.help),
        )
        for one in told.findings
        if one.code == "F030" and few and told.since is not None
    )
    factors = {p.quantity: p.counted.factor for p in form.function.parameters}
    sizes, tokens = (table.values(columns[name]) for name in ("params", "tokens"))

    def along(one: Profile, at: Floats) -> Floats:
        """What the surface gives at sizes of a budget, whose runs tell what a param and token take of it."""
        rows = list(one.rows)
        spent = float(np.median(sizes[rows] * tokens[rows]))
        given = {"params": at, "tokens": spent / at}
        inputs = {name: given[name] / factor for name, factor in factors.items()}
        found: Floats = model.at(inputs).predicted(minima[0].theta[None])[0]
        return found

    off = []
    for one in kept:
        own = np.array(one.sizes)
        through = profile(np.arange(len(own)), np.full(len(own), one.budget), own, along(one, own)).size
        fine = np.geomspace(own.min() / BEYOND, own.max() * BEYOND, STEPS)
        if through is not None:
            off.append((one.budget, float(through / fine[int(np.argmin(along(one, fine)))] - 1)))
    if not off or max(abs(share) for _, share in off) < LITTLE:
        return small
    dim = table.columns["compute"].dim if "compute" in table.columns else ()
    said = ", ".join(f"{100 * share:+.2g} % at {show(budget, dim)}" for budget, share in (off[0], off[-1])[: len(off)])
    return (
        *small,
        finding(
            "F031",
            f"a loss is no parabola: {on}, such parabolas put the best size off by {said}",
            at,
            help=[
                "sizes that lie evenly around the best, and near it, make it less; a surface has no such error, and "
                "others of its own: without `--form` both are compared"
            ],
            data={f"off_{i}": share for i, (_, share) in enumerate(off)},
        ),
    )
