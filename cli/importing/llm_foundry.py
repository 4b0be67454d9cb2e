"""The YAML of llm-foundry to what it says of a run.

What is not said is the default of Composer's schedulers and optimizers, and of `MPTConfig` of llm-foundry 0.22.
"""

from __future__ import annotations

import math
import re

from runplan.cli.importing.adapters import adapted, matrices
from runplan.cli.importing.falls import fall_over
from runplan.cli.importing.hf.plain import mpt
from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word, betas
from runplan.cli.importing.keys import Keys, Unreadable, left_out

_MPT, _HF = "mpt_causal_lm", "hf_causal_lm"
_SIZES = {"d_model": 2048, "n_heads": 16, "n_layers": 24, "vocab_size": 50368, "max_seq_len": 2048}
_OPTIMIZERS = {"decoupled_adamw": "AdamW", "decoupled_lionw": "Lion", "adam": "Adam", "adamw": "AdamW"}
_ADAM = {"lr": 1e-3, "eps": 1e-8, "weight_decay": 1e-5}
_LION = {"lr": 1e-4, "weight_decay": 0.0}
_BETAS = {"decoupled_adamw": (0.9, 0.95), "decoupled_lionw": (0.9, 0.99)}
_FALLS: dict[str, Curve] = {"cosine_with_warmup": "cosine", "linear_decay_with_warmup": "linear"}
_PRECISIONS = {"amp_bf16": "bf16", "amp_fp16": "fp16", "fp32": "fp32", "amp_fp8": "fp8"}
# A time of Composer, such as `100ba`: in epochs, batches, samples, tokens or shares of the run.
_TIME = re.compile(r"\s*([\d._eE+-]+)\s*(ep|ba|sp|tok|dur)\s*")


def is_llm_foundry(keys: Keys) -> bool:
    """Whether settings are its own: sections for a model by its kind, and for the loader of its data."""
    model = keys.tree.get("model")
    return isinstance(model, dict) and "name" in model and isinstance(keys.tree.get("train_loader"), dict)


