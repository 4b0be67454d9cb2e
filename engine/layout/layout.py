"""Devices to the layouts that a model may have on them, the plainest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.plan.ir import Amount, Given, Within

TP, PP, CP, EP, DP = map(quantity, ("tp", "pp", "cp", "ep", "dp"))
MICRO_BATCH, ACCUMULATE, RECOMPUTE = map(quantity, ("micro_batch", "accumulate", "recompute"))
# The figures of a layout; all else that is said of one is what the framework keeps.
FIGURES = frozenset((TP, PP, CP, EP, DP, MICRO_BATCH, ACCUMULATE, RECOMPUTE))
# What is tried of each figure that the plan leaves open.
_TP = (1, 2, 4, 8)
_PP = (1, 2, 4, 8, 16, 32)
_CP = (1, 2, 4, 8, 16)
_MICRO_BATCHES = (1, 2, 4, 8)
# A sequence as long as this is worth cutting.
_LONG = 32_768.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How a model lies on devices, and how a step passes it.

    Attributes:
        tp, pp, cp, dp: Parts of the matrices, layers and sequences, and copies: their product is the devices.
        ep: Parts of the experts, within the copies.
        micro_batch: Sequences that a copy passes at once.
        accumulate: How often it does so in a step.
        recompute: Whether activations are computed again.
    """

    tp: int = 1
    pp: int = 1
    cp: int = 1
    ep: int = 1
    dp: int = 1
    micro_batch: int = 1
    accumulate: int = 1
    recompute: bool = False

    @property
    def figures(self) -> dict[Name, float]:
        """Its figures by the names that formulas have for them."""
        return {
            TP: self.tp,
            PP: self.pp,
            CP: self.cp,
            EP: self.ep,
            DP: self.dp,
            MICRO_BATCH: self.micro_batch,
            ACCUMULATE: self.accumulate,
            RECOMPUTE: float(self.recompute),
        }

    @property
    def devices(self) -> int:
        """The devices that it is for."""
        return self.tp * self.pp * self.cp * self.dp

    def __str__(self) -> str:
        parts = [f"{name} {n}" for name in ("tp", "pp", "cp", "ep", "dp") if (n := getattr(self, name)) > 1]
        again = ["recompute full"] if self.recompute else []
        return ", ".join([*(parts or ["dp 1"]), f"micro_batch {self.micro_batch}", *again])


@dataclass(frozen=True, slots=True)
class Room:
    """What bounds a layout beside the plan's own words.

    Attributes:
        devices: How many there are.
        a_node: How many of them share a node.
        layers, heads, experts: Of the model; 0 where they are not known, and any number of parts may be made.
        sequences: Of a batch; infinite where that is not known.
        context: Tokens of a sequence.
    """

    devices: int
    a_node: int
    layers: int
    heads: int
    experts: int
    sequences: float
    context: float


def layouts(room: Room, said: Mapping[str, Amount]) -> Iterator[Layout]:
    """The layouts that keep what a plan says of them: fewer parts first, and nothing computed twice if it may be."""
    recomputes = [again for again in (False, True) if _keeps(said.get("recompute"), float(again))]
    parts = sorted(_parts(room, said), key=lambda each: (each[0] * each[1] * each[2], each))
    for again in recomputes:
        for tp, pp, cp in parts:
            dp, rest = divmod(room.devices, tp * pp * cp)
            if rest or not _keeps(said.get("dp"), dp):
                continue
            for ep in _experts(room, dp, said.get("ep")):
                for micro_batch in _some(said.get("micro_batch"), _MICRO_BATCHES):
                    times = _times(room, dp * micro_batch, said.get("accumulate"))
                    if times is not None:
                        yield Layout(tp, pp, cp, ep, dp, micro_batch, times, again)


def _parts(room: Room, said: Mapping[str, Amount]) -> Iterator[tuple[int, int, int]]:
    for tp in _some(said.get("tp"), _TP):
        if not isinstance(said.get("tp"), Given) and (tp > room.a_node or (room.heads and room.heads % tp)):
            continue
        for pp in _some(said.get("pp"), _PP):
            if not isinstance(said.get("pp"), Given) and not _splits(room.layers, pp):
                continue
            for cp in _some(said.get("cp"), _CP if room.context >= _LONG else (1,)):
                yield tp, pp, cp


def _splits(layers: int, parts: int) -> bool:
    """Whether layers can be cut into so many parts: all alike, or the first and the last with a layer less, as they
    have the tables."""
    return not layers or (parts <= layers and (layers % parts == 0 or (layers + 2) % parts == 0))


def _experts(room: Room, dp: int, said: Amount | None) -> Sequence[int]:
    """Over how many devices experts are shared out: as many as there are experts and copies for."""
    if isinstance(said, Given):
        return _some(said, ())
    widest = math.gcd(room.experts, dp) if room.experts else 1
    return [n for n in dict.fromkeys((widest, 1)) if _keeps(said, n)]


def _times(room: Room, sequences: int, said: Amount | None) -> int | None:
    """How often copies pass so many sequences in a step; None where a batch has not so many, or the plan says other."""
    if isinstance(said, Given):
        return round(said.value.value)
    if sequences > room.sequences * 1.001:
        return None
    times = 1 if math.isinf(room.sequences) else max(1, round(room.sequences / sequences))
    return times if _keeps(said, times) else None


def _some(said: Amount | None, tried: Sequence[int]) -> Sequence[int]:
    """The figures that are tried: what the plan says, else those of the usual ones that it leaves."""
    return [round(said.value.value)] if isinstance(said, Given) else [n for n in tried if _keeps(said, n)]


def _keeps(said: Amount | None, figure: float) -> bool:
    """Whether a figure is what the plan says of it, or is within."""
    if isinstance(said, Given):
        return abs(said.value.value - figure) < 0.5
    if not isinstance(said, Within):
        return True
    above = said.low is None or figure >= said.low.value.value - 1e-9
    return above and (said.high is None or figure <= said.high.value.value + 1e-9)
