"""A model, a layout and what a framework keeps to the memory that one device needs, by its parts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Ref, names, substitute
from runplan.dsl.expr.values import Evaluator, evaluator
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.engine.layout.layout import INTERLEAVE, Layout
from runplan.engine.problem import quantities as q

LEAST, MOST, USABLE = map(quantity, ("least_memory", "most_memory", "usable_memory"))
WANTED = (q.MEMORY_PER_GPU, LEAST, MOST, USABLE)
# What is told beside it where something says what the devices reach: the time of a step.
LEAST_TIME, TIME, MOST_TIME = map(quantity, ("least_layout_time", "layout_time", "most_layout_time"))
LAYOUT_TOKENS, LAYOUT_MFU = map(quantity, ("layout_tokens", "layout_mfu"))
ROOFLINE, ROOFLINE_MFU = map(quantity, ("roofline_rate", "roofline_mfu"))
PRICED = (LEAST_TIME, TIME, MOST_TIME, LAYOUT_TOKENS, LAYOUT_MFU, ROOFLINE, ROOFLINE_MFU)
# Of these what tells whether anything is wrong.
GLANCED = (ROOFLINE,)
LAYER_MATRICES, FFN_WIDTH, ON_RANK = map(quantity, ("layer_matrices", "ffn_width", "adapters_on_rank"))
# What stands for what is counted otherwise in a mixture of experts, and in a model of which the size alone is known.
_DENSE = {LAYER_MATRICES: quantity("dense_layer_matrices"), FFN_WIDTH: q.FFN, q.CONTEXT: q.USUAL_CONTEXT}
_MIXTURE = {
    LAYER_MATRICES: quantity("mixture_layer_matrices"),
    quantity("shards"): quantity("mixture_shards"),
    quantity("tensor_bytes"): quantity("mixture_tensor_bytes"),
    FFN_WIDTH: quantity("mixture_ffn_width"),
    quantity("side_params"): quantity("mixture_side_params"),
    q.CONTEXT: q.USUAL_CONTEXT,
}
_USUAL = {
    LEAST: quantity("usual_least_memory"),
    LAYER_MATRICES: quantity("usual_layer_matrices"),
    FFN_WIDTH: q.FFN,
    q.LAYERS: quantity("usual_layers"),
    q.HIDDEN: quantity("usual_hidden"),
    q.FFN: quantity("usual_ffn"),
    q.HEADS: quantity("usual_heads"),
    q.KV_HEADS: q.HEADS,
    q.HEAD_DIM: quantity("usual_head_dim"),
    q.MLP: quantity("usual_mlp"),
    q.VOCAB: quantity("usual_vocab"),
    q.CONTEXT: q.USUAL_CONTEXT,
}
# What stands for what is counted otherwise where adapters are trained.
_ADAPTERS = {
    quantity("memory_weights"): quantity("adapter_weights"),
    quantity("memory_optimizer"): quantity("adapter_states"),
    quantity("gradient_rate"): quantity("adapter_gradients"),
    quantity("matrix_gradient"): quantity("frozen_matrix"),
    quantity("copies_of_head"): quantity("adapter_copies_of_head"),
    quantity("micro_flop"): quantity("adapter_micro_flop"),
    quantity("micro_weights"): quantity("adapter_micro_weights"),
    quantity("micro_gradients"): quantity("adapter_micro_gradients"),
    quantity("update_time"): quantity("adapter_update_time"),
    quantity("least_copied_bytes"): quantity("adapter_copied_bytes"),
    quantity("copied_bytes"): quantity("adapter_copied_bytes"),
    ON_RANK: quantity("rank_adapters"),
}
_MIXTURE_ADAPTERS = {**_ADAPTERS, ON_RANK: quantity("rank_mixture_adapters")}
# The same of latent attention.
_LATENT = {
    quantity("query_width"): quantity("latent_query_width"),
    quantity("kv_width"): quantity("latent_kv_width"),
    quantity("attention_product_bytes"): quantity("latent_product_bytes"),
    quantity("up_params"): quantity("latent_up_params"),
}
MOMENTS, MOMENT_BYTES, OPTIMIZER_BYTES = map(quantity, ("moments", "moment_bytes", "optimizer_bytes"))
_BLOCK = quantity("block_bytes")
# What formulas name in place of a quantity on which it rests itself.
_OF_MIXTURES = {_BLOCK: quantity("mixture_block_bytes")}
_OF_ADAPTERS = {
    quantity("copy_bytes"): quantity("frozen_copy_bytes"),
    _BLOCK: quantity("adapter_block_bytes"),
    quantity("allocated_memory"): quantity("adapter_allocated_memory"),
}
_OF_STATES = {OPTIMIZER_BYTES: quantity("state_bytes")}
# What rests on the quantities themselves, whatever stands in their place elsewhere.
_APART = frozenset((MOMENT_BYTES, quantity("adapter_copies_of_head")))
LINKED = quantity("linked")
# What tells the time of a step, beside the model and the layout.
_SAYS = {q.PEAK, q.CEILING, q.MODEL_COMPUTE, q.TOKENS}
# What stands for a figure of the devices that nothing says: where it is an interval, for what lies between its ends.
_UNSAID: dict[Name, dict[str, str]] = {
    quantity("bandwidth"): {"bandwidth": "usual_bandwidth"},
    quantity("interconnect"): {"fast_links": "usual_fast_links", "slow_links": "usual_slow_links"},
    quantity("internode"): {"fast_network": "usual_fast_network", "slow_network": "usual_slow_network"},
}
# What decides which formulas stand in place of others.
_DECIDE = frozenset(
    (q.KV_LORA, q.ADAPTER_PARAMS, INTERLEAVE, LINKED, q.NODES_OF, q.ATTENTION_COMPUTE, *_UNSAID, *_SAYS)
)
# Of a model of usual shape all is taken to be in the matrices of its layers, but for a table each to read and to write.
_ELSEWHERE = {"norm_params": 0.0, "norm_biases": 0.0, "embedding_params": 0.0, "other_params": 0.0, "embeddings": 2.0}


@dataclass(frozen=True, slots=True)
class Step:
    """A quantity on the way to the memory: its formula, over those before it."""

    name: Name
    formula: Expr
    of: Evaluator


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a model, under any layout and regime.

    Attributes:
        known: What is known of the model and the devices, in base units.
        steps: What follows, in order; `of_memory` of them are of the memory, and come first.
        asked: The names on which the steps rest.
    """

    known: Mapping[Name, float]
    steps: tuple[Step, ...]
    of_memory: int
    asked: frozenset[Name]

    def formula(self, name: Name) -> Expr:
        """The formula of what follows."""
        return next(step.formula for step in self.steps if step.name == name)

    def usual(self, name: Name) -> float:
        """What is taken of something that is not known, and rests on what is known of the model alone."""
        if name in self.known:
            return self.known[name]
        step = next(step for step in self.steps if step.name == name)
        return float(step.of({part: self.usual(part) for part in names(step.formula)}))

    @property
    def is_priced(self) -> bool:
        """Whether the time of a step is told, too."""
        return any(step.name == ROOFLINE for step in self.steps)

    def at(self, layout: Layout, regime: Mapping[Name, float]) -> dict[Name, float]:
        """Every quantity of the memory, and of the time where that is told, in base units."""
        found = {**self.known, **regime, **layout.figures}
        for step in self.steps:
            if step.name not in found:
                found[step.name] = float(step.of(found))
        return found


