"""A YAML plan to the same plan in its one layout, with its comments; its values are laid out as in the DSL.

Between the two stands a tree of entries with what was said around them: the conversions between the spellings read and
write it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Map

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.layout import INDENT, value_laid_out
from runplan.dsl.syntax.tree import Node
from runplan.dsl.syntax.yaml import Reader, comments_in_yaml
from runplan.dsl.syntax.yaml_scalars import Scalar
from runplan.dsl.syntax.yaml_values import Mapping, Sequence, Value, composed
from runplan.dsl.text.source import Source
from runplan.dsl.types import Literal

# A text that YAML takes as it stands, after a key.
_PLAIN = re.compile(r"(?![-?:](?:\s|$)|[\s,\[\]{}#&*!|>'\"%@`])(?!.*(?:: |:$| #))[^\n]*(?<!\s)")

# How a scalar begins whose text stands on the lines below.
_BLOCK = re.compile(r"[|>][-+\d]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a mapping or an item of a list.

    Attributes:
        name: Its key's text; empty for an item.
        key, text: Key and scalar as they are printed.
        said: The scalar's text.
        items: Those of a mapping or a list.
        before: Comments on lines of their own before it; an empty one is an empty line.
        after: The comment at the end of its line.
        tail: Comments after the last of its items.
        flow: Whether its items stand on one line, in brackets.
    """

    kind: Literal["scalar", "mapping", "list"]
    name: str = ""
    key: str = ""
    said: str = ""
    text: str = ""
    items: tuple[Entry, ...] = ()
    before: tuple[str, ...] = ()
    after: str = ""
    tail: tuple[str, ...] = ()
    flow: bool = False


def scalar(text: str) -> str:
    """A text as a scalar of YAML, in quotes where it needs them."""
    if text.isprintable() and _PLAIN.fullmatch(text):
        return text
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\U{ord(character):08x}"


# ---- entries to lines


def printed(root: Entry) -> str:
    """A plan's entries as YAML."""
    lines = [*_lines(root.items, ""), *root.tail]
    while lines and not lines[0]:
        del lines[0]
    return "\n".join([*lines, ""]) if lines else ""


def _lines(items: tuple[Entry, ...], indent: str) -> Iterator[str]:
    """The lines of a mapping's or a list's items."""
    for at, entry in enumerate(items):
        before = entry.before
        if not at and before[:1] == ("",):
            before = before[1:]
        yield from (f"{indent}{comment}" if comment else "" for comment in before)
        after = f"  {entry.after}" if entry.after else ""
        head = f"{indent}{entry.key}:" if entry.key else f"{indent}-"
        if entry.kind == "scalar":
            first, *rest = entry.text.split("\n")
            lines = [
                f"{head} {first}" if first else head,
                *(f"{indent}{INDENT}{line}" if line else "" for line in rest),
            ]
            lines[0 if _BLOCK.fullmatch(first) else -1] += after  # inside a block it were a part of its text
            yield from lines
            continue
        if entry.flow:
            yield f"{head} {_in_brackets(entry)}{after}"
        elif entry.key:
            yield f"{head}{after}"
            yield from _lines(entry.items, indent + INDENT)
        else:
            inner = list(_lines(entry.items, indent + INDENT))
            yield f"{head} {inner[0].lstrip()}" if inner else f"{head}{after}"
            yield from inner[1:]
        yield from (f"{indent}{INDENT}{comment}" if comment else "" for comment in entry.tail)


def _in_brackets(entry: Entry) -> str:
    """What stands at an entry's key, or as an item, on one line."""
    if entry.kind == "scalar":
        return entry.text
    if entry.kind == "list":
        return f"[{', '.join(map(_in_brackets, entry.items))}]"
    return f"{{{', '.join(f'{item.key}: {_in_brackets(item)}' for item in entry.items)}}}"


# ---- a file to entries


def entries_of(source: Source) -> Entry:
    """The entries of a YAML plan that can be read, with its values laid out."""
    root, _ = composed(source)
    assert root is None or isinstance(root, Mapping)
    reader = _Recorder()
    list(reader.statements(root)) if root else []
    walk = _Walk(source, root, reader.laid_out)
    items = walk.items(root, len(source.text)) if root else ()
    return Entry("mapping", items=items, tail=walk.comments_until(len(source.text), 0))


