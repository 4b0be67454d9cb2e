"""Devices to the layouts that a model may have on them, the plainest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.plan.ir import Amount, Given, Within

TP, PP, CP, EP, ETP, DP = map(quantity, ("tp", "pp", "cp", "ep", "etp", "dp"))
MICRO_BATCH, ACCUMULATE, RECOMPUTE = map(quantity, ("micro_batch", "accumulate", "recompute"))
SHARD, INTERLEAVE = map(quantity, ("shard", "interleave"))
# The figures of a layout; all else that is said of one is what the framework keeps, or how it goes through a pipeline.
FIGURES = frozenset((TP, PP, CP, EP, ETP, DP, MICRO_BATCH, ACCUMULATE, RECOMPUTE))
# What is tried of each figure that the plan leaves open. Matrices are cut inside a node, and into no more parts than
# runs have been (PaLM has 12).
_MOST_TP, _MOST_PP, _MOST_CP = 16, 64, 32
_MICRO_BATCHES = (1, 2, 4, 8, 16)
_RECOMPUTES = (0.0, 0.5, 1.0)
# Tokens of a sequence below which no run cuts it further, and below which it is cut only where nothing else fits:
# Llama 3 has 8,192 of 131,072 on a device (arXiv:2407.21783, table 4).
_SHORT, USUAL = 4096.0, 8192.0
# Layers by which parts of a pipeline may be short, all together: the first and the last have the tables (Llama 3 405B
# has 126 layers in 16 parts), or what predicts a token more (DeepSeek-V3 has 61); of many parts a quarter (DeepSeek-V2
# has 60 layers in 16).
_SHORTER, _SHORTER_OF = 3, 4
# Devices of a usual node: matrices are cut over no more as a matter of course, where links join more.
_USUAL_NODE = 8
# A batch that is stated is kept to this share: 16M tokens are 1,953 sequences of 8,192, and mean 2,048.
_KEPT = 0.05
# From which stage on copies share out the gradients, and the weights, too.
_GRADIENTS, _WEIGHTS = 2, 3
_AGAIN = {0.5: "recompute selective", 1.0: "recompute full"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a model lies on devices, and how a step passes it.

    Attributes:
        tp, pp, cp, dp: Parts of the matrices, layers and sequences, and copies: their product is the devices.
        ep, etp: Parts that experts are shared out over, among the devices of a part of the layers, and that each of
            them is cut into.
        micro_batch: Sequences that a copy passes at once.
        accumulate: How often it does so in a step.
        recompute: What is computed again of activations: 1 all, 0.5 what no matrix product gives, 0 nothing.
        shard: What copies share out, where the framework leaves it open.
    """

    tp: int = 1
    pp: int = 1
    cp: int = 1
    ep: int = 1
    etp: int = 1
    dp: int = 1
    micro_batch: int = 1
    accumulate: int = 1
    recompute: float = 0.0
    shard: int | None = None

    @property
    def figures(self) -> dict[Name, float]:
        """Its figures by the names that formulas have for them."""
        figures = {
            TP: float(self.tp),
            PP: float(self.pp),
            CP: float(self.cp),
            EP: float(self.ep),
            ETP: float(self.etp),
            DP: float(self.dp),
            MICRO_BATCH: float(self.micro_batch),
            ACCUMULATE: float(self.accumulate),
            RECOMPUTE: float(self.recompute),
        }
        return figures if self.shard is None else {**figures, SHARD: float(self.shard)}

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """What tells it from others at a glance: parts of matrices, layers, sequences and experts."""
        return self.tp, self.pp, self.cp, self.ep

    @property
    def cuts(self) -> tuple[int, int, int, int, int, int]:
        """All that says which device has what."""
        return self.tp, self.pp, self.cp, self.ep, self.etp, self.dp

    @property
    def devices(self) -> int:
        """The devices that it is for."""
        return self.tp * self.pp * self.cp * self.dp

    def __str__(self) -> str:
        parts = [f"{name} {n}" for name in ("tp", "pp", "cp", "ep", "etp", "dp") if (n := getattr(self, name)) > 1]
        again = [_AGAIN[self.recompute]] if self.recompute in _AGAIN else []
        return ", ".join([*(parts or ["dp 1"]), f"micro_batch {self.micro_batch}", *again])


