"""A ladder to its document, `plan.ladder/v1`, plain data that JSON and other programs read."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.expr.name import Name
from runplan.dsl.units.base import FLOP, PARAM, TIME, TOKEN, dim_of
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.documents.figures import amount, rounded
from runplan.engine.ladder.ladder import Compared, Ladder, Small
from runplan.engine.ladder.width import Told
from runplan.engine.problem import quantities as q

LOSS = dim_of("nat/token")
# What all runs come to together.
TOTALS = (q.COMPUTE, q.GPU_HOURS, q.COST, q.ENERGY)
# What is told of a run beside its shape and its settings.
OF_RUN = (q.PARAMS, q.PARAMS_NON_EMBEDDING, q.COMPUTE, q.TIME, q.GPU_HOURS, q.COST)


def document(ladder: Ladder) -> dict[str, object]:
    """The whole of a ladder."""
    flagship, plan = ladder.flagship, ladder.flagship.plan
    told = (q.PARAMS, q.TOKENS, q.COMPUTE, q.GPUS, q.GPU_HOURS, q.TIME, q.COST)
    seconds = {} if ladder.seconds is None else {"time": amount(ladder.seconds, TIME)}
    return {
        "schema": "plan.ladder/v1",
        "plan": {"title": plan.title, "file": plan.source.path},
        "law": flagship.solution.resolved,
        "flagship": {**dict(_values(flagship.solution, told)), "loss": amount(ladder.loss, LOSS)},
        "design": ladder.design,
        "share": ladder.share,
        "noise": ladder.noise,
        "draws": ladder.asked.draws,
        "seed": ladder.asked.seed,
        "family": {"name": ladder.family.name, "source": ladder.family.source},
        "settings_by": list(ladder.settings_by),
        "totals": {**dict(_totals(ladder)), **seconds},
        "designs": [_design(ladder, one) for one in ladder.compared],
        "runs": [_run(run) for run in ladder.runs],
        "findings": [
            {"code": one.first.code, "severity": one.first.severity, "message": one.first.message, "runs": [*one.runs]}
            for one in ladder.warned()
        ],
    }


def _values(solution: object, names: tuple[Name, ...]) -> Iterator[tuple[str, object]]:
    from runplan.engine.problem.solution import Solution

    assert isinstance(solution, Solution)
    for name in names:
        value = solution.values.get(name)
        if value is not None:
            yield name.text, amount(value.value, value.dim)


def _totals(ladder: Ladder) -> Iterator[tuple[str, object]]:
    for name in TOTALS:
        value = ladder.total(name)
        if value is not None:
            yield name.text, amount(value, ladder.runs[0].solution.values[name].dim)


def _design(ladder: Ladder, one: Compared) -> dict[str, object]:
    out: dict[str, object] = {"design": one.design, "runs": len(one.runs), "sizes": one.sizes}
    if one.why_not:
        return {**out, "why_not": one.why_not}
    return {
        **out,
        "compute": amount(one.compute, FLOP),
        "largest": amount(one.largest, FLOP),
        "to_first_order": one.width.loss.half_to_first_order(ladder.loss) if one.width.loss.is_told else None,
        "loss": _told(ladder.loss, one.width.loss, LOSS),
        "best_size": _told(ladder.best_size, one.width.size, PARAM),
    }


def _told(middle: float, told: Told, dim: Dim) -> dict[str, object]:
    """A figure with the 80 % interval that the runs of a design leave it; without where they do not tell it."""
    if not told.is_told:
        return amount(middle, dim)
    return {**amount(middle, dim), "low": rounded(told.low), "high": rounded(told.high)}


def _run(run: Small) -> dict[str, object]:
    settings = run.settings
    rate = {} if settings.learning_rate is None else {"learning_rate": amount(settings.learning_rate, NONE)}
    return {
        "name": run.name,
        **run.shape.fields,
        **dict(_values(run.solution, OF_RUN)),
        "tokens": amount(settings.tokens, TOKEN),
        "batch": amount(settings.batch, TOKEN),
        "steps": settings.steps,
        "warmup_steps": run.warmup,
        **rate,
        "gpus": run.gpus,
        "loss": amount(run.loss, LOSS),
        **({} if run.budget is None else {"budget": amount(run.budget, FLOP)}),
    }
