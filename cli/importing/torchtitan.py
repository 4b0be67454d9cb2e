"""The configurations of torchtitan to what they say of a run: TOML of 0.2 and before, and modules of 0.3.

A module is read, and never run: its calls with figures, texts and names that were given a figure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word
from runplan.cli.importing.keys import Keys, Tree, Unreadable

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
    for name in ("tokenizer_path", "norm_type", "hf_assets_path"):
        model.get(name)
    settings: dict[str, float] = {"learning_rate": optimizer.number("lr") or _RATE, **_OPTIMIZER}
    betas = optimizer.list("betas")
    settings |= {f"beta{at + 1}": float(str(one)) for at, one in enumerate(betas)}
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
        settings=settings,
        fall=_fall(schedule, steps, min(_WARMUP if warmup is None else warmup, steps - 1)),
        layout=layout,
        left=tuple(keys.left()),
    )


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


# ---- modules


def module(path: str, text: str, wanted: str = "") -> Tree:
    """The calls of a module as sections.

    Args:
        wanted: The function that gives the configuration; the only one unless said.

    Raises:
        Unreadable: Where it is no Python, or has no such function, or several.
    """
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"{path}: no Python: {str(error)[:80]}") from None
    functions = {one.name: one for one in parsed.body if isinstance(one, ast.FunctionDef)}
    found = {name: call for name, one in functions.items() if (call := _returned(one)) is not None}
    if wanted and wanted not in found:
        raise Unreadable(f"{path}: no function `{wanted}` gives a configuration: there are {', '.join(found)[:200]}")
    if not wanted and len(found) != 1:
        many = f"several functions give a configuration: add --config, one of {', '.join(found)[:200]}"
        raise Unreadable(f"{path}: {many if found else 'no function gives a `Trainer.Config`'}")
    name = wanted or next(iter(found))
    figures = {target: value for one in functions.values() for target, value in _assigned(one)}
    tree = {key.arg: _value(key.value, figures) for key in found[name].keywords if key.arg}
    tree["activation_checkpoint"] = {"mode": "full" if "FullAC" in ast.dump(found[name]) else "none"}
    shape = dict(_shape(parsed, figures))
    if shape:
        tree["shape"] = shape
    else:
        tree["model"] = {"name": name.partition("_")[0], "flavor": _flavor(functions[name])}
    for key in ("model_spec", "loss", "dataloader", "metrics", "checkpoint", "validator", "tokenizer", "profiler"):
        tree.pop(key, None)
    return tree


def _returned(function: ast.FunctionDef) -> ast.Call | None:
    """What a function returns, where that is `Trainer.Config(...)`."""
    for node in ast.walk(function):
        returned = node.value if isinstance(node, ast.Return) else None
        if isinstance(returned, ast.Call) and ast.unparse(returned.func).endswith("Trainer.Config"):
            return returned
    return None


def _flavor(function: ast.FunctionDef) -> str:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("model_registry") and node.args:
            first = node.args[0]
            return str(first.value) if isinstance(first, ast.Constant) else ""
    return ""


def _assigned(function: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """The names of a function that are given figures or texts."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else [node.targets[0]]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for target, value in zip(targets, values, strict=False):
                if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                    yield target.id, value.value


def _value(node: ast.expr, figures: dict[str, object]) -> object:
    """A figure, a text, a list of them, or the arguments of a call; as it is written where it is another thing."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in figures:
        return figures[node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return [_value(one, figures) for one in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if isinstance(node.operand.value, int | float) else ast.unparse(node)
    if isinstance(node, ast.Call):
        return {one.arg: _value(one.value, figures) for one in node.keywords if one.arg}
    return ast.unparse(node)[:80]


def _shape(parsed: ast.Module, figures: dict[str, object]) -> Iterator[tuple[str, object]]:
    """The shape of a model of the family of llama3 that is made in the module itself."""
    named = {"n_layers": "layers", "dim": "hidden", "n_heads": "heads", "n_kv_heads": "kv_heads", "hidden_dim": "ffn"}
    for node in ast.walk(parsed):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {one.arg: _value(one.value, figures) for one in node.keywords if one.arg}
        if called.endswith("_build_llama3_layers"):
            yield from ((named[key], value) for key, value in given.items() if key in named)
        if called.endswith("Llama3Model.Config"):
            yield "vocab", given.get("vocab_size")
            if given.get("enable_weight_tying") is True:
                yield "tied", "true"
