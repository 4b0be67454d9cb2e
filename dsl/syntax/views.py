"""A node of a plan's tree to its parts by name: the one place that knows at which position a rule has which."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.tree import Node, Word, as_node, as_word, unquoted
from runplan.dsl.text.source import Span


class View:
    """A node of which the parts have names.

    Plain classes with descriptors: every start of the program defines them all, and dataclasses take longer for it
    than the rest of reading a plan.
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.node.span


class _At:
    """A part by its position among the children of a view's node."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class NodeAt(_At):
    """A part that is a node."""

    def __get__(self, view: View, owner: type[View]) -> Node:
        return as_node(view.node.children[self.index])


class WordAt(_At):
    """A part that is a leaf."""

    def __get__(self, view: View, owner: type[View]) -> Word:
        return as_word(view.node.children[self.index])


class NodeIf(_At):
    """A node that may be left out."""

    def __get__(self, view: View, owner: type[View]) -> Node | None:
        part = view.node.children[self.index]
        return None if part is None else as_node(part)


class WordIf(_At):
    """A leaf that may be left out."""

    def __get__(self, view: View, owner: type[View]) -> Word | None:
        part = view.node.children[self.index]
        return None if part is None else as_word(part)


class PartAt(_At):
    """A part that is a node or a leaf."""

    def __get__(self, view: View, owner: type[View]) -> Node | Word:
        part = view.node.children[self.index]
        assert part is not None
        return part


def spec_of(statement: Node) -> Node:
    """What follows the keyword of a statement that has no name."""
    return next(statement.nodes())


class Named(View):
    """`NAME = VALUE`: a `let_spec`, `calendar_spec` or `law_let`, or a `rate_spec`, which goes on."""

    name = WordAt(0)
    value = NodeAt(1)


class RateSpec(Named):
    """`NAME = VALUE on DATE`: a `rate_spec`."""

    date = WordAt(2)


class Reasoned(View):
    """`VALUE [because "..."]`: a `constraint` or a `reserve_spec`."""

    value = NodeAt(0)
    because = WordIf(1)

    @property
    def reason(self) -> str | None:
        """The reason given; None where there is none."""
        return unquoted(self.because.text) if self.because else None


class Setting(View):
    """`NAME: VALUE` in a block: a `model_pair` or an `opt_pair`."""

    name = WordAt(0)
    value = NodeAt(1)


# ---- hardware


@dataclass(frozen=True, slots=True)
class PoolField:
    """A field of a pool of devices, in its one-line form or in a block: `at 40% MFU`, or `mfu: 40%`.

    Attributes:
        name: As the block spells it.
        at_most: Whether it is bounded by the value.
        span: All of it; of what has no word of its own the value alone.
        word: The name as it is written, where it may be any.
    """

    name: str
    value: Node | Word
    span: Span
    at_most: bool = False
    word: Word | None = None


class _LastOf(View):
    value = PartAt(-1)


class _PoolText(View):
    """`[up to] COUNT x DEVICE [in PRECISION] [for [up to] TIME] OPTION*`: a `pool`."""

    at_most_gpus = WordIf(0)
    gpus = NodeAt(1)
    device = NodeAt(3)
    precision = WordIf(4)
    at_most_time = WordIf(5)
    time = NodeIf(6)

    def options(self) -> Iterator[_LastOf]:
        return map(_LastOf, map(as_node, self.node.children[7:]))


class _BoughtText(View):
    """`[up to] HOURS of DEVICE [in PRECISION] OPTION*`: a `bought` pool."""

    at_most = WordIf(0)
    hours = NodeAt(1)
    device = NodeAt(2)
    precision = WordIf(3)

    def options(self) -> Iterator[_LastOf]:
        return map(_LastOf, map(as_node, self.node.children[4:]))


# Options of a pool's one-line form, by the field that they give.
_OPTIONS = {
    "mfu": "mfu",
    "achieved": "rate",
    "price": "price",
    "nodes_of": "nodes_of",
    "from_date": "from",
    "until_date": "until",
}


def pools_of(spec: Node) -> list[Node]:
    """The pools of an `hw_spec`, in any form."""
    return list(spec.nodes("pool", "bought", "hw_block"))


def pool_fields(pool: Node) -> Iterator[PoolField]:
    """The fields of a `pool`, a `bought` one or an `hw_block`, in the order in which they are given."""
    if pool.rule == "hw_block":
        for pair in pool.nodes():
            word = pair.word(0) if pair.rule == "hw_pair" else None
            name = word.text if word else pair.rule.removeprefix("hw_")
            yield PoolField(name, _LastOf(pair).value, pair.span, word=word)
        return
    text: _BoughtText | _PoolText
    if pool.rule == "bought":
        text = _BoughtText(pool)
        yield PoolField("gpu_hours", text.hours, text.hours.span, text.at_most is not None)
    else:
        text = _PoolText(pool)
        yield PoolField("gpus", text.gpus, text.gpus.span, text.at_most_gpus is not None)
        if text.time is not None:
            yield PoolField("time", text.time, text.time.span, text.at_most_time is not None)
    yield PoolField("device", text.device, text.device.span)
    if text.precision is not None:
        yield PoolField("precision", text.precision, text.precision.span)
    for option in text.options():
        yield PoolField(_OPTIONS[option.node.rule], option.value, option.span)


# ---- data, model, objective, schedule, optimizer


class DataOption(View):
    """What is said of a source after its amount, such as `up to 4 epochs`."""

    value = PartAt(-1)


class DataSpec(View):
    """`AMOUNT OPTION*`: a `data_spec`."""

    amount = NodeAt(0)

    def options(self) -> Iterator[DataOption]:
        """What is said after the amount."""
        return map(DataOption, map(as_node, self.node.children[1:]))


class SizeSpec(View):
    """`SIZE [, ACTIVE active] [{...}]` or `NAME [{...}]`: a `model_spec` that does not begin with a block."""

    size = NodeAt(0)

    @property
    def active(self) -> Node | None:
        """The active size, where it is said."""
        part = self.node.children[1] if len(self.node.children) > 1 else None
        return part if isinstance(part, Node) and part.rule != "model_block" else None


def block_of(spec: Node, rule: str) -> Iterator[Setting] | None:
    """The settings in the block of a `model_spec` or an `opt_spec`; None where it has none."""
    block = spec.node(rule)
    return map(Setting, block.nodes()) if block else None


class StartSpec(View):
    """`FROM [NAME] [on TOKENS]`: a `start_spec`."""

    origin = WordAt(0)
    name = NodeIf(1)
    tokens = NodeIf(2)


class LayoutSpec(View):
    """`NAME FIGURE, ... [in REGIME]`: a `layout_spec`."""

    regime = WordIf(-1)

    def items(self) -> Iterator[LayoutItem]:
        """The figures that are said."""
        return map(LayoutItem, self.node.nodes("layout_item"))


class LayoutItem(View):
    """`NAME FIGURE`: a `layout_item`."""

    name = WordAt(0)
    figure = NodeAt(1)


class ObjectiveSpec(View):
    """What a run trains for: a `single`, `transfer` or `mixed` node."""

    domain = WordIf(-1)

    @property
    def names(self) -> list[Word]:
        """One of a `single` objective, two of a `transfer`; of a `mixed` one that which leads, if any does."""
        return [part for part in self.node.children[:-1] if isinstance(part, Word)]

    @property
    def said(self) -> str:
        """One that is not mixed, without its domain: `CLM`, `transfer from CLM to MLM`."""
        words = [word.text for word in self.names]
        return words[0] if self.node.rule == "single" else f"transfer from {words[0]} to {words[1]}"

    @property
    def parts(self) -> list[Node]:
        """Those that are mixed."""
        return list(self.node.nodes("mixed_part"))


class ScheduleSpec(View):
    """`NAME [quality PLACE]`: a `sched_spec`."""

    name = WordAt(0)
    quality = WordIf(1)


class PhaseSpec(View):
    """`LENGTH SHAPE [mix ...]`: a `phase_spec`."""

    length = NodeAt(0)
    shape = WordAt(1)
    mix = NodeIf(2)

    @property
    def takes_the_rest(self) -> bool:
        """Whether it is as long as the other phases leave: `rest`, or `?`."""
        return self.length.rule == "hole" or (self.length.rule == "name" and self.length.word(0).text == "rest")

    def mixed(self) -> list[MixPart]:
        """What is mixed in it."""
        return list(map(MixPart, self.mix.nodes())) if self.mix else []


class MixPart(View):
    """`SOURCE START [.. END]`: a `mix_item`."""

    source = WordAt(0)
    start = NodeAt(1)
    end = NodeIf(2)
