"""Records of the kind `run` to runs: what each was, what it took, and the rate that it reached end to end."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record

# Training takes so many FLOP a param and token: two in the pass forward, four in the pass back.
FLOP_A_TOKEN = 6.0
# What a run is taken to be computed in where its record does not say.
USUAL_PRECISION = "bf16"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was done, as its record tells it. Figures are in base units: hours of devices in GPU*second.

    Attributes:
        device: The record of what it ran on; None where the run names none, or one that nothing tells of.
        own: Whether a pack brings it, and not the standard library.
    """

    record: Record
    device: Record | None
    own: bool

    @property
    def name(self) -> str:
        """What its record is called."""
        return self.record.name

    # ---- what it was

    @property
    def family(self) -> str:
        """Runs of one team, with one stack; a run that names no family is one by itself."""
        return self.record.text("family") or self.name

    @property
    def from_weights(self) -> bool:
        """Whether it began from the weights of another."""
        return bool(self.record.text("start"))

    @property
    def params(self) -> float | None:
        """Params in total."""
        return self.record.figure("params")

    @property
    def active(self) -> float | None:
        """Params that a token passes through: all of them, unless it says less."""
        return self.record.figure("active") or self.params

    @property
    def mixture(self) -> bool:
        """Whether it is a mixture of experts."""
        return self.record.figure("active") is not None or (self.record.figure("experts") or 1.0) > 1.0

    @property
    def tokens(self) -> float | None:
        """Tokens trained on."""
        return self.record.figure("tokens")

    @property
    def compute(self) -> float | None:
        """6 x active params x tokens, in FLOP."""
        active, tokens = self.active, self.tokens
        return FLOP_A_TOKEN * active * tokens if active and tokens else None

    # ---- what it took

    @property
    def gpus(self) -> float | None:
        """Devices."""
        return self.record.figure("gpus")

    @property
    def gpu_hours(self) -> float | None:
        """GPU*second from its first step to its last, stops and restarts included."""
        stated, gpus, time = self.record.figure("gpu_hours"), self.gpus, self.record.figure("time")
        return stated or (gpus * time if gpus and time else None)

    # ---- what it reached

    @property
    def precision(self) -> str:
        """What its matrix products were computed in."""
        return self.record.text("precision") or USUAL_PRECISION

    @property
    def peak(self) -> float | None:
        """FLOP/s of one device at the precision, dense."""
        stated = self.record.figure("peak", self.precision)
        return stated or (self.device.figure("peak", self.precision) if self.device else None)

    @property
    def mfu(self) -> float | None:
        """The share of the peak that it reached end to end: 6ND over all hours of its devices."""
        compute, hours, peak = self.compute, self.gpu_hours, self.peak
        return compute / (hours * peak) if compute and hours and peak else None


def runs_of(library: Library) -> tuple[Run, ...]:
    """All runs that a library knows, by name."""
    headers = library.index("run")
    return tuple(
        Run(record, library.record("device", device) if (device := record.text("device")) else None, own)
        for record in library.records("run")
        for own in [headers[record.name.lower()].layer != "standard"]
    )
