"""A run to the files of Hugging Face: `config.json` of transformers, and the arguments of its `Trainer`.

JSON has no comments: what the header says stands under `_runplan` in `config.json`, which keeps keys that it does not
know, and beside the arguments, which do not, in a file of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.figures import in_json
from runplan.cli.export.formats import Format
from runplan.cli.export.header import lines
from runplan.cli.export.hf_models import architecture_of, kinds, sizes
from runplan.cli.export.losses import lost_layout, lost_optimizer, lost_precision, lost_selective
from runplan.cli.export.schedules import Ramp, ramp_of
from runplan.cli.export.training import Curve, Said, Training, Written
from runplan.dsl.text.words import listing

CONFIG, ARGUMENTS, HEADER = "config.json", "training_args.json", "runplan.json"
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "tf32": "float32"}
_FALLS: tuple[Curve, ...] = ("cosine", "linear", "sqrt")
_DECAYS = {"cosine": "cosine", "linear": "linear", "sqrt": "1-sqrt"}
_OPTIMIZERS = {"adamw": "adamw_torch", "adam": "adamw_torch", "adamw8bit": "adamw_8bit", "adafactor": "adafactor",
               "lion": "lion_32bit", "sgd": "sgd", "pagedadamw8bit": "paged_adamw_8bit"}  # fmt: skip
_SETTINGS = {"weight_decay": "weight_decay", "beta1": "adam_beta1", "beta2": "adam_beta2", "epsilon": "adam_epsilon",
             "clip": "max_grad_norm"}  # fmt: skip
_BEFORE_THE_FIRST = 2  # rows of the tables of OPT and RoBERTa before that of the first token
_SHARDS = {3: "full_shard", 2: "shard_grad_op"}


def write(run: Training, form: Format) -> Written:
    """Both files, and what they say of themselves."""
    shape, arguments = _config(run), dict(_arguments(run))
    lost = (*_lost_of_shape(run), *_lost_of_length(run), *_lost_of_arguments(run))
    header = list(lines(run, form, lost))
    files = {CONFIG: in_json(shape), ARGUMENTS: in_json(arguments), HEADER: in_json(header)}
    return Written(files, lost)


def config(run: Training, form: Format) -> Written:
    """`config.json` alone."""
    lost = tuple(_lost_of_shape(run))
    header = list(lines(run, form, lost))
    return Written({CONFIG: in_json({**_config(run), "_runplan": header})}, lost)


def arguments(run: Training, form: Format) -> Written:
    """`training_args.json` alone, and what it says of itself."""
    lost = tuple(_lost_of_arguments(run))
    header = list(lines(run, form, lost))
    return Written({ARGUMENTS: in_json(dict(_arguments(run))), HEADER: in_json(header)}, lost)


# ---- config.json


def _config(run: Training) -> dict[str, object]:
    assert run.shape is not None
    found = architecture_of(run.shape)
    kind, head = (found.kind, found.head) if found else ("llama", "LlamaForCausalLM")
    return {
        "model_type": kind,
        "architectures": [head],
        **sizes(run.shape),
        "max_position_embeddings": run.sequence,
        **(found.keys(run.shape) if found else {}),
        "dtype": _DTYPES.get(run.precision, "bfloat16"),
    }


def _lost_of_shape(run: Training) -> Iterator[Said]:
    assert run.shape is not None
    found = architecture_of(run.shape)
    if found is None:
        beyond = sorted(run.shape.beyond)
        told = f"the model's shape with {listing(beyond) or 'a plain MLP'}"
        at = next((f"model.{name}" for name in beyond if f"model.{name}" in run.places), "model")
        yield run.lost("model", told, f"the shapes that are known are of {', '.join(kinds())}", at)
    elif (run.objective == "MLM") != found.head.endswith("MaskedLM"):
        yield run.lost("objective", f"the objective, {run.objective}: the shape is of a `{found.head}`")


# ---- training_args.json


def _arguments(run: Training) -> Iterator[tuple[str, object]]:
    assert run.layout is not None
    ramp, _ = ramp_of(run, _FALLS, stable=True)
    kind, keywords = _scheduler(run, ramp)
    yield "output_dir", run.name
    yield "max_steps", run.steps
    yield "per_device_train_batch_size", run.layout.micro_batch
    yield "gradient_accumulation_steps", run.layout.accumulate
    yield "learning_rate", run.learning_rate
    yield "lr_scheduler_type", kind
    if keywords:
        yield "lr_scheduler_kwargs", keywords
    yield "warmup_steps", ramp.warmup
    yield "optim", _OPTIMIZERS.get(run.optimizer.lower(), "adamw_torch")
    yield from ((_SETTINGS[name], value) for name, value in run.settings.items() if name in _SETTINGS)
    yield "bf16", run.precision == "bf16"
    yield "fp16", run.precision == "fp16"
    yield "gradient_checkpointing", run.layout.recompute
    if run.layout.dp > 1 and run.layout.shard in _SHARDS:
        yield "fsdp", f"{_SHARDS[run.layout.shard]} auto_wrap"


def _scheduler(run: Training, ramp: Ramp) -> tuple[str, dict[str, object]]:
    """The scheduler of transformers that has this rise, stay and fall, and its own arguments."""
    if not ramp.decay:
        return "constant_with_warmup", {}
    if ramp.stable or ramp.curve == "sqrt":
        keywords = {"num_decay_steps": ramp.decay, "num_stable_steps": ramp.stable, "min_lr_ratio": ramp.floor}
        return "warmup_stable_decay", {**keywords, "decay_type": _DECAYS[ramp.curve]}
    if ramp.curve == "linear":
        lowest = run.rate(ramp.floor)
        return ("polynomial", {"lr_end": lowest, "power": 1.0}) if ramp.floor else ("linear", {})
    return ("cosine_with_min_lr", {"min_lr_rate": ramp.floor}) if ramp.floor else ("cosine", {})


def _lost_of_length(run: Training) -> Iterator[Said]:
    """Sequences that are shorter than the table of positions, by which alone these files tell their length."""
    assert run.shape is not None
    if run.shape.positions > run.sequence + _BEFORE_THE_FIRST:
        told = f"sequences of {run.sequence:,} tokens, with a table of {run.shape.positions:,} positions"
        yield run.lost("length", told, f"write `context: {run.shape.positions} tokens`", "model.context")


def _lost_of_arguments(run: Training) -> Iterator[Said]:
    assert run.layout is not None
    yield from ramp_of(run, _FALLS, stable=True)[1]
    yield from lost_layout(run, help="`Trainer` shares out over copies alone: write `tp 1, pp 1`, or take megatron")
    yield from lost_optimizer(run, _OPTIMIZERS, _SETTINGS)
    yield from lost_precision(run, _DTYPES)
    yield from lost_selective(run)
