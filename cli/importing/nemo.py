"""The YAML of NeMo's Megatron models, 1.x and 2.x, to what it says of a run.

What is not said is the default of `MegatronGPTModel`, such as learned positions, biases and tied tables.
"""

from __future__ import annotations

from runplan.cli.importing.imported import Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable
from runplan.cli.importing.megatron import padded, ramped

_OPTIMIZERS = {"fused_adam": "AdamW", "distributed_fused_adam": "AdamW", "megatron_fused_adam": "AdamW",
               "adam": "AdamW", "adamw": "AdamW", "adafactor": "Adafactor", "sgd": "SGD"}  # fmt: skip
_SHARED_OUT = ("distributed_fused_adam", "mcore_distributed_optim")  # states that copies share out
# Its schedules: half a cosine to a floor, on which the last `constant_steps` lie, and those that stay first.
_FALLING: dict[str, Curve] = {"CosineAnnealing": "cosine"}
_STAYING: dict[str, Curve] = {"WarmupHoldAnnealLinear": "linear", "WarmupHoldAnnealOneMinusSquareRoot": "sqrt"}
_FLAT = ("WarmupPolicy", "WarmupHoldPolicy")
_GATED = ("geglu", "swiglu", "reglu")
_TOKENIZERS = {"GPT2BPETokenizer": 50257}
# What a model has that no plan has the fields of.
_OTHER = ("encoder", "decoder", "num_moe_experts", "moe_num_experts", "hybrid_override_pattern", "mamba_state_dim",
          "multi_latent_attention", "retro", "headscale", "inference", "virtual_prompt_style")  # fmt: skip
_BETAS, _EPSILON, _DECAY = (0.9, 0.999), 1e-8, 0.01


def is_nemo(keys: Keys) -> bool:
    """Whether settings are its own: a trainer of Lightning beside a model of Megatron's sizes."""
    model = keys.tree.get("model")
    sized = isinstance(model, dict) and ("hidden_size" in model or "encoder" in model)
    return sized and isinstance(keys.tree.get("trainer"), dict)


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model or a schedule that no plan can say, or without a size of the vocabulary.
    """
    model, trainer, notes = keys.section("model"), keys.section("trainer"), list[str]()
    if vocab := keys.whole("vocab_size"):
        model = keys.below["model"] = Keys({**model.tree, "override_vocab_size": vocab}, model.path)
    if (other := next((name for name in _OTHER if name in model and model.tree[name] is not False), "")) or (
        "peft" in model and model.section("peft").text("peft_scheme") not in ("", "none")
    ):
        raise Unreadable(f"`model.{other or 'peft'}`: of NeMo's models the plain transformers that are trained whole")
    shape, batch = _shape(model), model.needed("global_batch_size")
    steps, epochs = trainer.number("max_steps") or 0, trainer.number("max_epochs") or 0
    steps = int(steps) if steps > 0 else 0
    optimizer, settings = _optimizer(model.section("optim"), trainer)
    length = f"{steps} steps" if steps else ""
    if steps and (grows := model.get("rampup_batch_size")):
        notes.append(ramped(grows, batch, steps))
    devices, nodes = trainer.get("devices"), trainer.get("num_nodes")
    return Imported(
        files=("NeMo",),
        title=keys.text("name") or title,
        model=shape,
        sequence=model.whole("encoder_seq_length", "seq_length"),
        length=length,
        epochs=0.0 if steps or epochs < 0 else epochs,
        batch=batch,
        optimizer=optimizer,
        settings=settings,
        fall=_fall(model.section("optim"), steps),
        layout=_layout(model),
        devices=devices * nodes if isinstance(devices, int) and isinstance(nodes, int) else None,
        precision="fp8" if model.flag("fp8") else _precision(trainer.text("precision")),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _shape(model: Keys) -> dict[str, Word]:
    hidden, heads = model.needed("hidden_size"), model.needed("num_attention_heads")
    gated = model.text("activation").removeprefix("fast-") in _GATED
    kind, block = (model.text("normalization") or "layernorm").lower(), model.text("transformer_block_type") or "pre_ln"
    if block != "pre_ln":
        raise Unreadable(f"`model.transformer_block_type: {block[:40]}` has no place in a plan; pre_ln has")
    out: dict[str, Word] = {
        "layers": model.needed("num_layers"),
        "hidden": hidden,
        "heads": heads,
        "ffn": model.whole("ffn_hidden_size") or 4 * hidden,
        "vocab": _vocab(model),
        **({} if gated else {"mlp": "plain"}),
    }
    if (groups := model.whole("num_query_groups")) and groups != heads:
        out["kv_heads"] = groups
    if (width := model.whole("kv_channels")) and width * heads != hidden:
        out["head_dim"] = width
    if model.flag("share_embeddings_and_output_weights", otherwise=True):
        out["tied"] = "true"
    if model.flag("bias", otherwise=True):
        out |= {"attention_biases": "all", "mlp_biases": "true"}
    elif model.flag("qkv_bias"):
        out["attention_biases"] = "qkv"
    if "rmsnorm" not in kind:
        out["norm_biases"] = "true"
    places = model.whole("max_position_embeddings")
    if (model.text("position_embedding_type") or "learned_absolute") == "learned_absolute" and places:
        out["positions"] = places
    return out | ({"qk_norm": "true"} if model.flag("qk_layernorm") else {})


def _vocab(model: Keys) -> int:
    tokenizer = model.section("tokenizer")
    known = model.whole("override_vocab_size") or _TOKENIZERS.get(tokenizer.text("type"))
    if not known:
        raise Unreadable("its tokenizer has the size of the vocabulary, and no file says it: add --vocab N")
    return padded(known, model)


def _precision(said: str) -> str:
    """What Lightning's name of a precision computes in, such as `bf16-mixed`; fp32 where it is not said."""
    return {"16": "fp16", "bf16": "bf16"}.get(said.partition("-")[0], "fp32")