@dataclass(frozen=True, slots=True)
class Room:
    """What bounds a layout beside the plan's own words.

    Attributes:
        devices: How many there are.
        a_node: How many of them the links of a node join.
        layers, heads, experts: Of the model; 0 where they are not known, and any number of parts may be made.
        sequences: Of a batch; infinite where that is not known.
        context: Tokens of a sequence.
        is_kept: Whether the plan says the batch, to which layouts are held.
        shards: What copies may share out; nothing where the framework says it.
        shortest: Tokens of a sequence below which it is not cut further.
        least_cp: Parts that a sequence is cut into at the least.
        deepest: Parts of the layers at the most.
    """

    devices: int
    a_node: int
    layers: int
    heads: int
    experts: int
    sequences: float
    context: float
    is_kept: bool = False
    shards: tuple[int, ...] = ()
    shortest: float = _SHORT
    least_cp: int = 1
    deepest: int = _MOST_PP


def layouts(room: Room, said: Mapping[str, Amount]) -> Iterator[Layout]:
    """The layouts that keep what a plan says of them, those of fewer parts first."""
    for tp, pp, cp, ep, etp, dp in _cut(room, said):
        for micro_batch in map(round, _some(said.get("micro_batch"), _MICRO_BATCHES)):
            times = _times(room, dp * micro_batch, pp, said.get("accumulate"))
            if times is not None:
                for again in _some(said.get("recompute"), _RECOMPUTES):
                    for shard in _shared(room, pp):
                        yield Layout(tp, pp, cp, ep, etp, dp, micro_batch, times, again, shard)


def leanest(room: Room, said: Mapping[str, Amount]) -> Iterator[Layout]:
    """Of these the ones that take the least memory of those that cut alike: with small micro-batches, and all computed
    again; then with less of that."""
    recomputes = _some(said.get("recompute"), _RECOMPUTES)[::-1]
    for tp, pp, cp, ep, etp, dp in _cut(room, said):
        micro_batch = next(iter(map(round, _some(said.get("micro_batch"), _MICRO_BATCHES))), None)
        times = _times(room, dp * micro_batch, pp, said.get("accumulate")) if micro_batch is not None else None
        if micro_batch is not None and times is not None:
            for again in recomputes:
                yield Layout(tp, pp, cp, ep, etp, dp, micro_batch, times, again, _shared(room, pp)[0])


