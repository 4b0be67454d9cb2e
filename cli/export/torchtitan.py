"""A run to the configuration of torchtitan: a module for 0.3, which has no TOML any more, and TOML for 0.2."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.figures import number
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.losses import head_fits, lost_optimizer, lost_precision, lost_selective, lost_shape
from runplan.cli.export.schedules import Ramp, ramp_of
from runplan.cli.export.training import Curve, Layout, Said, Shape, Training, Written

_FALLS: tuple[Curve, ...] = ("cosine", "linear", "sqrt")
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "clip")
_BETAS = (0.9, 0.95)  # torchtitan's own, where the plan says one of two
_PRECISIONS = ("bf16", "fp32")
# The shapes that 0.2 has by name: its models/llama3/__init__.py.
_FLAVORS = {
    (32, 4096, 32, 8, 14336, 128256): "8B",
    (80, 8192, 64, 8, 28672, 128256): "70B",
    (126, 16384, 128, 8, 53248, 128256): "405B",
}


def write(run: Training, form: Format) -> Written:
    """The module, whose function `run` is its configuration: `--module FOLDER --config run`."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=True)
    lost = (*lost_schedule, *lost_shape(run, ()), *_plain(run), *_lost(run))
    text = _MODULE.format(
        header=comment(run, form, lost).rstrip("\n"),
        model=_model(run),
        sections="\n".join(f"        {line}" for line in _sections(run, ramp)),
    )
    return Written({form.file: text}, lost)


_MODULE = '''\
{header}
from torchtitan.components.loss import CrossEntropyLoss
from torchtitan.components.optimizer import LRSchedulersContainer, default_adamw
from torchtitan.config import ParallelismConfig, TrainingConfig
from torchtitan.distributed.activation_checkpoint import FullAC
from torchtitan.models import llama3
from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm
from torchtitan.models.common.config_utils import decoder_vocab_size
from torchtitan.trainer import Trainer


def model():
    """The model: a decoder of the family of llama3, in the shape of the plan."""
    spec = llama3.model_registry("8B")
{model}
    return spec


def run() -> Trainer.Config:
    """The run."""
    spec = model()
    return Trainer.Config(
        model_spec=spec,
        loss=CrossEntropyLoss.Config(global_vocab_size=decoder_vocab_size(spec)),
{sections}
    )
'''


def _model(run: Training) -> str:
    shape = run.shape
    assert shape is not None
    return f"""\
    dim, vocab = {shape.hidden}, {shape.vocab}
    spec.flavor = "{run.name}"
    spec.model = llama3.Llama3Model.Config(
        dim=dim,
        vocab_size=vocab,
        enable_weight_tying={shape.tied},
        tok_embeddings=Embedding.Config(
            num_embeddings=vocab, embedding_dim=dim,
            param_init=llama3.{"_EMBEDDING_SKIP_INIT" if shape.tied else "_EMBEDDING_INIT"},
        ),
        norm=RMSNorm.Config(normalized_shape=dim, param_init=llama3._NORM_INIT),
        lm_head=Linear.Config(in_features=dim, out_features=vocab, param_init=llama3._output_linear_init(dim)),
        layers=llama3._build_llama3_layers(
            n_layers={shape.layers}, dim=dim, n_heads={shape.heads}, n_kv_heads={shape.kv_heads},
            hidden_dim={shape.ffn}, attn_backend="flex",
            rope=ComplexRoPE.Config(dim={shape.head_dim}, max_seq_len={run.sequence}, theta=500000),
        ),
    )"""


def _sections(run: Training, ramp: Ramp) -> Iterator[str]:
    layout = run.layout
    assert layout is not None
    optimizer = ", ".join(f"{name}={value}" for name, value in _optimizer(run))
    yield f"optimizer=default_adamw({optimizer}),"
    schedule = ", ".join(f"{name}={value!r}" for name, value in _schedule(run, ramp))
    yield f"lr_scheduler=LRSchedulersContainer.Config({schedule}),"
    training = ", ".join(f"{name}={value}" for name, value in _training(run))
    graphs = ", disable_cuda_graphs=True" if layout.pp > 1 else ""
    yield f"training=TrainingConfig({training}{graphs}),"
    yield f"parallelism=ParallelismConfig({', '.join(f'{name}={value}' for name, value in _parts(layout))}),"
    yield f"activation_checkpoint={'FullAC.Config()' if layout.recompute else 'None'},"


def _optimizer(run: Training) -> Iterator[tuple[str, object]]:
    yield "lr", run.learning_rate
    if {"beta1", "beta2"} & run.settings.keys():
        yield "betas", (run.settings.get("beta1", _BETAS[0]), run.settings.get("beta2", _BETAS[1]))
    if "epsilon" in run.settings:
        yield "eps", run.settings["epsilon"]
    if "weight_decay" in run.settings:
        yield "weight_decay", run.settings["weight_decay"]


