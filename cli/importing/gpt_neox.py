"""The YAML of GPT-NeoX to what it says of a run.

What is not said is the default of `megatron/neox_arguments/`, such as learned positions, tied tables and a rise over a
hundredth of the run.
"""

from __future__ import annotations

from runplan.cli.importing.falls import fall_over
from runplan.cli.importing.imported import Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable

# Names that it alone has, of those which it took from Megatron-LM.
OWN = ("pipe_parallel_size", "model_parallel_size", "train_micro_batch_size_per_gpu")
_CURVES: dict[str, Curve] = {"linear": "linear", "cosine": "cosine"}
_OPTIMIZERS = {"adam": "AdamW", "cpu_adam": "AdamW", "cpu_torch_adam": "AdamW", "lion": "Lion", "sgd": "SGD"}
_DEFAULTS = {"gradient_clipping": 1.0, "weight_decay": 0.01, "min_lr": 0.0, "warmup": 0.01}
_BETAS, _EPSILON = (0.9, 0.999), 1e-8
# Entries of the vocabularies that are known by their files, before they are padded.
_VOCABULARIES = {"20B_tokenizer.json": 50277, "gpt2-vocab.json": 50257}
_PAD, _MULTIPLE = 128, 256
_GATED = ("geglu", "swiglu", "reglu", "bilinear", "glu")
# What changes its layers, and the kinds of them that a plan has the fields of.
_OTHER = ("num_unique_layers", "soft_prompt_tuning", "use_qk_layernorm")
_NO_ATTENTION = frozenset(("gmlp", "amlp", "mamba", "rwkv"))
_LLAMA = "llama"