class _Recorder(Reader):
    """Reads the statements and keeps each value's text in its layout, by where it begins."""

    def __init__(self) -> None:
        super().__init__([])
        self.laid_out: dict[int, str] = {}

    def parsed(self, value: Value, start: str, what: str) -> Node | None:
        node = super().parsed(value, start, what)
        if node is not None and isinstance(value, Scalar) and value.style == "" and "\n" not in value.span.text:
            text = value_laid_out(value.span.source.text, node)
            if scalar(text) == text and not re.search(r"[\[\]{},]", text):  # it may stand in brackets
                self.laid_out[value.span.start] = text
        return node


class _Walk:
    """Goes through the values of a file in order, and takes the comments up on the way."""

    def __init__(self, source: Source, root: Mapping | None, laid_out: Map[int, str]) -> None:
        self.text = source.text
        self.laid_out = laid_out
        self.at = 0  # up to where everything has been taken up
        self.comments = list(comments_in_yaml(source, root))

    def comments_until(self, end: int, column: int) -> tuple[str, ...]:
        """The comments on lines of their own before a place that stand at a column or right of it."""
        found: list[str] = []
        while self.comments and self.comments[0].span.start < end and self.comments[0].span.column > column:
            comment = self.comments.pop(0)
            found += [*self.gap(comment.span.start), comment.text.rstrip()]
            self.at = comment.span.end
        return tuple(found)

    def gap(self, place: int) -> list[str]:
        """An empty line, where at least one stands before a place."""
        return [""] if re.search(r"\n[ \t]*\r?\n", self.text[self.at : place]) else []

    def after(self, place: int) -> str:
        """The comment on the line of a place, behind it."""
        line_end = self.text.find("\n", place)
        line_end = len(self.text) if line_end < 0 else line_end
        if self.comments and place <= self.comments[0].span.start < line_end:
            comment = self.comments.pop(0)
            self.at = comment.span.end
            return comment.text.rstrip()
        return ""

    def items(self, value: Mapping | Sequence, end: int) -> tuple[Entry, ...]:
        """The entries of a mapping or a list; what follows it begins at `end`."""
        pairs = value.items if isinstance(value, Mapping) else [(None, item) for item in value.items]
        ends = [*((key or item).span.start for key, item in pairs), end][1:]
        return tuple(self.entry(*pair, until) for pair, until in zip(pairs, ends, strict=True))

    def entry(self, key: Scalar | None, value: Value, end: int) -> Entry:
        """One of them; what follows it begins at `end`."""
        start = (key or value).span.start
        before = [*self.comments_until(start, 0), *self.gap(start)]
        name, shown = (key.text, key.span.text) if key else ("", "")
        if isinstance(value, Scalar):
            last = max(start, value.span.end if value.span.text.strip() else (key or value).span.end)
            self.at = last
            after = self.after(start if value.style in ("|", ">") else last)
            self.at = max(self.at, last)
            return Entry("scalar", name, shown, value.text, self.scalar(value), (), tuple(before), after)
        after = self.after(key.span.end) if key else ""
        self.at = max(self.at, value.span.start if key else start)
        column = value.span.column - 1
        items = self.items(value, end)
        bracketed = self.text[value.span.start : value.span.start + 1] in ("[", "{")
        if bracketed:
            self.at = max(self.at, value.span.end)
            after = after or self.after(value.span.end)
        tail = () if bracketed else self.comments_until(end, max(column, 1))
        kind: Literal["mapping", "list"] = "mapping" if isinstance(value, Mapping) else "list"
        flow = bracketed and not any(map(_is_spread, items))
        return Entry(kind, name, shown, "", "", items, tuple(before), after, tail, flow)

    def scalar(self, value: Scalar) -> str:
        raw = value.span.text.rstrip().replace("\r\n", "\n")
        if "\n" not in raw:
            return self.laid_out.get(value.span.start, raw)
        first, *rest = raw.split("\n")
        if value.style in ("|", ">"):
            first = first.split()[0]  # without its comment
        margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
        return "\n".join([first, *(line[margin:].rstrip() for line in rest)])


def _is_spread(entry: Entry) -> bool:
    """Whether an entry has comments or lines that leave no room in brackets."""
    own = bool(entry.after or entry.before or entry.tail or "\n" in entry.text)
    return own or any(map(_is_spread, entry.items))