def memory_of(
    known: Mapping[Name, float],
    shaped: bool,
    mixture: bool,
    catalogue: Library,
    *,
    states: bool = False,
    priced: tuple[Name, ...] = PRICED,
) -> Memory:
    """What a model comes to on devices, whose shape is known, or is taken to be usual.

    Args:
        states: Whether the optimizer keeps other values of a param than AdamW's two.
        priced: What is told of the time of a step, where it can be.
    """
    kept = catalogue.once(_kept).setdefault((shaped, mixture, states, priced), [])
    plan = next((one for one in kept if known.keys() & one.asked == one.there), None)
    if plan is None:
        wanted = (*WANTED, *priced) if known.keys() >= _SAYS else WANTED
        steps = tuple(in_order(formulas_of(known, shaped, mixture, catalogue, states), known, wanted))
        asked = frozenset(wanted).union(_DECIDE, *(names(step.formula) for step in steps))
        of_memory = max((i for i, step in enumerate(steps, 1) if step.name in WANTED), default=len(steps))
        plan = _Way(asked, frozenset(known.keys() & asked), steps, of_memory)
        kept.append(plan)
    return Memory(known, plan.steps, plan.of_memory, plan.asked)


def formulas_of(
    known: Mapping[Name, float], shaped: bool, mixture: bool, catalogue: Library, states: bool = False
) -> MutableMapping[Name, Expr]:
    """The formulas of the memory of a model, by what is known of it."""
    kinds = [(_MIXTURE if mixture else _DENSE) if shaped else _USUAL]
    within = [_OF_MIXTURES] if shaped and mixture else []
    if q.KV_LORA in known:
        kinds.append(_LATENT)
    if q.ADAPTER_PARAMS in known:
        kinds.append(_MIXTURE_ADAPTERS if shaped and mixture else _ADAPTERS)
        within.append(_OF_ADAPTERS)
    if states:
        within.append(_OF_STATES)
    instead = {name: Ref(other) for kind in kinds for name, other in kind.items() if name not in known}
    own: MutableMapping[Name, Expr] = ChainMap[Name, Expr](instead, catalogue.quantities().formulas)  # type: ignore[arg-type]
    if not shaped:
        dims = catalogue.quantities()
        own.update({quantity(text): Num(figure, dims[text].counted.dim) for text, figure in _ELSEWHERE.items()})
    own.update(_of_the_run(known, shaped, mixture, catalogue))
    now: dict[Name, Name] = {}  # what stands in place of a quantity so far
    for one in within:
        by = {now.get(name, name): Ref(other) for name, other in one.items()}
        own = {
            name: formula if name in {*one.values(), *_APART} else substitute(formula, by)
            for name, formula in own.items()
        }
        now |= one
    return own


