"""The model of a flagship into the shapes that smaller ones of its family have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.plan.ir import Given, Plan
from runplan.dsl.plan.model import figures_of_record
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.alone import objective_of
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.problem.solution import Solution

# Widths that are tried, up to each end in steps of so many; multiples of a head are kept.
_WIDTHS = ((256, 32), (1024, 64), (4096, 128), (math.inf, 256))
# How far the depth may lie from the family's share of it, as a factor, so that sizes lie close enough together.
_LEAN = 1.35
# No model of one layer, nor one narrower than this, tells anything of a large one.
_LEAST_LAYERS, _LEAST_WIDTH = 2, 64
# A head is as wide as the family's where there are at least so many of them; else narrower, as of small models.
_HEADS, _NARROW = 4, ((64, 2048), (32, 256))
# What an odd number of heads, or of heads to a key and value, counts for, as a share of proportion.
_ODD = 0.3
_DOMAINS = ("text",)  # of which there is a usual shape
# What of a shape goes with its width, and with its depth.
_BY_WIDTH, _BY_DEPTH = ("kv_lora", "q_lora", "embedding_dim"), ("global_layers",)


@dataclass(frozen=True, slots=True)
class Shape:
    """An exact architecture.

    Attributes:
        fields: Of a model's block, all that are counted by, by name.
        off: How far it is from the family's proportions, as a logarithm.
    """

    fields: Mapping[str, int]
    off: float

    def __getitem__(self, field: str) -> int:
        return self.fields[field]


@dataclass(frozen=True, slots=True)
class Family:
    """What models of a family have in common.

    Attributes:
        name: The model that it is read off.
        source: What that rests on.
        aspect: Width over depth.
        ffn: Width of an MLP over that of the model.
        head: Width of a head.
        attention: Width of all heads over that of the model.
        group: Heads for each head of keys and values.
        explicit: Whether the width of a head is stated.
        scaled: Fields that go with the width or with the depth, each as a share of it.
        rest: All other fields as texts.
    """

    name: str
    source: str
    aspect: float
    ffn: float
    head: int
    attention: float
    group: float
    explicit: bool
    scaled: Mapping[str, float]
    rest: Mapping[str, str]

    def shapes(self, most: float) -> Iterator[Shape]:
        """Exact architectures, from narrow to wide, of up to about so many params."""
        width = _LEAST_WIDTH
        while 4.0 * width**3 / self.aspect <= most:  # the queries and outputs of attention alone, at least
            if (head := self._head(width)) is not None:
                aspect = min(self.aspect, width / (_LEAST_LAYERS + 1))
                shallow, deep = width / aspect / _LEAN, width / aspect * _LEAN
                for layers in range(max(_LEAST_LAYERS, math.ceil(shallow)), math.floor(deep) + 1):
                    yield self._shape(width, layers, head, abs(math.log(width / layers / aspect)))
            width += next(step for end, step in _WIDTHS if width < end)

    def _head(self, width: int) -> int | None:
        """How wide a head is in a model of some width: as the family's, where there are as many heads to a key and
        value, and at least so many; None where no head divides it.
        """
        heads = (self.head, *(narrow for narrow, most in _NARROW if narrow < self.head and width <= most))
        fits = [head for head in heads if not width * self.attention % head]
        wide = [head for head in fits if width * self.attention >= _HEADS * head] or fits[-1:]
        return next((head for head in wide if not width * self.attention / head % self.group), next(iter(wide), None))

    def _shape(self, width: int, layers: int, head: int, off: float) -> Shape:
        heads = round(width * self.attention / head)
        off += _ODD * (bool(heads % self.group) + (heads % 2 and heads > 1))
        step = 128 if width >= 1024 else 32
        fields = {
            "layers": layers,
            "hidden": width,
            "heads": heads,
            "kv_heads": next(n for n in range(max(1, int(heads / self.group)), 0, -1) if heads % n == 0),
            "ffn": max(step, round(self.ffn * width / step) * step),
            **({"head_dim": head} if self.explicit else {}),
        }
        for name, share in self.scaled.items():
            whole = layers if name in _BY_DEPTH else width
            fields[name] = min(max(1, round(share * whole)), whole)
        return Shape(fields, off)


def family_of(plan: Plan, solution: Solution, catalogue: Library, named: Record | None) -> Family:
    """The family of a plan's model; of a published one that is named instead; or of usual shape, of text.

    Raises:
        NoLadder: Where nothing tells what the model is made of.
    """
    quantities = solution.problem.quantities
    figures, name, source = _known(plan, solution, quantities, named)
    fields = {field.name: field for field in quantities.given_by("model").values()}
    domain = objective_of(plan).domain
    if "experts" in figures:
        raise NoLadder("family", f"`{name}` is a mixture of experts: name a dense model, such as `--family llama-3-8b`")
    if domain not in _DOMAINS and "vocab" not in figures:
        raise NoLadder(
            "family",
            f"nothing tells what models of {domain} are made of: give the model's shape, or name one of its family, "
            "such as `--family esm2-650m`; `plan model` lists them",
        )

    def usual(text: str) -> float:
        formula = quantities[text].formula
        assert isinstance(formula, Num), "the standard library has it as a figure"
        return formula.value

    hidden = figures.get("hidden")
    heads = figures.get("heads")
    head = figures.get("head_dim") or (hidden / heads if hidden and heads else usual("usual_head_dim"))
    plain = figures.get("mlp") == 2.0  # matrices of an MLP that is not gated
    ffn = figures["ffn"] / hidden if hidden and "ffn" in figures else 4.0 if plain else 8.0 / 3.0
    aspect = hidden / figures["layers"] if hidden and "layers" in figures else usual("usual_aspect")
    scaled = {
        text: figures[text] / (figures["layers"] if text in _BY_DEPTH else hidden)
        for text in (*_BY_WIDTH, *_BY_DEPTH)
        if figures.get(text) and hidden and "layers" in figures
    }
    own = {"layers", "hidden", "heads", "kv_heads", "ffn", "head_dim", "params", "active", *scaled}
    rest = {text: _written(fields[text], value) for text, value in figures.items() if text not in own}
    if "vocab" not in figures:
        rest["vocab"] = f"{usual('usual_vocab'):.0f}"
    return Family(
        name,
        source,
        aspect,
        ffn,
        round(head),
        figures["heads"] * head / hidden if hidden and heads else 1.0,
        heads / figures["kv_heads"] if heads and figures.get("kv_heads") else 1.0,
        "head_dim" in figures,
        scaled,
        rest,
    )


def _known(
    plan: Plan, solution: Solution, quantities: Quantities, named: Record | None
) -> tuple[dict[str, float], str, str]:
    """What is known of a model's block, by field; what the model is called, and what that rests on."""
    fields = {field.name: field for field in quantities.given_by("model").values()}
    model = plan.model
    if named is not None:
        span = named.span
        shape = figures_of_record(named, fields, span)
        figures = {text: amount.value.value for text, amount in shape.items() if isinstance(amount, Given)}
        return figures, named.name, named.text("config")
    figures = {}
    for text, amount in model.architecture.items() if model else ():
        name = next(given for given, field in quantities.given_by("model").items() if field.name == text)
        value = amount.value.value if isinstance(amount, Given) else solution.get(name)
        if value is not None:
            figures[text] = value
    if model is not None and model.record is not None:
        return figures, model.record.name, model.record.text("config")
    if figures.keys() & {"hidden", "layers", "ffn", "heads"}:
        return figures, "the plan's model", "the plan"
    return figures, "a model of usual shape", f"not given: {quantities['usual_aspect'].title}"


def _written(field: Field, value: float) -> str:
    """The value of a field as a plan writes it."""
    said = next((word for word, number in field.words if number == value and not word.isdigit()), f"{value:.0f}")
    return f"{said} tokens" if field.dim == TOKEN else said
