"""A text to its words by what they are, for colours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.comments import QUOTED_OR_COMMENT
from runplan.dsl.syntax.statements import KEYWORDS, RESERVED
from runplan.editor.document import Document

# What a use is to an editor, by its kind; of a definition `type`, of a part of the plan a `namespace`.
_TYPES = {
    "let": "variable",
    "letter": "parameter",
    "quantity": "property",
    "function": "function",
    "unit": "type",
    "number": "number",
    "alias": "namespace",
    "source": "variable",
    "stage": "namespace",
    "phase": "variable",
    "law": "class",
    "device": "class",
    "model": "class",
    "schedule": "class",
    "shape": "class",
    "optimizer": "class",
    "precision": "enumMember",
    "objective": "enumMember",
    "domain": "enumMember",
    "result": "property",
}
TYPES = ("comment", "string", "keyword", *dict.fromkeys(_TYPES.values()))
MODIFIERS = ("declaration", "defaultLibrary")
_WORD = re.compile(r"(?<![\w.-])[A-Za-z_]\w*(?![\w.-])")
_YAML_KEY = re.compile(r"^[ \t]*(?:-[ \t]+)*([A-Za-z_]\w*)(?=[ \t]*:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of one line, by offsets."""

    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


def tokens(document: Document) -> tuple[Token, ...]:
    """The tokens of a document, in order; none overlaps another."""
    comments = (Token(word.span.start, word.span.end, "comment") for word in document.file.comments)
    # What is a name is no word of the language, though it may be spelled like one.
    found = sorted((*_of_names(document), *comments, *_of_words(document)), key=lambda token: token.start)
    out: list[Token] = []
    text = document.source.text
    for token in found:
        free = token.end > token.start and (not out or token.start >= out[-1].end)
        if free and "\n" not in text[token.start : token.end]:
            out.append(token)
    return tuple(out)


def _of_names(document: Document) -> Iterator[Token]:
    """Names and figures; of a figure with a unit the number alone."""
    for use in document.uses:
        kind = _TYPES.get("quantity" if use.kind.startswith("field ") else use.kind)
        if kind is None:
            continue
        end = use.span.end
        if use.kind == "number":
            inner = re.match(r"[-\d_.eE+kKMGTBi]+", use.span.text)
            end = use.span.start + inner.end() if inner else end
        library = use.kind in ("quantity", "function", "unit") or (kind == "class" and not use.names)
        modifiers = (("declaration",) if use.names else ()) + (("defaultLibrary",) if library else ())
        yield Token(use.span.start, end, kind, modifiers)


def _of_words(document: Document) -> Iterator[Token]:
    """Words of the language, and quoted texts."""
    text = document.source.text
    if document.in_yaml:
        yield from (Token(m.start(1), m.end(1), "keyword") for m in _YAML_KEY.finditer(text))
        return
    words = {*KEYWORDS, *RESERVED}
    at = 0
    for quoted in [*QUOTED_OR_COMMENT.finditer(text), None]:
        end = quoted.start() if quoted else len(text)
        yield from (Token(m.start(), m.end(), "keyword") for m in _WORD.finditer(text, at, end) if m[0] in words)
        if quoted:
            at = quoted.end()
            if quoted[0].startswith('"'):
                yield Token(quoted.start(), quoted.end(), "string")
