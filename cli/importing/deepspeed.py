"""The JSON of DeepSpeed to what it says of a run, beside the file that has its model; `auto` is what no file says."""

from __future__ import annotations

from runplan.cli.importing.imported import Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Tree, Unreadable

_OPTIMIZERS = {"adamw": "AdamW", "adam": "AdamW", "lamb": "LAMB", "lion": "Lion", "muon": "Muon", "adagrad": "Adagrad"}
# Its schedulers' own: deepspeed/runtime/lr_schedules.py.
_WARMUP, _RISE = 1000, {"warmup_type": "log", "cos_min_ratio": 1e-4}
_OWN = ("train_batch_size", "train_micro_batch_size_per_gpu", "zero_optimization")


def is_deepspeed(keys: Keys) -> bool:
    """Whether settings are its own: a batch, or how ZeRO shares out, and no model."""
    return any(name in keys for name in _OWN) and not any(name in keys for name in ("hidden_size", "hidden-size"))


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a schedule that has no shape in a plan.
    """
    params = keys.section("scheduler").section("params")
    filled_in = any(params.text(name) == "auto" for name in ("warmup_num_steps", "total_num_steps"))
    keys = Keys(_told(keys.tree))
    micro, again = keys.whole("train_micro_batch_size_per_gpu"), keys.whole("gradient_accumulation_steps") or 1
    given, schedule = keys.section("optimizer"), keys.section("scheduler")
    more, named = given.section("params"), given.text("type")
    rate = more.number("lr")
    rate = schedule.section("params").number("warmup_max_lr") if rate is None else rate
    settings: dict[str, Word] = {} if rate is None else {"learning_rate": rate}
    settings |= betas(more.figures("betas"))
    for name, where, key in (("weight_decay", more, "weight_decay"), ("epsilon", more, "eps"),
                             ("clip", keys, "gradient_clipping")):  # fmt: skip
        if value := where.number(key):
            settings[name] = value
    on = [name for name in ("bf16", "fp16") if keys.section(name).flag("enabled")]
    notes = list[str]()
    fall, steps = (None, None) if filled_in else _fall(schedule, rate, notes)
    if filled_in:
        kind = schedule.text("type")
        notes.append(f"the steps of DeepSpeed's own `{kind}` are `auto`: the schedule is that of another file")
    batch = keys.whole("train_batch_size")
    return Imported(
        files=("DeepSpeed",),
        title=title,
        length=f"{steps} steps" if steps else "",
        batch=batch,
        per_device=micro * again if micro and not batch else None,
        optimizer=_OPTIMIZERS.get(named.lower(), named),
        settings=settings,
        fall=fall,
        layout={"micro_batch": f"{micro} sequences"} if micro else {},
        precision=on[0] if on else "",
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _told(tree: Tree) -> Tree:
    """The settings without those that are `auto`, which the trainer around DeepSpeed fills in."""
    return {
        name: _told(value) if isinstance(value, dict) else value
        for name, value in tree.items()
        if value != "auto" and name != "_runplan"
    }


def _fall(schedule: Keys, peak: float | None, notes: list[str]) -> tuple[Fall | None, int | None]:
    """The schedule, and the steps of the run where it says them.

    Args:
        peak: The learning rate.

    Raises:
        Unreadable: For one that has no shape in a plan.
    """
    kind, more = schedule.text("type"), schedule.section("params")
    warmup, steps, own = more.whole("warmup_num_steps"), more.whole("total_num_steps"), more.number("warmup_max_lr")
    if not kind:
        return None, None
    if own is not None and peak != own:
        raise Unreadable(f"`scheduler.params.warmup_max_lr` is {own:g}, and `optimizer.params.lr` {peak:g}")
    warmup = _WARMUP if warmup is None else warmup
    if warmup and more.filling(_RISE).text("warmup_type") != "linear":
        notes.append("DeepSpeed's rise is that of a logarithm here, and the plan's is straight")
    lowest = more.number("warmup_min_lr") or more.number("warmup_min_ratio")
    if warmup and lowest:
        notes.append(f"DeepSpeed's rise begins at {lowest:g} here, and the plan's at zero")
    if kind == "WarmupLR":
        return Fall(warmup), steps
    if kind == "WarmupDecayLR":
        return Fall(warmup, "linear"), steps
    if kind == "WarmupCosineLR":
        return Fall(warmup, "cosine", floor=more.filling(_RISE).number("cos_min_ratio") or 0.0), steps
    raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
