"""A model, a layout and what a framework keeps to the memory that one device needs, by its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Ref, names, substitute
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.engine.layout.layout import Layout
from runplan.engine.problem import quantities as q

LEAST, MOST, USABLE = map(quantity, ("least_memory", "most_memory", "usable_memory"))
WANTED = (q.MEMORY_PER_GPU, LEAST, MOST, USABLE)
LAYER_MATRICES, FFN_WIDTH, ON_RANK = map(quantity, ("layer_matrices", "ffn_width", "adapters_on_rank"))
# What stands for what is counted otherwise in a mixture of experts, and in a model of which the size alone is known.
_DENSE = {LAYER_MATRICES: quantity("dense_layer_matrices"), FFN_WIDTH: q.FFN, q.CONTEXT: q.USUAL_CONTEXT}
_MIXTURE = {
    LAYER_MATRICES: quantity("mixture_layer_matrices"),
    FFN_WIDTH: quantity("mixture_ffn_width"),
    q.CONTEXT: q.USUAL_CONTEXT,
}
_USUAL = {
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
# What stands for what is counted otherwise where adapters are trained, and what the formulas of memory then name in
# place of what is of all weights.
_ADAPTERS = {
    quantity("memory_weights"): quantity("adapter_weights"),
    quantity("memory_optimizer"): quantity("adapter_states"),
    quantity("gradient_rate"): quantity("adapter_gradients"),
    quantity("matrix_gradient"): quantity("frozen_matrix"),
    ON_RANK: quantity("rank_adapters"),
}
_OF_ADAPTERS = {
    quantity("copy_bytes"): quantity("frozen_copy_bytes"),
    quantity("block_bytes"): quantity("adapter_block_bytes"),
    quantity("allocated_memory"): quantity("adapter_allocated_memory"),
}
# The same of an optimizer that keeps other values than AdamW's two.
MOMENTS, MOMENT_BYTES, OPTIMIZER_BYTES = map(quantity, ("moments", "moment_bytes", "optimizer_bytes"))
_OF_STATES = {OPTIMIZER_BYTES: quantity("state_bytes")}
# Of a model of usual shape all is taken to be in the matrices of its layers, but for a table each to read and to write.
_ELSEWHERE = {"norm_params": 0.0, "embedding_params": 0.0, "other_params": 0.0, "embeddings": 2.0}


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
        steps: What follows, in order.
    """

    known: Mapping[Name, float]
    steps: tuple[Step, ...]

    def formula(self, name: Name) -> Expr:
        """The formula of what follows."""
        return next(step.formula for step in self.steps if step.name == name)

    def at(self, layout: Layout, regime: Mapping[Name, float]) -> dict[Name, float]:
        """Every quantity of the memory, in base units."""
        found = {**self.known, **regime, **layout.figures}
        for step in self.steps:
            if step.name not in found:
                found[step.name] = float(step.of(found))
        return found


def memory_of(
    known: Mapping[Name, float], shaped: bool, mixture: bool, catalogue: Library, *, states: bool = False
) -> Memory:
    """What a model comes to on devices, whose shape is known, or is taken to be usual.

    Args:
        states: Whether the optimizer keeps other values of a param than AdamW's two.
    """
    formulas = catalogue.quantities().formulas
    instead = dict((_MIXTURE if mixture else _DENSE) if shaped else _USUAL)
    within: dict[Name, Name] = dict(_OF_STATES) if states else {}
    if q.LORA in known:
        instead |= _ADAPTERS
        within |= _OF_ADAPTERS
        if shaped and mixture:
            instead[ON_RANK] = quantity("rank_mixture_adapters")
    own: dict[Name, Expr] = {**formulas, **{name: Ref(other) for name, other in instead.items() if name not in known}}
    apart = {*within.values(), MOMENT_BYTES}  # they rest on what they stand in place of
    own = {name: formula if name in apart else _naming(formula, within) for name, formula in own.items()}
    if not shaped:
        dims = catalogue.quantities()
        own |= {quantity(text): Num(figure, dims[text].counted.dim) for text, figure in _ELSEWHERE.items()}
    kept, key = catalogue.once(_kept), (shaped, mixture, states, frozenset(known.keys() & catalogue.once(_all)))
    if key not in kept:
        kept[key] = tuple(_in_order(own, known))
    return Memory(known, kept[key])


def _naming(formula: Expr, within: Mapping[Name, Name]) -> Expr:
    """A formula with other names in place of some of its own."""
    return substitute(formula, {name: Ref(other) for name, other in within.items()}) if within else formula


def coefficients(regime: Record) -> dict[Name, float]:
    """What a regime says, in base units."""
    return {
        quantity(entry.key): value.value for entry in regime.entries for value in entry.values if isinstance(value, Num)
    }


def _kept(catalogue: Library) -> dict[tuple[bool, bool, bool, frozenset[Name]], tuple[Step, ...]]:
    """The steps of models so far, by what is known of them."""
    return {}


def _all(catalogue: Library) -> frozenset[Name]:
    """What formulas are of, and what stands in them."""
    formulas = catalogue.quantities().formulas
    return frozenset(formulas).union(*map(names, formulas.values()))


def _in_order(formulas: Mapping[Name, Expr], known: Mapping[Name, float]) -> Iterator[Step]:
    """What leads to the memory, each behind what it is made of."""
    seen = set(known)

    def follow(name: Name) -> Iterator[Step]:
        if name in seen or name not in formulas:
            return
        seen.add(name)
        formula = formulas[name]
        for part in sorted(names(formula), key=str):
            yield from follow(part)
        yield Step(name, formula, compiled(formula))

    for wanted in WANTED:
        yield from follow(wanted)
