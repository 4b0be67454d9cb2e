"""The syntax tree: what was written, in either spelling, with a span on every node and the comments kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.finding import Budget
from runplan.dsl.text.source import Source, Span


def unquoted(text: str) -> str:
    """The text of a quoted string, or of a bare word."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    if "\\" not in inner:  # nearly every one, and a library holds hundreds
        return inner
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), inner, flags=re.DOTALL)


def text_of(word: Node | Word | None) -> str:
    """The text of a quoted string or a word; empty where it is left out."""
    return unquoted(word.text) if isinstance(word, Word) else ""


@dataclass(frozen=True, slots=True)
class Word:
    """A leaf: one token as it was spelled.

    Attributes:
        type: The terminal of the grammar, such as `NUMBER`.
        text: Its spelling.
    """

    type: str
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Node:
    """A rule of the grammar with what it matched; an optional part that is absent is None.

    Two nodes are equal where they say the same thing, wherever they stand.
    """

    rule: str
    children: tuple[Node | Word | None, ...]
    span: Span = field(compare=False)

    def nodes(self, *rules: str) -> Iterator[Node]:
        """The children that are nodes, of the given rules where any are named."""
        for child in self.children:
            if isinstance(child, Node) and (not rules or child.rule in rules):
                yield child

    def node(self, rule: str) -> Node | None:
        """The first child of a rule."""
        return next(self.nodes(rule), None)

    def words(self) -> Iterator[Word]:
        """The children that are leaves."""
        for child in self.children:
            if isinstance(child, Word):
                yield child

    def word(self, index: int = 0) -> Word:
        """The leaf at a position among all children; the grammar promises that it is there."""
        return as_word(self.children[index])


def as_node(part: Node | Word | None) -> Node:
    """A part that the grammar promises to be a node."""
    assert isinstance(part, Node)
    return part


def as_word(part: Node | Word | None) -> Word:
    """A part that the grammar promises to be a leaf."""
    assert isinstance(part, Word)
    return part


@dataclass(frozen=True, slots=True)
class Imported:
    """A plan that another imports under a name, by which its results are named.

    Attributes:
        path: The reader's path of it.
        span: The import.
    """

    alias: str
    path: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class File:
    """One parsed file: its statements in order, and its comments.

    Attributes:
        imported: The plans that it imports under a name, and those that they do.
        broken: The blocks with lines that could not be read, its imports' included. What such a block misses is no
            mistake of its own.
        lost: Of those the stretches that are in no statement: a name that stands there may be defined there.
        adrift: Prefixes of names that an import would have brought, had it been read; `""` for any name.
        budgets: The files of its folder's budgets whose statements are among its own, by path.
    """

    source: Source
    statements: tuple[Node, ...]
    comments: tuple[Word, ...] = field(default=(), compare=False)
    broken: tuple[Span, ...] = field(default=(), compare=False)
    lost: tuple[Span, ...] = field(default=(), compare=False)
    adrift: tuple[str, ...] = field(default=(), compare=False)
    imported: tuple[Imported, ...] = field(default=(), compare=False)
    budgets: Mapping[str, Budget] = field(default_factory=dict, compare=False)


# Records whose figures a plan names in expressions.
NAMED_FIGURES = ("price", "region")


@dataclass(frozen=True, slots=True)
class Mention:
    """A word that names something elsewhere: a device, a law, a source, a domain."""

    text: str
    span: Span = field(compare=False)


def name_of(node: Node) -> Mention:
    """The name that a statement gives to what it declares."""
    word = node.word(0)
    return Mention(unquoted(word.text), word.span)


def leaves(node: Node) -> Iterable[Word]:
    """The words of a statement, in order."""
    stack: list[Node | Word | None] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Word):
            yield item
        elif item is not None:
            stack.extend(reversed(item.children))
