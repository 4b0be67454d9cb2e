"""The arguments of the `Trainer` of transformers, and of what is built on it, to what they say of a run.

TRL, LLaMA-Factory and axolotl read a YAML of the same arguments, some under names of their own, with the model that the
run begins from and with adapters.
"""

from __future__ import annotations

from runplan.cli.importing.adapters import adapted, matrices
from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word
from runplan.cli.importing.keys import Keys, Unreadable

_OPTIMIZERS = {"adamw": "AdamW", "adafactor": "Adafactor", "lion": "Lion", "sgd": "SGD", "adagrad": "Adagrad",
               "rmsprop": "RMSprop", "galore": "GaLore", "apollo": "Apollo", "lomo": "LOMO"}  # fmt: skip
# The defaults of TrainingArguments that decide what a run does; transformers' documentation of the class.
_RATE, _PER_DEVICE, _POLYNOMIAL_END, _EPOCHS = 5e-5, 8, 1e-7, 3.0
_ON_SEQUENCES = ("", "pt", "sft", "none", "false")  # of what LLaMA-Factory and axolotl train by
_TRL_RANK, _FACTORY_RANK = 16, 8  # of adapters, in TRL and LLaMA-Factory
_NAMES = {"weight_decay": "weight_decay", "clip": "max_grad_norm"}
_OF_ADAM = {"beta1": "adam_beta1", "beta2": "adam_beta2", "epsilon": "adam_epsilon"}
_DEFAULTS = {"weight_decay": 0.0, "max_grad_norm": 1.0, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8}


def is_arguments(keys: Keys) -> bool:
    """Whether settings are those of a `Trainer`."""
    return (
        is_axolotl(keys)
        or any(name in keys for name in ("per_device_train_batch_size", "lr_scheduler_type", "num_train_epochs"))
        or ("output_dir" in keys and "learning_rate" in keys)
    )


def is_axolotl(keys: Keys) -> bool:
    """Whether they are under the names of axolotl, which has other defaults."""
    return "base_model" in keys


def arguments(keys: Keys, title: str) -> Imported:
    """The arguments of a `Trainer`, in JSON or YAML.

    Raises:
        Unreadable: For a schedule that has no shape in a plan, and for training by preferences or rewards.
    """
    axolotl = is_axolotl(keys)
    aim = keys.text("rl", "stage", "rlhf_type").lower()
    if aim not in _ON_SEQUENCES:
        raise Unreadable(f"it trains by `{aim[:40]}`, on pairs or rewards, and a plan trains one model on sequences")
    rate, micro = keys.number("learning_rate"), keys.whole("per_device_train_batch_size", "micro_batch_size")
    again = keys.whole("gradient_accumulation_steps") or 1
    micro = (1 if axolotl else _PER_DEVICE) if micro is None else micro
    steps, epochs = keys.number("max_steps"), keys.number("num_train_epochs", "num_epochs")
    counted = steps is not None and steps > 0
    length = f"{int(steps)} steps" if counted and steps is not None else ""
    layout: dict[str, Word] = {**UNCUT, "micro_batch": f"{micro} sequences"}
    if keys.flag("gradient_checkpointing"):
        layout["recompute"] = "full"
    # `auto` is bf16 on each device that a plan is for.
    precision = "bf16" if keys.flag("bf16") or keys.text("bf16") == "auto" else "fp16" if keys.flag("fp16") else ""
    optim = keys.text("optim", "optimizer") or "adamw_torch"
    optimizer = next((word for start, word in _OPTIMIZERS.items() if start in optim.replace("_", "")), optim)
    filled = keys.filling(_DEFAULTS)
    settings: dict[str, Word] = {"learning_rate": _RATE if rate is None else rate}
    for field, name in (_NAMES | (_OF_ADAM if optimizer == "AdamW" else {})).items():
        value = filled.number(name)
        if value or (value is not None and field != "clip"):  # it clips nothing at zero
            settings[field] = value
    sequence = keys.whole("max_seq_length", "max_length", "block_size", "seq_length", "sequence_len", "cutoff_len")
    name = keys.text("run_name", "output_dir").rstrip("/").rpartition("/")[2]
    begins = keys.text("base_model", "model_name_or_path").rstrip("/").rpartition("/")[2]
    notes = list[str]()
    settings |= _adapters(keys, notes)
    fall = _fall(keys)
    for one in ("output_dir", "run_name", "use_cpu", "do_train", "overwrite_output_dir"):
        keys.get(one)
    return Imported(
        files=("axolotl" if axolotl else "transformers, TrainingArguments",),
        title=name or title,
        named=begins,
        checkpoint=begins,
        sequence=sequence,
        length=length,
        epochs=0.0 if counted else (1.0 if axolotl else _EPOCHS) if epochs is None else epochs,
        per_device=micro * again,
        optimizer=optimizer,
        settings=settings,
        fall=fall,
        layout=layout,
        precision=precision,
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _adapters(keys: Keys, notes: list[str]) -> dict[str, Word]:
    """The rank of LoRA, and the matrices that have an adapter, where there are any."""
    packed = keys.text("adapter") == "qlora" or keys.flag("load_in_4bit")
    bits = 4 if packed else 8 if keys.flag("load_in_8bit") else keys.whole("quantization_bit") or 0
    peft = keys.flag("use_peft")
    if not peft and keys.text("adapter") not in ("lora", "qlora") and keys.text("finetuning_type") != "lora":
        return {}
    rank = keys.whole("lora_r", "lora_rank") or (_TRL_RANK if peft else _FACTORY_RANK)
    named = keys.get("lora_target_modules", "lora_target")
    modules = [str(one) for one in named] if isinstance(named, list) else str(named or "").split(",")
    if keys.flag("lora_target_linear"):
        modules = ["all"]
    elif modules == [""]:
        modules = ["all"] if keys.text("finetuning_type") else ["q_proj", "v_proj"]
        notes.append(f"no file says where the adapters are: they are taken to be on {', '.join(modules)}")
    return adapted(rank, matrices(modules, notes), bits, notes)


def _fall(keys: Keys) -> Fall:
    """The schedule by its name in transformers; the peak until the end where it is constant."""
    kind = keys.text("lr_scheduler_type", "lr_scheduler") or ("cosine" if is_axolotl(keys) else "linear")
    more, share = keys.section("lr_scheduler_kwargs"), keys.number("cosine_min_lr_ratio")
    warmup: int | float = keys.whole("warmup_steps") or 0 if not _is_share(keys) else keys.number("warmup_steps") or 0
    warmup = warmup or keys.number("warmup_ratio") or 0
    curves: dict[str, Curve] = {"cosine": "cosine", "linear": "linear", "1-sqrt": "sqrt"}
    if kind in ("constant", "constant_with_warmup"):
        return Fall(warmup if kind != "constant" else 0)
    if kind in ("cosine", "linear"):
        return Fall(warmup, curves[kind], floor=share or 0.0)
    if kind in ("cosine_with_min_lr", "cosine_warmup_with_min_lr"):
        lowest, rate = more.number("min_lr"), keys.number("learning_rate") or _RATE
        least = more.number("min_lr_rate")
        return Fall(warmup, "cosine", floor=least if least is not None else (lowest or 0.0) / rate)
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
