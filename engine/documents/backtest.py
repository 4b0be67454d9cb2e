"""A backtest to its document, `plan.backtest/v1`: the scorecard, and each run with what was predicted and reported."""

from __future__ import annotations

from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.backtest.backtest import Backtest, Trial, Tried
from runplan.engine.backtest.scores import Score, scores
from runplan.engine.documents.figures import amount

# Figures of a run that say what was planned.
OF_A_RUN = ("params", "active", "tokens", "gpus")


def document(found: Backtest) -> dict[str, object]:
    """The whole of a backtest."""
    return {
        "schema": "plan.backtest/v1",
        "scores": [_score(score) for score in scores(found)],
        "runs": [_run(tried, found) for tried in found.tried],
    }


def _score(score: Score) -> dict[str, object]:
    return {
        "column": score.column.key,
        "group": score.group,
        "name": score.name,
        "runs": score.count,
        "median": _plain(score.median),
        "low": _plain(score.low),
        "high": _plain(score.high),
        "within_2x": _plain(score.within),
        "inside": None if score.covered is None else _plain(score.covered),
        "intervals": score.intervals,
    }


def _run(tried: Tried, found: Backtest) -> dict[str, object]:
    run = tried.run
    told = {name: run.record.text(name) for name in ("objective", "device", "precision")}
    figures = {
        key: (figure, found.quantities[_quantity(key)].counted.dim)
        for key in OF_A_RUN
        for figure in [run.record.figure(key)]
    }
    return {
        "name": run.name,
        "title": run.record.title,
        "family": run.family,
        "file": run.record.span.source.path,
        "line": run.record.span.line,
        **{key: text for key, text in told.items() if text},
        **{key: amount(figure, dim) for key, (figure, dim) in figures.items() if figure is not None},
        "mixture": run.mixture,
        **({"aside": tried.aside} if tried.aside else {}),
        "columns": {trial.column.key: _trial(trial, found) | _others(tried, trial, found) for trial in tried.trials},
    }


def _quantity(key: str) -> str:
    return "active_params" if key == "active" else key


def _trial(trial: Trial, found: Backtest) -> dict[str, object]:
    dim = found.quantities[trial.column.quantity].counted.dim
    out: dict[str, object] = {}
    if trial.reported is not None:
        out["reported"] = amount(trial.reported, dim)
    if trial.why:
        return out | {"why": trial.why}
    if trial.predicted is not None:
        ends = {"low": trial.low, "high": trial.high}
        told = {key: amount(end, dim)["value"] for key, end in ends.items() if end is not None}
        out["predicted"] = {**amount(trial.predicted, dim), **told}
    out |= {"ratio": None if trial.ratio is None else _plain(trial.ratio), "inside": trial.inside}
    return out | ({"by": trial.by} if trial.by else {})


def _others(tried: Tried, trial: Trial, found: Backtest) -> dict[str, object]:
    """What other laws say of the same, by law."""
    told = {other.by: _trial(other, found) for other in tried.others if other.column == trial.column}
    return {"laws": told} if told else {}


def _plain(value: float, dim: Dim = NONE) -> object:
    return amount(value, dim)["value"]
