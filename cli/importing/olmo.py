"""The YAML of the repository OLMo to what it says of a run.

What is not said is the default of `olmo/config.py` of 0.6.0, such as Lion and a rise from a tenth of the peak.
"""

from __future__ import annotations

import math
import re

from runplan.cli.importing.falls import fall_over
from runplan.cli.importing.hf.allen import olmo_of_allen
from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable, left_out

_TRAIN = {"max_duration": 10_000, "global_train_batch_size": 512, "device_train_microbatch_size": 16}
_OPTIMIZERS = {"adamw": "AdamW", "lionw": "Lion", "decoupled_lionw": "Lion"}
_OPTIMIZER = {"name": "lionw", "weight_decay": 0.01, "eps": 1e-5}
_RATE, _BETAS = 1e-4, (0.9, 0.95)
_SCHEDULE = {"name": "cosine_with_warmup", "t_warmup": 100, "alpha_f": 0.1, "units": "steps"}
_FALLS: dict[str, Curve] = {"cosine_with_warmup": "cosine", "linear_with_warmup": "linear"}
_FLAT = {"constant": False, "constant_with_warmup": True}
_PRECISIONS = {"amp_bf16": "bf16", "amp_fp16": "fp16", "fp32": "fp32"}
_RISES_FROM = 0.1
# A length as it writes one: `2e12T` in tokens, `1ep` in epochs, else in steps.
_LENGTH = re.compile(r"\s*([\d._eE+-]+)\s*(T|ep|)\s*")


def is_olmo(keys: Keys) -> bool:
    """Whether settings are its own: a model under its names, beside the batch of all devices."""
    model = keys.tree.get("model")
    return isinstance(model, dict) and "d_model" in model and "global_train_batch_size" in keys and (
        "mlp_hidden_size" in model or "mlp_ratio" in model or "block_type" in model
    )  # fmt: skip


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model that no plan has the fields of, or a schedule that has no shape in one.
    """
    model = keys.section("model")
    shape = olmo_of_allen(model)
    sequence = int(shape.pop("longest", 0)) or model.needed("max_sequence_length")
    train, notes = keys.filling(_TRAIN), [*left_out(model, "OLMo 0.6.0")]
    batch, micro = train.needed("global_train_batch_size"), train.whole("device_train_microbatch_size")
    length, steps, epochs = _length(train, batch * sequence)
    stop = keys.whole("stop_at")
    if stop and steps and stop < steps:
        length = f"{stop} steps"
    optimizer, settings = _optimizer(keys)
    fall = _fall(keys, batch * sequence, steps, min(stop or steps, steps) if steps else None, notes)
    layout: dict[str, Word] = dict(UNCUT)
    if micro:
        layout["micro_batch"] = f"{micro} sequences"
    again = keys.get("activation_checkpointing")
    if again in (None, False):
        layout["recompute"] = "none"
    elif again in (True, "whole_layer"):
        layout["recompute"] = "full"
    else:
        keys.taken.discard("activation_checkpointing")
    name = keys.text("run_name")
    begins = "/".join(keys.text("load_path").rstrip("/").split("/")[-2:])  # a run's name, and its step
    return Imported(
        files=("OLMo",),
        title=name or title,
        checkpoint=begins,
        model=shape,
        sequence=sequence,
        length=length,
        epochs=epochs,
        batch=batch,
        optimizer=optimizer,
        settings=settings,
        fall=fall,
        layout=layout,
        precision=_PRECISIONS.get(keys.text("precision"), ""),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _length(keys: Keys, tokens: int) -> tuple[str, float | None, float]:
    """The length as a plan says it, the same in steps, and epochs where it is in those.

    Args:
        tokens: Of a step.

    Raises:
        Unreadable: Where it is in none of the units that there are.
    """
    said = keys.text("max_duration")
    found = _LENGTH.fullmatch(said)
    try:
        count = float(found[1]) if found else 0.0
    except ValueError:
        count = 0.0
    if found is None or not 0 < count < math.inf:
        raise Unreadable(f"`max_duration`: `{said[:40]}` is no length in steps, tokens (`2e12T`) or epochs (`1ep`)")
    if found[2] == "ep":
        return "", None, count
    return (f"{int(count)} tokens", count / tokens, 0.0) if found[2] else (f"{int(count)} steps", count, 0.0)


def _optimizer(keys: Keys) -> tuple[str, dict[str, Word]]:
    given = keys.section("optimizer").filling(_OPTIMIZER)
    named = given.text("name")
    settings: dict[str, Word] = {"learning_rate": given.number("learning_rate") or _RATE}
    settings |= betas(given.figures("betas") or _BETAS)
    epsilon, decay = given.number("eps"), given.number("weight_decay")
    if epsilon is not None and named == "adamw":
        settings["epsilon"] = epsilon
    if decay is not None:
        settings["weight_decay"] = decay
    if clip := keys.number("max_grad_norm"):
        settings["clip"] = clip
    return _OPTIMIZERS.get(named, named), settings


def _fall(keys: Keys, tokens: int, whole: float | None, steps: float | None, notes: list[str]) -> Fall:
    """The schedule.

    Args:
        tokens: Of a step, where it is in tokens.
        whole: Steps of the length that is said; `steps` those that are done of it.

    Raises:
        Unreadable: For one that has no shape in a plan.
    """
    given = keys.section("scheduler").filling(_SCHEDULE)
    kind, unit = given.text("name"), tokens if given.text("units") == "tokens" else 1
    warmup, span = round((given.number("t_warmup") or 0) / unit), given.number("t_max")
    lowest, floor = given.number("warmup_min_lr"), given.number("alpha_f") or 0.0
    if kind in _FLAT and not _FLAT[kind]:
        return Fall()
    if warmup and (lowest is None or lowest > 0):
        begins = f"{lowest:g}" if lowest is not None else f"{_RISES_FROM:.0%}".replace("%", " % of the peak")
        notes.append(f"OLMo's rise begins at {begins}, and the plan's at zero")
    if kind in _FLAT:
        return Fall(warmup)
    if kind not in _FALLS:
        raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
    return fall_over(whole if span is None else span / unit, steps, warmup, _FALLS[kind], floor, notes)
