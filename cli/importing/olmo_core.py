"""The configuration of OLMo-core, as its runs save it and `Config.from_dict` reads it, to what it says of a run.

What is not said is the default of OLMo-core 3.0.0, such as biases, and PyTorch's AdamW.
"""

from __future__ import annotations

from runplan.cli.importing.falls import fall_over
from runplan.cli.importing.imported import PYTORCH_ADAMW, UNCUT, Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable

_CLASS = "_CLASS_"
_NORMS = {"default": 2, "reordered_norm": 2, "peri_norm": 4}
_OPTIMIZERS = {"AdamWConfig": "AdamW", "SkipStepAdamWConfig": "AdamW", "LionConfig": "Lion",
               "SkipStepLionConfig": "Lion", "MuonConfig": "Muon"}  # fmt: skip
_FALLS: dict[str, Curve] = {"CosWithWarmup": "cosine", "LinearWithWarmup": "linear"}
_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_RATE, _FLOOR, _DECAY = 1e-3, 0.1, 0.1
_PARTS = {"tp": "tp_config", "pp": "pp_config", "cp": "cp_config", "ep": "ep_config"}


def is_olmo_core(keys: Keys) -> bool:
    """Whether settings are its own: a train module beside a model of blocks."""
    model = keys.tree.get("model")
    return isinstance(model, dict) and "block" in model and isinstance(keys.tree.get("train_module"), dict)


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model that no plan has the fields of, or a schedule that has no shape in one.
    """
    module, optim = keys.section("train_module"), keys.section("train_module").section("optim")
    sequence, notes = module.needed("max_sequence_length"), list[str]()
    tokens, micro = keys.section("data_loader").needed("global_batch_size"), module.whole("rank_microbatch_size")
    duration = keys.section("trainer").section("max_duration")
    count, unit = duration.needed("value"), duration.text("unit") or "steps"
    steps = {"steps": float(count), "tokens": count / tokens}.get(unit)
    layout = _layout(module)
    if micro:
        layout["micro_batch"] = f"{max(micro // sequence, 1)} sequences"
    named = optim.text(_CLASS).rpartition(".")[2]
    rate = optim.number("lr") or _RATE
    settings: dict[str, Word] = {**PYTORCH_ADAMW, "learning_rate": rate}
    settings |= betas(optim.figures("betas"))
    for name, where, key in (("epsilon", optim, "eps"), ("weight_decay", optim, "weight_decay"),
                             ("clip", module, "max_grad_norm")):  # fmt: skip
        if (found := where.number(key)) is not None:
            settings[name] = found
    keys.taken.update((_CLASS, "_runplan"))
    return Imported(
        files=("OLMo-core",),
        title=keys.text("run_name") or title,
        model=_model(keys.section("model")),
        sequence=sequence,
        length=f"{count} {unit}" if steps else "",
        epochs=0.0 if steps else float(count),
        batch=max(tokens // sequence, 1),
        optimizer=_OPTIMIZERS.get(named, named.removesuffix("Config") or "AdamW"),
        settings=settings,
        fall=_fall(module.section("scheduler"), rate, tokens, steps, notes),
        layout=layout,
        precision=_DTYPES.get(module.section("dp_config").text("param_dtype"), ""),
        notes=tuple(notes),
        left=tuple((name, value) for name, value in keys.left() if not name.endswith(_CLASS)),
    )


def _model(keys: Keys) -> dict[str, Word]:
    block = keys.section("block")
    attention = block.section("sequence_mixer" if "sequence_mixer" in block else "attention")
    kind, inner, head = block.text("name") or "default", block.section("feed_forward"), keys.section("lm_head")
    if kind not in _NORMS or "block_overrides" in keys or "block_pattern" in keys or "feed_forward_moe" in block:
        raise Unreadable(f"`model.block.name: {kind[:40]}`: of OLMo-core's models those are read whose layers are "
                         f"alike, without experts, and {', '.join(_NORMS)}")  # fmt: skip
    if "n_heads" not in attention or "gate" in attention:
        raise Unreadable("`model.block`: a layer that does not attend, or with a gate, has no place in a plan")
    hidden, heads = keys.needed("d_model"), attention.needed("n_heads")
    groups, width = attention.whole("n_kv_heads"), attention.whole("head_dim")
    out: dict[str, Word] = {
        "layers": keys.needed("n_layers"), "hidden": hidden, "heads": heads, "ffn": inner.needed("hidden_size"),
        "vocab": keys.needed("vocab_size"), "norms": _NORMS[kind],
    }  # fmt: skip
    out |= {"kv_heads": groups} if groups and groups != heads else {}
    out |= {"head_dim": width} if width and width * heads != hidden else {}
    out |= {"tied": "true"} if keys.flag("tie_word_embeddings") else {}
    # What says nothing of its biases has them.
    out |= {"attention_biases": "all"} if attention.flag("bias", otherwise=True) else {}
    out |= {"mlp_biases": "true"} if inner.flag("bias", otherwise=True) else {}
    out |= {"head_bias": "true"} if head.flag("bias", otherwise=True) else {}
    out |= {"sinks": "true"} if attention.flag("attention_sinks") else {}
    norm, last = block.section("layer_norm"), head.section("layer_norm")
    biased = norm.flag("bias", otherwise=True)
    norms = [norm, *([last] if last.tree else [])]
    if "qk_norm" in attention:
        out["qk_norm"] = "true" if attention.flag("use_head_qk_norm") else "full"
        norms.append(attention.section("qk_norm"))
    if any(one.flag("bias", otherwise=True) != biased for one in norms):
        raise Unreadable("`model.block.layer_norm.bias`: norms of which some have biases have no place in a plan")
    out |= {"norm_biases": "true"} if biased else {}
    out |= {} if last.tree else {"final_norm": "false"}
    return out | ({"embedding_norm": "true"} if keys.section("embedding_norm").tree else {})


def _layout(module: Keys) -> dict[str, Word]:
    out: dict[str, Word] = {}
    for part, name in _PARTS.items():
        degree = module.section(name).whole("degree") or 1
        if degree > 1 or part in UNCUT:
            out[part] = degree
    again = module.section("ac_config")
    if (mode := again.text("mode")) in ("", "full"):
        out["recompute"] = "full" if mode else "none"
    else:
        again.taken.discard("mode")
    return out


def _fall(given: Keys, rate: float, tokens: int, steps: float | None, notes: list[str]) -> Fall:
    """The schedule.

    Args:
        rate: The peak.
        tokens: Of a step, where it is in tokens.
        steps: Of the run; None where its length is in epochs.
    """
    kind, unit = given.text(_CLASS).rpartition(".")[2], tokens if given.text("units") == "tokens" else 1
    if kind in ("", "ConstantScheduler"):
        return Fall()
    span, floor = given.number("t_max"), given.number("alpha_f")
    whole = steps if span is None else span / unit
    rise, share = given.number("warmup", "warmup_steps"), given.number("warmup_fraction") or 0.0
    warmup = round(rise / unit if rise is not None else share * (whole or 0.0))
    if lowest := given.number("warmup_min_lr"):
        notes.append(f"OLMo-core's rise begins at {lowest:g}, and the plan's at zero")
    if kind == "ConstantWithWarmup":
        return Fall(warmup)
    if kind == "WSD" and steps:
        last, part = given.number("decay", "decay_steps"), given.number("decay_fraction")
        decay = round(last / unit if last is not None else (_DECAY if part is None else part) * steps)
        return Fall(warmup, "linear", decay, (given.number("decay_min_lr") or 0.0) / rate)
    if kind not in _FALLS:
        raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
    return fall_over(whole, steps, warmup, _FALLS[kind], _FLOOR if floor is None else floor, notes)
