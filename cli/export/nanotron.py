"""A run to the configuration of nanotron, the one format here whose stages of data carry the mix of each phase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runplan.cli.export.figures import in_yaml
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.losses import head_fits, lost_optimizer, lost_precision, lost_selective, lost_shape
from runplan.cli.export.schedules import ramp_of
from runplan.cli.export.training import Curve, Said, Training, Written

_FALLS: tuple[Curve, ...] = ("cosine", "linear", "sqrt")
_STYLES = {"cosine": "cosine", "linear": "linear", "sqrt": "1-sqrt"}
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "clip")
# What it has to be told, where the plan says nothing: PyTorch's own.
_ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}
_SAME = 1e-9


def write(run: Training, form: Format) -> Written:
    """The configuration; its data is to lie in a folder of its name each, below `data/`."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=True)
    lost = (*lost_schedule, *_lost(run))
    layout, settings = run.layout, {**_ADAM, **run.settings}
    assert layout is not None
    rates = {
        "learning_rate": run.learning_rate,
        "lr_warmup_steps": ramp.warmup,
        "lr_warmup_style": "linear",
        "lr_decay_style": _STYLES.get(ramp.curve, "linear"),
        "lr_decay_steps": ramp.decay or 1,
        "lr_decay_starting_step": ramp.warmup + ramp.stable,
        "min_decay_lr": run.rate(ramp.floor),
    }
    adam = {
        "name": "adamW",
        "adam_beta1": settings["beta1"],
        "adam_beta2": settings["beta2"],
        "adam_eps": settings["epsilon"],
        "torch_adam_is_fused": True,
    }
    document = {
        "general": {"project": "runplan", "run": run.name, "seed": 42},
        "checkpoints": {"checkpoints_path": f"checkpoints/{run.name}", "checkpoint_interval": max(run.steps // 20, 1)},
        "parallelism": _parallelism(run),
        "model": {
            "dtype": _DTYPES.get(run.precision, "bfloat16"),
            "init_method": {"std": 0.02},
            "make_vocab_size_divisible_by": 1,
            "model_config": _model(run),
        },
        "tokenizer": {"tokenizer_name_or_path": "TOKENIZER"},
        "optimizer": {
            "optimizer_factory": adam,
            "learning_rate_scheduler": rates,
            "weight_decay": settings["weight_decay"],
            "clip_grad": run.settings.get("clip"),
            "zero_stage": 1 if layout.shard is None else min(layout.shard, 1),
            "accumulate_grad_in_fp32": True,
        },
        "tokens": {
            "sequence_length": run.sequence,
            "train_steps": run.steps,
            "micro_batch_size": layout.micro_batch,
            "batch_accumulation_per_replica": layout.accumulate,
        },
        "data_stages": list(_stages(run)),
    }
    return Written({form.file: comment(run, form, lost) + in_yaml(document)}, lost)


def _parallelism(run: Training) -> Mapping[str, object]:
    layout = run.layout
    assert layout is not None
    return {
        "dp": layout.dp,
        "pp": layout.pp,
        "tp": layout.tp,
        "context_parallel_size": layout.cp,
        "expert_parallel_size": layout.ep,
        "pp_engine": "1f1b",
        "tp_mode": "REDUCE_SCATTER",
        "tp_linear_async_communication": True,
        "recompute_layer": layout.recompute,
    }


def _model(run: Training) -> Mapping[str, object]:
    shape = run.shape
    assert shape is not None
    return {
        "is_llama_config": True,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "max_position_embeddings": run.sequence,
        "vocab_size": shape.vocab,
        "tie_word_embeddings": shape.tied,
    }


def _stages(run: Training) -> Iterator[Mapping[str, object]]:
    """A stage of data for each stretch of phases with one mix; it counts steps from 1."""
    step, before = 1, None
    for phase in run.phases:
        mix = {name: start for name, (start, _) in phase.mix.items()} or dict(run.mix)
        if phase.steps and (before is None or mix != before):
            weights = {"dataset_weights": list(mix.values())} if mix else {}
            folders = [f"data/{re.sub(r'[^A-Za-z0-9._-]', '-', name)}" for name in mix] or ["data"]
            data = {"dataset": {"dataset_folder": folders, **weights}, "num_loading_workers": 1, "seed": 42}
            yield {"name": phase.name, "start_training_step": step, "data": data}
            before = mix
        step += phase.steps


def _lost(run: Training) -> Iterator[Said]:
    shape, layout = run.shape, run.layout
    assert shape is not None and layout is not None
    plain = "" if shape.gated and head_fits(shape) else "a model that is no decoder of the family of Llama"
    yield from lost_shape(run, (), plain)
    yield from lost_optimizer(run, ("adamw",), _SETTINGS)
    yield from lost_precision(run, _DTYPES)
    yield from lost_selective(run)
    if layout.shard is not None and layout.shard > 1:
        yield run.lost("layout", f"that copies share out more than the optimizer's states, in {layout.regime}")
    for phase in run.phases:
        if any(abs(start - end) > _SAME for start, end in phase.mix.values()):
            yield run.lost("phase mix", f"how the mix of phase `{phase.name}` changes within it", at="schedule")
