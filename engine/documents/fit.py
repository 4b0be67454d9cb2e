"""A fit to its document, `plan.fit/v1`: the constants with their intervals, how the form holds, what it forecasts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runplan.dsl.text.finding import Finding
from runplan.engine.documents.check import finding_document
from runplan.engine.documents.figures import amount, rounded
from runplan.engine.fit.fitting import Part
from runplan.engine.fit.forecast import Forecast
from runplan.engine.fit.forms import Compared, chosen, compared
from runplan.engine.fit.outcome import NextRun
from runplan.engine.fits import FitReport, holds

Body = dict[str, object]
COVERAGES = (0.8, 0.95)


def document(report: FitReport) -> Body:
    """The whole of a fit."""
    found = report.found
    return {
        "schema": "plan.fit/v1",
        "file": found.table.path,
        "digest": found.table.digest,
        "runs": len(found.table),
        "form": found.named,
        "law": found.law.name,
        "counts": found.counts,
        "held": dict(found.held),
        "fits": [_part(part, report) for part in found.parts],
        "optimum": {name: _forecast(one) for name, one in report.optimum.items()},
        **({"budget": amount(report.budget, (("FLOP", 1.0),))} if report.budget is not None else {}),
        "forecasts": [
            {"given": dict(given), "outputs": {name: _forecast(one) for name, one in told.items()}}
            for given, told in report.forecasts
        ],
        "moved": None
        if report.before is None
        else [
            {"name": m.name, "before": _plain(m.before), "after": _plain(m.after), "error": _plain(m.error)}
            for m in report.before[1]
        ],
        "tests": [
            {
                "output": part.form.output,
                "sets": tested.sets,
                "failed": tested.failed,
                "holds": holds(tested),
                "constants": {
                    name: {
                        "bias": _plain(float(tested.bias[i])),
                        "within": {f"{coverage:g}": _plain(held[i]) for coverage, held in tested.held.items()},
                    }
                    for i, name in enumerate(part.constants)
                },
            }
            for part, tested in report.tested
        ],
        "pack": report.text,
        "findings": [finding_document(one) for one in found.findings],
    }


def refused_document(file: str, form: str, findings: Sequence[Finding]) -> Body:
    """What a fit is where the runs do not tell it, `plan.fit/v1`: why, and no constants."""
    return {
        "schema": "plan.fit/v1",
        "file": file,
        "form": form,
        "fits": [],
        "findings": [finding_document(one) for one in findings],
    }


def forms_document(forms: Sequence[Compared]) -> Body:
    """Forms that were held to the same runs, in the order asked for, with the best forecaster first, `plan.fits/v1`."""
    best = chosen(forms)
    return {
        "schema": "plan.fits/v1",
        "chosen": None if best is None else best.named,
        "forms": [_compared(one) for one in compared(forms)],
    }


def _compared(one: Compared) -> Body:
    part = one.part
    if one.found is None or part is None:
        return {"form": one.named, "why_not": one.why_not, "findings": _findings(one)}
    return {
        "form": one.named,
        "law": one.found.law.name,
        "output": part.form.output,
        "objective": part.fitted.minima[0].value,
        "rms": rounded(part.rms),
        "future_error": _plain(one.future_error),
        "expected_error": _plain(one.expected),
        "constants": _rounded(part.constants),
        "forecasts": {name: _forecast(told) for name, told in one.forecasts.items()},
        "findings": _findings(one),
    }


def _findings(one: Compared) -> list[object]:
    return [finding_document(found) for found in one.findings]


def _part(part: Part, report: FitReport) -> Body:
    fitted = part.fitted
    predicted, errors = part.predicted, part.errors
    within = {coverage: part.within(coverage) for coverage in COVERAGES}
    table = report.found.table
    return {
        "output": part.form.output,
        "columns": dict(part.columns),
        "objective": {
            "kind": fitted.objective.kind,
            "log": part.model.log,
            "value": fitted.minima[0].value,
            **({"delta": fitted.objective.delta} if fitted.objective.kind == "huber" else {}),
        },
        "starts": fitted.starts,
        "minima": [
            {"value": minimum.value, "starts": minimum.starts, "constants": _rounded(part.at(minimum.theta))}
            for minimum in fitted.minima
        ],
        "constants": {
            c.constant: {
                "value": _plain(part.constants[c.constant]),
                "error": _plain(errors[c.constant]),
                "identified": known.identified,
                "within": {
                    f"{coverage:g}": dict(zip(("low", "high"), map(_plain, by[c.constant]), strict=True))
                    for coverage, by in within.items()
                    if c.constant in by
                },
            }
            for c, known in zip(fitted.coordinates, fitted.known, strict=True)
        },
        "coordinates": [f"ln({c.constant})" if c.log else c.constant for c in fitted.coordinates],
        "covariance": [[_plain(cell) for cell in row] for row in fitted.covariance],
        "bootstrap": len(fitted.draws),
        "misfit": rounded(part.misfit),
        "drift": rounded(part.drift),
        "noise": _plain(fitted.noise),
        "lack_of_fit": None
        if fitted.lack_of_fit is None
        else {"ratio": _plain(fitted.lack_of_fit[0]), "p": _plain(fitted.lack_of_fit[1])},
        "future_error": _plain(fitted.future_error),
        "next_run": None if fitted.next_run is None else _next_run(part, fitted.next_run),
        "runs": [
            {
                "line": table.lines[i],
                **({"label": table.labels[i]} if table.labels[i] else {}),
                "measured": rounded(float(part.model.measured[i])),
                "fitted": rounded(predicted[i]),
                "residual": float(f"{fitted.residuals[i]:.6g}"),
            }
            for i in range(len(table))
        ],
    }


def _next_run(part: Part, best: NextRun) -> Body:
    """The run that would help most; errors are of the logarithm of what is forecast at ten times the largest run."""
    inputs = {name: amount(value, dim) for name, (value, dim) in part.in_base(best.inputs).items()}
    return {"inputs": inputs, "before": rounded(best.before), "after": rounded(best.after), "cost": rounded(best.cost)}


def _rounded(constants: Mapping[str, float]) -> Body:
    return {name: _plain(value) for name, value in constants.items()}


def _plain(value: float | None) -> float | None:
    """A figure; none where it is no finite number, which JSON has no word for."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.12g}")


def _forecast(one: Forecast) -> Body:
    every = (("low", one.low), ("high", one.high))
    ends = {name: amount(value, one.dim)["value"] if math.isfinite(value) else None for name, value in every}
    return {**amount(one.value, one.dim), **ends}
