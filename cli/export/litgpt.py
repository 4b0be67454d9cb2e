"""A run to the configuration of `litgpt pretrain`."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.figures import in_yaml
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.losses import lost_layout, lost_optimizer, lost_precision, lost_recompute, lost_shape
from runplan.cli.export.schedules import ramp_of
from runplan.cli.export.training import Said, Training, Written

_PRECISIONS = {"bf16": "bf16-mixed", "fp32": "32-true"}
_OPTIMIZERS = {"adamw": "torch.optim.AdamW", "adam": "torch.optim.Adam", "sgd": "torch.optim.SGD"}
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "clip")
_CARRIED = ("attention_biases", "mlp_biases", "norm_biases", "qk_norm", "norms", "window", "experts", "head_bias")
# PyTorch's own, where the plan says one of two moments.
_BETAS = (0.9, 0.999)


def write(run: Training, form: Format) -> Written:
    """The configuration; where the data is, is left to be said: `--data ...`."""
    ramp, lost_schedule = ramp_of(run, ["cosine"], stable=False)
    lost = (*lost_schedule, *_lost(run))
    layout, hardware = run.layout, run.hardware
    assert layout is not None and run.shape is not None
    settings: dict[str, object] = {"lr": run.learning_rate}
    if "weight_decay" in run.settings:
        settings["weight_decay"] = run.settings["weight_decay"]
    if {"beta1", "beta2"} & run.settings.keys() and run.optimizer.lower() != "sgd":
        settings["betas"] = [run.settings.get("beta1", _BETAS[0]), run.settings.get("beta2", _BETAS[1])]
    if "epsilon" in run.settings:
        settings["eps"] = run.settings["epsilon"]
    train = {
        "global_batch_size": run.batch,
        "micro_batch_size": layout.micro_batch,
        "max_tokens": run.steps * run.batch * run.sequence,
        "max_seq_length": run.sequence,
        "lr_warmup_steps": ramp.warmup,
        "min_lr": run.rate(ramp.floor),
        "max_norm": run.settings.get("clip", 1.0),
        "tie_embeddings": run.shape.tied,
    }
    document = {
        "model_name": run.name,
        "model_config": dict(_model(run)),
        "out_dir": f"out/{run.name}",
        "precision": _PRECISIONS.get(run.precision, "bf16-mixed"),
        "train": train,
        "optimizer": {"class_path": _OPTIMIZERS.get(run.optimizer.lower(), "torch.optim.AdamW"), "init_args": settings},
        "devices": min(hardware.gpus, hardware.per_node) if hardware else "auto",
        "num_nodes": hardware.nodes if hardware else 1,
    }
    return Written({form.file: comment(run, form, lost) + in_yaml(document)}, lost)


def _model(run: Training) -> Iterator[tuple[str, object]]:
    shape = run.shape
    assert shape is not None
    yield "name", run.name
    yield "block_size", run.sequence
    yield "n_layer", shape.layers
    yield "n_embd", shape.hidden
    yield "n_head", shape.heads
    yield "n_query_groups", shape.kv_heads
    yield "head_size", shape.head_dim
    yield "intermediate_size", shape.ffn or shape.expert_ffn
    yield "vocab_size", shape.vocab
    yield "padded_vocab_size", shape.vocab
    yield "norm_class_name", "LayerNorm" if shape.norm_biases else "RMSNorm"
    yield "bias", shape.mlp_biases
    yield "attn_bias", shape.attention_biases == 1
    yield "lm_head_bias", shape.head_bias
    yield "parallel_residual", shape.norms == 1
    yield "shared_attention_norm", shape.norms == 1
    yield "rotary_percentage", 1.0
    if shape.norms > 2:
        yield "post_attention_norm", True
        yield "post_mlp_norm", True
    if shape.qk_norm:
        yield "norm_qk", True
        yield "norm_qk_type", "default" if shape.qk_norm == 1 else "olmo2"
    if shape.window:
        every = shape.layers / shape.global_layers if shape.global_layers else 0
        whole = {round((n + 1) * every) - 1 for n in range(shape.global_layers)}
        yield "sliding_window_size", shape.window
        yield "sliding_window_indices", [0 if at in whole else 1 for at in range(shape.layers)]
    if shape.experts:
        yield "mlp_class_name", "LLaMAMoE"
        yield "moe_intermediate_size", shape.expert_ffn
        yield "n_expert", shape.experts
        yield "n_expert_per_token", shape.active_experts
    else:
        yield "mlp_class_name", "LLaMAMLP" if shape.gated else "GptNeoxMLP"


def _lost(run: Training) -> Iterator[Said]:
    shape = run.shape
    assert shape is not None
    uneven = shape.mlp_biases != (shape.attention_biases == 2)
    also = "which of the model's matrices have biases" if uneven and shape.attention_biases != 1 else ""
    if shape.experts and not shape.gated:
        also = "experts that are not gated"
    yield from lost_shape(run, _CARRIED, also)
    yield from lost_layout(run)
    yield from lost_recompute(run)
    yield from lost_optimizer(run, _OPTIMIZERS, _SETTINGS)
    yield from lost_precision(run, _PRECISIONS)
