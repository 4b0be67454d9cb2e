"""A run to the configuration of OLMo-core: model, train module and length, as `Config.from_dict` reads them."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.figures import in_json
from runplan.cli.export.formats import Format
from runplan.cli.export.header import lines
from runplan.cli.export.losses import head_fits, lost_optimizer, lost_precision, lost_selective, lost_shape
from runplan.cli.export.schedules import Ramp, ramp_of
from runplan.cli.export.training import Curve, Said, Shape, Training, Written

_FALLS: tuple[Curve, ...] = ("linear", "cosine")
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "clip")
_BETAS = (0.9, 0.999)  # its own, where the plan says one of two
_DTYPES = {"bf16": "bfloat16", "fp32": "float32"}
_OPTIMIZERS = {"adamw": "olmo_core.optim.adamw.AdamWConfig"}
_CARRIED = ("qk_norm",)
_PER_HEAD = 1


def write(run: Training, form: Format) -> Written:
    """One document with its parts; it says of itself under a key of its own."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=True)
    if ramp.stable and ramp.curve == "cosine":  # it knows a stretch at the peak before a linear fall alone
        ramp, lost_schedule = ramp_of(run, _FALLS[:1], stable=True)
    lost = (*lost_schedule, *_lost(run))
    document = {
        "_runplan": list(lines(run, form, lost)),
        "model": _model(run),
        "train_module": dict(_module(run, ramp)),
        "data_loader": {"global_batch_size": run.batch * run.sequence},
        "trainer": {"max_duration": {"value": run.steps, "unit": "steps"}},
    }
    return Written({form.file: in_json(document)}, lost)


def _of(kind: str, /, **fields: object) -> dict[str, object]:
    """The fields of one of its classes."""
    return {"_CLASS_": f"olmo_core.{kind}", **fields}


def _model(run: Training) -> dict[str, object]:
    shape = run.shape
    assert shape is not None
    norm = _of("nn.layer_norm.LayerNormConfig", name="rms", eps=1e-5, bias=False)
    block = _of(
        "nn.transformer.config.TransformerBlockConfig",
        sequence_mixer=_attention(shape, norm),
        layer_norm=norm,
        feed_forward=_of("nn.feed_forward.FeedForwardConfig", hidden_size=shape.ffn, bias=False),
    )
    return _of(
        "nn.transformer.config.TransformerConfig",
        d_model=shape.hidden,
        vocab_size=shape.vocab,
        n_layers=shape.layers,
        block=block,
        lm_head=_of("nn.lm_head.LMHeadConfig", layer_norm=norm, bias=False),
        tie_word_embeddings=shape.tied,
    )


def _attention(shape: Shape, norm: dict[str, object]) -> dict[str, object]:
    more: dict[str, object] = {}
    if shape.qk_norm:
        more = {"qk_norm": norm, "use_head_qk_norm": shape.qk_norm == _PER_HEAD}
    if not head_fits(shape):
        more["head_dim"] = shape.head_dim
    rope = _of("nn.rope.RoPEConfig", name="default")
    heads = {"n_heads": shape.heads, "n_kv_heads": shape.kv_heads}
    return {**_of("nn.attention.AttentionConfig", **heads, bias=False, rope=rope, **more), "type": "attention"}


def _module(run: Training, ramp: Ramp) -> Iterator[tuple[str, object]]:
    layout, where = run.layout, "train.train_module.transformer.config.Transformer"
    assert layout is not None
    yield "_CLASS_", f"olmo_core.{where}TrainModuleConfig"
    yield "rank_microbatch_size", layout.micro_batch * run.sequence
    yield "max_sequence_length", run.sequence
    yield "optim", {"_CLASS_": _OPTIMIZERS["adamw"], **dict(_optimizer(run))}
    yield "scheduler", _scheduler(run, ramp)
    if "clip" in run.settings:
        yield "max_grad_norm", run.settings["clip"]
    if layout.dp > 1:
        kind = "ddp" if layout.shard == 0 else "fsdp"
        dtypes = {"param_dtype": _DTYPES.get(run.precision, "bfloat16"), "reduce_dtype": "float32"}
        yield "dp_config", _of(f"{where}DataParallelConfig", name=kind, **dtypes)
    if layout.tp > 1:
        yield "tp_config", _of(f"{where}TensorParallelConfig", degree=layout.tp)
    if layout.pp > 1:
        yield "pp_config", _of(f"{where}PipelineParallelConfig", degree=layout.pp)
    if layout.cp > 1:
        yield "cp_config", _of(f"{where}ContextParallelConfig", degree=layout.cp)
    if layout.recompute:
        yield "ac_config", _of(f"{where}ActivationCheckpointingConfig", mode="full")


def _optimizer(run: Training) -> Iterator[tuple[str, object]]:
    yield "lr", run.learning_rate
    if {"beta1", "beta2"} & run.settings.keys():
        yield "betas", [run.settings.get("beta1", _BETAS[0]), run.settings.get("beta2", _BETAS[1])]
    if "epsilon" in run.settings:
        yield "eps", run.settings["epsilon"]
    if "weight_decay" in run.settings:
        yield "weight_decay", run.settings["weight_decay"]


def _scheduler(run: Training, ramp: Ramp) -> dict[str, object]:
    if not ramp.decay:
        return _of("optim.scheduler.ConstantWithWarmup", warmup=ramp.warmup)
    if ramp.stable:
        fall: dict[str, object] = {"decay": ramp.decay, "decay_fraction": None, "decay_min_lr": run.rate(ramp.floor)}
        return _of("optim.scheduler.WSD", warmup=ramp.warmup, **fall)
    name = "CosWithWarmup" if ramp.curve == "cosine" else "LinearWithWarmup"
    return _of(f"optim.scheduler.{name}", warmup=ramp.warmup, alpha_f=ramp.floor)


def _lost(run: Training) -> Iterator[Said]:
    shape = run.shape
    assert shape is not None
    yield from lost_shape(run, _CARRIED, "" if shape.gated else "a model whose MLPs are not gated")
    yield from lost_optimizer(run, _OPTIMIZERS, _SETTINGS)
    yield from lost_precision(run, _DTYPES)
    yield from lost_selective(run)
    if run.layout is not None and run.layout.ep > 1:
        yield run.lost("layout", f"the layout's ep {run.layout.ep}", at="layout.ep")
