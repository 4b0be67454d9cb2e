"""A text to its outline: what is stated and defined in it, and what can be folded away."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import BY_RULE
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.syntax.views import spec_of
from runplan.dsl.text.source import Span
from runplan.editor.document import Document

# What has a name of its own: the rule, and at which place among its children that stands.
_NAMED = {
    "let_spec": 0,
    "data_named": 0,
    "phase": 0,
    "stage": 0,
    "law": 0,
    "rule": 0,
    "record": 1,
    "schedule_def": 0,
    "quantity_def": 0,
    "hw_pair": 0,
    "model_pair": 0,
    "opt_pair": 0,
    "entry": 0,
    "constant": 0,
    "free_constant": 0,
    "law_let": 0,
    "law_function": 0,
    "law_table": 0,
    "rate_spec": 0,
}
# What stands in the outline below what it is in.
_INNER = frozenset(_NAMED) | {f"hw_{name}" for name in ("block", "device", "precision", "paid", "from", "until")}
_ASIDE = frozenset(("let_spec", "rate_spec", "hw_block"))


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of an outline.

    Attributes:
        kind: The word that begins it, or the rule of what is inside one.
        span: All of it.
        at: Where its name stands, or its beginning.
    """

    kind: str
    name: str
    detail: str
    span: Span
    at: Span
    inside: tuple[Symbol, ...] = ()


def outline(document: Document) -> tuple[Symbol, ...]:
    """The outline of a document."""
    return tuple(map(_statement, document.file.statements))


def _statement(node: Node) -> Symbol:
    row = BY_RULE.get(node.rule)
    named = spec_of(node) if node.rule in ("let", "rate") else node
    if named.rule == "override":
        named = next(named.nodes())
    word = named.word(_NAMED[named.rule]) if named.rule in _NAMED else None
    kind = row.keyword.split()[0] if row else named.word(0).text if named.rule == "record" else named.rule
    name = unquoted(word.text) if word else kind
    span = _whole(node, word)
    detail = span.said
    return Symbol(kind, name, detail[:80], span, word.span if word else _first_line(span), tuple(_inside(node)))


def _inside(node: Node) -> Iterator[Symbol]:
    """The entries below another, in order."""
    for child in node.nodes():
        if child.rule == "plan_block":
            if node.rule == "stage":
                yield from map(_statement, child.nodes())
        elif child.rule in _INNER and child.rule not in _ASIDE:
            word = child.word(_NAMED[child.rule]) if child.rule in _NAMED else None
            name = unquoted(word.text) if word else child.rule.removeprefix("hw_")
            detail = child.span.said[:80]
            span = child.span.to(child.span) if word is None else _whole(child, word)
            yield Symbol("field", name, detail, span, word.span if word else _first_line(span))
        else:
            yield from _inside(child)


def _whole(node: Node, word: Word | None) -> Span:
    """All of a statement, its name included."""
    start = min(node.span.start, word.span.start) if word and word.span.source is node.span.source else node.span.start
    end = max(node.span.end, word.span.end) if word and word.span.source is node.span.source else node.span.end
    return Span(node.span.source, start, end)


def _first_line(span: Span) -> Span:
    end = span.source.text.find("\n", span.start, span.end)
    return span if end < 0 else Span(span.source, span.start, end)


# ---- folding


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that can be folded away behind the first of them; 0-based, the last included."""

    first: int
    last: int
    comment: bool = False


def folds(document: Document) -> tuple[Fold, ...]:
    """Statements of several lines, blocks in them, and comments of several lines."""
    found = {_fold(span) for node in document.file.statements for span in _stretches(node)}
    lines = [word.span.line - 1 for word in document.file.comments if _alone(word)]
    run: list[int] = []
    for line in [*lines, -1]:
        if run and line != run[-1] + 1:
            found |= {Fold(run[0], run[-1], True)}
            run = []
        run.append(line)
    return tuple(sorted((f for f in found if f.last > f.first), key=lambda f: (f.first, -f.last)))


def _alone(word: Word) -> bool:
    return word.span.source.line_text(word.span.line).lstrip().startswith("#")


def _stretches(node: Node) -> Iterator[Span]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.span.end_line > one.span.line:
            yield one.span
            waiting += one.nodes()


def _fold(span: Span) -> Fold:
    text = span.text.rstrip()
    return Fold(span.line - 1, span.line - 1 + text.count("\n"))
