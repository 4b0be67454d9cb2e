"""The arguments of the `Trainer` of transformers to what they say of a run."""

from __future__ import annotations

from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word
from runplan.cli.importing.keys import Keys, Unreadable

_OPTIMIZERS = {"adamw": "AdamW", "adafactor": "Adafactor", "lion": "Lion", "sgd": "SGD", "adagrad": "Adagrad",
               "rmsprop": "RMSprop", "galore": "GaLore", "apollo": "Apollo", "lomo": "LOMO"}  # fmt: skip
# The defaults of TrainingArguments that decide what a run does; transformers' documentation of the class.
_RATE, _PER_DEVICE, _POLYNOMIAL_END, _EPOCHS = 5e-5, 8, 1e-7, 3.0
_NAMES = {"weight_decay": "weight_decay", "clip": "max_grad_norm"}
_OF_ADAM = {"beta1": "adam_beta1", "beta2": "adam_beta2", "epsilon": "adam_epsilon"}
_DEFAULTS = {"weight_decay": 0.0, "max_grad_norm": 1.0, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8}


def is_arguments(keys: Keys) -> bool:
    """Whether settings are those of a `Trainer`."""
    return any(name in keys for name in ("per_device_train_batch_size", "lr_scheduler_type", "num_train_epochs")) or (
        "output_dir" in keys and "learning_rate" in keys
    )


def arguments(keys: Keys, title: str) -> Imported:
    """The arguments of a `Trainer`, in JSON or YAML."""
    rate, micro = keys.number("learning_rate"), keys.whole("per_device_train_batch_size")
    again = keys.whole("gradient_accumulation_steps") or 1
    micro = _PER_DEVICE if micro is None else micro
    steps, epochs = keys.number("max_steps"), keys.number("num_train_epochs")
    counted = steps is not None and steps > 0
    length = f"{int(steps)} steps" if counted and steps is not None else ""
    layout: dict[str, Word] = {**UNCUT, "micro_batch": f"{micro} sequences"}
    if keys.flag("gradient_checkpointing"):
        layout["recompute"] = "full"
    precision = "bf16" if keys.flag("bf16") else "fp16" if keys.flag("fp16") else ""
    optim = keys.text("optim") or "adamw_torch"
    optimizer = next((word for start, word in _OPTIMIZERS.items() if start in optim.replace("_", "")), optim)
    filled = keys.filling(_DEFAULTS)
    settings: dict[str, Word] = {"learning_rate": _RATE if rate is None else rate}
    for field, name in (_NAMES | (_OF_ADAM if optimizer == "AdamW" else {})).items():
        if value := filled.number(name):
            settings[field] = value
    sequence = keys.whole("max_seq_length", "max_length", "block_size", "seq_length")
    name = keys.text("run_name", "output_dir").rstrip("/").rpartition("/")[2]
    fall = _fall(keys)
    for one in ("output_dir", "run_name", "use_cpu", "do_train", "overwrite_output_dir"):
        keys.get(one)
    return Imported(
        files=("transformers, TrainingArguments",),
        title=name or title,
        sequence=sequence,
        length=length,
        epochs=0.0 if counted else _EPOCHS if epochs is None else epochs,
        per_device=micro * again,
        optimizer=optimizer,
        settings=settings,
        fall=fall,
        layout=layout,
        precision=precision,
        left=tuple(keys.left()),
    )


def _fall(keys: Keys) -> Fall:
    """The schedule by its name in transformers; the peak until the end where it is constant."""
    kind, more = keys.text("lr_scheduler_type") or "linear", keys.section("lr_scheduler_kwargs")
    warmup: int | float = keys.whole("warmup_steps") or 0 if not _is_share(keys) else keys.number("warmup_steps") or 0
    warmup = warmup or keys.number("warmup_ratio") or 0
    curves: dict[str, Curve] = {"cosine": "cosine", "linear": "linear", "1-sqrt": "sqrt"}
    if kind in ("constant", "constant_with_warmup"):
        return Fall(warmup if kind != "constant" else 0)
    if kind in ("cosine", "linear"):
        return Fall(warmup, curves[kind])
    if kind in ("cosine_with_min_lr", "cosine_warmup_with_min_lr"):
        lowest, rate = more.number("min_lr"), keys.number("learning_rate") or _RATE
        share = more.number("min_lr_rate")
        return Fall(warmup, "cosine", floor=share if share is not None else (lowest or 0.0) / rate)
    if kind == "polynomial" and more.number("power") in (None, 1.0):
        lowest = more.number("lr_end")
        ends = _POLYNOMIAL_END if lowest is None else lowest
        return Fall(warmup, "linear", floor=ends / (keys.number("learning_rate") or _RATE))
    if kind == "warmup_stable_decay":
        curve, decay = more.text("decay_type") or "cosine", more.whole("num_decay_steps")
        more.get("num_stable_steps", "warmup_type")
        if curve in curves:
            return Fall(warmup, curves[curve], decay, more.number("min_lr_ratio") or 0.0)
    raise Unreadable(f"the schedule `{kind}` has no shape in a plan")


def _is_share(keys: Keys) -> bool:
    """Whether the warm-up is a share of the run, as `warmup_steps` below 1 is since transformers 5."""
    found = keys.number("warmup_steps")
    return found is not None and 0 < found < 1
