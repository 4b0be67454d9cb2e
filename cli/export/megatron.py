"""A run to the script that starts Megatron-LM's `pretrain_gpt.py` with its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.cli.export.figures import number
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.losses import lost_optimizer, lost_precision, lost_shape
from runplan.cli.export.schedules import Ramp, ramp_of
from runplan.cli.export.training import Curve, Said, Shape, Training, Written

_FALLS: tuple[Curve, ...] = ("cosine", "linear", "exponential", "sqrt")
_WSD = {"cosine": "cosine", "linear": "linear", "exponential": "exponential", "sqrt": "minus_sqrt"}
_OPTIMIZERS = {"adamw": "adam", "adam": "adam", "sgd": "sgd", "muon": "muon"}
_SETTINGS = {"weight_decay": "weight-decay", "beta1": "adam-beta1", "beta2": "adam-beta2", "epsilon": "adam-eps",
             "clip": "clip-grad", "momentum": "sgd-momentum"}  # fmt: skip
# What is said of each precision; without a word of it Megatron computes in fp32.
_PRECISIONS: dict[str, tuple[tuple[str, object], ...]] = {
    "bf16": (("bf16", True),), "fp16": (("fp16", True),), "fp32": (), "fp8": (("bf16", True), ("fp8-format", "hybrid")),
}  # fmt: skip
_CARRIED = ("attention_biases", "mlp_biases", "norm_biases", "qk_norm", "positions", "experts", "shared_experts",
            "router_biases", "expert_groups", "dense_layers", "kv_lora")  # fmt: skip
Argument = tuple[str, object]


def write(run: Training, form: Format) -> Written:
    """The script, which takes what it is given as further arguments."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=True)
    lost = (*lost_schedule, *_lost(run))
    arguments = [*_model(run), *_training(run, ramp), *_layout(run), *_data(run)]
    lines = "".join(f"  --{name}{'' if value is True else f' {_word(value)}'}\n" for name, value in arguments)
    text = _SCRIPT.format(header=comment(run, form, lost), arguments=lines, **_place(run))
    return Written({form.file: text}, lost)


_SCRIPT = """\
#!/bin/bash
{header}set -euo pipefail
ARGUMENTS=(
{arguments})
torchrun --nnodes="${{NODES:-{nodes}}}" --nproc-per-node={devices} --rdzv-id="${{SLURM_JOB_ID:-0}}" \\
  --rdzv-backend=c10d --rdzv-endpoint="${{HEAD:-localhost:29500}}" pretrain_gpt.py "${{ARGUMENTS[@]}}" "$@"
"""


def _place(run: Training) -> dict[str, int]:
    hardware = run.hardware
    if hardware is None:
        return {"nodes": 1, "devices": 8}
    return {"nodes": hardware.nodes, "devices": min(hardware.gpus, hardware.per_node)}