def _optimizer(given: Keys, trainer: Keys) -> tuple[str, dict[str, Word]]:
    named = given.text("name") or "fused_adam"
    settings: dict[str, Word] = {} if (rate := given.number("lr")) is None else {"learning_rate": rate}
    decay, epsilon = given.number("weight_decay"), given.number("eps")
    settings |= betas(given.figures("betas") or _BETAS)
    settings |= {
        "epsilon": _EPSILON if epsilon is None else epsilon,
        "weight_decay": _DECAY if decay is None else decay,
    }
    if clip := trainer.number("gradient_clip_val"):
        settings["clip"] = clip
    return _OPTIMIZERS.get(named, named), settings


def _fall(given: Keys, steps: int) -> Fall | None:
    """The schedule: `WarmupAnnealHoldPolicy` and `WarmupHoldPolicy` of nemo/core/optim/lr_scheduler.py.

    Raises:
        Unreadable: For one that has no shape in a plan, or that is of another length than the run.
    """
    rate, sched = given.number("lr"), given.section("sched")
    kind = sched.text("name")
    if not rate or not kind:
        return None if not rate else Fall()
    span = sched.whole("max_steps") or steps

    def long(what: str) -> int:
        count, share = sched.whole(f"{what}_steps"), sched.number(f"{what}_ratio")
        return count if count is not None else int((share or 0) * span)

    warmup, floor = long("warmup"), (sched.number("min_lr") or 0.0) / rate
    if kind in _FLAT:
        return Fall(warmup)
    if span != steps:
        raise Unreadable(f"`model.optim.sched.max_steps` is {span}, and `trainer.max_steps` {steps}")
    if kind in _FALLING:
        last = long("constant")
        if last and span - last - warmup <= 0:
            raise Unreadable("`model.optim.sched`: its rise and its constant steps leave none for the fall")
        return Fall(warmup, _FALLING[kind], span - last - warmup if last else None, floor, flat=bool(last))
    if kind in _STAYING:
        if kind != "WarmupHoldAnnealLinear" and floor:
            raise Unreadable("`model.optim.sched.min_lr`: it cuts the fall off above zero, and a plan has none that is")
        return Fall(warmup, _STAYING[kind], span - warmup - long("hold"), floor)
    raise Unreadable(f"the schedule `{kind}` has no shape in a plan")


def _layout(model: Keys) -> dict[str, Word]:
    named = {"tp": "tensor_model_parallel_size", "pp": "pipeline_model_parallel_size", "cp": "context_parallel_size"}
    out: dict[str, Word] = {part: model.whole(name) or 1 for part, name in named.items()}
    if (parts := model.whole("virtual_pipeline_model_parallel_size") or 1) > 1:
        out["interleave"] = parts
    if micro := model.whole("micro_batch_size"):
        out["micro_batch"] = f"{micro} sequences"
    out["recompute"] = model.text("activations_checkpoint_granularity") or "none"
    model.get("sequence_parallel")
    if model.section("optim").text("name") in _SHARED_OUT:
        out["regime"] = "megatron"
    return out
