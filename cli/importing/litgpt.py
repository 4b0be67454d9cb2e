"""The configuration of litgpt's `pretrain` and `finetune` to what it says of a run."""

from __future__ import annotations

from runplan.cli.importing.adapters import adapted
from runplan.cli.importing.imported import PYTORCH_ADAMW, UNCUT, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable
from runplan.cli.importing.litgpt_models import shape_of

# Its own defaults: litgpt/config.py, litgpt/pretrain.py and litgpt/finetune/ of 0.5.13.
_SIZES = {"n_layer": 16, "n_embd": 4096, "n_head": 32, "block_size": 4096, "vocab_size": 50254, "padding_multiple": 512}
_PRETRAIN = {"global_batch_size": 512, "micro_batch_size": 4, "lr_warmup_steps": 2000, "min_lr": 4e-5, "max_norm": 1.0}
_FINETUNE = {"global_batch_size": 16, "micro_batch_size": 1, "lr_warmup_steps": 100}
_TOKENS, _EPOCHS, _RATE, _NORMS = 3e12, 5.0, 1e-3, 2
# Matrices that have an adapter, by its defaults of `finetune_lora`.
_ADAPTED = {"query": True, "key": False, "value": True, "projection": False, "mlp": False}
_PRECISIONS = {"bf16-mixed": "bf16", "bf16-true": "bf16", "32-true": "fp32", "16-mixed": "fp16", "16-true": "fp16"}


def is_litgpt(keys: Keys) -> bool:
    """Whether settings are its own: a section `train` beside a model."""
    train = keys.tree.get("train")
    return isinstance(train, dict) and {"global_batch_size", "micro_batch_size"} <= train.keys()


