"""The configurations of torchtitan to what they say of a run: TOML of 0.2 and before, and modules of 0.3."""

from __future__ import annotations

import re

from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable

# Its models by name and flavour, as the library calls them: torchtitan/models/*/__init__.py.
_MODELS = {
    ("llama3", "1B"): "llama-3.2-1b", ("llama3", "3B"): "llama-3.2-3b", ("llama3", "8B"): "llama-3-8b",
    ("llama3", "70B"): "llama-3-70b", ("llama3", "405B"): "llama-3.1-405b",
    ("llama2", "7B"): "llama-2-7b", ("llama2", "13B"): "llama-2-13b", ("llama2", "70B"): "llama-2-70b",
    ("qwen3", "0.6B"): "qwen3-0.6b", ("qwen3", "1.7B"): "qwen3-1.7b", ("qwen3", "4B"): "qwen3-4b",
    ("qwen3", "8B"): "qwen3-8b", ("qwen3", "14B"): "qwen3-14b", ("qwen3", "32B"): "qwen3-32b",
    ("qwen3", "30B-A3B"): "qwen3-30b-a3b", ("qwen3", "235B-A22B"): "qwen3-235b-a22b",
    ("deepseek_v3", "16B"): "deepseek-v2-lite", ("deepseek_v3", "236B"): "deepseek-v2",
    ("deepseek_v3", "671B"): "deepseek-v3", ("gpt_oss", "20b"): "gpt-oss-20b", ("gpt_oss", "120b"): "gpt-oss-120b",
    ("llama4", "17bx16e"): "llama-4-scout", ("llama4", "17bx128e"): "llama-4-maverick",
}  # fmt: skip
# Those that it is tried with, which the library does not have.
_TRIED = {
    "llama3": "layers 6 hidden 256 heads 16 ffn 768 vocab 2048",
    "qwen3": "layers 8 hidden 256 heads 16 kv_heads 8 head_dim 128 ffn 3072 vocab 2048 tied true qk_norm true",
    "deepseek_v3": "layers 6 hidden 256 heads 16 head_dim 128 rope_dim 64 v_head_dim 128 kv_lora 512 ffn 1024"
    " vocab 2048 experts 8 active_experts 3 expert_ffn 256 shared_experts 2 dense_layers 1 router_biases false",
}
FAMILIES = frozenset(family for family, _ in _MODELS) | frozenset(_TRIED)
# What a flavour's name says of its attention, and not of its shape.
_VARIANTS = re.compile(r"_(flex_attn|varlen_attn|non_fused_qkv|irope)$")
_CURVES: dict[str, Curve] = {"linear": "linear", "cosine": "cosine", "sqrt": "sqrt"}
# Its own defaults: torchtitan/config/configs.py, components/optimizer.
_RATE, _WARMUP, _LOCAL, _SEQUENCE, _STEPS, _NORM = 8e-4, 200, 8, 2048, 10_000, 1.0
_OPTIMIZER = {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.1}
_NAMES = {"beta1": "beta1", "beta2": "beta2", "epsilon": "eps", "weight_decay": "weight_decay"}


def is_torchtitan(keys: Keys) -> bool:
    """Whether settings are its own: sections for the model's flavour, the training, or both."""
    tree = keys.tree
    model, training = tree.get("model"), tree.get("training")
    flavoured = isinstance(model, dict) and "flavor" in model
    return flavoured or (isinstance(training, dict) and "seq_len" in training and "steps" in training)


