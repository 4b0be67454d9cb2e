"""A tracked run to its document, `plan.track/v1`, plain data that JSON and other programs read."""

from __future__ import annotations

from runplan.dsl.units.base import STEP, TIME, TOKEN
from runplan.dsl.units.dims import NONE
from runplan.engine.documents.check import finding_document
from runplan.engine.documents.figures import amount
from runplan.engine.track.ends import Estimate
from runplan.engine.track.track import Track


def document(track: Track) -> dict[str, object]:
    """The whole of it; what the log or the plan does not tell is absent."""
    progress, expected = track.progress, track.expected
    pace = progress.timing.pace
    now: dict[str, object] = {
        "tokens": amount(progress.done, TOKEN),
        "share": amount(progress.done / expected.tokens, NONE),
        "loss": amount(track.now, track.dim),
        "line": progress.lines[-1],
    }
    for name, value, dim in (
        ("steps", float(progress.steps[-1]), STEP),
        ("learning_rate", float(progress.rate[-1]), NONE),
        ("time", progress.timing.elapsed, TIME),
        (
            "tokens_per_second",
            1 / pace if pace else None,
            (("second", -1.0), ("token", 1.0)),
        ),
        ("mfu", track.mfu, NONE),
        ("pace_over_planned", track.slower, NONE),
        ("cost", track.spent, track.ends["cost"].dim if "cost" in track.ends else NONE),
        ("noise", track.curve.noise if track.curve else None, NONE),
    ):
        if value is not None and value == value:
            now[name] = amount(value, dim)
    if track.held is not None:
        now["held_out_loss"] = amount(float(track.held.progress.loss[-1]), track.dim)
    if track.law_now is not None:
        now["loss_expected"] = estimate(track.law_now)
    return {
        "schema": "plan.track/v1",
        "plan": {
            "file": expected.plan,
            **({"stage": expected.stage} if expected.stage else {}),
            **({"frozen": expected.frozen} if expected.frozen else {}),
        },
        "log": track.log,
        "loss": {"column": track.header, "of": track.of},
        "planned": {
            name: {
                **amount(one.value, one.dim),
                **{
                    end: amount(value, one.dim)["value"]
                    for end, value in (("low", one.low), ("high", one.high))
                    if value is not None
                },
            }
            for name, one in expected.figures.items()
        },
        "now": now,
        "forecast": {name: estimate(one) for name, one in track.ends.items()},
        "resumed": [{"line": one.line, "step": one.at, "tokens_again": one.lost} for one in progress.resumed],
        "pauses": [{"line": one.line, "seconds": one.seconds} for one in progress.timing.pauses],
        **({"begins_anew": list(progress.anew)} if progress.anew else {}),
        "findings": [finding_document(found) for found in track.findings],
    }


def estimate(one: Estimate) -> dict[str, object]:
    """A forecast with its 80 % interval."""
    ends = {"low": amount(one.low, one.dim)["value"], "high": amount(one.high, one.dim)["value"]}
    return {**amount(one.value, one.dim), **ends, "by": one.by}