def configuration(keys: Keys, title: str) -> Imported:
    """What it says."""
    pretrains = not keys.text("checkpoint_dir")
    train = keys.section("train").filling(_PRETRAIN if pretrains else _FINETUNE)
    config = keys.section("model" if "model" in keys else "model_config")
    checkpoint = keys.text("checkpoint_dir", "initial_checkpoint_dir")
    name = (keys.text("model_name") or config.text("name") or checkpoint).rstrip("/").rpartition("/")[2]
    if not name and not config.tree:
        raise Unreadable("`model_name` is not there: no shape can be told without it")
    model: dict[str, Word] = dict(_model(config)) if config.tree else dict(shape_of(name))
    if model and train.flag("tie_embeddings"):
        model["tied"] = "true"
    sequence = train.whole("max_seq_length")
    if sequence is None and config.tree:
        sequence = config.whole("block_size") or _SIZES["block_size"]
    if sequence:
        model.pop("context", None)
    config.get("name"), config.get("block_size"), config.get("rope_base"), train.get("tie_embeddings")
    tokens, steps, epochs = train.number("max_tokens"), train.whole("max_steps"), train.number("epochs")
    if tokens is None and steps is None and epochs is None:
        tokens, epochs = (_TOKENS, None) if pretrains else (None, _EPOCHS)
    length = f"{int(tokens)} tokens" if tokens else f"{steps} steps" if steps else ""
    batch, micro = train.needed("global_batch_size"), train.needed("micro_batch_size")
    optimizer, given = _optimizer(keys, train)
    notes = list[str]()
    settings: dict[str, Word] = {**given, **_adapters(keys, notes)}
    lowest = train.number("min_lr") or 0.0
    if lowest and not pretrains:
        notes.append(f"`train.min_lr` is {lowest:g}, and litgpt's finetuning does not read it: its cosine ends at zero")
        lowest = 0.0
    floor = min(lowest / given["learning_rate"], 1.0)
    fall = Fall(train.whole("lr_warmup_steps") or 0, "cosine", None, floor)
    devices, nodes = keys.get("devices"), keys.whole("num_nodes") or 1
    count = int(devices) * nodes if isinstance(devices, int) and not isinstance(devices, bool) else None
    layout: dict[str, Word] = {**UNCUT, "micro_batch": f"{micro} sequences"}
    keys.get("out_dir")
    return Imported(
        files=("litgpt",),
        title=name or title,
        named="" if model else name,
        checkpoint=checkpoint.rstrip("/").rpartition("/")[2],
        model=model,
        sequence=sequence,
        length=length,
        epochs=epochs or 0.0,
        batch=batch,
        optimizer=optimizer,
        settings=settings,
        fall=fall,
        layout=layout,
        devices=count,
        precision=_PRECISIONS.get(keys.text("precision"), ""),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _optimizer(keys: Keys, train: Keys) -> tuple[str, dict[str, float]]:
    given = keys.section("optimizer") if isinstance(keys.tree.get("optimizer"), dict) else Keys({})
    name = given.text("class_path") or (keys.text("optimizer") if not given.tree else "") or "AdamW"
    more, settings = given.section("init_args"), dict[str, float]()
    old = train.number("learning_rate")  # in `train` until litgpt 0.4
    settings["learning_rate"] = more.number("lr") or old or _RATE
    if old is None and name.endswith("AdamW"):
        settings |= PYTORCH_ADAMW
    decay = more.number("weight_decay")
    decay = train.number("weight_decay") if decay is None else decay
    if decay is not None:
        settings["weight_decay"] = decay
    moments = more.figures("betas") or (train.number("beta1"), train.number("beta2"))
    settings |= betas(moments)
    if (epsilon := more.number("eps")) is not None:
        settings["epsilon"] = epsilon
    if clip := train.number("max_norm"):
        settings["clip"] = clip
    return name.rpartition(".")[2], settings


def _adapters(keys: Keys, notes: list[str]) -> dict[str, Word]:
    """The rank of LoRA and the matrices that have an adapter, or the fewest of a plan's words that hold them."""
    rank = keys.whole("lora_r")
    if not rank:
        return {}
    on = [part for part, by in _ADAPTED.items() if keys.flag(f"lora_{part}", otherwise=by)]
    packed = keys.text("quantize")
    bits = 4 if "nf4" in packed or "fp4" in packed else 8 if "int8" in packed else 0
    return adapted(rank, on, bits, notes)


def _model(config: Keys) -> dict[str, Word]:
    def size(name: str) -> int:
        return config.whole(name) or _SIZES[name]

    hidden, heads, vocab = size("n_embd"), size("n_head"), size("vocab_size")
    padding = size("padding_multiple")
    kind = config.text("mlp_class_name") or "GptNeoxMLP"
    gated = kind != "GptNeoxMLP"
    ffn = config.whole("intermediate_size") or (0 if gated else 4 * hidden)
    if not ffn:
        raise Unreadable("`model_config.intermediate_size` is not there, and the MLP cannot be counted without it")
    out: dict[str, Word] = {
        "layers": size("n_layer"),
        "hidden": hidden,
        "heads": heads,
        "ffn": ffn,
        "vocab": config.whole("padded_vocab_size") or -(-vocab // padding) * padding,
    }
    groups, width = config.whole("n_query_groups"), config.whole("head_size")
    if groups and groups != heads:
        out["kv_heads"] = groups
    if width and width * heads != hidden:
        out["head_dim"] = width
    out |= {} if gated else {"mlp": "plain"}
    if config.flag("bias", otherwise=True):
        out |= {"attention_biases": "all", "mlp_biases": "true"}
    elif config.flag("attn_bias"):
        out["attention_biases"] = "qkv"
    if (config.text("norm_class_name") or "LayerNorm") == "LayerNorm":
        # The first OLMo's norms have no weights: litgpt tells it by its name.
        out |= {"norms": 0, "final_norm": "false"} if "OLMo" in config.text("name") else {"norm_biases": "true"}
    if config.flag("lm_head_bias"):
        out["head_bias"] = "true"
    shared, before = config.flag("shared_attention_norm"), config.flag("norm_2", otherwise=True)
    config.get("parallel_residual")
    norms = config.flag("norm_1", otherwise=True) + (before and not shared)
    norms += config.flag("post_attention_norm") + config.flag("post_mlp_norm")
    if norms != _NORMS and "norms" not in out:
        out["norms"] = norms
    if config.flag("norm_qk"):
        out["qk_norm"] = "full" if config.text("norm_qk_type") == "olmo2" else "true"
    return out | _windows(config, int(out["layers"])) | _experts(config, ffn)


def _windows(config: Keys, layers: int) -> dict[str, Word]:
    width, where = config.whole("sliding_window_size"), config.list("sliding_window_indices")
    if not width:
        return {}
    whole = sum(not one for one in where[:layers])
    return {"window": f"{width} tokens", **({"global_layers": whole} if whole else {})}


def _experts(config: Keys, ffn: int) -> dict[str, Word]:
    count = config.whole("n_expert")
    if not count:
        return {}
    shared, dense = config.whole("n_shared_expert"), config.whole("first_k_dense_replace")
    return {
        "experts": count,
        "active_experts": config.needed("n_expert_per_token"),
        "expert_ffn": config.whole("moe_intermediate_size") or ffn,
        **({"shared_experts": shared} if shared else {}),
        **({"dense_layers": dense} if dense else {}),
    }
