"""What configurations say of a run to the text of a plan, in its layout."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from textwrap import wrap

from runplan.cli.importing.imported import Fall, Imported, Word
from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.source import Source

_COLUMNS = 110
# The shapes of the library that end where they do: by curve and end.
_SHAPES = {
    ("linear", 0.0): "linear", ("cosine", 0.1): "cosine", ("cosine", 0.01): "cosine_to_1", ("sqrt", 0.0): "sqrt",
    ("exponential", 0.1): "exponential",
}  # fmt: skip
_TITLES = {"linear": "Linear decay", "cosine": "Half a cosine", "sqrt": "Decay by 1 - sqrt(x)",
           "exponential": "Exponential decay", "constant": "Constant"}  # fmt: skip
_TOKENS_A_PARAM = 20
_DATA, _SEQUENCE = "100M tokens", 2048  # what stands in for data, and for a sequence, of which nothing is known
_PRECISION = "bf16"  # what a plan takes where it does not say it


def plan_of(read: Imported, hardware: str = "", devices: int = 1, data: str = "") -> str:
    """The plan as text.

    Args:
        hardware: The statement's value, as the user writes it; empty where it is left to be stated.
        devices: Copies of the model that see other data, by which the batch of one device becomes that of all.
        data: What there is to train on, as the user writes it, for a length in epochs.
    """
    lines = "\n".join(_lines(read, hardware, devices, data)) + "\n"
    text, _ = formatted(Source("imported.plan", lines))
    return text


def _lines(read: Imported, hardware: str, devices: int, data: str) -> Iterator[str]:
    yield from _said("Imported from " + "; ".join(read.files) + ".")
    for note in read.notes:
        yield from _said(f"Note: {note}.")
    yield f"plan {json.dumps(read.title or 'Imported run', ensure_ascii=False)}"
    yield ""
    count = read.devices or 64
    precision = read.precision or read.weights
    numbers = f" in {precision}" if precision not in ("", _PRECISION) else ""
    if not hardware:
        yield f"# hardware: {count} x H100{numbers} for 30 days   # to be stated"
    elif numbers and not re.search(r" in (?!nodes)", hardware):
        yield "hardware: " + re.sub(r"( for |$)", rf"{numbers}\1", hardware, count=1)
    else:
        yield f"hardware: {hardware}"
    sequence = read.sequence or sequence_taken(read)
    if read.model:
        yield "model: {"
        yield "  mlp: gated" if "mlp" not in read.model else ""  # said, where a plan would take it to be so
        yield from (f"  {name}: {word}" for name, word in read.model.items())
        yield f"  context: {sequence} tokens" if sequence else ""
        yield "}"
    elif read.named:
        yield f"model: {_word(read.named)}{f' {{ context: {sequence} tokens }}' if sequence else ''}"
    elif sequence:
        yield f"context: {sequence} tokens"
    yield from _sequence(read)
    if read.objective:
        yield f"objective: {read.objective}"
    if read.checkpoint:
        yield f"start: checkpoint {_word(read.checkpoint)}"
    yield from _length(read, data)
    yield from _optimizer(read, devices)
    if read.fall is not None:
        yield from _phases(read.fall)
    yield from _layout(read, hardware, devices)
    if read.left or read.mix:
        yield ""
        yield from _said("What the files say and a plan has no place for:")
        mix = {f"data {name}": share for name, share in read.mix.items()}
        for name, value in (*mix.items(), *read.left):
            yield from _said(f"  {name}: {_short(value)}")


def _said(text: str) -> Iterator[str]:
    for line in wrap(" ".join(text.splitlines()), _COLUMNS, subsequent_indent="    ", drop_whitespace=True):
        yield f"# {line}".rstrip()


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def sequence_taken(read: Imported) -> int | None:
    """What stands in for the sequence of training, which no file says and a batch is of; None where nothing has to.

    It is the longest that the model takes, and of a model by its name, which says none, a figure to be replaced.
    """
    if read.sequence or not (read.batch or read.per_device):
        return None
    return read.longest or (_SEQUENCE if read.named and not read.model else None)


def _sequence(read: Imported) -> Iterator[str]:
    """What is known of the sequences of training where no file says how long they are."""
    if sequence_taken(read):
        what = "the longest that the model takes" if read.longest else "a figure that is to be replaced"
        yield from _said(f"`context` is assumed: {what}, as no file says that of training.")
    elif read.longest and not read.sequence:
        yield from _said(f"The model takes at most {read.longest} tokens; `context`, that of training, is not said.")


def is_data_taken(read: Imported) -> bool:
    """Whether a length is in epochs of data whose size no file says."""
    return bool(read.epochs and not read.length)


def _length(read: Imported, data: str) -> Iterator[str]:
    if read.length:
        yield f"tokens: {read.length}"
    elif read.epochs:
        yield f"data: {data or _DATA} up to {max(math.ceil(read.epochs), 1)} epochs"
        yield f"tokens: {_figure(read.epochs)} epochs"
        if not data:
            yield from _said("How many tokens the data has no file says: those that stand here are to be replaced.")
    elif read.objective or read.checkpoint or "experts" in read.model:  # no law tells how many are best
        size = "active_params" if "experts" in read.model else "params"
        yield f'require tokens / {size} == {_TOKENS_A_PARAM} because "the files say no length: this stands in for it"'
    else:
        yield 'require tokens_to_law == 1 because "the files say no length: as many as the law has for the size"'


def _optimizer(read: Imported, devices: int) -> Iterator[str]:
    settings = {name: _figure(value) for name, value in read.settings.items()}
    batch = read.batch or (read.per_device * devices if read.per_device else None)
    if batch:
        settings["batch"] = f"{batch} sequences"
    if read.optimizer or settings:
        yield from _block(f"optimizer: {_word(read.optimizer or 'AdamW')}", [f"{k}: {v}" for k, v in settings.items()])
    if read.per_device and not read.batch:
        copies = "one copy" if devices == 1 else f"{devices} copies"
        yield f"# The batch is {read.per_device} sequences of a device, for {copies} of the model: --devices says more."


def _block(head: str, settings: list[str]) -> Iterator[str]:
    """A statement with its settings: on its line where they are few, else below it, so that no line is long."""
    if not settings:
        yield head
    elif len(line := f"{head} {{ {'; '.join(settings)} }}") <= _COLUMNS:
        yield line
    else:
        yield f"{head} {{"
        yield from (f"  {setting}" for setting in settings)
        yield "}"


def _word(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name)


def _figure(value: Word) -> str:
    """A figure as plans write it, or a word."""
    if isinstance(value, str):
        return value
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _phases(fall: Fall) -> Iterator[str]:
    shape = _shape(fall)
    if shape is not None and shape not in _SHAPES.values() and shape != "constant":
        ends = f"{fall.floor * 100:.12g}"
        yield f'shape {shape} "{_TITLES[fall.curve]} to {ends} %" {{ curve "{fall.curve}"; end {ends}% }}'
    if fall.warmup:
        yield f"phase warmup: {_long(fall.warmup)} warmup"
    if fall.curve == "constant" or (fall.decay is not None and not fall.flat):
        yield "phase stable: rest constant"
    if fall.curve != "constant":
        yield f"phase decay: {_long(fall.decay) if fall.decay is not None else 'rest'} {shape}"
    if fall.flat:
        yield "phase flat: rest constant"


def _long(length: int | float) -> str:
    return f"{length} steps" if isinstance(length, int) or length >= 1 else f"{length * 100:.12g}%"


def _shape(fall: Fall) -> str:
    """The shape of the library, or the name of one of the plan's own."""
    for (curve, end), name in _SHAPES.items():
        if curve == fall.curve and abs(end - fall.floor) < 1e-9:
            return name
    ends = f"{fall.floor * 100:.4g}".replace(".", "_").replace("-", "_")
    return "constant" if fall.curve == "constant" else f"{fall.curve}_to_{ends}"


def _layout(read: Imported, hardware: str, devices: int) -> Iterator[str]:
    if not read.layout:
        return
    regime = f" in {read.layout['regime']}" if "regime" in read.layout else ""
    parts = ", ".join(f"{name} {word}" for name, word in read.layout.items() if name != "regime")
    yield f"{'' if hardware else '# '}layout: {parts}{regime}{'' if hardware else '   # once `hardware` is stated'}"
