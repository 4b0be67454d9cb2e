"""What users may write of a plan's parts, as tables: each figure's dimension, bounds and example, and other names."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text.pattern import pattern
from runplan.dsl.units.base import EPOCH, FLOP, GPU, PARAM, STEP, TOKEN, dim_of
from runplan.dsl.units.dims import MONEY, NONE, Dim
from runplan.dsl.units.parse import number, unit
from runplan.dsl.units.table import currencies


@dataclass(frozen=True, slots=True)
class Field:
    """What a figure of a statement is.

    Attributes:
        dim: Its dimension; money is `currency`.
        example: How one writes it, for help.
        least, most: Bounds in base units; `least` itself is allowed only where `zero` is.
        per: What the figure is one of, so that `X/GPU` is read as X; the dimension of nothing where it is of none.
        whole: Whether it is counted in whole numbers.
        words: What it may say instead of a number, each with the number that it stands for.
        also: The same in other units that are as usual: then a number without any says too little.
        instead: Fields of other dimensions that may be given in its place.
        named: Words that may stand in the place of a figure, and say where it is from: `derived`.
    """

    name: str
    dim: Dim
    example: str
    least: float = 0.0
    most: float = math.inf
    zero: bool = False
    per: Dim = NONE
    whole: bool = False
    words: tuple[tuple[str, float], ...] = ()
    also: tuple[str, ...] = ()
    instead: tuple[Field, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def usual(self) -> float:
        """The example in base units: 0 where it is a word."""
        found = _EXAMPLE.fullmatch(self.example)
        return number(found[1]) * (unit(found[2]).factor if found[2] else 1.0) if found else 0.0


# What may stand in the place of a figure: that it follows, or that another figure has it in it.
DERIVED, INCLUDED = "derived", "included"
_EXAMPLE = pattern(r"([0-9][0-9._]*(?:e-?[0-9]+)?[kMBT]?) ?(\S*)")
COMPUTE = Field("compute", FLOP, "5e24 FLOP")
# Of what is counted there is one at least; of more than this a search takes it for none at all.
_MOST = 1e32
TOKENS = Field("tokens", TOKEN, "2T", least=1, most=_MOST, zero=True)
PARAMS = Field("model", PARAM, "7B", least=1, most=_MOST, zero=True)
TRAINED_ON = Field("on", TOKEN, "15T tokens")
SERVED = Field("inference", TOKEN, "2T tokens")
CONTEXT = Field("context", TOKEN, "32k tokens", whole=True)
STEPS = Field("steps", STEP, "2000 steps")
EPOCHS = Field("epochs", EPOCH, "4 epochs")
# How long a run is.
RUN = replace(TOKENS, instead=(STEPS, EPOCHS))
WEIGHT = Field("weight", NONE, "30%", most=1.0)
SHARE = Field("share", NONE, "15%", most=1.0)
SHARE_OR_NONE = Field("share", NONE, "60%", most=1.0, zero=True)
# How long a part of a run is, by the dimension that it is given in.
LENGTHS = {field.dim: field for field in (SHARE, replace(TOKENS, example="50B tokens"), STEPS, EPOCHS)}
RESERVE = Field("reserve", NONE, "15%", most=1.0)
DATA = replace(TOKENS, name="data", example="10T tokens")
# What a model is trained to do, by the name in lower case.
OBJECTIVES = {"clm": "CLM", "mlm": "MLM"}
# What a run may begin from.
ORIGINS = SCRATCH, CHECKPOINT = "scratch", "checkpoint"
# What may be trained in place of the weights.
ADAPTERS = "adapters"
# The figures of records that are no fields of a statement, by kind and key; one entry may have several.
_LEVEL: dict[str, tuple[Field, ...]] = {
    name: (Field(name, NONE, "10%", most=1.0, zero=True),) for name in ("start", "end", "hold")
}
_CEILING = Field("ceiling", dim_of("FLOP/s"), "794 TFLOP/s", per=GPU)
_MFU = Field("mfu", NONE, "40%", most=1.0)
# What is told of a run that was done, beside the fields of a plan's hardware, model and optimizer.
_RUN: dict[str, tuple[Field, ...]] = {
    field.name: (field,)
    for field in (
        Field("year", NONE, "2024", least=1950, whole=True),
        replace(PARAMS, name="params"),
        replace(TOKENS, name="tokens"),
        replace(TOKENS, name="unique_tokens"),
        Field("throughput", dim_of("token/s"), "2.7k tokens/second/GPU", per=GPU),
        Field("replay_share", NONE, "5%", most=1.0, zero=True),
        Field("warmup", TOKEN, "3B tokens", instead=(STEPS, SHARE)),
        Field("loss", dim_of("nat/token"), "1.9 nat/token"),
        Field("energy", dim_of("kWh"), "1287 MWh"),
        Field("emissions", dim_of("tCO2eq"), "552 tCO2eq", zero=True),
        Field("cost", dim_of(MONEY), "4.6M USD"),
    )
}
RECORDS: dict[str, dict[str, tuple[Field, ...]]] = {
    "column": {},
    "device": {"ceiling": (_CEILING,), "plausible": (replace(_MFU, name="plausible"),)},
    "fleet": {"stops": (Field("stops", NONE, "419"),)},
    "mfu": {"size": (replace(PARAMS, name="size"), _MFU)},
    "shape": _LEVEL,
    "price": {},
    "regime": {},
    "region": {},
    "run": _RUN,
    "model": {},
    "states": {},
}
# What else a record may say: the fields of these statements, any of them or some.
OF_STATEMENTS: dict[str, dict[str, tuple[str, ...] | None]] = {
    "device": {"hardware": None},
    "fleet": {"hardware": None},
    "price": {"hardware": ("price", "interruption_every", "wait_time")},
    "region": {"hardware": ("pue", "carbon_intensity", "price")},
    "run": {"hardware": None, "model": None, "optimizer": None},
    "model": {"model": None},
    "regime": {"layout": None},
    "states": {"layout": ("moments", "matrix_moments", "moment_bytes", "master_bytes", "sides", "longest_side")},
}
# The figures that a kind of record has all of: nothing is taken in their place.
NEEDED: dict[str, tuple[str, ...]] = {
    "regime": (
        *("weight_bytes", "gradient_bytes", "master_bytes", "optimizer_bytes", "shard", "gradients_kept"),
        *("copy_bytes", "copied_layers", "residual_bytes", "hidden_bytes", "query_bytes", "kv_bytes", "ffn_bytes"),
        *("head_bytes", "norm_bytes", "least_logit_bytes", "logit_bytes", "forward_logit_bytes"),
        *("stranded_logit_bytes", "rotary_bytes", "workspace", "fragmentation", "recompute_fragmentation"),
    ),
    "states": ("moments",),
}


def figures_of(kind: str, fields: Mapping[str, Mapping[str, Field]]) -> dict[str, tuple[Field, ...]]:
    """The figures of a kind of record, by key, each with the fields that its values are read as.

    Args:
        fields: The fields of each statement by name.
    """
    own = RECORDS.get(kind, {})
    shared = {
        name: (field,)
        for statement, some in OF_STATEMENTS.get(kind, {}).items()
        for name, field in fields.get(statement, {}).items()
        if name not in own and (some is None or name in some)
    }
    return {**own, **shared}


# Records that have no figures but these, and the texts that any may have; others may have keys of their own.
CLOSED = ("fleet", "mfu", "model", "regime", "run", "shape", "states")
TEXTS = ("convention", "note")
# The texts that a kind of record may have beside them, each once.
OWN_TEXTS: dict[str, tuple[str, ...]] = {
    "device": ("vendor", "generation"),
    "fleet": ("device", "aside"),
    "model": ("config",),
    "regime": ("source", "aside"),
    "states": ("source",),
    "shape": ("curve",),
    "run": ("family", "objective", "device", "precision", "schedule", "optimizer", "start", "aside"),
}
# The figures of a device that are of one precision.
OF_A_PRECISION = ("peak", "ceiling")
# Dimensions of which everybody counts in one unit: there a bare number says it all.
NATURAL = currencies() | {
    *("token", "param", "FLOP", "GPU", "nat", "character", "sequence", "step", "epoch", "node", MONEY),
}


def natural(dim: Dim) -> bool:
    """Whether a bare number stands for a figure of a dimension."""
    return bool(dim) and all(name in NATURAL for name, _ in dim)