def is_neox(keys: Keys) -> bool:
    """Whether settings are its own."""
    names = {name.replace("-", "_") for name in keys.tree}
    return {"num_layers", "hidden_size", "num_attention_heads"} <= names and any(name in names for name in OWN)


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model that no plan has the fields of, or without a size of its vocabulary.
    """
    keys = Keys({name.replace("-", "_"): value for name, value in keys.tree.items()}).filling(_DEFAULTS)
    pp, tp = keys.whole("pipe_parallel_size") or 1, keys.whole("model_parallel_size") or 1
    model = _model(keys, tp)
    micro, again = keys.whole("train_micro_batch_size_per_gpu"), keys.whole("gradient_accumulation_steps") or 1
    given = keys.section("optimizer")
    more, named = given.section("params"), given.text("type") or "Adam"
    rate = more.number("lr") or keys.number("lr")
    moments = more.figures("betas") or _BETAS
    settings: dict[str, Word] = {"learning_rate": rate} if rate else {}
    settings |= betas(moments)
    epsilon = more.number("eps")
    settings["epsilon"] = _EPSILON if epsilon is None else epsilon
    for name, key in (("weight_decay", "weight_decay"), ("clip", "gradient_clipping")):
        value = keys.number(key)
        if value or (value is not None and name != "clip"):  # it clips nothing at zero
            settings[name] = value
    steps, notes, epochs = keys.whole("train_iters"), list[str](), keys.number("train_epochs") or 0.0
    layout: dict[str, Word] = {"tp": tp, "pp": pp, "cp": 1}
    if micro:
        layout["micro_batch"] = f"{micro} sequences"
    layout["recompute"] = "full" if keys.flag("checkpoint_activations") else "none"
    return Imported(
        files=("GPT-NeoX",),
        title=title,
        model=model,
        sequence=keys.whole("seq_length"),
        length=f"{steps} steps" if steps else "",
        epochs=0.0 if steps else epochs,
        batch=keys.whole("train_batch_size"),
        per_device=micro * again if micro else None,
        optimizer=_OPTIMIZERS.get(named.lower(), named),
        settings=settings,
        fall=_fall(keys, rate, steps, notes),
        layout=layout,
        precision=_precision(keys),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _model(keys: Keys, tp: int) -> dict[str, Word]:
    hidden, heads = keys.needed("hidden_size"), keys.needed("num_attention_heads")
    for name in _OTHER:
        if keys.get(name):
            raise Unreadable(f"`{name}`: what it makes of GPT-NeoX's layers has no place in a plan")
    kinds = {one for one in _flat(keys.list("attention_config")) if isinstance(one, str)}
    if kinds & _NO_ATTENTION:
        raise Unreadable("`attention_config`: of GPT-NeoX's layers those that attend are read")
    if (keys.whole("moe_num_experts") or keys.whole("num_experts") or 1) > 1:
        raise Unreadable("`moe_num_experts`: of GPT-NeoX models without experts are read")
    kind = keys.text("mlp_type") or "regular"
    if kind not in ("regular", _LLAMA):
        raise Unreadable(f"`mlp_type: {kind[:40]}`: of GPT-NeoX's MLPs those are read that are regular, {_LLAMA}")
    norm = keys.text("norm") or "layernorm"
    if norm not in ("layernorm", "rmsnorm"):
        raise Unreadable(f"`norm: {norm}`: norms of this kind have no place in a plan")
    out: dict[str, Word] = {
        "layers": keys.needed("num_layers"),
        "hidden": hidden,
        "heads": heads,
        **_mlp(keys, hidden, kind),
        "vocab": _vocab(keys, tp),
    }
    if (groups := keys.whole("num_kv_heads")) and groups != heads:
        out["kv_heads"] = groups
    if keys.flag("use_bias_in_attn_linear", otherwise=True):
        out["attention_biases"] = "all"
    if norm == "layernorm" and keys.flag("use_bias_in_norms", otherwise=True):
        out["norm_biases"] = "true"
    if keys.flag("gpt_j_residual") and keys.flag("gpt_j_tied"):  # one norm for attention and MLP
        out["norms"] = 1
    if not keys.flag("no_weight_tying"):
        out["tied"] = "true"
    if (keys.text("pos_emb") or "learned") == "learned":
        out["positions"] = keys.needed("max_position_embeddings") + (keys.whole("opt_pos_emb_offset") or 0)
    keys.get("max_position_embeddings")
    return out


def _mlp(keys: Keys, hidden: int, kind: str) -> dict[str, Word]:
    """The MLP: plain, the gated one of `mlp_type: llama`, or one whose activation has a gate.

    Source: `LLaMAParallelMLP` and `ParallelMLP` of megatron/model/transformer.py; the second takes two thirds of the
    width that is said for a gate and what it opens together.

    Raises:
        Unreadable: For a gate of which releases differ in how wide it is.
    """
    activation = keys.text("activation") or "gelu"
    said, times = keys.whole("intermediate_size", "feedforward_size"), keys.number("expansion_factor")
    if kind == _LLAMA:
        return {"ffn": said or _multiple(int(2 * 4 * hidden / 3), _MULTIPLE)}
    biases: dict[str, Word] = {"mlp_biases": "true"} if keys.flag("use_bias_in_mlp", otherwise=True) else {}
    wide = said or (int(times * hidden) if times else 4 * hidden)
    if activation not in _GATED:
        return {"ffn": wide, "mlp": "plain", **biases}
    if activation != "swiglu" and not said and not times:
        raise Unreadable(f"`activation: {activation}`: how wide a gated MLP is differs between releases of GPT-NeoX")
    return {"ffn": _multiple(int(wide * 2 / 3) // 2, keys.whole("mlp_multiple_of") or 1), **biases}


def _multiple(wide: int, of: int) -> int:
    return -(-wide // of) * of


def _flat(listed: list[object]) -> list[object]:
    """The words of lists in each other."""
    return [word for one in listed for word in (_flat(one) if isinstance(one, list) else [one])]


def _vocab(keys: Keys, tp: int) -> int:
    """Entries of the tables, which are padded to a multiple."""
    if padded := keys.whole("padded_vocab_size"):
        return padded
    file = keys.text("vocab_file").rpartition("/")[2]
    known = keys.whole("vocab_size") or _VOCABULARIES.get(file)
    if not known:
        raise Unreadable("the size of the vocabulary is not there, and tables cannot be counted without it: --vocab N")
    multiple = (keys.whole("make_vocab_size_divisible_by") or _PAD) * tp
    return -(-known // multiple) * multiple


def _precision(keys: Keys) -> str:
    """What it computes in: fp32 unless one of its sections is enabled."""
    said = {"bfloat16": "bf16", "fp16": "fp16", "fp32": "fp32"}.get(keys.text("precision"), "")
    half, brain = keys.section("fp16"), keys.section("bf16")
    if half.flag("enabled") or half.flag("fp16"):
        said = said or ("bf16" if half.text("type") == "bfloat16" else "fp16")
    return said or ("bf16" if brain.flag("enabled") else "fp32")


def _fall(keys: Keys, rate: float | None, steps: int | None, notes: list[str]) -> Fall | None:
    """The schedule; its rise is a share of the steps over which it falls."""
    style, lowest, share = keys.text("lr_decay_style") or "linear", keys.number("min_lr") or 0.0, keys.number("warmup")
    part = keys.number("lr_decay_fraction")
    decay = round(part * steps) if part and steps else keys.whole("lr_decay_iters") or steps
    if not rate or not steps or not decay:
        return None
    warmup = int((share or 0.0) * decay)
    if style == "constant":
        return Fall(warmup)
    if style not in _CURVES:
        raise Unreadable(f"the schedule `{style}` has no shape in a plan")
    return fall_over(decay, steps, warmup, _CURVES[style], lowest / rate, notes)
