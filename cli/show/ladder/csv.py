"""A ladder as CSV to fill in: one row a run, its loss empty; `plan fit` reads it once the losses are there."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.csv import csv_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.formulate.alone import objective_of
from runplan.engine.ladder.ladder import Ladder, Small
from runplan.engine.problem import quantities as q

HEADS = (
    "name", "layers", "hidden", "heads", "kv_heads", "ffn", "params", "params_non_embedding", "tokens", "batch_tokens",
    "steps", "warmup_steps", "learning_rate", "compute", "objective", "loss",
)  # fmt: skip


def render(ladder: Ladder, look: Look = PLAIN) -> str:
    """The header and the rows; counts are whole, `compute` is in FLOP as the law counts it, `loss` in nat/token."""
    return csv_text(HEADS, ([*_cells(ladder, run), ""] for run in ladder.runs))


def simulated(ladder: Ladder) -> str:
    """The same with losses that are drawn from the law: to try a fit before anything is spent; a column says so."""
    by = f"by {ladder.flagship.solution.resolved}, noise {100 * ladder.noise:g} %, seed {ladder.asked.seed}"
    losses = zip(ladder.runs, ladder.simulated(), strict=True)
    return csv_text((*HEADS, "simulated"), ([*_cells(ladder, run), f"{loss:.6f}", by] for run, loss in losses))


def _cells(ladder: Ladder, run: Small) -> Iterator[object]:
    yield run.name
    yield from (run.shape[field] for field in ("layers", "hidden", "heads", "kv_heads", "ffn"))
    yield from (round(run.value(name) or 0) for name in (q.PARAMS, q.PARAMS_NON_EMBEDDING))
    settings = run.settings
    yield from (settings.tokens, settings.batch, settings.steps, run.warmup)
    yield "" if settings.learning_rate is None else settings.learning_rate
    yield f"{run.value(q.COMPUTE) or 0.0:.6e}"
    yield str(objective_of(ladder.flagship.plan))