def configuration(keys: Keys, title: str) -> Imported:
    """What it says.

    Raises:
        Unreadable: For a model that no plan has the fields of, or a schedule that has no shape in one.
    """
    model, notes = keys.section("model"), list[str]()
    sequence = keys.needed("max_seq_len") if "max_seq_len" in keys else keys.section("variables").needed("max_seq_len")
    batch, micro = keys.needed("global_train_batch_size"), keys.get("device_train_microbatch_size")
    unit = {"ba": 1.0, "sp": 1 / batch, "tok": 1 / (batch * sequence)}
    said = keys.text("max_duration")
    count, kind = _time("max_duration", said if not said.isdigit() else f"{said}ep")
    if kind == "dur":
        raise Unreadable(f"`max_duration`: `{said[:40]}` is a share of itself")
    steps = count * unit[kind] if kind in unit else None
    shape, named, checkpoint = _model(model, notes)
    optimizer, settings = _optimizer(keys, notes)
    adapters = _adapters(model, notes)
    layout: dict[str, Word] = dict(UNCUT)
    if isinstance(micro, int) and not isinstance(micro, bool):
        layout["micro_batch"] = f"{micro} sequences"
    layout["recompute"] = "full" if keys.section("fsdp_config").flag("activation_checkpointing") else "none"
    length = {"tok": f"{int(count)} tokens", "sp": f"{int(count)} sequences", "ba": f"{int(count)} steps"}
    return Imported(
        files=("llm-foundry",),
        title=keys.text("run_name") or title,
        named=named,
        checkpoint=checkpoint or (named if adapters else ""),  # a plan's adapters are on weights that exist
        model=shape,
        sequence=sequence,
        length=length.get(kind, ""),
        epochs=count if kind == "ep" else 0.0,
        batch=batch,
        optimizer=optimizer,
        settings={**settings, **adapters},
        fall=_fall(keys.section("scheduler"), unit, steps, notes),
        layout=layout,
        precision=_PRECISIONS.get(keys.text("precision") or "amp_bf16", ""),
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


def _model(keys: Keys, notes: list[str]) -> tuple[dict[str, Word], str, str]:
    """The shape of its own MPT, else the name of a model, and that of the weights which the run begins from."""
    kind = keys.text("name")
    if kind == _MPT:
        shape = dict(mpt(keys.filling(_SIZES), usual=False))
        shape.pop("longest", None)
        notes += left_out(keys, "llm-foundry 0.22")
        return shape, "", ""
    if kind != _HF:
        raise Unreadable(f"`model.name: {kind[:40]}`: of llm-foundry's models {_MPT} and {_HF} are read")
    named = keys.text("pretrained_model_name_or_path").rstrip("/").rpartition("/")[2]
    return {}, named, named if keys.flag("pretrained", otherwise=True) else ""


def _adapters(model: Keys, notes: list[str]) -> dict[str, Word]:
    peft = model.section("peft_config")
    rank = peft.whole("r")
    if not rank or peft.text("peft_type").upper() not in ("", "LORA"):
        return {}
    modules = peft.list("target_modules") or [peft.text("target_modules") or "q_proj", "v_proj"]
    return adapted(rank, matrices([str(one) for one in modules], notes), 0, notes)


def _optimizer(keys: Keys, notes: list[str]) -> tuple[str, dict[str, Word]]:
    """The optimizer with its settings; a decay that is none of the rate as the one that PyTorch's AdamW has for it."""
    given = keys.section("optimizer")
    named = given.text("name")
    own = given.filling(_LION if "lion" in named else _ADAM)
    rate, decay, epsilon = own.number("lr"), own.number("weight_decay"), own.number("eps")
    moments = given.figures("betas") or _BETAS.get(named, ())
    settings: dict[str, Word] = {} if rate is None else {"learning_rate": rate}
    settings |= betas(moments)
    if epsilon is not None:
        settings["epsilon"] = epsilon
    if decay is not None:
        apart = named.startswith("decoupled") and bool(rate)
        settings["weight_decay"] = float(f"{decay / rate:.12g}") if apart and rate else decay
        if apart and decay:
            notes.append(f"a step of Composer's {named} shrinks weights by {decay:g}, and not by that times the rate")
    clipping = keys.section("algorithms").section("gradient_clipping")
    if (clipping.text("clipping_type") or "norm") == "norm" and (clip := clipping.number("clipping_threshold")):
        settings["clip"] = clip
    return _OPTIMIZERS.get(named, named), settings


def _fall(given: Keys, unit: dict[str, float], steps: float | None, notes: list[str]) -> Fall:
    """The schedule.

    Args:
        unit: Steps of a batch, a sequence, and a token.
        steps: Of the run; None where its length is in epochs.

    Raises:
        Unreadable: For one that has no shape in a plan.
    """
    kind = given.text("name")

    def long(name: str, otherwise: str) -> float | None:
        """Steps of a time; a share of the run where that is in epochs; None where the time is."""
        count, of = _time(f"scheduler.{name}", given.text(name) or otherwise)
        return count * (1.0 if steps is None else steps) if of == "dur" else count * unit[of] if of in unit else None

    rise = long("t_warmup", "0ba") or 0.0
    warmup: int | float = rise if steps is None and given.text("t_warmup").endswith("dur") else round(rise)
    if kind == "constant_with_warmup" and given.number("alpha") in (None, 1.0):
        return Fall(warmup)
    if kind not in _FALLS or given.number("alpha_i") not in (None, 1.0):
        raise Unreadable(f"the schedule `{kind}` has no shape in a plan")
    floor, span = given.number("alpha_f") or 0.0, long("t_max", "1dur")
    if isinstance(warmup, float) or steps is None:
        return Fall(warmup, _FALLS[kind], None, floor)
    return fall_over(span, steps, warmup, _FALLS[kind], floor, notes)


def _time(name: str, said: str) -> tuple[float, str]:
    """A time as its count and its unit.

    Raises:
        Unreadable: Where it is none of Composer's, or in a unit that no plan has.
    """
    found = _TIME.fullmatch(said)
    try:
        if found and math.isfinite(count := float(found[1])):
            return count, found[2]
    except ValueError:
        pass
    raise Unreadable(f"`{name}`: `{said[:40]}` is no time such as 100ba, 1ep, 2e9tok, 500sp or 0.01dur")