def _word(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _model(run: Training) -> Iterator[Argument]:
    shape = run.shape
    assert shape is not None
    yield "num-layers", shape.layers
    yield "hidden-size", shape.hidden
    yield "ffn-hidden-size", shape.ffn or shape.expert_ffn
    yield "num-attention-heads", shape.heads
    if shape.kv_heads != shape.heads and not shape.kv_lora:
        yield "group-query-attention", True
        yield "num-query-groups", shape.kv_heads
    if not shape.kv_lora:
        yield "kv-channels", shape.head_dim
    yield "seq-length", run.sequence
    yield "max-position-embeddings", shape.positions or run.sequence
    yield "position-embedding-type", "learned_absolute" if shape.positions else "rope"
    yield "normalization", "LayerNorm" if shape.norm_biases else "RMSNorm"
    if shape.gated:
        yield "swiglu", True
    if not shape.mlp_biases:
        yield "disable-bias-linear", True
    if shape.attention_biases == 1:
        yield "add-qkv-bias", True
    if shape.qk_norm == 1:
        yield "qk-layernorm", True
    yield "hidden-dropout", 0.0  # 10 % unless said, and no plan, law or memory counts any
    yield "attention-dropout", 0.0
    if not shape.tied:
        yield "untie-embeddings-and-output-weights", True
    yield "tokenizer-type", "NullTokenizer"
    yield "vocab-size", shape.vocab - 1  # the tokenizer adds the end of a document
    yield "make-vocab-size-divisible-by", 1
    yield from _experts(shape)
    yield from _latent(shape)


def _experts(shape: Shape) -> Iterator[Argument]:
    if not shape.experts:
        return
    yield "num-experts", shape.experts
    yield "moe-router-topk", shape.active_experts
    yield "moe-ffn-hidden-size", shape.expert_ffn
    yield "moe-grouped-gemm", True
    if shape.shared_experts:
        yield "moe-shared-expert-intermediate-size", shape.shared_ffn or shape.shared_experts * shape.expert_ffn
    if shape.router_biases:
        yield "moe-router-enable-expert-bias", True
        yield "moe-router-score-function", "sigmoid"
    if shape.expert_groups > 1:
        yield "moe-router-num-groups", shape.expert_groups
        yield "moe-router-group-topk", shape.routed_groups
    if shape.dense_layers:
        yield "moe-layer-freq", f"[0]*{shape.dense_layers}+[1]*{shape.layers - shape.dense_layers}"


def _latent(shape: Shape) -> Iterator[Argument]:
    if not shape.kv_lora:
        return
    yield "multi-latent-attention", True
    if shape.q_lora:
        yield "q-lora-rank", shape.q_lora
    yield "kv-lora-rank", shape.kv_lora
    yield "qk-head-dim", shape.head_dim
    yield "qk-pos-emb-head-dim", shape.rope_dim
    yield "v-head-dim", shape.v_head_dim
    yield "qk-layernorm", True


def _training(run: Training, ramp: Ramp) -> Iterator[Argument]:
    assert run.layout is not None
    yield "micro-batch-size", run.layout.micro_batch
    yield "global-batch-size", run.batch
    yield "train-iters", run.steps
    yield "optimizer", _OPTIMIZERS.get(run.optimizer.lower(), "adam")
    yield "lr", run.learning_rate
    yield "min-lr", run.rate(ramp.floor)
    yield "lr-warmup-iters", ramp.warmup
    yield "lr-decay-iters", run.steps
    if not ramp.decay:
        yield "lr-decay-style", "constant"
    elif ramp.stable or ramp.curve not in ("cosine", "linear"):
        yield "lr-decay-style", "WSD"
        yield "lr-wsd-decay-style", _WSD[ramp.curve]
        yield "lr-wsd-decay-iters", ramp.decay
    else:
        yield "lr-decay-style", ramp.curve
    yield from ((_SETTINGS[name], value) for name, value in run.settings.items() if name in _SETTINGS)
    yield from _PRECISIONS.get(run.precision, ())


def _layout(run: Training) -> Iterator[Argument]:
    layout = run.layout
    assert layout is not None
    yield "tensor-model-parallel-size", layout.tp
    yield "pipeline-model-parallel-size", layout.pp
    if layout.pp > 1 and (uneven := _uneven(run.shape, layout.pp * layout.interleave)):
        yield "pipeline-model-parallel-layout", f"'{uneven}'"
    elif layout.interleave > 1:
        yield "num-virtual-stages-per-pipeline-rank", layout.interleave
    yield "context-parallel-size", layout.cp
    if layout.ep > 1:
        yield "expert-model-parallel-size", layout.ep
    if run.shape is not None and run.shape.experts and layout.tp > 1:  # what is not said is as tp
        yield "expert-tensor-parallel-size", layout.etp
    if layout.tp > 1:
        yield "sequence-parallel", True
    if layout.shard is None or layout.shard == 1:
        yield "use-distributed-optimizer", True
    if layout.recompute:
        yield "recompute-granularity", "full"
        yield "recompute-method", "uniform"
        yield "recompute-num-layers", 1
    elif layout.selective:
        yield "recompute-granularity", "selective"


def _uneven(shape: Shape | None, parts: int) -> str:
    """The layers of each part of a pipeline, which Megatron-LM asks for where not all have as many: `Ett|ttt|ttL`.

    Parts with a layer less lie at the ends, where the tables are, the last first.
    """
    layers = shape.layers if shape is not None else 0
    most, short = -(-layers // parts), -layers % parts
    if not short or parts > layers:
        return ""
    less = sorted(range(parts), key=lambda part: (min(part, parts - 1 - part), -part))[:short]
    return f"E{'|'.join('t' * (most - (part in less)) for part in range(parts))}L"


def _data(run: Training) -> Iterator[Argument]:
    """Each source by its weight, at a place that the user gives: `DATA=/data sh run.sh`."""
    if run.mix:
        mixed = (f"{number(share)} ${{DATA:-data}}/{_file(name)}" for name, share in run.mix.items())
        yield "data-path", " ".join(mixed)


def _file(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def _lost(run: Training) -> Iterator[Said]:
    shape = run.shape
    assert shape is not None and run.layout is not None
    biased = shape.mlp_biases != (shape.attention_biases == 2)
    wide = shape.positions and shape.positions != run.sequence
    yield from lost_shape(
        run, _CARRIED, "which of the model's matrices have biases" if biased and shape.attention_biases != 1 else ""
    )
    if shape.qk_norm > 1:  # its norms are of each head
        yield run.lost("model", "norms of the queries and keys of all heads together", at="model.qk_norm")
    if wide and shape.positions < run.sequence:
        yield run.lost("model", f"sequences of {run.sequence:,} tokens with {shape.positions:,} positions")
    yield from lost_optimizer(run, _OPTIMIZERS, _SETTINGS)
    yield from lost_precision(run, _PRECISIONS)
    if run.layout.shard is not None and run.layout.shard > 1:
        yield run.lost("layout", f"that copies share out more than the optimizer's states, in {run.layout.regime}")
