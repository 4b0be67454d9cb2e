"""A run to the configuration of DeepSpeed: its batch, optimizer, schedule and stage of ZeRO."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.figures import in_json
from runplan.cli.export.formats import Format
from runplan.cli.export.header import lines
from runplan.cli.export.losses import lost_layout, lost_optimizer, lost_precision, lost_recompute
from runplan.cli.export.schedules import Ramp, ramp_of
from runplan.cli.export.training import Curve, Said, Training, Written

_FALLS: tuple[Curve, ...] = ("cosine", "linear")
_PRECISIONS = ("bf16", "fp16", "fp32")
_OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam", "lamb": "Lamb", "lion": "Lion", "muon": "Muon", "adagrad": "Adagrad"}
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "clip")
_BETAS = (0.9, 0.999)  # DeepSpeed's own, where the plan says one of two
_ALL = 3


def write(run: Training, form: Format) -> Written:
    """`ds_config.json`; it keeps keys that it does not know, and says under one of them what it is."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=False)
    lost = (*lost_schedule, *_lost(run, ramp))
    layout = run.layout
    assert layout is not None
    document: dict[str, object] = {
        "_runplan": list(lines(run, form, lost)),
        "train_batch_size": run.batch,
        "train_micro_batch_size_per_gpu": layout.micro_batch,
        "gradient_accumulation_steps": layout.accumulate,
        "optimizer": {"type": _OPTIMIZERS.get(run.optimizer.lower(), "AdamW"), "params": dict(_optimizer(run))},
        "scheduler": _scheduler(run, ramp),
        "zero_optimization": {"stage": _ALL if layout.shard is None else layout.shard},
    }
    if "clip" in run.settings:
        document["gradient_clipping"] = run.settings["clip"]
    for name in ("bf16", "fp16"):
        document[name] = {"enabled": run.precision == name}
    return Written({form.file: in_json(document)}, lost)


def _optimizer(run: Training) -> Iterator[tuple[str, object]]:
    yield "lr", run.learning_rate
    if "weight_decay" in run.settings:
        yield "weight_decay", run.settings["weight_decay"]
    if {"beta1", "beta2"} & run.settings.keys():
        yield "betas", [run.settings.get("beta1", _BETAS[0]), run.settings.get("beta2", _BETAS[1])]
    if "epsilon" in run.settings:
        yield "eps", run.settings["epsilon"]


def _scheduler(run: Training, ramp: Ramp) -> dict[str, object]:
    warmup: dict[str, object] = {"warmup_type": "linear", "warmup_num_steps": max(ramp.warmup, 1)}
    if not ramp.decay:
        return {"type": "WarmupLR", "params": {**warmup, "warmup_min_lr": 0.0, "warmup_max_lr": run.learning_rate}}
    if ramp.curve == "cosine":
        cosine = {"total_num_steps": run.steps, "cos_min_ratio": ramp.floor, "warmup_min_ratio": 0.0}
        return {"type": "WarmupCosineLR", "params": {**warmup, **cosine}}
    linear = {"total_num_steps": run.steps, "warmup_min_lr": 0.0, "warmup_max_lr": run.learning_rate}
    return {"type": "WarmupDecayLR", "params": {**warmup, **linear}}


def _lost(run: Training, ramp: Ramp) -> Iterator[Said]:
    if ramp.decay and ramp.curve == "linear" and ramp.floor:
        yield run.lost("schedule", f"a linear fall to {ramp.floor:.3g} of the peak", "`linear` falls to zero here")
    yield from lost_recompute(run)
    yield from lost_layout(run, help="it is told by the trainer that uses DeepSpeed: write `tp 1, pp 1`, or megatron")
    yield from lost_optimizer(run, _OPTIMIZERS, _SETTINGS)
    yield from lost_precision(run, _PRECISIONS)
