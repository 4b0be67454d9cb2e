"""The YAML of nanotron to what it says of a run: a model of transformers' Llama, and phases of the rate in steps.

What is not said is the default of `nanotron/config/config.py` and `models_config.py`.
"""

from __future__ import annotations

from runplan.cli.importing.hf.decoders import llama, qwen2
from runplan.cli.importing.imported import Curve, Fall, Imported, Word
from runplan.cli.importing.keys import Keys, Unreadable

_SIZES = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
          "vocab_size": 32000}  # fmt: skip
_CURVES: dict[str, Curve] = {"linear": "linear", "cosine": "cosine", "1-sqrt": "sqrt"}
_PRECISIONS = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_OPTIMIZERS = {"adamW": "AdamW", "sgd": "SGD"}
_SETTINGS = {"beta1": "adam_beta1", "beta2": "adam_beta2", "epsilon": "adam_eps"}


def is_nanotron(keys: Keys) -> bool:
    """Whether settings are its own: sections for a model's config, the tokens, and the parallelism."""
    model = keys.tree.get("model")
    return isinstance(model, dict) and "model_config" in model and {"tokens", "parallelism"} <= keys.tree.keys()


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model of another family, or a schedule that has no shape in a plan.
    """
    tokens, parts, general = keys.section("tokens"), keys.section("parallelism"), keys.section("general")
    optimizer = keys.section("optimizer")
    factory, rates = optimizer.section("optimizer_factory"), optimizer.section("learning_rate_scheduler")
    steps, micro = tokens.needed("train_steps"), tokens.needed("micro_batch_size")
    dp, tp, pp = (parts.whole(name) or 1 for name in ("dp", "tp", "pp"))
    cp = parts.whole("context_parallel_size") or 1
    layout: dict[str, Word] = {"tp": tp, "pp": pp, "cp": cp, "micro_batch": f"{micro} sequences", "dp": dp}
    if (ep := parts.whole("expert_parallel_size") or 1) > 1:
        layout["ep"] = ep
    layout["recompute"] = "full" if parts.flag("recompute_layer") else "none"
    rate = rates.number("learning_rate")
    settings: dict[str, Word] = {} if rate is None else {"learning_rate": rate}
    settings |= {name: found for name, key in _SETTINGS.items() if (found := factory.number(key)) is not None}
    for name, key in (("weight_decay", "weight_decay"), ("clip", "clip_grad")):
        if (found := optimizer.number(key)) is not None:
            settings[name] = found
    named = factory.text("name") or "adamW"
    model = _model(keys.section("model"), tp)
    keys.section("checkpoints").get("checkpoints_path", "checkpoint_interval"), general.get("project")
    return Imported(
        files=("nanotron",),
        title=general.text("run") or title,
        model=model,
        sequence=tokens.needed("sequence_length"),
        length=f"{steps} steps",
        batch=micro * (tokens.whole("batch_accumulation_per_replica") or 1) * dp,
        optimizer=_OPTIMIZERS.get(named, named),
        settings=settings,
        fall=_fall(rates, rate, steps) if rate else None,
        layout=layout,
        devices=dp * tp * pp * cp,
        precision=_PRECISIONS.get(keys.section("model").text("dtype"), ""),
        left=tuple(keys.left()),
    )


def _model(outer: Keys, tp: int) -> dict[str, Word]:
    """The shape of its Llama, and of its Qwen 2, whose attention has the biases that transformers' has if asked for."""
    config = outer.section("model_config").filling(_SIZES)
    kind = next((name for name in config.tree if name.startswith("is_") and name.endswith("_config")), "")
    if kind not in ("is_llama_config", "is_qwen2_config") or "moe_config" in config:
        what = "moe_config" if "moe_config" in config else kind or "a config of no family"
        raise Unreadable(
            f"`model.model_config`: {what}: of nanotron's models Llama and Qwen 2 without experts are read"
        )
    config.get(kind)
    out = qwen2(config) if kind == "is_qwen2_config" and config.flag("attention_bias") else llama(config)
    if width := config.whole("sliding_window_size"):
        out["window"] = f"{width} tokens"
    multiple = (outer.whole("make_vocab_size_divisible_by") or 1) * tp
    out["vocab"] = -(-int(out["vocab"]) // multiple) * multiple
    out.pop("longest", None)
    return out


def _fall(rates: Keys, rate: float, steps: int) -> Fall:
    """The schedule: a rise, the peak until the fall starts, the fall, and where it ends until the run does."""
    style, warmup = rates.text("lr_decay_style") or "linear", rates.whole("lr_warmup_steps") or 0
    if rates.text("lr_warmup_style") == "constant":
        warmup = 0
    start, last = rates.whole("lr_decay_starting_step"), rates.whole("lr_decay_steps")
    start = warmup if start is None else start
    last = steps - start if last is None else last
    lowest = rates.number("min_decay_lr")
    if lowest is None or lowest == rate or not last:
        return Fall(warmup)
    if style not in _CURVES:
        raise Unreadable(f"the schedule `{style}` has no shape in a plan")
    rest = steps - start - last
    if rest < 0 or (rest and start > warmup):
        raise Unreadable(f"a fall from step {start} of {last} steps has no shape in a run of {steps} steps")
    decay = None if start == warmup and not rest else last
    return Fall(warmup, _CURVES[style], decay, lowest / rate, flat=bool(rest))
