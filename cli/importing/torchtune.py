"""The YAML of torchtune's recipes to what it says of a run.

What is not said is the default of the optimizer that is named, and of torchtune 0.6.1.
"""

from __future__ import annotations

import re

from runplan.cli.importing.adapters import adapted, matrices
from runplan.cli.importing.imported import PYTORCH_ADAMW, UNCUT, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable

_COMPONENT = "_component_"
# Its builders by the models of the library that have their shape; what stands behind the size is of the tokenizer.
_MODELS = {
    "llama2_7b": "llama-2-7b", "llama2_13b": "llama-2-13b", "llama2_70b": "llama-2-70b", "llama3_8b": "llama-3-8b",
    "llama3_70b": "llama-3-70b", "llama3_1_8b": "llama-3.1-8b", "llama3_1_70b": "llama-3.1-70b",
    "llama3_1_405b": "llama-3.1-405b", "llama3_2_1b": "llama-3.2-1b", "llama3_2_3b": "llama-3.2-3b",
    "llama3_3_70b": "llama-3.3-70b", "gemma_2b": "gemma-2b", "gemma_7b": "gemma-7b", "gemma2_2b": "gemma-2-2b",
    "gemma2_9b": "gemma-2-9b", "gemma2_27b": "gemma-2-27b", "mistral_7b": "mistral-7b", "phi3_mini": "phi-3-mini",
    "phi4_14b": "phi-4", "qwen2_0_5b": "qwen2-0.5b", "qwen2_1_5b": "qwen2-1.5b", "qwen2_7b": "qwen2-7b",
    "qwen2_5_0_5b": "qwen2.5-0.5b", "qwen2_5_1_5b": "qwen2.5-1.5b", "qwen2_5_3b": "qwen2.5-3b",
    "qwen2_5_7b": "qwen2.5-7b", "qwen2_5_14b": "qwen2.5-14b", "qwen2_5_32b": "qwen2.5-32b",
    "qwen2_5_72b": "qwen2.5-72b",
}  # fmt: skip
_BUILDER = re.compile(r"torchtune\.models\.[\w.]*?\.?(?P<packed>q?lora_)?(?P<name>[a-z]+\d*_\w+?)(?:_base|_instruct)?")
_PRECISIONS = {"bf16": "bf16", "fp16": "fp16", "fp32": "fp32"}
_ADAMS = ("AdamW", "PagedAdamW", "PagedAdamW8bit", "AdamW8bit")
# Parts of the names of losses that take pairs of answers, rewards, or what another model says.
_OTHER_LOSSES = ("DPO", "PPO", "GRPO", "RSO", "SimPO", "KD")
_COSINE, _HALF, _RATE, _RANK = "get_cosine_schedule_with_warmup", 0.5, 1e-3, 8


def is_torchtune(keys: Keys) -> bool:
    """Whether settings are its own: a model by the function of torchtune that builds it."""
    model = keys.tree.get("model")
    return isinstance(model, dict) and str(model.get(_COMPONENT, "")).startswith("torchtune.")


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a recipe that trains nothing, a model whose shape is not known by its builder, or a schedule
            that has no shape in a plan.
    """
    if "optimizer" not in keys:
        raise Unreadable("`optimizer` is not there: this recipe of torchtune trains nothing")
    loss = keys.section("loss").text(_COMPONENT).rpartition(".")[2]
    if any(word in loss for word in _OTHER_LOSSES) or "kd_loss" in keys:
        raise Unreadable(f"`loss: {loss[:40]}`: a plan trains one model on sequences, and this on pairs or on another")
    model, notes = keys.section("model"), list[str]()
    named, packed = _model(model)
    micro, again = keys.whole("batch_size") or 1, keys.whole("gradient_accumulation_steps") or 1
    epochs, each = keys.number("epochs") or 1.0, keys.whole("max_steps_per_epoch")
    layout: dict[str, Word] = {**UNCUT, "micro_batch": f"{micro} sequences"}
    layout["tp"] = keys.whole("tensor_parallel_dim") or 1
    layout["recompute"] = "full" if keys.flag("enable_activation_checkpointing") else "none"
    optimizer, settings = _optimizer(keys)
    if packed:
        settings |= _adapters(model, packed, notes)
    return Imported(
        files=("torchtune",),
        title=title,
        named=named,
        checkpoint=named,
        sequence=keys.section("tokenizer").whole("max_seq_len"),
        length=f"{round(epochs * each)} steps" if each else "",
        epochs=0.0 if each else epochs,
        per_device=micro * again,
        optimizer=optimizer,
        settings=settings,
        fall=_fall(keys),
        layout=layout,
        precision=_PRECISIONS.get(keys.text("dtype"), ""),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _model(model: Keys) -> tuple[str, str]:
    """The model of the library that a builder makes, and how its name says that adapters are on it."""
    said = model.text(_COMPONENT)
    found = _BUILDER.fullmatch(said)
    if not found or found["name"] not in _MODELS:
        raise Unreadable(
            f"the model `{said.removeprefix('torchtune.models.')[:60]}`: its shape is not known by that name"
        )
    return _MODELS[found["name"]], found["packed"] or ""


def _optimizer(keys: Keys) -> tuple[str, dict[str, Word]]:
    given = keys.section("optimizer")
    named = given.text(_COMPONENT).rpartition(".")[2] or "AdamW"
    settings: dict[str, Word] = {"learning_rate": given.number("lr") or _RATE}
    if named in _ADAMS:
        settings |= PYTORCH_ADAMW
    settings |= betas(given.figures("betas"))
    for name, key in (("epsilon", "eps"), ("weight_decay", "weight_decay")):
        if (found := given.number(key)) is not None:
            settings[name] = found
    if clip := keys.number("clip_grad_norm"):
        settings["clip"] = clip
    return named, settings


def _adapters(model: Keys, packed: str, notes: list[str]) -> dict[str, Word]:
    """The rank of LoRA and the matrices that have an adapter; in `qlora_` the weights below have 4 bits."""
    modules = [str(one) for one in model.list("lora_attn_modules")]
    if model.flag("apply_lora_to_mlp"):
        modules.append("up_proj")
    if model.flag("apply_lora_to_output"):
        notes.append("an adapter is on the output's table, and a plan has no word for it")
    bits = 4 if packed == "qlora_" or model.flag("quantize_base") else 0
    return adapted(model.whole("lora_rank") or _RANK, matrices(modules, notes), bits, notes)


def _fall(keys: Keys) -> Fall:
    """The schedule; the peak until the end where there is none."""
    given = keys.section("lr_scheduler")
    kind = given.text(_COMPONENT).rpartition(".")[2]
    if not kind:
        return Fall()
    cycles = given.number("num_cycles")
    if kind != _COSINE or cycles not in (None, _HALF):
        raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
    return Fall(given.whole("num_warmup_steps") or 0, "cosine", None, 0.0)