def _schedule(run: Training, ramp: Ramp) -> Iterator[tuple[str, object]]:
    yield "warmup_steps", ramp.warmup
    if ramp.stable or not ramp.decay:
        yield "decay_ratio", ramp.decay / run.steps
    yield "decay_type", ramp.curve if ramp.decay else "linear"
    yield "min_lr_factor", ramp.floor


def _training(run: Training) -> Iterator[tuple[str, object]]:
    layout = run.layout
    assert layout is not None
    yield "local_batch_size", layout.micro_batch * (layout.accumulate if layout.pp > 1 else 1)
    yield "global_batch_size", run.batch
    yield "seq_len", run.sequence
    if "clip" in run.settings:
        yield "max_norm", run.settings["clip"]
    yield "steps", run.steps
    if run.precision == "fp32":
        yield "mixed_precision_param", "'float32'"


def _parts(layout: Layout) -> Iterator[tuple[str, int]]:
    shares = layout.shard is None or layout.shard > 0
    yield "data_parallel_replicate_degree", 1 if shares else layout.dp
    yield "data_parallel_shard_degree", layout.dp if shares else 1
    yield "tensor_parallel_degree", layout.tp
    yield "pipeline_parallel_degree", layout.pp
    yield "context_parallel_degree", layout.cp
    if layout.pp > 1:  # what a copy gets is cut into the micro-batches that fill the pipeline
        yield "pipeline_parallel_microbatch_size", layout.micro_batch
    if layout.ep > 1:
        yield "expert_parallel_degree", layout.ep
        yield "expert_tensor_parallel_degree", layout.etp


def _plain(run: Training) -> Iterator[Said]:
    """What of a plain decoder its llama3 has not."""
    shape = run.shape
    assert shape is not None
    if not shape.gated:
        yield run.lost("model", "a model whose MLPs are not gated", at="model.mlp")
    if not head_fits(shape):
        yield run.lost("model", f"heads of a width of their own, {shape.head_dim}", at="model.head_dim")


def _lost(run: Training) -> Iterator[Said]:
    yield from lost_optimizer(run, ("adamw",), _SETTINGS)
    yield from lost_precision(run, _PRECISIONS)
    yield from lost_selective(run)
    if run.layout is not None and run.layout.shard == 1:
        yield run.lost("layout", f"that copies share out the optimizer's states alone, in {run.layout.regime}")


# ---- 0.2


def write_toml(run: Training, form: Format) -> Written:
    """The TOML of 0.2.2 and before, for a shape that it has by name."""
    ramp, lost_schedule = ramp_of(run, _FALLS, stable=True)
    shape, layout = run.shape, run.layout
    assert shape is not None and layout is not None
    flavor = _flavor(shape)
    lost = [*lost_schedule, *_lost(run)]
    if flavor is None:
        lost.append(run.lost("model", "a shape that torchtitan 0.2 has no name for", "write the file of 0.3"))
    parts: dict[str, object] = {**dict(_parts(layout)), "fsdp_reshard_after_forward": "default"}
    optimizer: dict[str, object] = {
        "name": "AdamW",
        **{name: value for name, value in _optimizer(run) if name != "betas"},
    }
    if {"beta1", "beta2"} & run.settings.keys():
        optimizer |= {"beta1": run.settings.get("beta1", _BETAS[0]), "beta2": run.settings.get("beta2", _BETAS[1])}
    document: dict[str, dict[str, object]] = {
        "job": {"dump_folder": f"outputs/{run.name}", "description": run.title},
        "model": {"name": "llama3", "flavor": flavor or "8B"},
        "optimizer": optimizer,
        "lr_scheduler": dict(_schedule(run, ramp)),
        "training": {name: value for name, value in _training(run) if name != "mixed_precision_param"},
        "parallelism": parts,
        "activation_checkpoint": {"mode": "full" if layout.recompute else "none"},
    }
    tables = "\n".join(
        "".join([f"[{name}]\n", *(f"{key} = {_toml(value)}\n" for key, value in table.items())])
        for name, table in document.items()
    )
    return Written({form.file: comment(run, form, lost) + tables}, tuple(lost))


def _flavor(shape: Shape) -> str | None:
    plain = not shape.beyond and shape.gated and head_fits(shape) and not shape.tied
    sizes = (shape.layers, shape.hidden, shape.heads, shape.kv_heads, shape.ffn, shape.vocab)
    return _FLAVORS.get(sizes) if plain else None


def _toml(value: object) -> str:
    if isinstance(value, int | float):
        return number(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
