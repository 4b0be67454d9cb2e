"""What users may write of a plan's parts, as tables: each figure's dimension, bounds and example, and other names."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from runplan.dsl.units.base import FLOP, GPU, PARAM, PRICE, TIME, TOKEN, dim_of
from runplan.dsl.units.dims import MONEY, NONE, Dim
from runplan.dsl.units.table import currencies


@dataclass(frozen=True, slots=True)
class Field:
    """What a figure of a statement is.

    Attributes:
        dim: Its dimension; money is `currency`.
        example: How one writes it, for help.
        least, most: Bounds in base units; `least` itself is allowed only where `zero` is.
        per_gpu: Whether `X/GPU` is read as X, the figure being that of one device.
        whole: Whether it is counted in whole numbers.
    """

    name: str
    dim: Dim
    example: str
    least: float = 0.0
    most: float = math.inf
    zero: bool = False
    per_gpu: bool = False
    whole: bool = False


HARDWARE = {
    f.name: f
    for f in (
        Field("gpus", GPU, "1000", whole=True),
        Field("time", TIME, "6 months"),
        Field("mfu", NONE, "40%", most=1.0),
        Field("rate", dim_of("FLOP/s"), "400 TFLOP/s", per_gpu=True),
        Field("price", PRICE, "2.50 USD/GPU/hour", zero=True),
        Field("peak", dim_of("FLOP/s"), "989 TFLOP/s", per_gpu=True),
        Field("memory", dim_of("byte"), "80 GB", per_gpu=True),
        Field("power", dim_of("W"), "700 W", per_gpu=True),
        Field("pue", NONE, "1.1", least=1.0, zero=True),
        Field("carbon_intensity", dim_of("gCO2eq/kWh"), "385 gCO2eq/kWh", zero=True),
        Field("availability", NONE, "90%", most=1.0),
        Field("hours_per_day", TIME, "20 hours", most=86400.0),
        Field("nodes_of", GPU, "8", whole=True),
    )
}
ARCHITECTURE = {
    f.name: f
    for f in (
        Field("params", PARAM, "7B"),
        Field("active", PARAM, "37B"),
        Field("layers", NONE, "32", whole=True),
        Field("hidden", NONE, "4096", whole=True),
        Field("heads", NONE, "32", whole=True),
        Field("kv_heads", NONE, "8", whole=True),
        Field("ffn", NONE, "14336", whole=True),
        Field("vocab", NONE, "128256", whole=True),
        Field("context", TOKEN, "8192 tokens", whole=True),
        Field("experts", NONE, "256", whole=True),
        Field("active_experts", NONE, "8", whole=True),
        Field("granularity", NONE, "8"),
        Field("weight_bits", NONE, "4", most=64.0),
        Field("activation_bits", NONE, "8", most=64.0),
        Field("kv_bits", NONE, "8", most=64.0),
    )
}
COMPUTE = Field("compute", FLOP, "5e24 FLOP")
TOKENS = Field("tokens", TOKEN, "2T")
PARAMS = Field("model", PARAM, "7B")
SERVED = Field("inference", TOKEN, "2T tokens")
EPOCHS = Field("epochs", NONE, "4 epochs")
WEIGHT = Field("weight", NONE, "30%", most=1.0)
SHARE = Field("share", NONE, "15%", most=1.0)
SHARE_OR_NONE = Field("share", NONE, "60%", most=1.0, zero=True)
RESERVE = Field("reserve", NONE, "15%", most=1.0)
SETTINGS = {
    "batch": Field("batch", TOKEN, "4M tokens"),
    "learning_rate": Field("learning_rate", NONE, "3e-4", most=1.0),
}
DATA = Field("data", TOKEN, "10T tokens")
# What a model is trained to do, by the name in lower case.
OBJECTIVES = {"clm": "CLM", "mlm": "MLM"}
# The figures of records that are read, by kind and key; one entry may have several.
_LEVEL = {name: Field(name, NONE, "10%", most=1.0, zero=True) for name in ("start", "end", "hold")}
_BYTES_A_SECOND = {name: Field(name, dim_of("byte/s"), "3 TB/s") for name in ("bandwidth", "interconnect", "internode")}
RECORDS: dict[str, dict[str, tuple[Field, ...]]] = {
    "device": {
        **{name: (HARDWARE[name],) for name in ("peak", "memory", "power", "price")},
        "ceiling": (replace(HARDWARE["peak"], name="ceiling"),),
        "plausible": (replace(HARDWARE["mfu"], name="plausible"),),
        **{name: (field,) for name, field in _BYTES_A_SECOND.items()},
    },
    "mfu": {"size": (replace(PARAMS, name="size"), HARDWARE["mfu"])},
    "shape": {name: (field,) for name, field in _LEVEL.items()},
    "price": {"price": (HARDWARE["price"],)},
    "region": {name: (HARDWARE[name],) for name in ("pue", "carbon_intensity", "price")},
}
# Records that have no figures but these, and the texts that any may have; others may have keys of their own.
CLOSED = ("mfu", "shape")
TEXTS = ("convention", "note")
# The figures of a device that are of one precision.
OF_A_PRECISION = ("peak", "ceiling")
# Dimensions of which everybody counts in one unit: there a bare number says it all.
NATURAL = frozenset({"token", "param", "FLOP", "GPU", "nat", "character", "sequence", MONEY}) | currencies()


def natural(dim: Dim) -> bool:
    """Whether a bare number stands for a figure of a dimension."""
    return bool(dim) and all(name in NATURAL for name, _ in dim)


# What users of other tools write.
ALSO_KNOWN = {
    "n_params": "params", "parameters": "params", "size": "params", "flops": "compute", "flop": "compute",
    "budget": "cost", "lr": "learning_rate", "batch_size": "batch", "duration": "time", "co2": "emissions",
    "num_hidden_layers": "layers", "n_layers": "layers", "num_layers": "layers", "hidden_size": "hidden",
    "d_model": "hidden", "intermediate_size": "ffn", "num_attention_heads": "heads", "n_heads": "heads",
    "num_key_value_heads": "kv_heads", "vocab_size": "vocab", "seq_len": "context", "count": "gpus", "n": "gpus",
    "utilization": "mfu", "duration_days": "time", "tdp": "power", "per_node": "nodes_of", "hours": "gpu_hours",
    "gpu_time": "gpu_hours", "num_gpus": "gpus", "n_gpus": "gpus", "ppl": "perplexity", "money": "cost",
}  # fmt: skip