def _of_the_run(known: Mapping[Name, float], shaped: bool, mixture: bool, catalogue: Library) -> dict[Name, Expr]:
    """What stands for what is not known of a run, where the time of its steps asks for it."""
    dims = catalogue.quantities()
    nothing = {
        "attention_flop": q.ATTENTION_COMPUTE in known,
        "exchange_bytes": shaped and mixture,
        "far_exchange_bytes": shaped and mixture,
        "expert_waits": shaped and mixture,
    }
    own: dict[Name, Expr] = {
        quantity(text): Num(0.0, dims[text].counted.dim) for text, there in nothing.items() if not there
    }
    if not shaped:
        own[quantity("matmul_params")] = Ref(quantity("usual_matmul_params"))
    if INTERLEAVE in known:
        own |= {quantity(f"{end}_interleave"): Ref(INTERLEAVE) for end in ("least", "most")}
    if LINKED not in known:
        own[LINKED] = Ref(q.NODES_OF if q.NODES_OF in known else quantity("usual_node"))
    for name, instead in _UNSAID.items():
        if name not in known:
            own |= {quantity(text): Ref(quantity(other)) for text, other in instead.items()}
    return own


def coefficients(regime: Record) -> dict[Name, float]:
    """What a regime says, in base units."""
    return {quantity(key): value for key, value in regime.said.items() if not isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class _Way:
    """The steps to the memory of a model, for all models of which the same is known.

    Attributes:
        asked: The names of which it matters whether they are known.
        there: Those of them that are.
    """

    asked: frozenset[Name]
    there: frozenset[Name]
    steps: tuple[Step, ...]
    of_memory: int


def _kept(catalogue: Library) -> dict[tuple[bool, bool, bool, tuple[Name, ...]], list[_Way]]:
    """The ways so far, by what kind of a model they are of, and what is told of it."""
    return {}


def in_order(formulas: Mapping[Name, Expr], known: Iterable[Name], wanted: Iterable[Name]) -> Iterator[Step]:
    """What leads to what is wanted, each behind what it is made of."""
    seen = set(known)

    def follow(name: Name) -> Iterator[Step]:
        if name in seen or name not in formulas:
            return
        seen.add(name)
        formula = formulas[name]
        for part in sorted(names(formula), key=str):
            yield from follow(part)
        yield Step(name, formula, evaluator(formula))

    for name in wanted:
        yield from follow(name)
