"""The type of what the configurations of a run say, in the words of plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.types import Literal, Self

Word = int | float | str
Curve = Literal["linear", "cosine", "sqrt", "exponential", "constant"]
# The parts of a layout where a trainer shares out over copies of the model alone.
UNCUT: Mapping[str, Word] = {"tp": 1, "pp": 1, "cp": 1}
# What PyTorch's AdamW has where nothing is said.
PYTORCH_ADAMW: Mapping[str, float] = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}


def betas(values: Sequence[float | None]) -> dict[str, float]:
    """The settings of a plan for Adam's moments, in their order, without those that nothing says."""
    return {f"beta{at + 1}": one for at, one in enumerate(values) if one is not None}


@dataclass(frozen=True, slots=True)
class Fall:
    """How the learning rate goes from its peak.

    Attributes:
        warmup: Steps of the rise, or a share of the run; 0 where there is none.
        decay: The same of the fall; None where it is all that follows the rise.
        floor: Where it ends, as a share of the peak.
        flat: Whether it ends before the run does, and stays there: then nothing is between the rise and the fall.
    """

    warmup: int | float = 0
    curve: Curve = "constant"
    decay: int | float | None = None
    floor: float = 0.0
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What one or several files say of a run. What they do not say is empty, or None.

    Attributes:
        files: What each is, such as `config.json: transformers, llama`.
        named: A model by its name, where the files say no shape.
        checkpoint: The weights that it begins from, by name.
        model: Figures and words of the plan's `model` block.
        sequence: Tokens of a sequence in training; `longest` those that the model takes at the most.
        length: Such as `10000 steps`, as a plan says it.
        epochs: Of the data, where the length is said in them.
        batch: Sequences of a step of all devices; `per_device` where only those of one device are known.
        layout: Figures of the plan's `layout`.
        devices: How many there are.
        precision: What it computes in; `weights` what a model's file keeps its weights in, where no other file says it.
        mix: Weights of the data, by name.
        notes: What a reader has to know of what was read.
        left: What there is no place for in a plan, by setting.
    """

    files: tuple[str, ...] = ()
    title: str = ""
    objective: str = ""
    named: str = ""
    checkpoint: str = ""
    model: Mapping[str, Word] = field(default_factory=dict)
    sequence: int | None = None
    longest: int | None = None
    length: str = ""
    epochs: float = 0.0
    batch: int | None = None
    per_device: int | None = None
    optimizer: str = ""
    settings: Mapping[str, Word] = field(default_factory=dict)
    fall: Fall | None = None
    layout: Mapping[str, Word] = field(default_factory=dict)
    devices: int | None = None
    precision: str = ""
    weights: str = ""
    mix: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left: tuple[tuple[str, object], ...] = ()

    def beside(self, other: Self) -> Self:
        """What two files of one run say together; where both say something, the first."""
        own, more = self, other
        merged: dict[str, object] = {}
        for name in type(self).__match_args__:
            mine, its = getattr(own, name), getattr(more, name)
            if isinstance(mine, tuple):
                merged[name] = (*mine, *its)
            elif isinstance(mine, Mapping):
                merged[name] = {**its, **mine}
            else:
                merged[name] = mine if mine not in (None, "", 0.0) else its
        return replace(own, **merged)  # type: ignore[arg-type]
