"""The types of a run as trainers and schedulers are told of it: whole numbers, and where each is from."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal

Origin = Literal["stated", "derived", "assumed"]
Curve = Literal["constant", "linear", "cosine", "sqrt", "exponential", "step", "waves", ""]
# What a plan says of a run, by subject: of each a format says whether it carries it.
Subject = Literal[
    "mix", "phase mix", "repeats", "batch ramp", "schedule", "objective", "checkpoint", "optimizer", "model",
    "layout", "interleave", "recompute", "adapters", "bits", "precision",
    "pools", "dates", "hours", "availability", "length", "batch", "learning rate",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure that files say, and where it is from.

    Attributes:
        told: As people write it, with its unit.
        source: The statement's line, what it follows from, or what the assumption rests on.
    """

    name: str
    told: str
    origin: Origin
    source: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a plan says of a run that a format may have no place for.

    Attributes:
        told: What it is, as a noun with its figures.
        span: The statement; of a default, that of the plan's first.
        help: What to write in place of it, where another thing can be carried.
    """

    subject: Subject
    told: str
    span: Span
    help: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The architecture of a model, by the fields of a plan's `model`; counts, and widths in elements.

    Attributes:
        attention_biases: 0 nowhere, 1 in queries, keys and values, 2 in the output, too.
        qk_norm: 1 of each head by itself, 2 of all together.
        window: In tokens, 0 where there is none.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    mlp: int = 3
    tied: bool = False
    attention_biases: int = 0
    mlp_biases: bool = False
    norm_biases: bool = False
    norms: int = 2
    final_norm: bool = True
    embedding_norm: bool = False
    embedding_dim: int = 0
    qk_norm: int = 0
    sinks: bool = False
    positions: int = 0
    segments: int = 0
    head_bias: bool = False
    masked_head: bool = False
    pooler: bool = False
    extra_params: int = 0
    window: int = 0
    global_layers: int = 0
    experts: int = 0
    active_experts: int = 0
    expert_ffn: int = 0
    shared_experts: int = 0
    shared_ffn: int = 0
    shared_gate: bool = False
    router_biases: bool = False
    expert_groups: int = 1
    routed_groups: int = 1
    dense_layers: int = 0
    kv_lora: int = 0
    q_lora: int = 0
    rope_dim: int = 0
    v_head_dim: int = 0

    @property
    def gated(self) -> bool:
        """Whether an MLP has three matrices."""
        return self.mlp == _GATED

    @property
    def beyond(self) -> frozenset[str]:
        """The fields in which it is no plain decoder: gated or not, with grouped heads, tied or not."""
        return frozenset(name for name in _PARTICULAR if getattr(self, name) != _PLAIN.get(name, 0))


_GATED = 3
_PLAIN = {"norms": 2, "final_norm": True, "expert_groups": 1}
_PARTICULAR = (
    *("attention_biases", "mlp_biases", "norm_biases", "norms", "final_norm", "embedding_norm", "embedding_dim"),
    *(
        "qk_norm",
        "sinks",
        "positions",
        "segments",
        "head_bias",
        "masked_head",
        "pooler",
        "extra_params",
        "window",
        "experts",
    ),
    *("shared_experts", "shared_gate", "router_biases", "expert_groups", "dense_layers", "kv_lora"),
)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the schedule.

    Attributes:
        steps: How long it is.
        start, end: The learning rate at its ends, as shares of the peak.
        mix: Each source's share of its tokens, at its start and its end; empty where there is one source.
    """

    name: str
    curve: Curve
    steps: int
    start: float
    end: float
    mix: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the model lies on the devices, and how a step passes it.

    Attributes:
        interleave: Parts of the layers that each device of a pipeline has.
        micro_batch: Sequences that a copy passes at once.
        selective: Whether a part of each layer is computed again, and not all of it.
        shard: What copies share out, by the stages of ZeRO; None where the plan names no framework.
        regime: What the framework keeps, by its name; empty where the plan names none.
    """

    tp: int = 1
    pp: int = 1
    cp: int = 1
    ep: int = 1
    etp: int = 1
    dp: int = 1
    interleave: int = 1
    micro_batch: int = 1
    accumulate: int = 1
    recompute: bool = False
    selective: bool = False
    shard: int | None = None
    regime: str = ""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The devices of a run.

    Attributes:
        device: By its name in the library.
        per_node: Devices of a node.
        seconds: How long they are reserved.
        begin, end: Dates in ISO form, where the plan says them.
        price: As people write it; empty where there is none.
    """

    device: str
    gpus: int
    per_node: int
    seconds: int
    begin: str = ""
    end: str = ""
    price: str = ""

    @property
    def nodes(self) -> int:
        """Whole nodes that hold the devices."""
        return -(-self.gpus // self.per_node)


@dataclass(frozen=True, slots=True)
class Training:
    """A solved plan as one run of a trainer.

    Attributes:
        name: Of the run: letters, digits, `-`, `_` and `.`.
        digest: SHA-256 of the plan's text, in hexadecimal.
        shape: None where the plan says a size and no architecture.
        sequence: Tokens of a sequence.
        batch: Sequences of a step; sequence, batch, steps and learning rate are 0 where nothing tells them.
        phases: Whose steps sum to `steps`.
        mix: Each source's share of the tokens.
        facts: Of every figure where it is from.
        said: What a format may be unable to carry.
        places: Where the plan speaks of a subject, or of a part such as `model.qk_norm`; under the empty name its
            first line.
    """

    name: str
    title: str
    file: str
    digest: str
    params: int
    tokens: int
    shape: Shape | None
    sequence: int
    batch: int
    steps: int
    learning_rate: float
    optimizer: str
    precision: str
    objective: str
    phases: tuple[Phase, ...]
    layout: Layout | None
    hardware: Hardware | None
    settings: Mapping[str, float] = field(default_factory=dict)
    mix: Mapping[str, float] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    said: tuple[Said, ...] = ()
    places: Mapping[str, Span] = field(default_factory=dict)

    def lost(self, subject: Subject, told: str, help: str = "", at: str = "") -> Said:
        """What a format finds no place for, at the statement of the subject, or at a part of it."""
        span = self.places.get(at) or self.places.get(subject) or self.places[""]
        return Said(subject, told, span, help)

    def rate(self, share: float) -> float:
        """A share of the peak learning rate, without what a product of floats adds."""
        return float(f"{self.learning_rate * share:.12g}")


@dataclass(frozen=True, slots=True)
class Written:
    """What a format makes of a run.

    Attributes:
        files: The text of each file by its name.
        lost: What of the plan it has no place for.
    """

    files: Mapping[str, str]
    lost: tuple[Said, ...] = ()