def _cut(room: Room, said: Mapping[str, Amount]) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Parts of matrices, layers, sequences and experts, and copies, fewer parts first."""
    for tp, pp, cp in sorted(_parts(room, said), key=lambda each: (each[0] * each[1] * each[2], each)):
        dp, rest = divmod(room.devices, tp * pp * cp)
        if not rest and _keeps(said.get("dp"), dp):
            for ep, etp in _experts(room, tp, dp * cp, said):
                yield tp, pp, cp, ep, etp, dp


def _parts(room: Room, said: Mapping[str, Amount]) -> Iterator[tuple[int, int, int]]:
    for tp in _counts(room, said.get("tp"), _MOST_TP):
        if not isinstance(said.get("tp"), Given) and not _cuts(room, tp):
            continue
        for pp in _counts(room, said.get("pp"), min(_MOST_PP, room.deepest)):
            if not isinstance(said.get("pp"), Given) and not splits(room.layers, pp):
                continue
            for cp in _counts(room, said.get("cp"), _MOST_CP):
                halved = cp & (cp - 1) == 0 and room.context >= cp * room.shortest
                if isinstance(said.get("cp"), Given) or ((cp == 1 or halved) and cp >= room.least_cp):
                    yield tp, pp, cp


def _cuts(room: Room, tp: int) -> bool:
    """Whether matrices can be cut into so many parts: inside a node, of which they fill a part evenly, and by heads."""
    inside = tp <= room.a_node and (room.a_node % tp == 0 or room.a_node > _MOST_TP)
    return inside and (tp & (tp - 1) == 0 if not room.heads else room.heads % tp == 0)


def splits(layers: int, parts: int) -> bool:
    """Whether layers can be cut into so many parts: all alike, or a few with a layer less."""
    return not layers or (parts <= layers and -layers % parts <= max(_SHORTER, parts // _SHORTER_OF))


def oddity(one: Layout, room: Room) -> float:
    """How much a layout has of what few published runs have, and most do without where that is as fast: 1 for each.

    Activations are computed again, which counts by its share, or a sequence is cut. The parts of a pipeline differ in
    layers, which Megatron-LM refuses unless it is told otherwise (megatron/training/arguments.py), or are no power of
    two, as devices of a node and of a network are. There is a pipeline though matrices are cut over less than half a
    node (Narayanan et al. 2021, arXiv:2104.04473, section 3.2: first tensors inside a node, then pipelines). Experts
    lie over several nodes, or matrices are cut beside them (DeepSeek-V3 does without, arXiv:2412.19437, section 3.2).
    """
    uneven = one.pp & (one.pp - 1) != 0 or room.layers % one.pp != 0
    early = one.ep == 1 < one.pp and 2 * one.tp < min(room.a_node, _USUAL_NODE)
    return max(one.cp > 1, one.recompute) + uneven + early + (one.ep > room.a_node) + (one.ep > 1 < one.tp)


def _experts(room: Room, tp: int, copies: int, said: Mapping[str, Amount]) -> Iterator[tuple[int, int]]:
    """Over how many devices experts are shared out, of all that have a part of the layers, and into how many parts each
    is cut: into those of all matrices, where experts are too few to be shared out so far (Megatron Core's folding,
    arXiv:2504.14960)."""
    for etp in _some(said.get("etp"), sorted({1, tp}) if room.experts else (1,)):
        parts, rest = round(etp), tp * copies % round(etp)
        if rest:
            continue
        widest = math.gcd(room.experts, tp * copies // parts) if room.experts else 1
        for ep in _of_experts(widest, said.get("ep")):
            if parts == 1 or "etp" in said or room.experts % (ep * parts):
                yield ep, parts


def _of_experts(widest: int, said: Amount | None) -> Sequence[int]:
    """The numbers of parts that experts are shared out over: what the plan says, else what divides the widest."""
    if isinstance(said, Given):
        return [round(said.value.value)]
    return [n for n in range(widest, 0, -1) if widest % n == 0 and _keeps(said, n)]


def _times(room: Room, sequences: int, pp: int, said: Amount | None) -> int | None:
    """How often copies pass so many sequences in a step; None where a batch has not so many, or the plan says other.

    A batch that is near one of whole rounds through the pipeline is that.
    """
    exact = room.sequences / sequences
    if isinstance(said, Given):
        times = round(said.value.value)
    elif sequences > room.sequences * (1 + _KEPT):
        return None
    else:
        rounds = 1.0 if math.isinf(exact) else pp * round(exact / pp)
        is_near = math.isinf(exact) or abs(rounds - exact) <= _KEPT * exact
        times = round(rounds) if is_near else max(1, round(exact))
    if room.is_kept and abs(times - exact) > _KEPT * exact:
        return None
    return times if _keeps(said, times) else None


def _shared(room: Room, pp: int) -> Sequence[int | None]:
    """What copies may share out: of pipelines the states alone where frameworks differ, for DeepSpeed refuses more
    (deepspeed/runtime/pipe/engine.py); weights that each micro-batch gathers anew are no part of any (Llama 3 keeps
    them, arXiv:2407.21783, section 3.3.2)."""
    limits = (_WEIGHTS + 1,) if pp == 1 else (_GRADIENTS, _WEIGHTS)
    kept = ([shard for shard in room.shards if shard < limit] for limit in limits)
    return next(filter(None, kept), (None,))


def _counts(room: Room, said: Amount | None, most: int) -> Sequence[int]:
    """The numbers of parts that are tried: what the plan says, else all that divide the devices and are within."""
    if isinstance(said, Given):
        return [round(said.value.value)]
    return [n for n in range(1, min(most, room.devices) + 1) if room.devices % n == 0 and _keeps(said, n)]


def _some(said: Amount | None, tried: Sequence[float]) -> Sequence[float]:
    """The figures that are tried: what the plan says, else those of the usual ones that it leaves."""
    return [said.value.value] if isinstance(said, Given) else [n for n in tried if _keeps(said, n)]


def _keeps(said: Amount | None, figure: float) -> bool:
    """Whether a figure is what the plan says of it, or is within."""
    if isinstance(said, Given):
        return abs(said.value.value - figure) < 0.25
    if not isinstance(said, Within):
        return True
    above = said.low is None or figure >= said.low.value.value - 1e-9
    return above and (said.high is None or figure <= said.high.value.value + 1e-9)
