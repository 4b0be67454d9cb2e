"""A `.plan` to the same plan in YAML: what it says, its numbers as they are written, its comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.syntax.layout import value_laid_out
from runplan.dsl.syntax.statements import BY_KEY, BY_RULE, Statement
from runplan.dsl.syntax.tree import File, Node, Word, as_node, unquoted
from runplan.dsl.syntax.yaml import NAMED
from runplan.dsl.syntax.yaml_layout import Entry, scalar
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.source import Span


class NoSpelling(RunplanError):
    """Raised where a plan says what the other spelling has no words for; it says what and at which line."""

    def __init__(self, span: Span, what: str) -> None:
        super().__init__(f"{span.source.path}:{span.line}: {what}")


@dataclass(frozen=True, slots=True)
class _Said:
    """A statement or a field with the comments around it.

    Attributes:
        inside: The comments within it, which only a block has a place for.
    """

    node: Node
    before: tuple[str, ...]
    after: str
    inside: tuple[Word, ...]


def as_yaml(file: File) -> Entry:
    """The entries of the same plan in YAML.

    Raises:
        NoSpelling: Where it defines what belongs in a pack, or says what YAML has no place for.
    """
    return _mapping(file.statements, file.comments, 0, len(file.source.text))


def _mapping(nodes: Sequence[Node], comments: Sequence[Word], start: int, end: int) -> Entry:
    """Statements as one mapping: those of a key together, where the first of them stands."""
    said, tail = _with_comments(nodes, comments, start, end)
    groups: dict[str, list[_Said]] = {}
    for one in said:
        row = BY_RULE.get(one.node.rule)
        if row is None:
            what = f"`{one.node.span.text.split()[0]}` has no YAML: put it into a pack, or a `.plan` that this imports"
            raise NoSpelling(one.node.span, what)
        groups.setdefault(row.key or row.slot, []).append(one)
    return Entry("mapping", items=tuple(_entry(key, group) for key, group in groups.items()), tail=tail)


def _with_comments(
    nodes: Sequence[Node], comments: Sequence[Word], start: int, end: int
) -> tuple[list[_Said], tuple[str, ...]]:
    """Each node with the comments before it, behind it and in it; and those after the last one."""
    left = [comment for comment in comments if start <= comment.span.start < end]
    said: list[_Said] = []
    at = start
    for node in nodes:
        before: list[str] = []
        while left and left[0].span.start < node.span.start:
            before += _told(left.pop(0), at)
        before += _gap(node.span, at)
        inside = [comment for comment in left if comment.span.start < node.span.end]
        del left[: len(inside)]
        after = left.pop(0).text.rstrip() if left and left[0].span.line == node.span.end_line else ""
        said.append(_Said(node, tuple(before), after, tuple(inside)))
        at = node.span.end
    return said, tuple(text for comment in left for text in _told(comment, at))


def _told(comment: Word, at: int) -> list[str]:
    return [*_gap(comment.span, at), comment.text.rstrip()]


def _gap(span: Span, at: int) -> list[str]:
    """An empty line where one stands before a place, and nothing but blanks between."""
    return [""] if re.search(r"\n[ \t]*\r?\n[ \t]*\Z", span.source.text[at : span.start]) else []


def _entry(key: str, group: list[_Said]) -> Entry:
    row = BY_KEY[key]
    made = _YAML_OF[row.shape](row, group)
    if len(made.items) >= len(group) and not made.before and group[0].before:
        # What stands before the first of several statements stands before them all.
        first, *rest = made.items
        made = replace(made, before=group[0].before, items=(replace(first, before=()), *rest))
    return replace(made, name=key, key=key)


def _lone(row: Statement, group: list[_Said]) -> _Said:
    if len(group) > 1:
        raise NoSpelling(group[1].node.span, f"`{row.key}` stands twice, and a key of YAML once")
    return group[0]


def _scalar(one: _Said, text: str) -> Entry:
    before = (*one.before, *(comment.text.rstrip() for comment in one.inside))
    return Entry("scalar", said=text, text=scalar(text), before=before, after=one.after)


def _value(one: _Said) -> str:
    """The text of a statement's value, or of a field's."""
    return _text_of(as_node(one.node.children[-1]), one.node.span.end)


def _text_of(node: Node, end: int | None = None) -> str:
    whole = replace(node, span=Span(node.span.source, node.span.start, end or node.span.end))
    return value_laid_out(node.span.source.text, whole)


def _yaml_text(row: Statement, group: list[_Said]) -> Entry:
    one = _lone(row, group)
    return _scalar(one, _value(one))


def _yaml_texts(row: Statement, group: list[_Said]) -> Entry:
    if len(group) == 1:
        return _yaml_text(row, group)
    return Entry("list", items=tuple(_scalar(one, _value(one)) for one in group))


def _yaml_named(row: Statement, group: list[_Said]) -> Entry:
    if any(one.node.rule == row.rule for one in group):
        return _yaml_text(row, group)
    return Entry("mapping", items=tuple(_under(one.node.word(0), _scalar(one, _value(one))) for one in group))


def _under(word: Word, made: Entry) -> Entry:
    """An entry under the name that a statement gives."""
    name = unquoted(word.text)
    return replace(made, name=name, key=scalar(name) if NAMED.fullmatch(name) else f'"{name}"')


def _yaml_title(row: Statement, group: list[_Said]) -> Entry:
    one = _lone(row, group)
    return _scalar(one, unquoted(as_node(one.node.children[0]).word(0).text))


def _yaml_lets(row: Statement, group: list[_Said]) -> Entry:
    def item(one: _Said) -> Entry:
        spec = as_node(one.node.children[0])
        return _under(spec.word(0), _scalar(one, _text_of(as_node(spec.children[1]), one.node.span.end)))

    return Entry("mapping", items=tuple(map(item, group)))


def _yaml_hardware(row: Statement, group: list[_Said]) -> Entry:
    one = _lone(row, group)
    pools = list(as_node(one.node.children[0]).nodes())
    if not any(pool.rule == "hw_block" for pool in pools):
        return _scalar(one, _value(one))
    items = []
    loose = list(one.inside)
    for pool in pools:
        if pool.rule == "hw_block":
            items.append(_fields(pool, [comment for comment in loose if _is_in(comment, pool)]))
            loose = [comment for comment in loose if not _is_in(comment, pool)]
        else:
            items.append(_scalar(_Said(pool, (), "", ()), _text_of(pool)))
    before = (*one.before, *(comment.text.rstrip() for comment in loose))
    if len(items) == 1:
        return _with_ends(items[0], before, one.after)
    return Entry("list", items=tuple(items), before=before, after=one.after)


def _is_in(comment: Word, node: Node) -> bool:
    return node.span.start <= comment.span.start < node.span.end


def _fields(block: Node, comments: Sequence[Word], lead: Iterable[Entry] = ()) -> Entry:
    """A block as a mapping."""
    after, rest = _opening(block, comments)
    said, tail = _with_comments(list(block.nodes()), rest, block.span.start + 1, block.span.end)
    fields = list(map(_field, said))
    if fields and fields[0].before[:1] == ("",):  # a block does not begin with an empty line, whatever leads
        fields[0] = replace(fields[0], before=fields[0].before[1:])
    return Entry("mapping", items=(*lead, *fields), after=after, tail=tail)


def _opening(block: Node, comments: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    """The comment behind the brace that opens a block, and the others in it."""
    first = next(block.nodes(), None)
    if comments and comments[0].span.line == block.span.line and (not first or comments[0].span.end < first.span.start):
        return comments[0].text.rstrip(), comments[1:]
    return "", comments


def _with_ends(made: Entry, before: tuple[str, ...], after: str) -> Entry:
    """An entry with what stands before it and behind it; a key has room for one comment on its line."""
    if made.after and after:
        return replace(made, before=(*before, made.after), after=after)
    return replace(made, before=before, after=made.after or after)


def _field(one: _Said) -> Entry:
    node = one.node
    if node.rule in ("hw_pair", "model_pair", "opt_pair"):
        return _under(node.word(0), _scalar(one, _value(one)))
    name = node.rule.removeprefix("hw_")
    inner = node.children[0]
    word = inner if isinstance(inner, Word) else as_node(inner).word(0)
    bare = unquoted(word.text)
    text = bare if word.type == "STRING" and re.search(r"\S\s+\S", bare) else word.text
    return replace(_scalar(one, text), name=name, key=name)


def _yaml_settings(row: Statement, group: list[_Said]) -> Entry:
    """A model or an optimizer: a text, or a mapping with the name among its settings."""
    one = _lone(row, group)
    spec = as_node(one.node.children[0])
    block = next(spec.nodes("model_block", "opt_block"), None)
    if block is None:
        return _scalar(one, _value(one))
    within = [comment for comment in one.inside if comment.span.start > block.span.start]
    loose = tuple(comment.text.rstrip() for comment in one.inside if comment.span.start < block.span.start)
    lead = value_laid_out(spec.span.source.text, replace(spec, span=_before(spec, block), children=spec.children[:-1]))
    named = [Entry("scalar", "name", "name", lead, scalar(lead))] if lead else []
    made = _fields(block, within, named)
    return _with_ends(made, (*one.before, *loose), one.after)


def _before(spec: Node, block: Node) -> Span:
    return Span(spec.span.source, spec.span.start, block.span.start)


def _yaml_stages(row: Statement, group: list[_Said]) -> Entry:
    def item(one: _Said) -> Entry:
        block = as_node(one.node.children[1])
        after, rest = _opening(block, one.inside)
        made = _mapping(list(block.nodes()), rest, block.span.start + 1, block.span.end)
        return _with_ends(_under(one.node.word(0), replace(made, after=after)), one.before, one.after)

    return Entry("mapping", items=tuple(map(item, group)))


_YAML_OF: dict[str, Callable[[Statement, list[_Said]], Entry]] = {
    "text": _yaml_text,
    "texts": _yaml_texts,
    "named": _yaml_named,
    "title": _yaml_title,
    "laws": _yaml_text,
    "lets": _yaml_lets,
    "objective": _yaml_text,
    "hardware": _yaml_hardware,
    "model": _yaml_settings,
    "optimizer": _yaml_settings,
    "stages": _yaml_stages,
}
