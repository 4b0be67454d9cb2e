"""Steps that were measured, and runs of which it is known what they reached: their shapes, layouts and regimes."""

from __future__ import annotations

import csv
from pathlib import Path

from known import LIBRARY

from runplan.dsl.expr.name import Name, quantity
from runplan.engine.layout.layout import Layout
from runplan.engine.layout.memory import coefficients, memory_of

FACTS = Path(__file__).resolve().parent / "facts"
Row = dict[str, str]
Figures = dict[str, float]


def rows(name: str) -> list[Row]:
    with (FACTS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def regime(name: str, **other: float) -> dict[Name, float]:
    record = LIBRARY.record("regime", name)
    assert record is not None
    return {**coefficients(record), **{quantity(text): figure for text, figure in other.items()}}


def needed(model: Figures, layout: Layout, kept: dict[Name, float]) -> Figures:
    """All quantities of the memory of a dense model."""
    whole = {"gpus": 1.0, "memory": 80e9, "biases": 0.0, "mlp": 3.0, "embeddings": 2.0, "kv_heads": model["heads"]}
    whole |= {"head_dim": model["hidden"] / model["heads"], **model}
    known = {quantity(text): figure for text, figure in whole.items()}
    found = memory_of(known, shaped=True, mixture=False, catalogue=LIBRARY).at(layout, kept)
    return {name.text: figure for name, figure in found.items()}


STEPS = rows("steps.csv")


def of_step_layout(row: Row) -> tuple[Figures, Layout, dict[Name, float]]:
    """The shape of a measured step, its layout, and what its framework keeps."""
    columns = ("layers", "hidden", "heads", "kv_heads", "ffn", "vocab")
    model = {**{name: float(row[name]) for name in columns}, "context": float(row["seq"])}
    layout = Layout(micro_batch=int(row["micro_batch"]), recompute=row["recompute"] == "full")
    how = "compiled" if row["compile"] == "True" else "eager"
    name = f"{how}-{'autocast' if row['precision'] == 'autocast' else 'bf16'}"
    return {**model, "embeddings": 1.0 if row["tied"] == "True" else 2.0}, layout, regime(name)


def called(row: Row) -> str:
    return "-".join(row[name] for name in ("name", "micro_batch", "seq", "precision", "recompute"))


VOCAB = 50368
STAGES = {"FULL_SHARD": 3.0, "SHARD_GRAD_OP": 2.0}
# Layers, width and heads of the MPT models.
MPT: tuple[tuple[int, int, int], ...] = (
    (12, 768, 12),
    (24, 1024, 16),
    (24, 1536, 12),
    (24, 2048, 16),
    (32, 2560, 20),
    (32, 4096, 32),
    (40, 5120, 40),
)
MPT += ((48, 7168, 56), (80, 8192, 64))


def mpt(params: float) -> Figures:
    """The shape of an MPT model of a size: GPT's, tied."""
    layers, hidden, heads = min(MPT, key=lambda one: abs(one[0] * 12 * one[1] ** 2 + VOCAB * one[1] - params))
    shape = {"layers": layers, "hidden": hidden, "heads": heads, "ffn": 4 * hidden, "vocab": VOCAB}
    return {**shape, "mlp": 2, "embeddings": 1}