def configuration(keys: Keys, title: str) -> Imported:
    """What the sections say.

    Raises:
        Unreadable: For a model whose shape is not known by its flavour.
    """
    training, optimizer, schedule = (keys.section(name) for name in ("training", "optimizer", "lr_scheduler"))
    model, spec = keys.section("model"), keys.section("shape")
    named = ""
    shape: dict[str, Word] = {
        name: str(value) if name == "tied" else int(str(value)) for name, value in spec.tree.items()
    }
    if not shape:
        flavor = (model.text("name"), _VARIANTS.sub("", model.text("flavor")))
        named = _MODELS.get(flavor, "")
        words = _TRIED.get(flavor[0], "").split() if flavor[1] == "debugmodel" else []
        shape = {
            name: int(word) if word.isdigit() else word for name, word in zip(words[::2], words[1::2], strict=True)
        }
        if not named and not shape:
            raise Unreadable(f"the model `{flavor[0]} {flavor[1]}`: its shape is not known by that name")
    spec.taken.update(spec.tree)
    for name in ("tokenizer_path", "norm_type", "hf_assets_path", "attn_backend"):
        model.get(name)
    settings: dict[str, float] = {"learning_rate": optimizer.number("lr") or _RATE, **_OPTIMIZER}
    settings |= betas(optimizer.figures("betas"))
    settings |= {name: found for name, key in _NAMES.items() if (found := optimizer.number(key)) is not None}
    norm = training.number("max_norm")
    settings["clip"] = _NORM if norm is None else norm
    steps = training.whole("steps") or _STEPS
    local = training.whole("local_batch_size", "batch_size") or _LOCAL
    whole = training.number("global_batch_size")
    batch = int(whole) if whole is not None and whole > 0 else None
    warmup = schedule.whole("warmup_steps")
    warmup = training.whole("warmup_steps") if warmup is None else warmup
    layout, copies = _layout(keys, local)
    if batch is None and copies:
        batch = local * copies
    keys.section("job").text("dump_folder")
    description = keys.section("job").text("description")
    return Imported(
        files=("torchtitan",),
        title=description or title,
        named=named,
        model=shape,
        sequence=training.whole("seq_len") or _SEQUENCE,
        length=f"{steps} steps",
        batch=batch,
        per_device=None if batch else local,
        optimizer=optimizer.text("name") or "AdamW",
        precision=_precision(keys),
        settings=settings,
        fall=_fall(schedule, steps, min(_WARMUP if warmup is None else warmup, steps - 1)),
        layout=layout,
        left=tuple(keys.left()),
    )


def _precision(keys: Keys) -> str:
    """FP8 where a converter of matrices computes in it; empty where the sections say no more than the default."""
    converters = (*keys.section("model").list("converters"), *keys.section("model_converters").list("converters"))
    of_eight_bits = any(word in str(one).lower() for one in converters for word in ("float8", "mx"))
    return "fp8" if of_eight_bits or keys.section("float8").flag("enable_float8_linear") else ""


def _fall(schedule: Keys, steps: int, warmup: int) -> Fall:
    ratio, kind = schedule.number("decay_ratio"), schedule.text("decay_type") or "linear"
    floor = schedule.number("min_lr_factor", "lr_min") or 0.0
    if kind not in _CURVES:
        raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
    if ratio is None:
        return Fall(warmup, _CURVES[kind], None, floor)
    decay = min(round(steps * ratio), steps - warmup)
    return Fall(warmup, _CURVES[kind], decay, floor) if decay else Fall(warmup)


def _layout(keys: Keys, local: int) -> tuple[dict[str, Word], int]:
    """The layout, and the copies of the model where both ways of copying are said."""
    parts = keys.section("parallelism" if "parallelism" in keys.tree else "experimental")
    out: dict[str, Word] = {}
    for part, name in (("tp", "tensor"), ("pp", "pipeline"), ("cp", "context"), ("ep", "expert")):
        count = parts.whole(f"{name}_parallel_degree") or keys.section("training").whole(f"{name}_parallel_degree") or 1
        if count > 1 or part in UNCUT:
            out[part] = count
    micro = parts.whole("pipeline_parallel_microbatch_size") if int(str(out["pp"])) > 1 else local
    out["micro_batch"] = f"{micro or 1} sequences"
    shard = parts.number("data_parallel_shard_degree")
    copies = (parts.whole("data_parallel_replicate_degree") or 1) * int(shard if shard and shard > 0 else 0)
    if copies:
        out["dp"] = copies
    mode = keys.section("activation_checkpoint").text("mode")
    if mode == "full":
        out["recompute"] = "full"
    elif mode == "none":
        out["recompute"] = "none"
    elif mode:
        keys.section("activation_checkpoint").taken.discard("mode")
    out["regime"] = "fsdp2"
    return out, copies
