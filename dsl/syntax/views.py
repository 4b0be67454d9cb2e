"""A statement of a plan to its parts by name: the one place that knows at which position a rule has which.

Tuples, not dataclasses: they take a tenth of the time to define, and every start of the program defines them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Self

from runplan.dsl.syntax.tree import Node, Word, as_node, as_word, node_or_none, unquoted, word_or_none
from runplan.dsl.text.source import Span


def _last(node: Node) -> Node | Word:
    part = node.children[-1]
    assert part is not None
    return part


def spec_of(statement: Node) -> Node:
    """What follows the keyword of a statement that has no name."""
    return next(statement.nodes())


class Named(NamedTuple):
    """`NAME = VALUE`, of a `let`, a `calendar` or a law's `let`."""

    name: Word
    value: Node

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `let_spec`, a `calendar_spec` or a `law_let`."""
        name, value = spec.children
        return cls(as_word(name), as_node(value))


class RateSpec(NamedTuple):
    """`NAME = VALUE on DATE`."""

    name: Word
    value: Node
    date: Word

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `rate_spec`."""
        name, value, date = spec.children
        return cls(as_word(name), as_node(value), as_word(date))


class Reasoned(NamedTuple):
    """`VALUE [because "..."]`, of a constraint or a reserve."""

    value: Node
    reason: str | None

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `constraint` or a `reserve_spec`."""
        value, because = spec.children
        return cls(as_node(value), unquoted(because.text) if isinstance(because, Word) else None)


class Setting(NamedTuple):
    """`NAME: VALUE` in a block of the model or of the optimizer, or a part of a text that stands for one."""

    name: Word
    value: Node
    span: Span

    @classmethod
    def of(cls, pair: Node) -> Self:
        """The parts of a `model_pair` or an `opt_pair`."""
        return cls(as_word(pair.children[0]), as_node(pair.children[1]), pair.span)


# ---- hardware


class PoolField(NamedTuple):
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
    """The pools of an `hw_spec`, in either form."""
    return list(spec.nodes("pool", "hw_block"))


def pool_fields(pool: Node) -> Iterator[PoolField]:
    """The fields of a `pool` or an `hw_block`, in the order in which they are given."""
    if pool.rule == "hw_block":
        for pair in pool.nodes():
            word = pair.word(0) if pair.rule == "hw_pair" else None
            yield PoolField(word.text if word else pair.rule.removeprefix("hw_"), _last(pair), pair.span, word=word)
        return
    at_most_gpus, gpus, _, device, precision, at_most_time, time, *options = pool.children
    yield PoolField("gpus", as_node(gpus), as_node(gpus).span, at_most_gpus is not None)
    yield PoolField("time", as_node(time), as_node(time).span, at_most_time is not None)
    yield PoolField("device", as_node(device), as_node(device).span)
    if isinstance(precision, Word):
        yield PoolField("precision", precision, precision.span)
    for option in map(as_node, options):
        yield PoolField(_OPTIONS[option.rule], _last(option), option.span)


# ---- data, model, objective, schedule, optimizer


class DataOption(NamedTuple):
    """What is said of a source after its amount, such as `up to 4 epochs`."""

    rule: str
    value: Node | Word
    span: Span


class DataSpec(NamedTuple):
    """`AMOUNT OPTION*` of one source."""

    amount: Node
    options: tuple[DataOption, ...]

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `data_spec`."""
        amount, *options = map(as_node, spec.children)
        return cls(as_node(amount), tuple(DataOption(o.rule, _last(o), o.span) for o in options))


class ModelSpec(NamedTuple):
    """A size with the active part of it, or the fields of a block."""

    size: Node | None
    active: Node | None
    block: tuple[Setting, ...]

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `model_spec`."""
        block = spec.node("model_block")
        if block is not None:
            return cls(None, None, tuple(map(Setting.of, block.nodes())))
        size, active = spec.children
        return cls(as_node(size), node_or_none(active), ())


class OptimizerSpec(NamedTuple):
    """A name with its settings."""

    name: Word
    settings: tuple[Setting, ...]

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of an `opt_spec`."""
        name, block = spec.children
        return cls(as_word(name), tuple(map(Setting.of, block.nodes())) if isinstance(block, Node) else ())


class ObjectiveSpec(NamedTuple):
    """What a run trains for.

    Attributes:
        names: One of a `single` objective, two of a `transfer`; of a `mixed` one that which leads, if any does.
        parts: Those that are mixed.
        domain: None where it is not said.
    """

    names: tuple[Word, ...]
    parts: tuple[Node, ...]
    domain: Word | None

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `single`, `transfer` or `mixed` node."""
        *names, domain = spec.children
        return cls(
            tuple(n for n in names if isinstance(n, Word)), tuple(spec.nodes("mixed_part")), word_or_none(domain)
        )


class ScheduleSpec(NamedTuple):
    """A schedule by name, with where in it data of high quality stand."""

    name: Word
    quality: Word | None

    @classmethod
    def of(cls, spec: Node) -> Self:
        """The parts of a `sched_spec`."""
        name, quality = spec.children
        return cls(as_word(name), word_or_none(quality))


class MixPart(NamedTuple):
    """A source's share of a phase; the share at its end where that is another one."""

    source: Word
    start: Node
    end: Node | None
    span: Span


class PhaseSpec(NamedTuple):
    """`SHARE SHAPE [mix ...]` of a phase.

    Attributes:
        mix: Where the mix stands; None where there is none.
    """

    share: Node
    shape: Word
    mix: Node | None

    @classmethod
    def of(cls, phase: Node) -> Self:
        """The parts of the `phase_spec` in a `phase`."""
        share, shape, mix = as_node(phase.children[1]).children
        return cls(as_node(share), as_word(shape), node_or_none(mix))

    def mixed(self) -> Iterator[MixPart]:
        """What is mixed in it."""
        for item in self.mix.nodes() if self.mix else ():
            source, start, end = item.children
            yield MixPart(as_word(source), as_node(start), node_or_none(end), item.span)
